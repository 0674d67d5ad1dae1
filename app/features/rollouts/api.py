"""JSON of rolling out: preview, begin, look, go on, stop, roll back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.domain.rollouts import Choice
from app.features.plans.templates import find_template
from app.features.rollouts import previews, queries, service
from app.features.rollouts.commands import NextStage, RollOut
from app.features.rollouts.models import Rollout
from app.features.rollouts.schemas import (
    ConflictQuery,
    ConflictsSchema,
    NewRolloutSchema,
    NextStageSchema,
    RolloutPreviewQuery,
    RolloutPreviewSchema,
    RolloutQuery,
    RolloutSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Roll-outs", __name__, description="Versions of templates brought to plans, and back.")
_VERSION = "/templates/<uuid:template_id>/versions/<int(min=1,max=1000000):version>"
_ROLLOUT = "/rollouts/<uuid:rollout_id>"


def _json(uow: UnitOfWork, rollout_id: UUID) -> dict[str, Any]:
    view = queries.view_rollout(uow, rollout_id)
    row = view.rollout
    of_row = ("id", "template_id", "version", "choice", "most_conflicts", "created_by", "created_at", "ended_at")
    of_view = ("phase", "conflicts", "left", "done", "kept", "following")
    return (
        {name: getattr(row, name) for name in of_row}
        | {name: getattr(view, name) for name in of_view}
        | {
            "stages": [
                {name: getattr(stage.row, name) for name in ("number", "percent", "conflicts", "job_id")}
                | {"job_state": stage.job.state, "total": stage.job.total}
                for stage in view.stages
            ]
        }
    )


@blueprint.get(f"{_VERSION}/rollout-preview")
@requires(Permission.ROLL_OUT)
@blueprint.arguments(RolloutPreviewQuery, location="query")
@blueprint.response(200, RolloutPreviewSchema)
def preview_rollout(query: dict[str, Any], template_id: UUID, version: int) -> previews.Preview:
    """What rolling this version out would do, by step; nothing happens."""
    with unit_of_work() as uow:
        return previews.preview(uow, template_id, version, Choice(query["choice"]))


@blueprint.post(f"{_VERSION}/rollouts")
@requires(Permission.ROLL_OUT)
@once
@blueprint.arguments(NewRolloutSchema)
@blueprint.response(202, RolloutSchema)
def create_rollout(uow: UnitOfWork, body: dict[str, Any], template_id: UUID, version: int) -> dict[str, Any]:
    """Begin the first stage; the job named in the answer does it."""
    command = RollOut(**body | {"template_id": template_id, "version": version, "choice": Choice(body["choice"])})
    return _json(uow, service.start_rollout(uow, command).id)


@blueprint.get("/templates/<uuid:template_id>/rollouts")
@requires(Permission.ROLL_OUT)
@blueprint.arguments(RolloutQuery, location="query")
@blueprint.response(200, page_of(RolloutSchema))
def list_rollouts(query: dict[str, Any], template_id: UUID) -> dict[str, Any]:
    """Roll-outs of a template, newest first."""
    with unit_of_work() as uow:
        find_template(uow, template_id)
        rows = select(Rollout).where(Rollout.template_id == template_id)
        found = page(uow, rows, (Rollout.created_at, Rollout.id), query, descending=True)
        return found | {"items": [_json(uow, row.id) for row in found["items"]]}


@blueprint.get(_ROLLOUT)
@requires(Permission.ROLL_OUT)
@blueprint.response(200, RolloutSchema)
def read_rollout(rollout_id: UUID) -> dict[str, Any]:
    """Where a roll-out stands."""
    with unit_of_work() as uow:
        return _json(uow, rollout_id)


@blueprint.get(f"{_ROLLOUT}/conflicts")
@requires(Permission.ROLL_OUT)
@blueprint.arguments(ConflictQuery, location="query")
@blueprint.response(200, ConflictsSchema)
def list_rollout_conflicts(query: dict[str, Any], rollout_id: UUID) -> dict[str, Any]:
    """Plans in which what a person did stayed."""
    with unit_of_work() as uow:
        queries.find_rollout(uow, rollout_id)
        lines = queries.conflicts_of(uow, rollout_id, limit=query["limit"] + 1, offset=query["offset"])
    items = [
        {
            "client_id": line.client_id,
            "steps": [{"step": step.number, "reason": reason} for step, reason in line.steps],
        }
        for line in lines[: query["limit"]]
    ]
    return {"items": items, "more": len(lines) > query["limit"]}


@blueprint.post(f"{_ROLLOUT}/stages")
@requires(Permission.ROLL_OUT)
@once
@blueprint.arguments(NextStageSchema)
@blueprint.response(202, RolloutSchema)
def begin_stage(uow: UnitOfWork, body: dict[str, Any], rollout_id: UUID) -> dict[str, Any]:
    """Begin a further stage, after a look at those before."""
    return _json(uow, service.next_stage(uow, NextStage(rollout_id=rollout_id, **body)).id)


@blueprint.post(f"{_ROLLOUT}/stop")
@requires(Permission.ROLL_OUT)
@blueprint.response(200, RolloutSchema)
def stop_rollout(rollout_id: UUID) -> dict[str, Any]:
    """End a roll-out where it is; what is done stays."""
    with unit_of_work() as uow:
        return _json(uow, service.stop(uow, rollout_id).id)


@blueprint.post(f"{_ROLLOUT}/roll-back")
@requires(Permission.ROLL_OUT)
@blueprint.response(202, RolloutSchema)
def roll_back(rollout_id: UUID) -> dict[str, Any]:
    """Bring every plan of a roll-out back, but for what was touched since."""
    with unit_of_work() as uow:
        return _json(uow, service.roll_back(uow, rollout_id).id)
