"""What each use case that changes a plan does: open the step under the plan's lock, and leave a line in the history."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Conflict, NotFound
from app.domain.saying import Say, plain
from app.domain.steps import StepKey
from app.features.plans.models import Plan, PlanEvent, PlanStep
from app.features.plans.queries import find_plan
from app.infra.db.open import UnitOfWork


def lock_plan(uow: UnitOfWork, plan_id: UUID, say: Say = plain) -> Plan:
    """The plan, locked until the transaction ends. Raises NotFound, or Conflict for an archived plan."""
    # The plan's row is the one lock: whoever changes anything of a plan waits here for the one before.
    plan = find_plan(uow, plan_id, lock=True)
    if plan.status != "active":
        raise Conflict(say("This plan is archived, so it does not change any more."))
    return plan


def open_step(uow: UnitOfWork, plan_id: UUID, key: StepKey) -> tuple[Plan, PlanStep]:
    """The plan as `lock_plan` gives it, and its step."""
    plan = lock_plan(uow, plan_id)
    row = uow.session.scalars(
        select(PlanStep)
        .where(PlanStep.plan_id == plan_id, PlanStep.step == key.number)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("This plan has no such step.")
    return plan, row


def note(uow: UnitOfWork, plan: Plan, step: int | None, kind: str, detail: dict[str, Any]) -> None:
    """Add a line to the plan's history. The caller has seen and locked the plan."""
    uow.session.add(
        PlanEvent(
            plan_id=plan.id,
            step=step,
            kind=kind,
            actor_id=uow.actor.membership_id,
            actor_kind=uow.actor.role.value,
            detail=detail,
            at=uow.now,
        )
    )
    touch(uow, plan)
    uow.session.flush()


def touch(uow: UnitOfWork, plan: Plan) -> None:
    """Remember that somebody worked on the plan."""
    plan.touched_at = plan.updated_at = uow.now
