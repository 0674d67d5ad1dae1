"""JSON of What-if: copies of a plan, the changes tried on them, and what those do. Nothing here changes a plan."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.access import Permission
from app.features.scratches import queries, service
from app.features.scratches.commands import BeginScratch, TryChange
from app.features.scratches.models import PlanScratch
from app.features.scratches.schemas import (
    NewChangeSchema,
    NewScratchSchema,
    ScratchSchema,
    SharedSchema,
    TriedScratchSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("What-if", __name__, description="Copies of a plan to try changes on.")
_ALL = "/plans/<uuid:plan_id>/scratches"
_ONE = f"{_ALL}/<uuid:scratch_id>"


def _tried(uow: UnitOfWork, row: PlanScratch) -> dict[str, Any]:
    tried = queries.try_out(uow, row)
    found = tried.outcome
    outcome = {
        "stale": [
            {
                "step": step.number,
                "aspects": [{"aspect": one.aspect.value, "before": one.before, "after": one.after} for one in changes],
            }
            for step, changes in found.stale.items()
        ],
        "late": [
            {
                "action": one.text,
                "why": one.risk.why.value,
                "days": one.risk.days,
                "other": one.other,
                "month": one.risk.month,
            }
            for one in found.late
        ],
        "impossible": [
            {"what": one.what.value, "step": one.step.number, "text": one.text, "other": one.other, "days": one.days}
            for one in found.impossible
        ],
        "loose": [
            {"step": one.step.number, "what": one.what.value, "id": one.id, "text": one.text} for one in found.loose
        ],
        "aside": found.aside,
        "back": found.back,
    }
    told = {name: getattr(row, name) for name in ScratchSchema().fields}
    return told | {"outcome": outcome, "moved_on": [step.number for step in tried.moved_on]}


@blueprint.get(_ALL)
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, page_of(ScratchSchema))
def list_scratches(plan_id: UUID) -> dict[str, Any]:
    """The copies of a plan you may see: your own and those shared, the latest first."""
    with unit_of_work() as uow:
        return whole([row for row, _ in queries.scratches_of(uow, plan_id)])


@blueprint.post(_ALL)
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
@once
@blueprint.arguments(NewScratchSchema)
@blueprint.response(201, TriedScratchSchema)
def begin_scratch(uow: UnitOfWork, body: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Copy the plan as it stands and try changes on the copy."""
    command = BeginScratch(plan_id=plan_id, title=body["title"], changes=body["changes"])
    return _tried(uow, service.begin_scratch(uow, command))


@blueprint.get(_ONE)
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, TriedScratchSchema)
def read_scratch(plan_id: UUID, scratch_id: UUID) -> dict[str, Any]:
    """One copy and what its changes do."""
    with unit_of_work() as uow:
        return _tried(uow, queries.find_scratch(uow, plan_id, scratch_id))


@blueprint.post(f"{_ONE}/changes")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
@blueprint.arguments(NewChangeSchema)
@blueprint.response(200, TriedScratchSchema)
def try_change(body: dict[str, Any], plan_id: UUID, scratch_id: UUID) -> dict[str, Any]:
    """Put one more change on the copy."""
    with unit_of_work() as uow:
        command = TryChange(plan_id=plan_id, scratch_id=scratch_id, change=body["change"])
        return _tried(uow, service.try_change(uow, command))


@blueprint.delete(f"{_ONE}/changes/<int(min=1,max=1000):number>")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
@blueprint.response(200, TriedScratchSchema)
def take_off_change(plan_id: UUID, scratch_id: UUID, number: int) -> dict[str, Any]:
    """Take one change off the copy, by its place from 1."""
    with unit_of_work() as uow:
        return _tried(uow, service.take_off_change(uow, plan_id, scratch_id, number))


@blueprint.put(f"{_ONE}/shared")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
@blueprint.arguments(SharedSchema)
@blueprint.response(200, ScratchSchema)
def share_scratch(body: dict[str, Any], plan_id: UUID, scratch_id: UUID) -> PlanScratch:
    """Show your copy to the others who may see the plan, or no longer."""
    with unit_of_work() as uow:
        return service.share_scratch(uow, plan_id, scratch_id, shared=body["shared"])


@blueprint.delete(_ONE)
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
@blueprint.response(204)
def discard_scratch(plan_id: UUID, scratch_id: UUID) -> None:
    """Throw your copy away."""
    with unit_of_work() as uow:
        service.discard_scratch(uow, plan_id, scratch_id)
