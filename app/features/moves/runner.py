"""What workers do to hand caseloads over: exactly the plan that was previewed, and the way back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from flask_babel import lazy_gettext
from sqlalchemy import select, text

from app.domain import access
from app.domain.saying import later
from app.features.audit.service import record_each
from app.features.clients.queries import select_ids
from app.features.clients.service import mark_rules_stale
from app.features.jobs.kinds import JobKind
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import Settled
from app.features.moves.covers import keep_covers
from app.features.moves.entries import Change, as_result, change_of, entries_of, lock_clients, way_back, write
from app.features.moves.queries import get_move
from app.features.moves.service import BATCH, MOVE, forget_old
from app.features.organizations.models import Membership
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

_TO_WHOM = text(
    "SELECT g.client_id, g.receiver_id FROM caseload_moves m,"
    " unnest(m.client_ids, m.receiver_ids) AS g(client_id, receiver_id)"
    " WHERE m.id = :move AND g.client_id = ANY(CAST(:clients AS uuid[]))"
)
_INACTIVE = later("Is no longer active.")
_NOBODY_TAKES = later("Who was to take them does not work here any more.")
_ELSEWHERE = later("Is no longer in the caseload that was handed over.")
_THERE = later("Was there already.")
_MOVED_ON = later("Was moved on since, so they stay with who has them now.")


def _move(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    move = get_move(uow, UUID(job.params["move"]))
    to = {
        row.client_id: row.receiver_id
        for row in uow.session.execute(_TO_WHOM, {"move": move.id, "clients": list(clients)})
    }
    here = set(uow.session.scalars(select(Membership.id).where(Membership.id.in_(set(to.values())), Membership.active)))
    active, entries = lock_clients(uow, clients), entries_of(uow, clients)
    changes: dict[UUID, Change] = {}
    settled: dict[UUID, Settled] = {}
    for client in clients:
        if not active.get(client):
            settled[client] = Settled("skipped", _INACTIVE)
        elif to[client] not in here:
            settled[client] = Settled("skipped", _NOBODY_TAKES)
        elif (change := change_of(move.kind, entries[client], move.source_id, to[client], uow.now)) is None:
            settled[client] = Settled("skipped", _ELSEWHERE if move.kind == "same" else _THERE)
        else:
            changes[client] = change
            settled[client] = Settled(result=as_result(entries[client], change))
    write(uow, changes)
    _note(uow, "caseload.moved", {client: to[client] for client in changes}, job)
    return settled


def _move_back(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    wanted = select(JobItem.subject_id, JobItem.result).where(
        JobItem.job_id == job.id, JobItem.subject_id.in_(select_ids(clients))
    )
    results = {row.subject_id: row.result for row in uow.session.execute(wanted)}
    there, entries = lock_clients(uow, clients), entries_of(uow, clients)
    changes: dict[UUID, Change] = {}
    for client in clients:
        if client in there and (change := way_back(entries[client], results[client] or {})) is not None:
            changes[client] = change
    write(uow, changes)
    _note(uow, "caseload.moved_back", dict.fromkeys(changes), job)
    return {
        client: Settled("undone" if client in changes else "kept", None if client in changes else _MOVED_ON)
        for client in clients
    }


def _note(uow: UnitOfWork, action: str, moved: Mapping[UUID, UUID | None], job: Job) -> None:
    """One line in the ledger for each client; rules that ask for the counsellor are applied anew."""
    to: dict[UUID | None, list[UUID]] = defaultdict(list)
    for client, receiver in moved.items():
        to[receiver].append(client)
    for receiver, clients in to.items():
        named = {} if receiver is None else {"counsellor": str(receiver)}
        record_each(uow, action, "client", select_ids(clients), job=str(job.id), **named)
    if moved:
        mark_rules_stale(uow)


def sweep(runtime: Runtime, organization_id: UUID) -> None:
    """Begin and end the covers whose day has come, and forget old plans; part of the sweep, harmless to repeat."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        forget_old(uow)
        keep_covers(uow)


KIND = JobKind(
    name=MOVE,
    label=lazy_gettext("Hand over a caseload"),
    permission=access.Permission.MANAGE_PEOPLE,
    batch_size=BATCH,
    batch=_move,
    undo_batch=_move_back,
)
