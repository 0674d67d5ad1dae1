"""What own reports can be of: kinds of rows, and every column that each of them has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Boolean, ColumnElement, Date, Numeric, Text, case, cast, func, literal

from app.domain.attributes import Attribute
from app.domain.rules import STATUSES, Field, FieldKind
from app.domain.saying import Say
from app.features.clients.models import Client
from app.features.extracts import tables as t
from app.features.plans.words import status_words, step_names
from app.features.steps.action_plan.content import KINDS as ACTION_KINDS
from app.features.steps.action_plan.content import STATUSES as ACTION_STATUSES
from app.features.steps.action_plan.words import kind_words as action_kinds
from app.features.steps.action_plan.words import status_words as action_statuses

ColumnKind = Literal["text", "code", "number", "date", "moment", "boolean"]
ROWS = ("clients", "steps", "actions", "assessments", "scores", "prompts", "remarks")
# How a condition compares a column of each kind; see `app.domain.rules`.
_COMPARED: Mapping[ColumnKind, FieldKind] = {
    "text": "text",
    "code": "choice",
    "number": "number",
    "date": "date",
    "moment": "date",
    "boolean": "boolean",
}
# Before the name of a row's own column, where a condition is about it and not about the client.
OF_ROW = "row."
_PERSON = "client."


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in data, what it is called, what kind of values it has and where they come from.

    `words` put codes into the reader's language. `needs` names the tables to be joined beside the row's own.
    """

    key: str
    label: str
    kind: ColumnKind
    source: ColumnElement[Any]
    words: Mapping[str, str] | None = None
    needs: tuple[str, ...] = ()

    @property
    def about(self) -> Field:
        """What a condition on it may say."""
        return Field(OF_ROW + self.key, self.label, _COMPARED[self.kind], tuple((self.words or {}).items()))


def row_words(_: Say, people: str) -> dict[str, str]:
    """What each kind of rows is called; `people` is the organization's word for clients."""
    return {
        "clients": people,
        "steps": _("Steps"),
        "actions": _("Actions"),
        "assessments": _("Questionnaires answered"),
        "scores": _("Scores"),
        "prompts": _("Prompts"),
        "remarks": _("Remarks, without their text"),
    }


def columns_of(rows: str, attributes: Iterable[Attribute], _: Say) -> dict[str, Column]:
    """Every column of a kind of rows by key: its own first, then those of the person it is about."""
    own = _OWN[rows](_)
    people = _of_person(attributes, _)
    found = [*own, *people] if rows == "clients" else [*own, *people, *(_of_plan(_) if rows != "prompts" else [])]
    if rows == "clients":
        found += _of_plan(_)
    return {column.key: column for column in found}


def own_columns(rows: str, _: Say) -> Sequence[Column]:
    """The columns that are the row's and not the person's."""
    return _OWN[rows](_)


def _of_person(attributes: Iterable[Attribute], _: Say) -> list[Column]:
    key, person = _PERSON, t.CLIENT.c
    return [
        Column(f"{key}external_id", _("Id"), "text", person.external_id),
        Column(f"{key}given_name", _("Given name"), "text", person.given_name),
        Column(f"{key}family_name", _("Family name"), "text", person.family_name),
        Column(f"{key}email", _("E-mail"), "text", person.email),
        Column(f"{key}active", _("Active"), "boolean", person.active),
        Column(f"{key}counsellor", _("Looked after by"), "text", t.COUNSELLOR.c.name, needs=("counsellor",)),
        Column(f"{key}cohorts", _("Cohorts"), "text", t.cohort_names()),
        Column(f"{key}last_contact_at", _("Last contact"), "moment", person.last_contact_at),
        Column(f"{key}created_at", _("Person added"), "moment", person.created_at),
        Column(f"{key}locale", _("Language"), "text", person.locale),
        *(_of_attribute(attribute) for attribute in attributes),
    ]


def _of_attribute(attribute: Attribute) -> Column:
    value, text = Client.attributes[attribute.key], Client.attributes[attribute.key].astext
    # The kind may have been changed since a value was written; what does not fit any more is empty.
    of_kind = func.jsonb_typeof(value)
    sources: dict[str, tuple[ColumnKind, ColumnElement[Any]]] = {
        "text": ("text", text),
        "choice": ("text", text),
        "number": ("number", case((of_kind == "number", cast(text, Numeric)))),
        "boolean": ("boolean", case((of_kind == "boolean", cast(text, Boolean)))),
        "date": ("date", as_day(text)),
    }
    kind, source = sources[attribute.kind]
    return Column(f"attribute.{attribute.key}", attribute.label, kind, source)


def as_day(text: ColumnElement[str]) -> ColumnElement[Any]:
    """A day written as text, empty where it is none."""
    return case((func.pg_input_is_valid(text, literal("date", Text)), cast(text, Date)))


def _of_plan(_: Say) -> list[Column]:
    return [
        Column("plan.template", _("Template"), "text", t.TEMPLATE.c.name, needs=("plan", "template")),
        Column("plan.version", _("Version"), "number", t.PLAN.c.template_version, needs=("plan",)),
        Column("plan.started_on", _("Plan started"), "date", t.PLAN.c.started_on, needs=("plan",)),
        Column("plan.revision", _("Revision"), "number", t.PLAN.c.revision, needs=("plan",)),
        Column("plan.next_review_on", _("Next review"), "date", t.PLAN.c.next_review_on, needs=("plan",)),
    ]


def _step_columns(_: Say) -> list[Column]:
    names = {str(key.number): name for key, name in step_names(_).items()}
    step, words = t.STEP.c, status_words(_)
    return [
        Column("step", _("Step"), "number", step.step),
        Column("name", _("Name of the step"), "code", cast(step.step, Text), names),
        Column("status", _("Status"), "code", step.status, {status: words[status] for status in STATUSES}),
        Column("due_on", _("Due"), "date", step.due_on),
        Column("overdue", _("Overdue"), "boolean", t.overdue()),
        Column("stale", _("To be looked at again"), "boolean", step.stale),
        Column("changed_at", _("Changed"), "moment", step.changed_at),
        Column("reason", _("Reason"), "text", step.reason),
    ]


def _action_columns(_: Say) -> list[Column]:
    action = t.ACTION.c.action
    kinds, statuses = action_kinds(_), action_statuses(_)

    def part(name: str) -> ColumnElement[Any]:
        found: ColumnElement[Any] = action[name].astext
        return found

    status = func.coalesce(
        func.nullif(part("status"), ""), case((part("done") == "true", literal("done", Text)), else_="planned")
    )
    hours = action["hours"]
    return [
        Column("text", _("Action"), "text", part("text")),
        Column("kind", _("Kind"), "code", func.nullif(part("kind"), ""), {kind: kinds[kind] for kind in ACTION_KINDS}),
        Column("status", _("Status"), "code", status, {one: statuses[one] for one in ACTION_STATUSES}),
        Column("start_on", _("Starts"), "date", as_day(part("start_on"))),
        Column("due_on", _("Due"), "date", as_day(part("due_on"))),
        Column("done_on", _("Done"), "date", as_day(part("done_on"))),
        Column(
            "hours", _("Hours"), "number", case((func.jsonb_typeof(hours) == "number", cast(hours.astext, Numeric)))
        ),
        Column("evidence", _("Evidence"), "text", part("evidence")),
        Column("dropped_why", _("Why it was given up"), "text", part("dropped_why")),
    ]


def _taken(_: Say) -> list[Column]:
    taken = t.ASSESSMENT.c
    sources = {"portal": _("by the person"), "counsellor": _("by somebody who works here"), "import": _("imported")}
    return [
        Column("instrument", _("Questionnaire"), "text", t.INSTRUMENT.c.title),
        Column("version", _("Version of the questionnaire"), "number", taken.version),
        Column("taken_at", _("Answered"), "moment", taken.taken_at),
        Column("source", _("How"), "code", taken.source, sources),
    ]


def _score_columns(_: Say) -> list[Column]:
    return [
        *_taken(_),
        Column("scale", _("Scale"), "text", t.scale_title()),
        Column("score", _("Score"), "number", t.SCORE.c.score),
    ]


def _prompt_columns(_: Say) -> list[Column]:
    states = {
        "open": _("not begun"),
        "started": _("begun"),
        "answered": _("answered"),
        "closed": _("decided"),
        "lapsed": _("lapsed"),
    }
    sent = {
        "queued": _("waits"),
        "held": _("held back"),
        "merged": _("merged"),
        "handed": _("being sent"),
        "sent": _("sent"),
        "failed": _("failed"),
        "unknown": _("unknown"),
        "suppressed": _("not sent"),
    }
    return [
        Column("occurrence_on", _("Review of"), "date", t.PROMPT.c.occurrence_on),
        Column("reminder", _("Reminder"), "number", t.PROMPT.c.reminder),
        Column("due_at", _("To be sent"), "moment", t.PROMPT.c.due_at),
        Column("message", _("Message"), "code", t.MESSAGE.c.state, sent, ("message",)),
        Column("sent_at", _("Sent"), "moment", t.MESSAGE.c.sent_at, needs=("message",)),
        Column("reason", _("Why it was not sent"), "text", t.PROMPT.c.reason),
        Column("review", _("Check-in"), "code", t.REVIEW.c.state, states),
        Column("answered_at", _("Check-in answered"), "moment", t.REVIEW.c.answered_at),
    ]


def _remark_columns(_: Say) -> list[Column]:
    remark = t.REMARK.c
    return [
        Column("step", _("Step"), "number", remark.step),
        Column("author", _("Written by"), "text", t.AUTHOR.c.name),
        Column("by_client", _("By the person"), "boolean", t.AUTHOR.c.role == "client"),
        Column("created_at", _("Written"), "moment", remark.created_at),
    ]


_OWN: Mapping[str, Callable[[Say], list[Column]]] = {
    "clients": lambda _: [],
    "steps": _step_columns,
    "actions": _action_columns,
    "assessments": _taken,
    "scores": _score_columns,
    "prompts": _prompt_columns,
    "remarks": _remark_columns,
}
