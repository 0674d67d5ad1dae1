"""JSON of cohorts: fixed lists and rules, their members, refresh."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from app.domain.access import Permission
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.cohorts import queries, service
from app.features.cohorts.commands import ChangeCohort, ChangeMembers, CreateCohort
from app.features.cohorts.models import Cohort, CohortMember
from app.features.cohorts.policy import visible_cohorts
from app.features.cohorts.schemas import (
    CohortChangeSchema,
    CohortQuery,
    CohortSchema,
    MembersChangedSchema,
    MembersChangeSchema,
    MemberSchema,
    NewCohortSchema,
    RefreshedSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Cohorts", __name__, description="Groups of clients: fixed, or by a rule.")


@blueprint.get("/cohorts")
@requires(Permission.USE_COHORTS)
@blueprint.arguments(CohortQuery, location="query")
@blueprint.response(200, page_of(CohortSchema))
def list_cohorts(query: dict[str, Any]) -> dict[str, Any]:
    """Cohorts by name."""
    with unit_of_work() as uow:
        archived = Cohort.archived_at.is_not(None) if query["archived"] else Cohort.archived_at.is_(None)
        found = select(Cohort).where(visible_cohorts(uow.actor), archived)
        return page(uow, found, (Cohort.name, Cohort.id), query)


@blueprint.post("/cohorts")
@requires(Permission.MANAGE_COHORTS)
@once
@blueprint.arguments(NewCohortSchema)
@blueprint.response(201, CohortSchema)
def create_cohort(uow: UnitOfWork, body: dict[str, Any]) -> Cohort:
    """Make a cohort; one by rule has its members at once."""
    return service.create_cohort(uow, CreateCohort(**body))


@blueprint.get("/cohorts/<uuid:cohort_id>")
@requires(Permission.USE_COHORTS)
@blueprint.response(200, CohortSchema)
def read_cohort(cohort_id: UUID) -> Cohort:
    """One cohort."""
    with unit_of_work() as uow:
        return queries.get_cohort(uow, cohort_id)


@blueprint.patch("/cohorts/<uuid:cohort_id>")
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(CohortChangeSchema)
@blueprint.response(200, CohortSchema)
def change_cohort(body: dict[str, Any], cohort_id: UUID) -> Cohort:
    """Rename a cohort, or change its rule and bring its members up to date."""
    with unit_of_work() as uow:
        name = body.get("name") or queries.get_cohort(uow, cohort_id).name
        return service.change_cohort(uow, ChangeCohort(cohort_id=cohort_id, name=name, rule=body.get("rule")))


@blueprint.post("/cohorts/<uuid:cohort_id>/archive")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, CohortSchema)
def archive_cohort(cohort_id: UUID) -> Cohort:
    """Put a cohort away; its clients stay members."""
    with unit_of_work() as uow:
        return service.archive_cohort(uow, cohort_id)


@blueprint.post("/cohorts/<uuid:cohort_id>/restore")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, CohortSchema)
def restore_cohort(cohort_id: UUID) -> Cohort:
    """Take an archived cohort up again."""
    with unit_of_work() as uow:
        return service.archive_cohort(uow, cohort_id, archived=False)


@blueprint.post("/cohorts/<uuid:cohort_id>/refresh")
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, RefreshedSchema)
def refresh_cohort(cohort_id: UUID) -> service.Refreshed:
    """Apply the rule now; a fixed list stays as it is. Safe to repeat."""
    with unit_of_work() as uow:
        return service.refresh_cohort(uow, queries.get_cohort(uow, cohort_id))


@blueprint.get("/cohorts/<uuid:cohort_id>/members")
@requires(Permission.USE_COHORTS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(MemberSchema))
def list_members(query: dict[str, Any], cohort_id: UUID) -> dict[str, Any]:
    """The clients of a cohort whom you may see, by name."""
    with unit_of_work() as uow:
        queries.get_cohort(uow, cohort_id)
        belongs = exists().where(
            CohortMember.organization_id == Client.organization_id,
            CohortMember.client_id == Client.id,
            CohortMember.cohort_id == cohort_id,
        )
        found = select(Client).where(belongs, visible_clients(uow.actor))
        return page(uow, found, (Client.family_folded, Client.given_folded, Client.id), query)


@blueprint.post("/cohorts/<uuid:cohort_id>/members")
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(MembersChangeSchema)
@blueprint.response(200, MembersChangedSchema)
def add_members(body: dict[str, Any], cohort_id: UUID) -> dict[str, int]:
    """Add clients to a fixed list. Safe to repeat."""
    with unit_of_work() as uow:
        added = service.add_members(uow, ChangeMembers(cohort_id=cohort_id, clients=body["client_ids"]))
        return {"changed": added}


@blueprint.post("/cohorts/<uuid:cohort_id>/members/remove")
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(MembersChangeSchema)
@blueprint.response(200, MembersChangedSchema)
def remove_members(body: dict[str, Any], cohort_id: UUID) -> dict[str, int]:
    """Take clients off a fixed list. Safe to repeat."""
    with unit_of_work() as uow:
        removed = service.remove_members(uow, ChangeMembers(cohort_id=cohort_id, clients=body["client_ids"]))
        return {"changed": removed}
