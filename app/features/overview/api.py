"""JSON of work queues."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import select

from app.domain.access import Permission
from app.features.clients.models import Client
from app.features.clients.schemas import ClientSchema
from app.features.overview.queues import QUEUES, Asked, Queue, capacities, count_queues, criterion_of, whose
from app.features.overview.schemas import QueuePageQuery, QueueQuery, QueuesSchema
from app.features.selections.queries import moment_of
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Work queues", __name__, description="Who is due, late, waiting, silent or was never met.")


def _asked(query: dict[str, Any]) -> Asked:
    return Asked(counsellor_id=query.get("counsellor"), weeks=query["weeks"])


@blueprint.get("/queues")
@requires(Permission.READ_CLIENTS)
@blueprint.arguments(QueueQuery, location="query")
@blueprint.response(200, QueuesSchema)
def read_queues(query: dict[str, Any]) -> dict[str, Any]:
    """How many of the people you see stand in each queue, and what each counsellor has time for."""
    with unit_of_work() as uow:
        return {"counts": count_queues(uow, _asked(query)), "capacity": capacities(uow, _asked(query))}


@blueprint.get(f"/queues/<any({', '.join(QUEUES)}):queue>")
@requires(Permission.READ_CLIENTS)
@blueprint.arguments(QueuePageQuery, location="query")
@blueprint.response(200, page_of(ClientSchema))
def list_queue(query: dict[str, Any], queue: str) -> dict[str, Any]:
    """The people of one queue, by name."""
    with unit_of_work() as uow:
        asked = _asked(query)
        found = select(Client).where(whose(uow, asked), criterion_of(cast("Queue", queue), asked, moment_of(uow)))
        return page(uow, found, (Client.family_folded, Client.given_folded, Client.id), query)
