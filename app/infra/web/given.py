"""What an address or a form gives to a page, kept to what the database can hold. The API's fields do it themselves."""

from __future__ import annotations

from datetime import date

from flask import request
from flask_babel import gettext

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.reading import parse_day
from app.infra.web.errors import wants_json

_MOST_WHOLE = 2**31 - 1


def refuse_nul() -> None:
    """Raise InvalidInput for a page's address, query or form with a NUL in it; nobody can type one."""
    if wants_json():
        return
    if "\x00" in request.path:
        raise _unkept("address")
    for name, value in [*request.args.items(multi=True), *request.form.items(multi=True)]:
        if "\x00" in name or "\x00" in value:
            raise _unkept(name.replace("\x00", "")[:80])
    for upload in request.files.values():
        if "\x00" in (upload.filename or ""):
            raise _unkept("file")


def _unkept(field: str) -> InvalidInput:
    # Only now: asking for a word fixes the request's language, and nobody knows yet who asks.
    return InvalidInput([FieldProblem(field, gettext("This contains characters that cannot be kept. Type it again."))])


def whole_in_query(name: str) -> int | None:
    """A whole number of 0 or more in the query, as PostgreSQL's integer holds it; None for anything else."""
    return _whole(request.args.get(name, type=int))


def whole_in_form(name: str) -> int | None:
    """The same in a posted form."""
    return _whole(request.form.get(name, type=int))


def day_in_form(name: str) -> date | None:
    """A day of a posted form, written as YYYY-MM-DD; None for an empty one. Raises InvalidInput for anything else."""
    written = request.form.get(name, "").strip()
    if not written:
        return None
    if (day := parse_day(written)) is None:
        raise InvalidInput([FieldProblem(name, gettext("Choose a day."))])
    return day


def _whole(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= _MOST_WHOLE else None
