"""The form of an own report, which works without script: every button is a post that answers with what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.domain.errors import InvalidInput
from app.domain.rules import Field
from app.features.cohorts import forms as rules
from app.features.cohorts.forms import RuleForm
from app.features.extracts.columns import Column
from app.features.extracts.models import Extract

# What a new report of each kind of rows begins with.
_FIRST: Mapping[str, tuple[str, ...]] = {
    "steps": ("step", "name", "status", "due_on"),
    "actions": ("text", "status", "due_on"),
    "assessments": ("instrument", "taken_at"),
    "scores": ("instrument", "taken_at", "scale", "score"),
    "prompts": ("occurrence_on", "reminder", "sent_at", "review"),
    "remarks": ("step", "author", "created_at"),
}
_NAMED = ("client.external_id", "client.given_name", "client.family_name")
_ACTIVE: dict[str, Any] = {"all": [{"field": "@active", "is": "is", "values": [True]}]}


@dataclass(slots=True)
class ExtractForm:
    """The whole form; `rule` has name, conditions and problems."""

    rows: str
    rule: RuleForm
    columns: list[str] = field(default_factory=list)
    group: list[str] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    shared: bool = False

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What is wrong, as (id of the field, sentence)."""
        return self.rule.problems

    def as_json(self) -> dict[str, Any]:
        """The definition as it is checked."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "rule": self.rule.as_json() if self.rule.rows else None,
            "group": self.group,
            "order": [{"column": column, "descending": descending} for column, descending in self.order],
        }

    def put(self, error: InvalidInput) -> None:
        """Show what was refused beside the field it is about."""
        for problem in error.problems:
            head, _, index = problem.field.partition(".")
            if head == "conditions" and index.isdigit():
                self.rule.rows[int(index)].problem = problem.sentence
                self.problems.append((f"value-{index}", problem.sentence))
            else:
                places = {"name": "name", "columns": "columns", "group": "group-0", "order": "order-0", "rows": "rows"}
                self.problems.append((places.get(head, "about"), problem.sentence))


def posted(form: MultiDict[str, str], rows: str, columns: Mapping[str, Column], fields: Sequence[Field]) -> ExtractForm:
    """The form as it was sent; where the kind of rows was changed, with the columns a new report of it has."""
    chosen = [key for key in form.getlist("column") if key in columns]
    if form.get("act") == "rows" or form.get("shown", rows) != rows:
        chosen = _begin_with(rows)
    return ExtractForm(
        rows=rows,
        rule=rules.posted(form, fields),
        columns=chosen,
        group=[key for n in range(2) if (key := form.get(f"group-{n}", "")) in columns],
        order=[
            (key, form.get(f"descending-{n}") == "1")
            for n in range(2)
            if (key := form.get(f"order-{n}", "")) in columns
        ],
        shared=form.get("shared") == "1",
    )


def stored(kept: Extract | None, rows: str, columns: Mapping[str, Column], fields: Sequence[Field]) -> ExtractForm:
    """The form of a report that is kept, or of a new one; columns of attributes that are gone are left out."""
    if kept is None:
        rule = rules.stored("", _ACTIVE, fields)
        return ExtractForm(rows=rows, rule=rule, columns=_begin_with(rows))
    raw = kept.definition
    return ExtractForm(
        rows=rows,
        rule=rules.stored(kept.name, raw["rule"] or {"all": []}, fields),
        columns=[key for key in raw["columns"] if key in columns],
        group=[key for key in raw["group"] if key in columns],
        order=[(one["column"], one["descending"]) for one in raw["order"] if one["column"] in columns],
        shared=kept.shared,
    )


def _begin_with(rows: str) -> list[str]:
    return [*_NAMED, *_FIRST.get(rows, ("client.counsellor", "client.cohorts"))]
