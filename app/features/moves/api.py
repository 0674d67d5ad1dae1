"""JSON of handing over: preview, start, cover, and who looked after a client when."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.features.moves import covers, queries, service
from app.features.moves.commands import ExtendCover, PlanMove
from app.features.moves.models import CaseloadMove, Cover
from app.features.moves.schemas import (
    CaseloadHistorySchema,
    CoverQuery,
    CoverSchema,
    ExtendCoverSchema,
    HandingOverSchema,
    NewHandingOverSchema,
    StartHandingOverSchema,
)
from app.features.selections.schemas import target_in
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page, whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Moves", __name__, description="Caseloads handed over, for good or for a time.")
_SHOWN = ("id", "kind", "source_id", "first_on", "last_on", "job_id", "created_at", "expires_at")


def _json(move: CaseloadMove) -> dict[str, Any]:
    receivers = [
        {
            "member_id": UUID(receiver["id"]),
            "minutes": receiver["minutes"],
            "takes": receiver["takes"],
            "clients_before": receiver["clients"][0],
            "clients_after": receiver["clients"][1],
            "work_before": receiver["work"][0],
            "work_after": receiver["work"][1],
        }
        for receiver in move.numbers["receivers"]
    ]
    return {name: getattr(move, name) for name in _SHOWN} | {
        "clients": len(move.client_ids),
        "receivers": receivers,
        "left_out": move.numbers["left_out"],
    }


def command_of(body: dict[str, Any]) -> PlanMove:
    """The input of the use case that a checked body says."""
    return PlanMove(
        receiver_ids=tuple(body["receiver_ids"]),
        source_id=body.get("source_id"),
        target=target_in(body),
        supporting=body.get("supporting", False),
        first_on=body.get("first_on"),
        last_on=body.get("last_on"),
    )


@blueprint.post("/moves/preview")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.arguments(NewHandingOverSchema)
@blueprint.response(200, HandingOverSchema)
def preview_move(body: dict[str, Any]) -> dict[str, Any]:
    """Work out who would take whom and keep it for a day; nothing happens."""
    with unit_of_work() as uow:
        return _json(service.plan_move(uow, command_of(body)))


@blueprint.post("/moves")
@requires(Permission.MANAGE_PEOPLE)
@once
@blueprint.arguments(StartHandingOverSchema)
@blueprint.response(202, HandingOverSchema)
def start_move(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, Any]:
    """Do what was previewed; the job named in the answer does it. Safe to repeat."""
    service.start_move(uow, body["move_id"])
    return _json(queries.get_move(uow, body["move_id"]))


@blueprint.get("/moves/<uuid:move_id>")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.response(200, HandingOverSchema)
def read_move(move_id: UUID) -> dict[str, Any]:
    """One handing over."""
    with unit_of_work() as uow:
        return _json(queries.get_move(uow, move_id))


@blueprint.get("/covers")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.arguments(CoverQuery, location="query")
@blueprint.response(200, page_of(CoverSchema))
def list_covers(query: dict[str, Any]) -> dict[str, Any]:
    """Covers, the newest first."""
    with unit_of_work() as uow:
        found = select(Cover)
        if "state" in query:
            found = found.where(Cover.state == query["state"])
        return page(uow, found, (Cover.created_at, Cover.id), query, descending=True)


@blueprint.post("/covers")
@requires(Permission.MANAGE_PEOPLE)
@once
@blueprint.arguments(StartHandingOverSchema)
@blueprint.response(201, CoverSchema)
def create_cover(uow: UnitOfWork, body: dict[str, Any]) -> Cover:
    """Set cover up as it was previewed with its two days. Safe to repeat."""
    return covers.plan_cover(uow, body["move_id"])


@blueprint.get("/covers/<uuid:cover_id>")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.response(200, CoverSchema)
def read_cover(cover_id: UUID) -> Cover:
    """One cover."""
    with unit_of_work() as uow:
        return queries.get_cover(uow, cover_id)


@blueprint.post("/covers/<uuid:cover_id>/end")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.response(200, CoverSchema)
def end_cover(cover_id: UUID) -> Cover:
    """End a cover now; what was there before it stays."""
    with unit_of_work() as uow:
        return covers.end_cover(uow, cover_id)


@blueprint.post("/covers/<uuid:cover_id>/extend")
@requires(Permission.MANAGE_PEOPLE)
@blueprint.arguments(ExtendCoverSchema)
@blueprint.response(200, CoverSchema)
def extend_cover(body: dict[str, Any], cover_id: UUID) -> Cover:
    """Give a cover another last day."""
    with unit_of_work() as uow:
        queries.get_cover(uow, cover_id)
        return covers.extend_cover(uow, ExtendCover(cover_id=cover_id, last_on=body["last_on"]))


@blueprint.get("/clients/<uuid:client_id>/caseload-history")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, page_of(CaseloadHistorySchema))
def list_caseload_history(client_id: UUID) -> dict[str, Any]:
    """Who looked after a client, the latest first; at most fifty."""
    with unit_of_work() as uow:
        return whole(queries.history_of(uow, client_id))
