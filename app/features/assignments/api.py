"""JSON of assigning: preview, start, list, end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.features.assignments import queries, service
from app.features.assignments.commands import AssignTemplate
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

blueprint = ApiBlueprint("Assignments", __name__, description="Templates given to many clients at once.")


def _command(body: dict[str, Any]) -> AssignTemplate:
    return AssignTemplate(**body | {"client_ids": tuple(body.get("client_ids", ()))})


def _find(uow: UnitOfWork, assignment_id: UUID) -> Assignment:
    found = uow.session.scalars(select(Assignment).where(Assignment.id == assignment_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such assignment.")
    return found


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
        if "cohort" in query:
            found = found.where(Assignment.cohort_id == query["cohort"])
        return page(uow, found, (Assignment.created_at, Assignment.id), query, descending=True)


@blueprint.post("/assignments/preview")
@requires(Permission.ASSIGN)
@blueprint.arguments(NewAssignmentSchema)
@blueprint.response(200, AssignmentPreviewSchema)
def preview_assignment(body: dict[str, Any]) -> queries.Preview:
    """What an assignment would do, in numbers; nothing happens."""
    with unit_of_work() as uow:
        return queries.preview(uow, _command(body))


@blueprint.post("/assignments")
@requires(Permission.ASSIGN)
@once
@blueprint.arguments(NewAssignmentSchema)
@blueprint.response(202, AssignmentSchema)
def create_assignment(uow: UnitOfWork, body: dict[str, Any]) -> Assignment:
    """Start giving the template; the job named in the answer does it."""
    job = service.assign_template(uow, _command(body))
    return _find(uow, UUID(job.params["assignment"]))


@blueprint.get("/assignments/<uuid:assignment_id>")
@requires(Permission.ASSIGN)
@blueprint.response(200, AssignmentSchema)
def read_assignment(assignment_id: UUID) -> Assignment:
    """One assignment."""
    with unit_of_work() as uow:
        return _find(uow, assignment_id)


@blueprint.post("/assignments/<uuid:assignment_id>/end")
@requires(Permission.ASSIGN)
@blueprint.response(200, AssignmentSchema)
def end_assignment(assignment_id: UUID) -> Assignment:
    """Stop giving a standing assignment to later members; plans already given stay."""
    with unit_of_work() as uow:
        service.end_assignment(uow, assignment_id)
        return _find(uow, assignment_id)
