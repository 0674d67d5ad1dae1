"""Why a client is asked, as a page or an answer of the API tells them in their language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask_babel import format_date

from app.features.reviews.reasons import Reason, reason_to_client
from app.infra.web.words import say_here


def day_here(written: str | None) -> str:
    """A day of the evidence as the reader writes days; a dash for none."""
    return str(format_date(date.fromisoformat(written), "long")) if written else "–"


def reasons_said(reasons: Iterable[Reason]) -> list[str]:
    """Each reason as a sentence to the client."""
    return [reason_to_client(one.kind, one.evidence, say_here, day_here) for one in reasons]
