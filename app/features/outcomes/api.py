"""JSON of outcomes: of a client, and whom nothing is known of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.domain.outcomes import Destination
from app.features.outcomes import queries, service
from app.features.outcomes.commands import RecordOutcome, SetGraduation
from app.features.outcomes.models import Graduation, Outcome
from app.features.outcomes.schemas import (
    DestinationBodySchema,
    DestinationSchema,
    GraduateSchema,
    GraduationBodySchema,
    GraduationSchema,
    MissingQuery,
    MissingSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Outcomes", __name__, description="What became of graduates.")
_CLIENT = "/clients/<uuid:client_id>"
_GRADUATION = f"{_CLIENT}/graduations/<int:class_year>"


@blueprint.get(f"{_CLIENT}/graduations")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, GraduateSchema(many=True))
def list_graduations(client_id: UUID) -> list[dict[str, Any]]:
    """A client's graduations, the last first, each with everything that was known of it."""
    with unit_of_work() as uow:
        return [
            {
                "client_id": one.graduation.client_id,
                "class_year": one.graduation.class_year,
                "graduated_on": one.graduation.graduated_on,
                "newest": one.newest.outcome if one.newest else None,
                "history": [known.outcome for known in one.history],
            }
            for one in queries.history_of(uow, client_id)
        ]


@blueprint.put(f"{_CLIENT}/graduation")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(GraduationBodySchema)
@blueprint.response(200, GraduationSchema)
def put_graduation(body: dict[str, Any], client_id: UUID) -> Graduation:
    """Say on which day a client graduated."""
    with unit_of_work() as uow:
        return service.set_graduation(uow, SetGraduation(client_id=client_id, **body))


@blueprint.delete(_GRADUATION)
@requires(Permission.WORK_PLANS)
@blueprint.response(204)
def delete_graduation(client_id: UUID, class_year: int) -> None:
    """Take a graduation away of which nothing is known."""
    with unit_of_work() as uow:
        service.remove_graduation(uow, client_id, class_year)


@blueprint.post(f"{_GRADUATION}/outcomes")
@requires(Permission.WORK_PLANS)
@once
@blueprint.arguments(DestinationBodySchema)
@blueprint.response(201, DestinationSchema)
def record_outcome(uow: UnitOfWork, body: dict[str, Any], client_id: UUID, class_year: int) -> Outcome:
    """Record what became of a graduate; what was known before is kept."""
    command = RecordOutcome(client_id=client_id, class_year=class_year, destination=Destination(**body))
    return service.record_outcome(uow, command)


@blueprint.post(f"{_CLIENT}/outcomes/<uuid:outcome_id>/withdraw")
@requires(Permission.WORK_PLANS)
@blueprint.response(200, DestinationSchema)
def withdraw_outcome(client_id: UUID, outcome_id: UUID) -> Outcome:
    """Take back what was recorded by mistake; it stays in the history and counts no more."""
    with unit_of_work() as uow:
        service.withdraw_outcome(uow, client_id, outcome_id)
        return uow.session.scalars(select(Outcome).where(Outcome.id == outcome_id)).one()


@blueprint.get("/outcomes/missing")
@requires(Permission.READ_CLIENTS)
@blueprint.arguments(MissingQuery, location="query")
@blueprint.response(200, page_of(MissingSchema))
def list_missing(query: dict[str, Any]) -> dict[str, Any]:
    """Graduates of a class of whom nothing is known, in order of their ids."""
    year = query.pop("class_year")
    with unit_of_work() as uow:
        wanted = select(Graduation).where(
            Graduation.class_year == year, Graduation.client_id.in_(queries.missing(year, uow.actor))
        )
        return page(uow, wanted, (Graduation.client_id,), query)
