"""Attributes: give many the same value, or take it off."""

from __future__ import annotations

import json
from typing import Any

from flask_babel import lazy_gettext as _

from app.domain.access import Permission
from app.domain.attributes import BadValue, read_value
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.clients.queries import attributes
from app.features.clients.service import mark_rules_stale
from app.features.edits.kinds import SAME, EditKind, Values
from app.infra.db.open import UnitOfWork

_THEN = "CAST(:value AS jsonb)"
_DIFFERS = f"c.attributes -> CAST(:key AS text) IS DISTINCT FROM {_THEN}"
_LOOK = f"""
    SELECT a.client_id, c.attributes -> CAST(:key AS text) AS before, {_THEN} AS after,
           CASE WHEN c.id IS NULL THEN 'gone' WHEN {_DIFFERS} THEN 'new' ELSE 'same' END AS outcome
    FROM asked a LEFT JOIN clients c ON c.id = a.client_id
"""


def _with(value: str) -> str:
    """The attributes with another value for the key; without one where it is null."""
    return (
        f"CASE WHEN {value} IS NULL THEN c.attributes - CAST(:key AS text)"
        f" ELSE c.attributes || jsonb_build_object(CAST(:key AS text), {value}) END"
    )


# The next roster must compare the row again: it no longer is what was last imported.
_WRITE = "updated_at = :now, row_digest = NULL"
_CHANGE = f"""
    held AS (
        SELECT c.id FROM asked a JOIN clients c ON c.id = a.client_id WHERE {_DIFFERS}
        ORDER BY c.id FOR NO KEY UPDATE OF c
    ), changed AS (
        UPDATE clients c SET attributes = {_with(_THEN)}, {_WRITE} FROM held h WHERE c.id = h.id
        RETURNING c.id AS client_id, old.attributes -> CAST(:key AS text) AS was
    ), done AS (SELECT client_id, jsonb_build_object('was', was) AS result FROM changed)
"""
_BACK = f"""
    before AS (SELECT client_id, nullif(result->'was', 'null') AS value FROM was),
    back AS (
        UPDATE clients c SET attributes = {_with("b.value")}, {_WRITE} FROM before b
        WHERE c.id = b.client_id AND NOT {_DIFFERS} RETURNING c.id AS client_id
    )
"""


def _read(uow: UnitOfWork, raw: Values) -> dict[str, Any]:
    known = {attribute.key: attribute for attribute in attributes(uow)}
    attribute = known.get(str(raw.get("key")))
    if attribute is None:
        raise InvalidInput([FieldProblem("key", "Choose an attribute from the list.")])
    if raw.get("act") == "clear":
        return {"key": attribute.key, "value": None}
    given = raw.get("value")
    try:
        value = read_value(attribute, given if isinstance(given, str | int | float | bool) else None)
    except BadValue as bad:
        raise InvalidInput([FieldProblem("value", str(bad))]) from None
    if value is None:
        raise InvalidInput([FieldProblem("value", "Write the value all of them get.")])
    return {"key": attribute.key, "value": value}


def _parameters(_uow: UnitOfWork, values: Values) -> dict[str, Any]:
    value = values["value"]
    return {"key": values["key"], "value": None if value is None else json.dumps(value)}


def _say(uow: UnitOfWork, values: Values) -> str:
    label = next((known.label for known in attributes(uow) if known.key == values["key"]), values["key"])
    if values["value"] is None:
        return later("%(attribute)s is taken off", attribute=label)
    return later("%(attribute)s becomes %(value)s", attribute=label, value=values["value"])


def _words(value: Any) -> str:
    return "–" if value is None else str(value)


KIND = EditKind(
    name="attribute",
    label=_("Change an attribute"),
    permission=Permission.WORK_PLANS,
    read=_read,
    parameters=_parameters,
    say=_say,
    look=_LOOK,
    change=_CHANGE,
    back=_BACK,
    after=mark_rules_stale,
    words=_words,
    reasons={SAME: later("Already as it should be."), "gone": later("Is no longer there.")},
    kept=later("The value was changed since, so it stays."),
)
