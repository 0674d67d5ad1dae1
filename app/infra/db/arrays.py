"""Many values as one parameter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.abc import Buffer
from psycopg.types.array import ListDumper


class ListOfIdsDumper(ListDumper):
    """Writes a list of ids a fifth as long as the driver's own does, which looks at every one by a regular expression;
    any other list as the driver does."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        """The text form of the array."""
        if obj and all(type(one) is UUID for one in obj):
            return b"{" + ",".join([one.hex for one in obj]).encode() + b"}"
        return super().dump(obj)


def as_array(values: Iterable[UUID | date | int | str | None]) -> str:
    """PostgreSQL's text form of an array of ids, days, moments, numbers or identifiers, for `CAST(:x AS uuid[])`.

    The driver's own looks at every element by a regular expression, which is a tenth of the time of a batch that
    writes thousands. Raises ValueError for any other text: nothing is quoted here.
    """
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: UUID | date | int | str | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str) and not value.isidentifier():
        raise ValueError("An array of texts that people write is the driver's work.")
    return str(value)
