"""Use cases of evidence: files that show that an action is done; added, taken, removed, brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select, update

from app.domain import access
from app.domain.access import Actor
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.saying import Say, later, plain
from app.domain.steps import ActorKind, StepKey
from app.features.audit.service import record
from app.features.plans.acting import lock_plan
from app.features.plans.models import Plan, StepContent
from app.features.plans.policy import kind_of, visible_plans
from app.features.plans.service import note_event
from app.features.steps.action_plan.evidence_files import MOST_BYTES, check_file
from app.features.steps.action_plan.models import ActionEvidence
from app.features.steps.parts import written
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# So long a removed file can be brought back.
UNDO_WINDOW = timedelta(days=7)
MOST_FILES_OF_ACTION = 10
MOST_FILES_OF_PLAN = 100
# So many removed files of a plan may wait to be brought back; beyond, none is added until some are deleted.
MOST_REMOVED = 100
_FOLDER = "evidence"
_ERASED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class AddEvidence:
    """A file for an action of a plan, under the name its sender gave it."""

    plan_id: UUID
    action: str
    name: str


def add_evidence(
    runtime: Runtime,
    actor: Actor,
    command: AddEvidence,
    stream: BinaryIO,
    say: Say = plain,
    *,
    request_id: str = "",
) -> ActionEvidence:
    """Store a file of the client that shows an action. The same file sent again is the one that is there.

    Raises InvalidInput (field "file") for a file that is not taken, NotFound for a plan or action that is not there,
    Forbidden for anyone but the client, Conflict for an archived plan.
    """
    # Asked before anything is read, and again when it is kept.
    with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
        _may_change(uow, command.plan_id, command.action, say)
    content = stream.read(MOST_BYTES + 1)
    name, media_type = check_file(command.name, content, say)
    stored = runtime.storage.keep(actor.organization_id, "." + name.rpartition(".")[2].lower(), content, folder=_FOLDER)
    kept = False
    try:
        with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
            plan = _may_change(uow, command.plan_id, command.action, say)
            there = evidence_of(uow, plan.id)
            for row in there:
                if row.action == command.action and row.sha256 == stored.sha256:
                    return row
            _refuse_too_many(there, command.action, say)
            _refuse_many_removed(uow, plan.id, say)
            assert uow.actor.membership_id is not None
            row = ActionEvidence(
                id=uuid4(),
                plan_id=plan.id,
                action=command.action,
                name=name,
                media_type=media_type,
                size=stored.size,
                sha256=stored.sha256,
                location=stored.location,
                uploaded_by=uow.actor.membership_id,
                created_at=uow.now,
            )
            uow.session.add(row)
            uow.session.flush()
            note_event(uow, plan, StepKey.ACTION_PLAN, "evidence_added", {"action": command.action})
            record(uow, "evidence.added", "evidence", row.id, plan=str(plan.id), which=command.action, size=stored.size)
        kept = True
        return row
    finally:
        if not kept:
            runtime.storage.delete(stored.location)


def _refuse_too_many(there: Sequence[ActionEvidence], action: str, say: Say) -> None:
    """Raise InvalidInput (field "file") where, beside the plan's files, one more of the action is one too many."""
    of_action = sum(row.action == action for row in there)
    if of_action >= MOST_FILES_OF_ACTION or len(there) >= MOST_FILES_OF_PLAN:
        sentence = say(
            "There are already %(files)s files. Remove one first, or give a link.",
            files=of_action if of_action >= MOST_FILES_OF_ACTION else len(there),
        )
        raise InvalidInput([FieldProblem("file", sentence)])


def _refuse_many_removed(uow: UnitOfWork, plan_id: UUID, say: Say) -> None:
    """Raise InvalidInput where so many removed files wait that adding and removing in turns would fill the disk."""
    waiting = select(func.count()).where(
        ActionEvidence.plan_id == plan_id, ActionEvidence.removed_at.is_not(None), ActionEvidence.location.is_not(None)
    )
    if (uow.session.scalar(waiting) or 0) >= MOST_REMOVED:
        sentence = say(
            "You removed %(most)s files in the last days; they are kept so that you can bring them back. Wait until "
            "some are deleted, or give a link.",
            most=MOST_REMOVED,
        )
        raise InvalidInput([FieldProblem("file", sentence)])


def evidence_of(uow: UnitOfWork, plan_id: UUID) -> list[ActionEvidence]:
    """The files of a plan that are not removed, the oldest first; the caller has seen the plan."""
    return list(
        uow.session.scalars(
            select(ActionEvidence)
            .where(ActionEvidence.plan_id == plan_id, ActionEvidence.removed_at.is_(None))
            .order_by(ActionEvidence.created_at, ActionEvidence.id)
        )
    )


def shown_evidence(uow: UnitOfWork, plan_id: UUID) -> list[ActionEvidence]:
    """The files of a plan as its pages list them: those there, and those that can still be brought back."""
    return list(
        uow.session.scalars(
            select(ActionEvidence)
            .where(
                ActionEvidence.plan_id == plan_id,
                or_(ActionEvidence.removed_at.is_(None), ActionEvidence.removed_at > uow.now - UNDO_WINDOW),
                ActionEvidence.location.is_not(None),
            )
            .order_by(ActionEvidence.created_at, ActionEvidence.id)
        )
    )


def by_action(rows: Sequence[ActionEvidence]) -> Mapping[str, list[ActionEvidence]]:
    """Files by the id of their action."""
    found: dict[str, list[ActionEvidence]] = {}
    for row in rows:
        found.setdefault(row.action, []).append(row)
    return found


def until(row: ActionEvidence) -> datetime | None:
    """Until when a removed file can be brought back; None for one that is there."""
    return None if row.removed_at is None else row.removed_at + UNDO_WINDOW


def take_evidence(uow: UnitOfWork, plan_id: UUID, evidence_id: UUID) -> ActionEvidence:
    """A file to download, for whoever may see the plan; what others than its client take is audited."""
    row = _find(uow, plan_id, evidence_id)
    if row.removed_at is not None or row.location is None:
        raise NotFound("There is no such file, or it is not yours to see.")
    if uow.actor.membership_id != row.uploaded_by:
        record(uow, "evidence.downloaded", "evidence", row.id, plan=str(plan_id))
    return row


def remove_evidence(uow: UnitOfWork, plan_id: UUID, evidence_id: UUID, say: Say = plain) -> ActionEvidence:
    """Remove a file; for seven days it can be brought back. Removing it again changes nothing."""
    plan = _may_change(uow, plan_id, None, say)
    row = _find(uow, plan_id, evidence_id, lock=True)
    if row.removed_at is None:
        row.removed_at, row.removed_by = uow.now, uow.actor.membership_id
        uow.session.flush()
        note_event(uow, plan, StepKey.ACTION_PLAN, "evidence_removed", {"action": row.action})
        record(uow, "evidence.removed", "evidence", row.id, plan=str(plan_id), which=row.action)
    return row


def restore_evidence(uow: UnitOfWork, plan_id: UUID, evidence_id: UUID, say: Say = plain) -> ActionEvidence:
    """Bring a removed file back. Raises Conflict when its days are over, InvalidInput where others took its place."""
    plan = _may_change(uow, plan_id, None, say)
    row = _find(uow, plan_id, evidence_id, lock=True)
    if row.removed_at is None:
        return row
    if row.location is None or row.removed_at + UNDO_WINDOW <= uow.now:
        raise Conflict(say("The file was deleted for good. Send it again."))
    _refuse_too_many(evidence_of(uow, plan_id), row.action, say)
    row.removed_at = row.removed_by = None
    uow.session.flush()
    note_event(uow, plan, StepKey.ACTION_PLAN, "evidence_added", {"action": row.action})
    record(uow, "evidence.restored", "evidence", row.id, plan=str(plan_id), which=row.action)
    return row


def erase_removed(runtime: Runtime, organization_id: UUID) -> int:
    """Delete the files whose days to be brought back are over; returns how many. Harmless to repeat.

    The file goes first: a worker that dies between leaves a row that names a file which is not there, and the next
    sweep ends it.
    """
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        rows = uow.session.execute(
            select(ActionEvidence.id, ActionEvidence.location)
            .where(
                ActionEvidence.removed_at <= uow.now - UNDO_WINDOW,
                ActionEvidence.removed_at.is_not(None),
                ActionEvidence.location.is_not(None),
            )
            .limit(_ERASED_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            runtime.storage.delete(row.location)
        if rows:
            uow.session.execute(
                update(ActionEvidence)
                .where(ActionEvidence.id.in_([row.id for row in rows]))
                .values(location=None)
                .execution_options(synchronize_session=False)
            )
            record(uow, "evidence.erased", "organization", organization_id, files=len(rows))
    return len(rows)


def _find(uow: UnitOfWork, plan_id: UUID, evidence_id: UUID, *, lock: bool = False) -> ActionEvidence:
    statement = (
        select(ActionEvidence)
        .join(Plan, Plan.id == ActionEvidence.plan_id)
        .where(ActionEvidence.id == evidence_id, Plan.id == plan_id, visible_plans(uow.actor))
    )
    if lock:
        statement = statement.with_for_update(of=ActionEvidence).execution_options(populate_existing=True)
    row = uow.session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound("There is no such file, or it is not yours to see.")
    return row


def _may_change(uow: UnitOfWork, plan_id: UUID, action: str | None, say: Say) -> Plan:
    """The plan, locked, for its client alone; with an `action` that is there."""
    plan = lock_plan(uow, plan_id, say)
    if kind_of(uow.actor) is not ActorKind.CLIENT:
        raise Forbidden(later("Only the %(client)s adds and removes files."))
    if action is not None:
        content = uow.session.scalars(
            select(StepContent.content).where(
                StepContent.plan_id == plan_id, StepContent.step == StepKey.ACTION_PLAN.number
            )
        ).one_or_none()
        if not any(row["id"] == action for row in written(content or {}, "actions", "text")):
            raise NotFound(say("There is no such action. Load the page again."))
    return plan
