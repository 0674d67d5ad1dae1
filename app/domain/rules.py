"""Rules of cohorts and of saved filters: conditions over clients, all or any of which must hold.

A rule is kept as JSON: {"all": [{"field": "programme", "is": "any_of", "values": ["Economics", "Law"]}]} or
with "any". A field is an attribute's key, or a built-in one, whose name begins with "@". A client without a
value satisfies `is_not` and `is_empty` and nothing else.

A cohort keeps itself current, so its rule may ask only for what the writing of clients tells of (`fields_of`). A filter
is asked when it is used, and may ask for plans, days and silence too (`plan_fields`).
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
    "is",
    "is_not",
    "any_of",
    "at_least",
    "at_most",
    "before",
    "after",
    "begins_with",
    "is_empty",
    "is_not_empty",
    "holds",
    "within_days",
    "weeks_ago",
]
VALUELESS: frozenset[Operator] = frozenset({"is_empty", "is_not_empty"})
FieldKind = Literal[
    "text",
    "number",
    "date",
    "choice",
    "boolean",
    "active",
    "external_id",
    "counsellor",
    "label",
    "cohort",
    "has_plan",
    "template",
    "status",
    "attention",
    "count",
    "soon",
    "review_day",
    "contact",
    "silent",
    "search",
]

OPERATORS_OF: Mapping[FieldKind, tuple[Operator, ...]] = {
    "text": ("is", "is_not", "any_of", "is_empty", "is_not_empty"),
    "choice": ("is", "is_not", "any_of", "is_empty", "is_not_empty"),
    "number": ("is", "is_not", "any_of", "at_least", "at_most", "is_empty", "is_not_empty"),
    "date": ("is", "before", "after", "is_empty", "is_not_empty"),
    "boolean": ("is", "is_empty", "is_not_empty"),
    "active": ("is",),
    "external_id": ("begins_with",),
    "counsellor": ("is", "is_not", "any_of", "is_empty", "is_not_empty"),
    "label": ("is", "is_not", "any_of", "is_empty", "is_not_empty"),
    "cohort": ("is", "is_not", "any_of"),
    "has_plan": ("is",),
    "template": ("is", "is_not", "any_of"),
    "status": ("is", "is_not", "any_of"),
    "attention": ("is", "is_not", "any_of"),
    "count": ("at_least", "at_most"),
    "soon": ("within_days",),
    "review_day": ("within_days", "before", "is_empty"),
    "contact": ("weeks_ago", "is_empty", "is_not_empty"),
    "silent": ("weeks_ago",),
    "search": ("holds",),
}
# Fields whose values are chosen from a list of (value, label) and kept as text.
_CHOSEN = frozenset({"counsellor", "label", "cohort", "template", "status", "attention"})
# What a value is read as, where that is not the field's own kind.
_READ_AS = {"active": "boolean", "has_plan": "boolean", "external_id": "text", "search": "text"}
ACTIVE, EXTERNAL_ID, COUNSELLOR, LABEL = "@active", "@external_id", "@counsellor", "@label"
COHORT, PLAN, TEMPLATE, ATTENTION, SEARCH = "@cohort", "@plan", "@template", "@attention", "@search"
OVERDUE, DUE, REVIEW, CONTACT, SILENT = "@overdue", "@due", "@review", "@contact", "@silent"
# The field about one step of the plan followed, "@step_3", and about any of them.
ANY_STEP = "@step"
STEPS: tuple[str, ...] = tuple(f"@step_{number}" for number in range(1, 9))
# Why somebody wants attention; the caseload tells the same of each row.
ATTENTIONS = ("waiting", "answered", "unanswered", "overdue", "stale", "never_met", "silent")
STATUSES = ("not_started", "in_progress", "submitted", "returned", "completed", "skipped")
MOST_CONDITIONS = 20
MOST_VALUES = 200
MOST_WEEKS, MOST_DAYS, MOST_STEPS = 520, 3660, 8


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
    attributes: Iterable[Attribute],
    counsellors: Iterable[tuple[str, str]],
    names: Mapping[str, str],
    labels: Iterable[tuple[str, str]] = (),
) -> tuple[Field, ...]:
    """Every field a cohort's rule may use: the organization's attributes, then the built-in ones.

    `counsellors` are (membership id, name), `labels` (label id, name); `names` name the built-in fields in the reader's
    language.
    """
    own = [Field(a.key, a.label, a.kind, tuple((c, c) for c in a.choices)) for a in attributes]
    return (
        *own,
        Field(ACTIVE, names[ACTIVE], "active"),
        Field(EXTERNAL_ID, names[EXTERNAL_ID], "external_id"),
        Field(COUNSELLOR, names[COUNSELLOR], "counsellor", tuple(counsellors)),
        Field(LABEL, names[LABEL], "label", tuple(labels)),
    )


def plan_fields(
    cohorts: Iterable[tuple[str, str]],
    templates: Iterable[tuple[str, str]],
    names: Mapping[str, str],
    statuses: Mapping[str, str],
    attentions: Mapping[str, str],
) -> tuple[Field, ...]:
    """What a filter may ask for beside: the plan followed, its steps, days, contact.

    `cohorts` are (id, name), `templates` (id, or id and version with a colon between, name); `statuses` and
    `attentions` put STATUSES and ATTENTIONS into words.
    """
    of_step = tuple((status, statuses[status]) for status in STATUSES)
    return (
        Field(COHORT, names[COHORT], "cohort", tuple(cohorts)),
        Field(PLAN, names[PLAN], "has_plan"),
        Field(TEMPLATE, names[TEMPLATE], "template", tuple(templates)),
        *(Field(step, names[step], "status", of_step) for step in (*STEPS, ANY_STEP)),
        Field(ATTENTION, names[ATTENTION], "attention", tuple((one, attentions[one]) for one in ATTENTIONS)),
        Field(OVERDUE, names[OVERDUE], "count"),
        Field(DUE, names[DUE], "soon"),
        Field(REVIEW, names[REVIEW], "review_day"),
        Field(CONTACT, names[CONTACT], "contact"),
        Field(SILENT, names[SILENT], "silent"),
        Field(SEARCH, names[SEARCH], "search"),
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
    values = tuple(dict.fromkeys(v for one in given if (v := _value(field, operator, one)) is not None))
    if not values:
        raise BadValue(later("Say what %(label)s is compared with.", label=field.label))
    if len(values) > (MOST_VALUES if operator == "any_of" else 1):
        raise BadValue(later("Give one value for %(label)s, or compare with “any of”.", label=field.label))
    return Condition(field.key, operator, values)


def _value(field: Field, operator: Operator, raw: object) -> AttributeValue | None:
    if field.kind in _CHOSEN:
        if str(raw) in dict(field.options):
            return str(raw)
        if field.kind == "counsellor":
            raise BadValue("Choose somebody from the list.")
        raise BadValue("Choose from the list.")
    if operator in ("within_days", "weeks_ago"):
        return _whole(raw, MOST_DAYS if operator == "within_days" else MOST_WEEKS)
    if field.kind == "count":
        return _whole(raw, MOST_STEPS)
    kind = "date" if field.kind == "review_day" else _READ_AS.get(field.kind, field.kind)
    choices = tuple(value for value, _ in field.options)
    return read_value(Attribute(field.key, field.label, cast(Any, kind), choices), raw)


def _whole(raw: object, most: int) -> int | None:
    if isinstance(raw, str) and not raw.strip():
        return None
    text = str(raw).strip()
    if isinstance(raw, bool) or not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) > most:
        raise BadValue(later("Give a whole number from %(least)s to %(most)s.", least=0, most=most))
    return int(text)
