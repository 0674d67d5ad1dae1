"""What stands beside step 3: the search for occupations, the scan at a glance; and its buttons."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from app.domain.errors import FieldProblem, InvalidInput
from app.features.occupations import queries
from app.features.occupations.releases import current_release
from app.features.occupations.search import search
from app.features.plans.rooms import Content, Section
from app.features.steps.desk import Desk
from app.features.steps.opportunities.content import MOST_OCCUPATIONS
from app.features.steps.opportunities.facts import facts_blocks, share_words
from app.features.steps.opportunities.figures import beside
from app.features.steps.opportunities.report import scan_blocks

_SHOWN = 8
_LONGEST = 100


def look(desk: Desk) -> Mapping[str, Any]:
    """What a search found, the scan as blocks (while it is typed), and the occupations with their addresses."""
    release = current_release(desk.uow) if desk.open else None
    asked = desk.ask[:_LONGEST].strip()
    hits = search(desk.uow, asked, _SHOWN, release) if release and asked else []
    scan, facts = scan_blocks(desk.content, desk.around, gettext), facts_blocks(desk.content, desk.around, gettext)
    return {
        "release": release,
        "asked": asked,
        "hits": hits,
        "looked_up": {row["code"] for row in desk.content.get("occupations", ())},
        "full": len(desk.content.get("occupations", ())) >= MOST_OCCUPATIONS,
        "most": MOST_OCCUPATIONS,
        "scan": Section("", tuple(scan) if desk.open else ()),
        "facts": Section("", tuple(facts) if desk.open else ()),
        "beside": beside(desk.content, desk.around),
        "share": lambda each: share_words(each.at_most, gettext),
        "level": desk.content.get("education"),
        "open": desk.open,
    }


def act(desk: Desk, verb: str, what: str) -> Content:
    """What a button does: `find` (the search comes back with the page), `add:<code>`, `remove:<id>`.

    A button of a page that is no longer true changes nothing. Raises InvalidInput where the list is full.
    """
    rows = list(desk.content.get("occupations", ()))
    match verb:
        case "add":
            return dict(desk.content) | {"occupations": _added(desk, rows, what)}
        case "remove":
            return dict(desk.content) | {"occupations": [row for row in rows if row["id"] != what]}
    return desk.content


def _added(desk: Desk, rows: list[Any], code: str) -> list[Any]:
    release = current_release(desk.uow)
    found = queries.find(desk.uow, code, release) if release else None
    if release is None or found is None or any(row["code"] == code for row in rows):
        return rows
    if len(rows) >= MOST_OCCUPATIONS:
        said = gettext(
            "Look at no more than %(most)s occupations at a time: take one out first.", most=MOST_OCCUPATIONS
        )
        raise InvalidInput([FieldProblem("occupations", said)])
    return [*rows, {"id": secrets.token_hex(4), "code": code, "release": release.key, "name": found.title}]
