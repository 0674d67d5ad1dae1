"""The caseload's filter as it stands in an address, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.features.overview.commands import SIZES, SORTS, CaseloadFilter, Why
from app.features.overview.facts import STATUS_LETTERS

_ALL_REASONS = sum(Why)
QUIET_WEEKS = (0, 2, 4, 8, 12)


def filter_of(given: Mapping[str, str]) -> CaseloadFilter:
    """Read a filter from the query of an address; what makes no sense there is as if it were not given."""
    sort = given.get("sort", "why")
    key, _, value = given.get("attribute", "").partition(":")
    step = _whole(given.get("step"), 1, 8)
    status = given.get("status") or None
    quiet = _whole(given.get("contact"), 0, 520)
    size = _whole(given.get("size"), 1, SIZES[-1]) or SIZES[0]
    return CaseloadFilter(
        search=given.get("q", "").strip()[:200],
        cohort_id=_uuid(given.get("cohort")),
        counsellor_id=_uuid(given.get("counsellor")),
        label_id=_uuid(given.get("label")),
        filter_id=_uuid(given.get("filter")),
        why=_whole(given.get("why"), 1, _ALL_REASONS) or 0,
        step=step if status in STATUS_LETTERS else None,
        status=status if status in STATUS_LETTERS else None,
        attribute=(key, value) if key and value else None,
        quiet_weeks=quiet,
        review_soon=given.get("review") == "soon",
        sort=next((known for known in SORTS if known == sort.removeprefix("-")), "why"),
        descending=sort.startswith("-"),
        size=next((known for known in SIZES if size <= known), SIZES[0]),
        page=_whole(given.get("page"), 1, 100_000) or 1,
    )


def query_of(wanted: CaseloadFilter, **changes: Any) -> dict[str, str]:
    """The query of an address that shows `wanted` with some parts changed (None takes one off).

    Any change but of the page begins at the first page. Names are those of the address: q, cohort, why, ...
    """
    attribute = ":".join(wanted.attribute) if wanted.attribute else None
    sort = f"{'-' if wanted.descending else ''}{wanted.sort}"
    parts: dict[str, Any] = {
        "q": wanted.search,
        "cohort": wanted.cohort_id,
        "counsellor": wanted.counsellor_id,
        "label": wanted.label_id,
        "filter": wanted.filter_id,
        "why": wanted.why,
        "step": wanted.step,
        "status": wanted.status,
        "attribute": attribute,
        "contact": wanted.quiet_weeks,
        "review": "soon" if wanted.review_soon else None,
        "sort": sort if sort != "why" else None,
        "size": wanted.size if wanted.size != SIZES[0] else None,
        "page": wanted.page if not changes and wanted.page > 1 else None,
    }
    parts |= changes
    # A last contact of 0 weeks means "never"; every other 0 means nothing.
    return {name: str(value) for name, value in parts.items() if value or (value == 0 and name == "contact")}


def _whole(text: str | None, least: int, most: int) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return number if least <= (number := int(text)) <= most else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
