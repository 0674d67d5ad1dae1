"""What a form or a JSON body gives to a kind of edit, kept to what its statements take."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from app.domain.reading import parse_day

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)


def whole(given: object) -> int | None:
    """A whole number, also as text; None for anything else."""
    if isinstance(given, bool):
        return None
    if isinstance(given, int):
        return given if abs(given) < 10**9 else None
    return int(given) if isinstance(given, str) and _WHOLE.fullmatch(given.strip()) else None


def an_id(given: object) -> UUID | None:
    """An id, also as text; None for anything else."""
    if isinstance(given, UUID):
        return given
    try:
        return UUID(given) if isinstance(given, str) else None
    except ValueError:
        return None


def a_day(given: object) -> date | None:
    """A day, also written as YYYY-MM-DD; None for anything else."""
    if isinstance(given, str):
        return parse_day(given)
    return given if isinstance(given, date) else None


def a_text(given: object, most: int) -> str | None:
    """Text of one to `most` characters without surrounding space; None for anything else."""
    if not isinstance(given, str):
        return None
    written = given.replace("\r\n", "\n").strip()
    return written if 0 < len(written) <= most else None
