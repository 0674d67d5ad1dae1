"""Rules of cohorts: conditions over what is known of a client, all or any of which must hold.

A rule is kept as JSON: {"all": [{"field": "programme", "is": "any_of", "values": ["Economics", "Law"]}]} or
with "any". A field is an attribute's key, or a built-in one, whose name begins with "@". A client without a
value satisfies `is_not` and `is_empty` and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from app.domain.attributes import Attribute, AttributeValue, BadValue, read_value
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later

Match = Literal["all", "any"]
Operator = Literal[
    "is", "is_not", "any_of", "at_least", "at_most", "before", "after", "begins_with", "is_empty", "is_not_empty"
]
VALUELESS: frozenset[Operator] = frozenset({"is_empty", "is_not_empty"})
FieldKind = Literal["text", "number", "date", "choice", "boolean", "active", "external_id", "counsellor"]

OPERATORS_OF: Mapping[FieldKind, tuple[Operator, ...]] = {
    "text": ("is", "is_not", "any_of", "is_empty", "is_not_empty"),
    "choice": ("is", "is_not", "any_of", "is_empty", "is_not_empty"),
    "number": ("is", "is_not", "any_of", "at_least", "at_most", "is_empty", "is_not_empty"),
    "date": ("is", "before", "after", "is_empty", "is_not_empty"),
    "boolean": ("is", "is_empty", "is_not_empty"),
    "active": ("is",),
    "external_id": ("begins_with",),
    "counsellor": ("is", "is_not", "any_of", "is_empty", "is_not_empty"),
}
ACTIVE, EXTERNAL_ID, COUNSELLOR = "@active", "@external_id", "@counsellor"
MOST_CONDITIONS = 20
MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class Field:
    """What a condition may be about; `options` are (value, label) pairs where only these can be chosen."""

    key: str
    label: str
    kind: FieldKind
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison; `values` is empty for the operators that need none, and single but for `any_of`."""

    field: str
    operator: Operator
    values: tuple[AttributeValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions of which all or any must hold; at least one."""

    match: Match
    conditions: tuple[Condition, ...]

    def as_json(self) -> dict[str, Any]:
        """The form it is stored in."""
        return {
            self.match: [
                {"field": c.field, "is": c.operator, "values": list(c.values)}
                if c.values
                else {"field": c.field, "is": c.operator}
                for c in self.conditions
            ]
        }


def fields_of(
    attributes: Iterable[Attribute], counsellors: Iterable[tuple[str, str]], labels: Mapping[str, str]
) -> tuple[Field, ...]:
    """Every field a rule of an organization may use: its attributes, then the built-in ones.

    `counsellors` are (membership id, name); `labels` name the built-in fields in the reader's language.
    """
    own = [Field(a.key, a.label, a.kind, tuple((c, c) for c in a.choices)) for a in attributes]
    return (
        *own,
        Field(ACTIVE, labels[ACTIVE], "active"),
        Field(EXTERNAL_ID, labels[EXTERNAL_ID], "external_id"),
        Field(COUNSELLOR, labels[COUNSELLOR], "counsellor", tuple(counsellors)),
    )


def stored_rule(raw: Mapping[str, Any]) -> Rule:
    """A rule as `as_json` wrote it, whatever became of the attributes it names since."""
    match: Match = "any" if "any" in raw else "all"
    return Rule(match, tuple(Condition(c["field"], c["is"], tuple(c.get("values", ()))) for c in raw[match]))


def parse_rule(raw: object, fields: Sequence[Field]) -> Rule:
    """Check a rule against the fields there are and return it with its values in their stored form.

    Raises InvalidInput naming `match`, `conditions` or `conditions.<index>` for each problem.
    """
    if not isinstance(raw, Mapping) or len(raw) != 1 or next(iter(raw)) not in ("all", "any"):
        raise InvalidInput([FieldProblem("match", "Say whether all or any of the conditions must hold.")])
    match, given = cast("tuple[Match, object]", next(iter(raw.items())))
    if not isinstance(given, Sequence) or isinstance(given, str) or not 1 <= len(given) <= MOST_CONDITIONS:
        raise InvalidInput(
            [
                FieldProblem(
                    "conditions",
                    later("Add at least one condition, at most %(most)s.", most=MOST_CONDITIONS),
                )
            ]
        )
    known = {field.key: field for field in fields}
    conditions, problems = [], []
    for index, one in enumerate(given):
        try:
            conditions.append(_condition(one, known))
        except BadValue as bad:
            problems.append(FieldProblem(f"conditions.{index}", str(bad)))
    if problems:
        raise InvalidInput(problems)
    return Rule(match, tuple(conditions))


def _condition(raw: object, known: Mapping[str, Field]) -> Condition:
    if not isinstance(raw, Mapping):
        raise BadValue("A condition names a field, how to compare and the values.")
    field = known.get(str(raw.get("field", "")))
    if field is None:
        raise BadValue("Choose what the condition is about.")
    operator = raw.get("is")
    if operator not in OPERATORS_OF[field.kind]:
        raise BadValue(later("Choose how to compare %(label)s.", label=field.label))
    if operator in VALUELESS:
        return Condition(field.key, operator)
    given = raw.get("values", ())
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise BadValue("Give the values as a list.")
    values = tuple(dict.fromkeys(v for one in given if (v := _value(field, one)) is not None))
    if not values:
        raise BadValue(later("Say what %(label)s is compared with.", label=field.label))
    if len(values) > (MOST_VALUES if operator == "any_of" else 1):
        raise BadValue(later("Give one value for %(label)s, or compare with “any of”.", label=field.label))
    return Condition(field.key, operator, values)


def _value(field: Field, raw: object) -> AttributeValue | None:
    if field.kind == "counsellor":
        if str(raw) in dict(field.options):
            return str(raw)
        raise BadValue("Choose somebody from the list.")
    kind = {"active": "boolean", "external_id": "text"}.get(field.kind, field.kind)
    choices = tuple(value for value, _ in field.options)
    return read_value(Attribute(field.key, field.label, cast(Any, kind), choices), raw)
