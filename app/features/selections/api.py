"""JSON of saved filters: keep, change, size, members; and of selections frozen from a list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.domain.rules import stored_rule
from app.features.clients.models import Client
from app.features.clients.schemas import ClientSchema
from app.features.selections import filters as service
from app.features.selections import lists, queries
from app.features.selections.commands import SaveFilter
from app.features.selections.models import SavedFilter, Selection
from app.features.selections.schemas import (
    FilterChangeSchema,
    FilterRuleSchema,
    FilterSchema,
    FilterSizeSchema,
    ListedSchema,
    NewFilterSchema,
    SelectionSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Filters", __name__, description="Rules to select people by when they are used, and lists.")


@blueprint.get("/filters")
@requires(Permission.USE_COHORTS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(FilterSchema))
def list_filters(query: dict[str, Any]) -> dict[str, Any]:
    """Your filters and those shared with everybody, by name."""
    with unit_of_work() as uow:
        found = select(SavedFilter).where(queries.visible_filters(uow))
        return page(uow, found, (SavedFilter.name, SavedFilter.id), query)


@blueprint.post("/filters")
@requires(Permission.USE_COHORTS)
@once
@blueprint.arguments(NewFilterSchema)
@blueprint.response(201, FilterSchema)
def create_filter(uow: UnitOfWork, body: dict[str, Any]) -> SavedFilter:
    """Keep a filter."""
    return service.create_filter(uow, SaveFilter(**body))


@blueprint.post("/filters/size")
@requires(Permission.USE_COHORTS)
@blueprint.arguments(FilterRuleSchema)
@blueprint.response(200, FilterSizeSchema)
def count_rule(body: dict[str, Any]) -> dict[str, int]:
    """How many of the people you see a rule selects now; nothing is kept."""
    with unit_of_work() as uow:
        return {"clients": queries.count_filter(uow, queries.read_rule(uow, body["rule"]))}


@blueprint.get("/filters/<uuid:filter_id>")
@requires(Permission.USE_COHORTS)
@blueprint.response(200, FilterSchema)
def read_filter(filter_id: UUID) -> SavedFilter:
    """One filter."""
    with unit_of_work() as uow:
        return queries.get_filter(uow, filter_id)


@blueprint.patch("/filters/<uuid:filter_id>")
@requires(Permission.USE_COHORTS)
@blueprint.arguments(FilterChangeSchema)
@blueprint.response(200, FilterSchema)
def change_filter(body: dict[str, Any], filter_id: UUID) -> SavedFilter:
    """Change a filter of yours; fields left out stay."""
    with unit_of_work() as uow:
        saved = queries.get_filter(uow, filter_id)
        kept: dict[str, Any] = {"name": saved.name, "rule": saved.rule, "shared": saved.shared}
        return service.change_filter(uow, filter_id, SaveFilter(**kept | body))


@blueprint.delete("/filters/<uuid:filter_id>")
@requires(Permission.USE_COHORTS)
@blueprint.response(204)
def delete_filter(filter_id: UUID) -> None:
    """Forget a filter of yours."""
    with unit_of_work() as uow:
        service.delete_filter(uow, filter_id)


@blueprint.get("/filters/<uuid:filter_id>/size")
@requires(Permission.USE_COHORTS)
@blueprint.response(200, FilterSizeSchema)
def read_filter_size(filter_id: UUID) -> dict[str, int]:
    """How many of the people you see the filter selects now."""
    with unit_of_work() as uow:
        return {"clients": queries.count_filter(uow, stored_rule(queries.get_filter(uow, filter_id).rule))}


@blueprint.get("/filters/<uuid:filter_id>/members")
@requires(Permission.USE_COHORTS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(ClientSchema))
def list_filter_members(query: dict[str, Any], filter_id: UUID) -> dict[str, Any]:
    """The people the filter selects now, of those you see, by name."""
    with unit_of_work() as uow:
        rule = stored_rule(queries.get_filter(uow, filter_id).rule)
        found = select(Client).where(Client.id.in_(queries.matching(uow, rule)))
        return page(uow, found, (Client.family_folded, Client.given_folded, Client.id), query)


@blueprint.post("/selections")
@requires(Permission.READ_CLIENTS)
@once
@blueprint.arguments(ListedSchema)
@blueprint.response(201, SelectionSchema)
def choose_listed(uow: UnitOfWork, body: dict[str, Any]) -> Selection:
    """Freeze the people known by these ids or e-mail addresses, to be named as `selection_id` for a day."""
    lines = [(number, written) for number, written in enumerate(body["listed"], start=1) if written.strip()]
    return lists.choose_listed(uow, lines)
