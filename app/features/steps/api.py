"""JSON of the rooms: what is written in a step, saving it over a version, and moving the step."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort

from app.domain.access import Permission
from app.domain.saying import plain
from app.domain.steps import StepAction
from app.features.plans import queries, service
from app.features.plans.commands import MoveStep, SaveContent
from app.features.plans.rooms import step_of
from app.features.steps.registry import ROOMS
from app.features.steps.schemas import NewContentSchema, StepActionSchema, StepContentSchema, StepStatusSchema
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint, conditional
from app.infra.web.api.parser import matching_version
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Steps", __name__, description="What is written in a step, and where it stands.")
_STEP = "/plans/<uuid:plan_id>/steps/<int(min=1,max=8):step>"
_Answer = tuple[dict[str, Any], int, dict[str, str]]


def _content(uow: UnitOfWork, plan_id: UUID, step: int) -> _Answer:
    key = step_of(step)
    view = queries.view_plan(uow, plan_id)
    room = ROOMS[key]
    content = view.content(key) or room.empty()
    missing = room.missing(content, queries.surroundings_of(uow, view, key), plain)
    version = view.version(key)
    answer = {"step": key.value, "version": version, "content": content, "missing": missing}
    return answer, 200, {"ETag": f'"{version}"'}


@blueprint.get(f"{_STEP}/content")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, StepContentSchema)
def read_content(plan_id: UUID, step: int) -> _Answer:
    """What is written in a step; its ETag is what a save names."""
    with unit_of_work() as uow:
        return _content(uow, plan_id, step)


@blueprint.put(f"{_STEP}/content")
@conditional
@requires(Permission.OWN_PLAN, Permission.WORK_PLANS)
@blueprint.arguments(NewContentSchema)
@blueprint.response(200, StepContentSchema)
def save_content(body: dict[str, Any], plan_id: UUID, step: int) -> _Answer:
    """Save a step over the version it was typed over; 412 when somebody else saved it meanwhile."""
    key, over = step_of(step), matching_version()
    with unit_of_work() as uow:
        command = SaveContent(plan_id=plan_id, step=key, content=body["content"], over=over)
        try:
            service.save_content(uow, command, ROOMS[key])
        except service.ContentConflict:
            abort(412)
        return _content(uow, plan_id, step)


@blueprint.post(f"{_STEP}/actions")
@requires(Permission.OWN_PLAN, Permission.WORK_PLANS)
@blueprint.arguments(StepActionSchema)
@blueprint.response(200, StepStatusSchema)
def move_step(body: dict[str, Any], plan_id: UUID, step: int) -> dict[str, Any]:
    """Move a step: start, submit, withdraw, return, complete, reopen, skip, unskip."""
    key, action = step_of(step), StepAction(body["action"])
    with unit_of_work() as uow:
        if action is StepAction.SUBMIT:
            missing = _content(uow, plan_id, step)[0]["missing"]
            return {"status": service.submit_step(uow, plan_id, key, missing).value}
        command = MoveStep(plan_id=plan_id, step=key, action=action, reason=body.get("reason"))
        return {"status": service.move_step(uow, command).value}
