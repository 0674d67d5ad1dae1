"""Use cases of step 7: saying where an action stands, also after the counsellor accepted the step."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.saying import Say, later, plain
from app.domain.steps import ActorKind, StepKey
from app.features.audit.service import record
from app.features.plans.acting import lock_plan
from app.features.plans.models import PlanStep, StepContent
from app.features.plans.policy import kind_of
from app.features.plans.rooms import Content, Room, Settling, Surroundings, step_of
from app.features.plans.service import note_event, put_content
from app.features.steps.action_plan.content import STATUSES, ActionPlan, missing, settle
from app.features.steps.action_plan.report import changes_block, report_section
from app.infra.db.open import UnitOfWork

ROOM = Room(StepKey.ACTION_PLAN, ActionPlan, missing, report_section, settle=settle, changes=changes_block)


@dataclass(frozen=True, slots=True)
class MarkAction:
    """Say where an action stands, what shows it (None: as it is), and why it is given up where it is."""

    plan_id: UUID
    action: str
    status: str
    dropped_why: str | None = None
    evidence: str | None = None
    evidence_link: str | None = None


def mark_action(uow: UnitOfWork, command: MarkAction, say: Say = plain) -> StepContent:
    """Write where an action stands into step 7; what is planned does not change, so an accepted step takes it too.

    Only the client does it. Raises NotFound for a plan or action that is not there, Conflict for an archived plan or a
    skipped step, InvalidInput for giving up without a reason or a wrong link.
    """
    if kind_of(uow.actor) is not ActorKind.CLIENT:
        raise Forbidden(later("Only the %(client)s says where an action stands."))
    plan = lock_plan(uow, command.plan_id, say)
    if command.status not in STATUSES:
        raise InvalidInput([FieldProblem("status", say("Choose where the action stands."))])
    if command.status == "dropped" and not (command.dropped_why or "").strip():
        raise InvalidInput([FieldProblem("dropped_why", say("Write why you give it up."))])
    rows = uow.session.scalars(
        select(StepContent).where(StepContent.plan_id == plan.id).execution_options(populate_existing=True)
    ).all()
    contents = {step_of(row.step): row for row in rows}
    stored = contents.get(StepKey.ACTION_PLAN)
    before = ROOM.read(stored.content) if stored else ROOM.empty()
    if stored is None or not any(row["id"] == command.action and row["text"] for row in before["actions"]):
        raise NotFound(say("There is no such action. Load the page again."))
    _refuse_skipped(uow, plan.id, say)
    typed = {"status": command.status} | {
        name: value.strip()
        for name in ("dropped_why", "evidence", "evidence_link")
        if (value := getattr(command, name)) is not None
    }
    actions = [row | typed if row["id"] == command.action else row for row in before["actions"]]
    others: dict[StepKey, Content] = {
        key: row.content for key, row in contents.items() if key is not StepKey.ACTION_PLAN
    }
    settling = Settling(uow.now, Surroundings(contents=others, today=uow.now.date()), say)
    content = settle(stored.content, ROOM.read(before | {"actions": actions}), settling)
    if content != stored.content:
        put_content(uow, plan, StepKey.ACTION_PLAN, stored, content, empty=ROOM.empty())
        note_event(uow, plan, StepKey.ACTION_PLAN, "action_marked", {"action": command.action, "to": command.status})
        record(uow, "action.marked", "plan", plan.id, which=command.action, status=command.status)
    return stored


def _refuse_skipped(uow: UnitOfWork, plan_id: UUID, say: Say) -> None:
    status = uow.session.scalars(
        select(PlanStep.status).where(PlanStep.plan_id == plan_id, PlanStep.step == StepKey.ACTION_PLAN.number)
    ).one_or_none()
    if status == "skipped":
        raise Conflict(say("Step 7 is not part of this plan now."))
