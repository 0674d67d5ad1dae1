"""What pages of a plan show, for counsellors and clients alike: the dial, due days, history, differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import unified_diff
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from flask import url_for
from flask_babel import format_date, gettext, ngettext

from app.domain.errors import NotFound
from app.domain.steps import OPEN_STATUSES, StepKey
from app.features.instruments.offers import asked_of
from app.features.plans.models import PlanEvent, PlanStep
from app.features.plans.queries import (
    PlanView,
    changes_between,
    events_of,
    plan_of_client,
    revisions_of,
    surroundings_of,
    view_plan,
)
from app.features.plans.revisions import StepDifference, compare_revisions, snapshot_of
from app.features.plans.rooms import Block, Cell, Section, Surroundings, step_of
from app.features.plans.words import change_sentence, control_words, event_sentence, status_words, step_names
from app.features.steps.field_words import field_rows
from app.features.steps.registry import ROOMS
from app.infra.db.open import UnitOfWork
from app.infra.drawing.dial import DialSegment, Status
from app.infra.web.words import say_here, words_here


def own_plan(uow: UnitOfWork) -> PlanView:
    """The plan of the client who reads. Raises NotFound for one who has none yet, or is no client."""
    client_id = uow.actor.client_id
    plan = plan_of_client(uow, client_id) if client_id else None
    if plan is None:
        raise NotFound(gettext("You have no plan yet. Your %(counsellor)s will give you one.", **words_here()))
    return view_plan(uow, plan.id)


def segments(steps: Sequence[PlanStep], href: Callable[[int], str] | None = None) -> list[DialSegment]:
    """The dial of a plan's steps; `href` gives each step's address."""
    names = step_names(gettext)
    return [
        DialSegment(
            row.step,
            cast(Status, row.status),
            names[step_of(row.step)],
            row.stale and row.status == "completed",
            href(row.step) if href else None,
        )
        for row in steps
    ]


def standing(view: PlanView) -> str:
    """Where the plan stands, in one or two sentences for the counsellor."""
    done = sum(row.status in ("completed", "skipped") for row in view.steps)
    said = [gettext("%(done)s of 8 steps done.", done=done)]
    said += [gettext("Step %(n)s waits for you.", n=row.step) for row in view.steps if row.status == "submitted"]
    said += [
        gettext("Step %(n)s rests on something that changed.", n=row.step)
        for row in view.steps
        if row.stale and row.status == "completed"
    ]
    return " ".join(said)


def current_step(view: PlanView) -> StepKey | None:
    """The step to look at first: one that waits for the counsellor, else the first that is open; None: all done."""
    for statuses in (("submitted",), ("returned", "in_progress"), ("not_started",)):
        for row in view.steps:
            if row.status in statuses:
                return step_of(row.step)
    return None


def next_step(view: PlanView) -> StepKey | None:
    """The client's one next thing: a returned step, else the first open one; None: nothing is theirs to do."""
    for statuses in (("returned",), ("in_progress", "not_started")):
        for row in view.steps:
            # The last step is answered in a check-in when its day comes, never begun from here.
            if row.status in statuses and row.step != StepKey.REVIEW.number:
                return step_of(row.step)
    return None


def late_words(due_on: date | None, today: date) -> str | None:
    """How late something is, in words; None when it is not."""
    if due_on is None or due_on >= today:
        return None
    days = (today - due_on).days
    return str(ngettext("%(num)s day late", "%(num)s days late", days))


def due_items(view: PlanView, today: date, href: Callable[[int], str]) -> list[SimpleNamespace]:
    """The open steps with a due day, the earliest first, as the due list shows them."""
    names = step_names(gettext)
    rows = sorted(
        (row for row in view.steps if row.due_on and row.status in OPEN_STATUSES), key=lambda row: row.due_on or today
    )
    return [
        SimpleNamespace(
            label=f"{row.step} {names[step_of(row.step)]}",
            href=href(row.step),
            when=format_date(row.due_on, "medium"),
            late=late_words(row.due_on, today),
        )
        for row in rows
    ]


def asked_items(uow: UnitOfWork, client_id: UUID, today: date) -> list[SimpleNamespace]:
    """The questionnaires a client is asked to answer, as the due list shows them."""
    return [
        SimpleNamespace(
            label=gettext("Answer “%(title)s”", title=one.title),
            href=url_for("instruments.take", instrument_id=one.instrument_id),
            when=format_date(one.due_on, "medium") if one.due_on else gettext("no day set"),
            late=late_words(one.due_on, today),
        )
        for one in asked_of(uow, client_id)
    ]


def history(uow: UnitOfWork, view: PlanView, *, step: StepKey | None = None, limit: int = 12) -> list[SimpleNamespace]:
    """The plan's latest history as timeline entries."""
    return [
        SimpleNamespace(at=event.at, when=None, text=_sentence(event, name))
        for event, name in events_of(uow, view.plan.id, step=step, limit=limit)
    ]


def _sentence(event: PlanEvent, name: str | None) -> str:
    return event_sentence(event.kind, event.step, event.detail, name, gettext)


def section_of(uow: UnitOfWork, view: PlanView, key: StepKey) -> tuple[Section, list[str], Surroundings]:
    """A step's content as blocks, what is missing, and what its room may know."""
    around = surroundings_of(uow, view, key)
    room = ROOMS[key]
    content = view.content(key) or room.empty()
    return room.report(content, around, say_here), room.missing(content, around, gettext), around


@dataclass(frozen=True, slots=True)
class Side:
    """One revision's side of a step."""

    status: str
    due_on: date | None
    section: Section


@dataclass(frozen=True, slots=True)
class Compared:
    """One step that differs: both sides as blocks, and the lines that came or went."""

    number: int
    name: str
    before: Side
    after: Side
    gone: tuple[str, ...]
    new: tuple[str, ...]
    # What the room itself says of the difference.
    changes: Section
    # Field by field: where, what it held, what it holds.
    fields: tuple[tuple[str, Cell, Cell], ...] = ()


def _day(day: date) -> str:
    return str(format_date(day, "medium"))


def compared(differences: Sequence[StepDifference], old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Compared]:
    """The differences of two snapshots, `old` and `new`, as a page shows them."""
    names, words = step_names(gettext), status_words(gettext)
    found = []
    for difference in differences:
        sides = []
        for frozen, snapshot in ((difference.before, old), (difference.after, new)):
            section = ROOMS[difference.step].report(frozen["content"], _around(snapshot), say_here)
            due = date.fromisoformat(frozen["due_on"]) if frozen["due_on"] else None
            sides.append(Side(words[frozen["status"]], due, section))
        before, after = sides
        lines = list(unified_diff(before.section.lines(_day), after.section.lines(_day), n=0, lineterm=""))[2:]
        found.append(
            Compared(
                difference.step.number,
                names[difference.step],
                before,
                after,
                tuple(line[1:] for line in lines if line.startswith("-")),
                tuple(line[1:] for line in lines if line.startswith("+")),
                Section("", _said_of(difference)),
                tuple(field_rows(difference, old, new, gettext)),
            )
        )
    return found


def _said_of(difference: StepDifference) -> tuple[Block, ...]:
    changes = ROOMS[difference.step].changes
    return changes(difference.before["content"], difference.after["content"], say_here) if changes else ()


def comparison(uow: UnitOfWork, view: PlanView, before: int | None, after: int | None) -> dict[str, Any]:
    """What `plans/compare_body.html` shows of two revisions; without numbers the open one and that before it.

    Raises NotFound for a revision the plan does not have.
    """
    after = after or view.plan.revision
    before = before or max(1, after - 1)
    old, new = (snapshot_of(uow, view.plan.id, number) for number in (before, after))
    return {
        "numbers": list(range(1, view.plan.revision + 1)),
        "before": before,
        "after": after,
        "frozen": {row.revision: row for row in revisions_of(uow, view.plan.id)},
        "changes": compared(compare_revisions(uow, view.plan.id, before, after), old, new),
        "reasons": [
            (change_sentence(why.kind, why.label, why.change, gettext), why)
            for why in changes_between(uow, view.plan.id, before, after)
        ],
        "control": control_words(gettext),
    }


def as_it_was(snapshot: Mapping[str, Any]) -> list[tuple[int, str, Side]]:
    """A revision rebuilt: each step's number and name, and its side as blocks."""
    names, words = step_names(gettext), status_words(gettext)
    found = []
    for key in StepKey:
        frozen = snapshot["steps"][key.value]
        section = ROOMS[key].report(frozen["content"], _around(snapshot), gettext)
        due = date.fromisoformat(frozen["due_on"]) if frozen["due_on"] else None
        found.append((key.number, names[key], Side(words[frozen["status"]], due, section)))
    return found


def _around(snapshot: Mapping[str, Any]) -> Surroundings:
    """What a room knew when the snapshot was taken."""
    return Surroundings(
        contents={key: snapshot["steps"][key.value]["content"] for key in StepKey},
        assessments={
            taken["instrument"]: (
                datetime.fromisoformat(taken["taken_at"]).date(),
                [(name, score) for name, score in taken["scores"]],
            )
            for taken in snapshot["assessments"]
        },
        # Revisions frozen before results carried their label have none.
        trust={taken["instrument"]: taken["status"] for taken in snapshot["assessments"] if "status" in taken},
    )
