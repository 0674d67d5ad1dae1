"""Use cases of a plan: moving its steps, saving what is written, comments and due days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from app.domain.saying import Say, later, plain
from app.domain.steps import ActorKind, StepAction, StepKey, StepStatus, transition
from app.features.audit.service import record
from app.features.plans.acting import note, open_step, touch
from app.features.plans.commands import AddComment, MoveStep, SaveContent, SetDueDate
from app.features.plans.marks import clear_marks, mark_dependents
from app.features.plans.models import Plan, PlanStep, StepComment, StepContent
from app.features.plans.policy import kind_of
from app.features.plans.queries import accepted_at, find_plan
from app.features.plans.rooms import Room, Settling, Surroundings, step_of
from app.infra.db.open import UnitOfWork

MOST_COMMENT = 10_000
_DONE = {
    StepAction.START: "started",
    StepAction.SAVE: "started",
    StepAction.SUBMIT: "submitted",
    StepAction.WITHDRAW: "withdrawn",
    StepAction.RETURN: "returned",
    StepAction.COMPLETE: "completed",
    StepAction.REOPEN: "reopened",
    StepAction.SKIP: "skipped",
    StepAction.UNSKIP: "unskipped",
}


class ContentConflict(Conflict):
    """Somebody saved the step meanwhile: `theirs` is what is stored, `yours` what was typed; nothing was lost."""

    def __init__(self, *, theirs: dict[str, Any], yours: dict[str, Any], version: int) -> None:
        super().__init__(
            later(
                "This step was saved in another window since you opened it. Both texts are below; "
                "keep the one you want, or copy what is missing from one to the other."
            )
        )
        self.theirs = theirs
        self.yours = yours
        self.version = version


def submit_step(uow: UnitOfWork, plan_id: UUID, step: StepKey, missing: Sequence[str] = ()) -> StepStatus:
    """The client hands a step in. `missing` are the room's sentences; any of them refuses with InvalidInput."""
    if missing:
        # Seen and allowed first, so that a foreign step stays not found.
        find_plan(uow, plan_id)
        raise InvalidInput([FieldProblem("content", sentence) for sentence in missing])
    return move_step(uow, MoveStep(plan_id=plan_id, step=step, action=StepAction.SUBMIT))


def withdraw_step(uow: UnitOfWork, plan_id: UUID, step: StepKey) -> StepStatus:
    """The client takes a submitted step back to go on with it."""
    return move_step(uow, MoveStep(plan_id=plan_id, step=step, action=StepAction.WITHDRAW))


def return_step(uow: UnitOfWork, plan_id: UUID, step: StepKey, reason: str) -> StepStatus:
    """The counsellor gives a submitted step back, with the reason the client reads."""
    return move_step(uow, MoveStep(plan_id=plan_id, step=step, action=StepAction.RETURN, reason=reason))


def complete_step(uow: UnitOfWork, plan_id: UUID, step: StepKey) -> StepStatus:
    """The counsellor accepts a step."""
    return move_step(uow, MoveStep(plan_id=plan_id, step=step, action=StepAction.COMPLETE))


def reopen_step(uow: UnitOfWork, plan_id: UUID, step: StepKey, reason: str | None = None) -> StepStatus:
    """The counsellor opens a completed step again."""
    return move_step(uow, MoveStep(plan_id=plan_id, step=step, action=StepAction.REOPEN, reason=reason))


def skip_step(uow: UnitOfWork, plan_id: UUID, step: StepKey, reason: str) -> StepStatus:
    """The counsellor takes a step out of this plan, with the reason the client reads."""
    return move_step(uow, MoveStep(plan_id=plan_id, step=step, action=StepAction.SKIP, reason=reason))


def move_step(uow: UnitOfWork, command: MoveStep) -> StepStatus:
    """Do one action of the transition table to a step; returns the new status.

    Raises NotFound for a plan the actor may not see, Forbidden for an action that is not theirs, Conflict when
    the status does not allow it, InvalidInput when the reason is missing.
    """
    kind = kind_of(uow.actor)
    plan, row = open_step(uow, command.plan_id, command.step)
    return _move(uow, plan, row, command, kind)


def save_content(uow: UnitOfWork, command: SaveContent, room: Room, say: Say = plain) -> StepContent:
    """Store what the client wrote in a step; the first save starts it, saving a returned one takes it up again.

    Returns the stored row with its new version; what the room refuses is told through `say`. Raises ContentConflict
    when the version typed over is not the stored one, InvalidInput for content that is not the room's, and what
    `move_step` raises.
    """
    kind = kind_of(uow.actor)
    plan, row = open_step(uow, command.plan_id, command.step)
    content = room.read(command.content)
    stored = uow.session.scalars(
        select(StepContent).where(StepContent.plan_id == plan.id, StepContent.step == row.step)
    ).one_or_none()
    if room.settle is not None:
        content = room.settle(stored.content if stored else room.empty(), content, _settling(uow, plan.id, room, say))
    if stored is not None and stored.content == content:
        # The same text again (a form sent twice) loses nothing, whatever version it names.
        return stored
    if (stored.version if stored else 0) != command.over:
        theirs = stored.content if stored else room.empty()
        raise ContentConflict(theirs=theirs, yours=content, version=stored.version if stored else 0)
    _move(uow, plan, row, MoveStep(plan_id=plan.id, step=command.step, action=StepAction.SAVE), kind)
    stored = put_content(uow, plan, command.step, stored, content, empty=room.empty())
    # Who changes a step has looked at it.
    looked = clear_marks(uow, row)
    record(uow, "step.saved", "plan", plan.id, step=row.step, version=stored.version, looked=looked)
    return stored


def save_by_button(uow: UnitOfWork, command: SaveContent, room: Room, say: Say = plain) -> StepContent:
    """As `save_content`, where nothing was typed: the two texts of a conflict are of no use, so Conflict is raised."""
    try:
        return save_content(uow, command, room, say)
    except ContentConflict as conflict:
        raise Conflict(conflict.sentence) from conflict


def put_content(
    uow: UnitOfWork,
    plan: Plan,
    key: StepKey,
    stored: StepContent | None,
    content: dict[str, Any],
    *,
    empty: dict[str, Any],
    typed: bool = True,
) -> StepContent:
    """Store settled content and mark what rests on it: the one way contents are written, for use cases of rooms too.

    `stored` is the row so far (None: none, and `empty` what it would hold). What the client `typed` counts as a
    version; what Octant or a counsellor adds beside it does not, so that it stops nobody who is typing. The caller
    has seen and locked the plan.
    """
    before = stored.content if stored else empty
    if stored is None:
        stored = StepContent(plan_id=plan.id, step=key.number, content=content, version=0, updated_at=uow.now)
        uow.session.add(stored)
    stored.content, stored.updated_at = content, uow.now
    if typed:
        stored.version += 1
    uow.session.flush()
    mark_dependents(uow, plan, key, before, content)
    return stored


def add_comment(uow: UnitOfWork, command: AddComment) -> StepComment:
    """Add a remark of the client or a counsellor to a step's thread. Raises InvalidInput for an empty one."""
    kind_of(uow.actor)
    plan, row = open_step(uow, command.plan_id, command.step)
    body = command.body.strip()
    if not body or len(body) > MOST_COMMENT:
        raise InvalidInput(
            [FieldProblem("body", later("Write a comment of at most %(most)s characters.", most=MOST_COMMENT))]
        )
    if uow.actor.membership_id is None:
        raise Forbidden("Only a person can comment.")
    comment = StepComment(
        plan_id=plan.id, step=row.step, author_id=uow.actor.membership_id, body=body, created_at=uow.now
    )
    uow.session.add(comment)
    uow.session.flush()
    note(uow, plan, row.step, "commented", {"comment": str(comment.id)})
    record(uow, "step.commented", "plan", plan.id, step=row.step)
    return comment


def set_due_date(uow: UnitOfWork, command: SetDueDate) -> None:
    """Move a step's due day; the counsellor's use case."""
    if kind_of(uow.actor) is not ActorKind.COUNSELLOR:
        raise Forbidden(later("Only the %(counsellor)s can do this. Ask your %(counsellor)s for another date."))
    plan, row = open_step(uow, command.plan_id, command.step)
    if row.due_on == command.due_on:
        return
    detail = {"from": _written(row.due_on), "to": _written(command.due_on)}
    row.due_on = command.due_on
    note(uow, plan, row.step, "due_changed", detail)
    record(uow, "step.due_changed", "plan", plan.id, step=row.step, **detail)


def note_event(uow: UnitOfWork, plan: Plan, step: StepKey, kind: str, detail: dict[str, Any]) -> None:
    """Add a line to the plan's history; for use cases of the rooms. The caller has seen and locked the plan."""
    note(uow, plan, step.number, kind, detail)


def _settling(uow: UnitOfWork, plan_id: UUID, room: Room, say: Say) -> Settling:
    rows = uow.session.scalars(
        select(StepContent).where(StepContent.plan_id == plan_id, StepContent.step != room.key.number)
    )
    around = Surroundings(
        contents={step_of(row.step): row.content for row in rows},
        today=uow.now.date(),
        accepted=accepted_at(uow, plan_id, room.key),
    )
    return Settling(uow.now, around, say)


def _move(uow: UnitOfWork, plan: Plan, row: PlanStep, command: MoveStep, kind: ActorKind) -> StepStatus:
    before = StepStatus(row.status)
    after = transition(before, command.action, kind, command.reason)
    reason = command.reason.strip() if command.reason and command.reason.strip() else None
    if after is before:
        touch(uow, plan)
        return after
    row.status = after.value
    # A reason is shown while it is the latest word on the step; the history keeps the earlier ones.
    row.reason = reason
    row.changed_at = uow.now
    # Who accepts a step has looked at it, whatever it rests on.
    looked = clear_marks(uow, row) if after is StepStatus.COMPLETED else []
    detail = {"from": before.value, "to": after.value} | ({"reason": reason} if reason else {})
    note(uow, plan, row.step, _DONE[command.action], detail)
    record(
        uow, f"step.{_DONE[command.action]}", "plan", plan.id, step=row.step, before=before, after=after, looked=looked
    )
    return after


def _written(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
