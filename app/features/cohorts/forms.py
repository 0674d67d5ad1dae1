"""The form of a cohort's rule: rows of field, comparison and values, which works without script.

A row is `field-<n>`, `is-<n>` and `value-<n>` (several for "any of"). Buttons named `act` add or take off a row and
count the matches; each answers with the whole form again, so nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext, ngettext
from werkzeug.datastructures import MultiDict

from app.domain.rules import (
    ACTIVE,
    COUNSELLOR,
    EXTERNAL_ID,
    LABEL,
    MOST_CONDITIONS,
    OPERATORS_OF,
    VALUELESS,
    Field,
)


@dataclass(slots=True)
class RuleRow:
    """One condition as it stands in the form: the field it is about, what was chosen, and what is wrong with it."""

    field: Field
    operator: str
    values: list[str]
    problem: str = ""

    @property
    def operators(self) -> Sequence[str]:
        """How this field can be compared."""
        return OPERATORS_OF[self.field.kind]

    @property
    def valueless(self) -> bool:
        """Whether the chosen comparison needs no value."""
        return self.operator in VALUELESS

    @property
    def options(self) -> list[tuple[str, str]]:
        """(value, label) where only these can be chosen; empty where the value is typed."""
        if self.field.kind in ("boolean", "active", "has_plan"):
            return [("yes", gettext("yes")), ("no", gettext("no"))]
        return list(self.field.options)


@dataclass(slots=True)
class RuleForm:
    """The whole form: name, how conditions are joined, rows, and problems by field."""

    name: str = ""
    match: str = "all"
    rows: list[RuleRow] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The rule as the domain parses it."""
        conditions = []
        for row in self.rows:
            condition: dict[str, Any] = {"field": row.field.key, "is": row.operator}
            if not row.valueless:
                condition["values"] = row.values
            conditions.append(condition)
        return {self.match: conditions}


def operator_words() -> dict[str, str]:
    """Each comparison in the reader's language."""
    return {
        "is": gettext("is"),
        "is_not": gettext("is not"),
        "any_of": gettext("is any of"),
        "at_least": gettext("is at least"),
        "at_most": gettext("is at most"),
        "before": gettext("is before"),
        "after": gettext("is after"),
        "begins_with": gettext("begins with"),
        "is_empty": gettext("is empty"),
        "is_not_empty": gettext("is not empty"),
        "holds": gettext("holds"),
        "within_days": gettext("is within so many days"),
        "weeks_ago": gettext("is at least so many weeks ago"),
    }


def field_labels() -> dict[str, str]:
    """The built-in fields in the reader's language."""
    return {
        ACTIVE: gettext("Active"),
        EXTERNAL_ID: gettext("Id"),
        COUNSELLOR: gettext("Looked after by"),
        LABEL: gettext("Label"),
    }


def posted(form: MultiDict[str, str], fields: Sequence[Field]) -> RuleForm:
    """The form as it was sent, after the button that was pressed: a row added or taken off."""
    known = {one.key: one for one in fields}
    result = RuleForm(name=form.get("name", ""), match="any" if form.get("match") == "any" else "all")
    act = form.get("act", "")
    for number in range(MOST_CONDITIONS):
        about = known.get(form.get(f"field-{number}", ""))
        if about is None or act == f"remove-{number}":
            continue
        operator = form.get(f"is-{number}", "")
        if operator not in OPERATORS_OF[about.kind]:
            operator = OPERATORS_OF[about.kind][0]
        values = [value for value in form.getlist(f"value-{number}") if value.strip()]
        if operator == "any_of" and not about.options:
            values = [part for value in values for part in value.split(";") if part.strip()]
        result.rows.append(RuleRow(about, operator, values))
    added = known.get(form.get("about", ""))
    if act == "add" and added is not None and len(result.rows) < MOST_CONDITIONS:
        result.rows.append(RuleRow(added, OPERATORS_OF[added.kind][0], []))
    return result


def stored(name: str, rule: Mapping[str, Any], fields: Sequence[Field]) -> RuleForm:
    """The form of a cohort's rule; a condition about an attribute that is gone is left out."""
    known = {one.key: one for one in fields}
    match = "any" if "any" in rule else "all"
    rows = [
        RuleRow(known[c["field"]], c["is"], [_typed(v) for v in c.get("values", ())])
        for c in rule[match]
        if c["field"] in known
    ]
    return RuleForm(name, match, rows)


def in_words(rule: Mapping[str, Any], fields: Sequence[Field]) -> list[str]:
    """The conditions as sentences, for the cohort's page."""
    said = operator_words()
    return [_sentence(row, said) for row in stored("", rule, fields).rows]


def _sentence(row: RuleRow, said: Mapping[str, str]) -> str:
    if (
        row.operator in ("within_days", "weeks_ago")
        and row.values
        and row.values[0].isascii()
        and row.values[0].isdigit()
    ):
        number = int(row.values[0])
        if row.operator == "within_days":
            said_days = ngettext(
                "%(field)s: within %(num)s day", "%(field)s: within %(num)s days", number, field=row.field.label
            )
            return str(said_days)
        return str(
            ngettext(
                "%(field)s: %(num)s week ago or longer",
                "%(field)s: %(num)s weeks ago or longer",
                number,
                field=row.field.label,
            )
        )
    values = ", ".join(dict(row.options).get(value, value) for value in row.values)
    return " ".join([row.field.label, said[row.operator], values]).strip()


def _typed(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
