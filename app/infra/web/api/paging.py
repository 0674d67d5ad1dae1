"""Pages of a list by the sort key of the last item (not by counting), so that rows added meanwhile shift nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from flask import current_app, request
from flask_babel import gettext
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.errors import FieldProblem, InvalidInput
from app.infra.db.open import UnitOfWork

Row = TypeVar("Row")
_READ: dict[str, Callable[[Any], Any]] = {
    "u": UUID,
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "s": str,
    "i": int,
    "n": lambda _: None,
}


def page(
    uow: UnitOfWork,
    statement: Select[Row],
    by: Sequence[InstrumentedAttribute[Any]],
    query: Mapping[str, Any],
    *,
    descending: bool = False,
) -> dict[str, Any]:
    """One page of the entities a statement selects, in the order of the columns `by`.

    `by` ends with a unique column and holds no nulls. `query` is what PageQuery read; raises
    InvalidInput for a cursor that this list did not give.
    """
    limit = query["limit"]
    key = tuple_(*by)
    if query.get("cursor"):
        after = tuple_(*read_cursor(query["cursor"], len(by)))
        statement = statement.where(key < after if descending else key > after)
    order = [column.desc() if descending else column for column in by]
    rows = list(uow.session.scalars(statement.order_by(*order).limit(limit + 1)))
    return cut(rows, limit, lambda row: [getattr(row, column.key) for column in by])


def cut(rows: Sequence[Row], limit: int, key: Callable[[Row], Sequence[Any]]) -> dict[str, Any]:
    """A page from up to `limit + 1` rows: the items, and the cursor of the next page when there are more."""
    items = list(rows[:limit])
    return {"items": items, "next": make_cursor(key(items[-1])) if len(rows) > limit else None}


def whole(items: Sequence[Row]) -> dict[str, Any]:
    """A list that is short by its nature, as its only page."""
    return {"items": items, "next": None}


def make_cursor(values: Sequence[Any]) -> str:
    """An opaque cursor of sort values, good for this list and signed."""
    return str(_serializer().dumps([_write(value) for value in values]))


def read_cursor(text: str, length: int) -> list[Any]:
    """The values of a cursor; raises InvalidInput for one that was not made for this list."""
    try:
        parts = _serializer().loads(text)
    except BadData:
        parts = []
    if len(parts) != length:
        raise InvalidInput(
            [FieldProblem("cursor", gettext("This cursor is not of this list. Start again without a cursor."))]
        )
    return [_READ[kind](value) for kind, value in parts]


def _serializer() -> URLSafeSerializer:
    key = current_app.extensions["octant"].settings.key_for("cursor")
    # SHA-256 by name: the library's default is SHA-1.
    return URLSafeSerializer(key, salt=request.path, signer_kwargs={"digest_method": hashlib.sha256})


def _write(value: Any) -> tuple[str, Any]:
    match value:
        case None:
            return "n", None
        case UUID():
            return "u", value.hex
        case datetime():
            return "t", value.isoformat()
        case date():
            return "d", value.isoformat()
        case str():
            return "s", value
        case int():
            return "i", value
    raise TypeError(f"a cursor cannot hold a {type(value).__name__}")
