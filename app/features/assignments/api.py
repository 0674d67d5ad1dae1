"""JSON of assigning: preview, start, list, end."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.features.assignments import queries, service
from app.features.assignments.commands import Assign, GivenAction
from app.features.assignments.models import Assignment
from app.features.assignments.schemas import (
    AssignmentPreviewSchema,
    AssignmentQuery,
    AssignmentSchema,
    NewAssignmentSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint(
    "Assignments",
    __name__,
    description="What is given to many clients at once.",
)


def _command(body: dict[str, Any]) -> Assign:
    given = body | {"client_ids": tuple(body.get("client_ids", ()))}
    if "action" in body:
        given["action"] = GivenAction(**body["action"])
    return Assign(**given)


@blueprint.get("/assignments")
@requires(Permission.ASSIGN)
@blueprint.arguments(AssignmentQuery, location="query")
@blueprint.response(200, page_of(AssignmentSchema))
def list_assignments(query: dict[str, Any]) -> dict[str, Any]:
    """Assignments of the organization, newest first."""
    with unit_of_work() as uow:
        found = select(Assignment)
        if "state" in query:
            found = found.where(Assignment.state == query["state"])
        if "what" in query:
            found = found.where(Assignment.what == query["what"])
        if "cohort" in query:
            found = found.where(Assignment.cohort_id == query["cohort"])
        return page(uow, found, (Assignment.created_at, Assignment.id), query, descending=True)


@blueprint.post("/assignments/preview")
@requires(Permission.ASSIGN)
@blueprint.arguments(NewAssignmentSchema)
@blueprint.response(200, AssignmentPreviewSchema)
def preview_assignment(body: dict[str, Any]) -> dict[str, Any]:
    """What an assignment would do, in numbers; whom it counted is kept for a day, for starting it with them."""
    with unit_of_work() as uow:
        selection, numbers = service.preview(uow, _command(body))
        return {"selection_id": selection.id, **asdict(numbers)}


@blueprint.post("/assignments")
@requires(Permission.ASSIGN)
@once
@blueprint.arguments(NewAssignmentSchema)
@blueprint.response(202, AssignmentSchema)
def create_assignment(uow: UnitOfWork, body: dict[str, Any]) -> Assignment:
    """Start giving; the job named in the answer does it."""
    job = service.assign(uow, _command(body))
    return queries.find_assignment(uow, UUID(job.params["assignment"]))


@blueprint.get("/assignments/<uuid:assignment_id>")
@requires(Permission.ASSIGN)
@blueprint.response(200, AssignmentSchema)
def read_assignment(assignment_id: UUID) -> Assignment:
    """One assignment."""
    with unit_of_work() as uow:
        return queries.find_assignment(uow, assignment_id)


@blueprint.post("/assignments/<uuid:assignment_id>/end")
@requires(Permission.ASSIGN)
@blueprint.response(200, AssignmentSchema)
def end_assignment(assignment_id: UUID) -> Assignment:
    """Stop giving a standing assignment to later members; what was given stays."""
    with unit_of_work() as uow:
        return service.end_assignment(uow, assignment_id)


@blueprint.post("/assignments/<uuid:assignment_id>/pause")
@requires(Permission.ASSIGN)
@blueprint.response(200, AssignmentSchema)
def pause_assignment(assignment_id: UUID) -> Assignment:
    """Let a standing assignment rest."""
    with unit_of_work() as uow:
        return service.pause_assignment(uow, assignment_id)


@blueprint.post("/assignments/<uuid:assignment_id>/resume")
@requires(Permission.ASSIGN)
@blueprint.response(200, AssignmentSchema)
def resume_assignment(assignment_id: UUID) -> Assignment:
    """Let a resting assignment go on; who joined or left meanwhile is seen to now."""
    with unit_of_work() as uow:
        return service.resume_assignment(uow, assignment_id)
