"""Use cases of handing over: plan who takes whom and keep it, then start exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text

from app.domain.balancing import Receiver, balance
from app.domain.errors import Conflict, FieldProblem, Gone, InvalidInput
from app.domain.reading import check_day
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.models import CaseloadEntry, Client
from app.features.clients.policy import visible_clients
from app.features.jobs.items import add_items
from app.features.jobs.models import Job
from app.features.jobs.service import create_job
from app.features.moves.commands import PlanMove
from app.features.moves.entries import Held, entries_of
from app.features.moves.models import CaseloadMove
from app.features.moves.queries import Holding, get_move, holdings, names_of, work_of
from app.features.organizations.queries import today_here
from app.features.selections.service import choose, members
from app.infra.db.open import UnitOfWork

MOVE = "moves.move"
# How many people are handed over at once.
BATCH = 1000
KEPT_FOR = timedelta(days=1)
MOST_RECEIVERS = 50
# A mistyped year must not make somebody a support for ever.
LONGEST_COVER = timedelta(days=366)


def plan_move(uow: UnitOfWork, command: PlanMove) -> CaseloadMove:
    """Work out who takes whom, and keep it for a day; nothing changes yet.

    Raises InvalidInput for a target, people or days that cannot be, NotFound as `selections.service.choose` does.
    """
    today = today_here(uow)
    receivers = _receivers(uow, command, today)
    _check_days(command, today)
    chosen, unseen = _chosen(uow, command)
    left_out = {"unseen": unseen, "inactive": 0, "elsewhere": 0, "already": 0}
    work = work_of(uow, chosen, today)
    entries = entries_of(uow, chosen)
    wanted: dict[UUID, int] = {}
    ids = {receiver.id for receiver in receivers}
    for client in chosen:
        reason = _left_out(command, entries[client], ids) if client in work else "inactive"
        if reason is None:
            wanted[client] = work[client]
        else:
            left_out[reason] += 1
    taken = balance(wanted, [Receiver(r.id, r.minutes, r.work) for r in receivers])
    values = {
        "source_id": command.source_id,
        "kind": command.kind,
        "client_ids": list(wanted),
        "receiver_ids": [taken[client] for client in wanted],
        "numbers": {
            "receivers": [_before_and_after(r, wanted, taken, entries) for r in receivers],
            "left_out": {reason: number for reason, number in left_out.items() if number},
        },
        "first_on": command.first_on,
        "last_on": command.last_on,
        "created_by": uow.actor.membership_id,
        "created_at": uow.now,
        "expires_at": uow.now + KEPT_FOR,
    }
    return uow.session.scalars(insert(CaseloadMove).values(**values).returning(CaseloadMove)).one()


def _left_out(command: PlanMove, entries: dict[UUID, Held], receivers: set[UUID]) -> str | None:
    """Why an active client is not handed over; None where they are."""
    if command.source_id is not None and command.source_id not in entries:
        return "elsewhere"
    if command.kind == "same":
        return None
    holders = {m for m, held in entries.items() if command.kind != "primary" or held.kind == "primary"}
    return "already" if holders & receivers else None


def _before_and_after(
    receiver: Holding, wanted: dict[UUID, int], taken: dict[UUID, UUID], entries: dict[UUID, dict[UUID, Held]]
) -> dict[str, Any]:
    # Whom they have already they have afterwards, too: once.
    new = [client for client in wanted if taken[client] == receiver.id and receiver.id not in entries[client]]
    return {
        "id": str(receiver.id),
        "minutes": receiver.minutes,
        "takes": sum(1 for to in taken.values() if to == receiver.id),
        "clients": [receiver.clients, receiver.clients + len(new)],
        "work": [receiver.work, receiver.work + sum(wanted[client] for client in new)],
    }


def _receivers(uow: UnitOfWork, command: PlanMove, today: date) -> list[Holding]:
    wanted = tuple(dict.fromkeys(command.receiver_ids))
    problem = None
    if not 1 <= len(wanted) <= MOST_RECEIVERS:
        problem = later("Choose from 1 to %(most)s people who take them.", most=MOST_RECEIVERS)
    elif command.source_id in wanted:
        problem = later("Who hands over cannot take as well. Choose somebody else.")
    found = holdings(uow, today, wanted)
    if problem is None and len(found) < len(wanted):
        problem = later("One of them does not work here any more, or has no caseload. Choose others.")
    if problem is not None:
        raise InvalidInput([FieldProblem("receiver_ids", problem)])
    return found


def _check_days(command: PlanMove, today: date) -> None:
    if command.kind != "cover":
        return
    first, last = command.first_on, command.last_on
    if first is None or last is None:
        raise InvalidInput(
            [FieldProblem("first_on" if first is None else "last_on", "Cover has a first and a last day.")]
        )
    problems = check_day("first_on", first)
    if first < today:
        problems.append(FieldProblem("first_on", "This day is over. Begin today or later."))
    if last < first:
        problems.append(FieldProblem("last_on", "The last day lies before the first. Choose a later one."))
    elif last - max(first, today) > LONGEST_COVER:
        problems.append(FieldProblem("last_on", "Cover lasts a year at most. Hand the people over for good instead."))
    if problems:
        raise InvalidInput(problems)


def _chosen(uow: UnitOfWork, command: PlanMove) -> tuple[Sequence[UUID], int]:
    """Ids of the clients in order of name, and how many of those named the actor may not see."""
    if command.source_id is not None and not names_of(uow, [command.source_id]):
        raise InvalidInput([FieldProblem("source_id", "There is no such person. Choose somebody from the list.")])
    if command.target.named:
        selection = choose(uow, command.target)
        seen = uow.session.scalars(members(uow, selection)).all()
        return seen, selection.not_seen + selection.clients - len(seen)
    if command.source_id is None:
        raise InvalidInput([FieldProblem("target", "Choose whose caseload it is, a cohort, or tick people.")])
    theirs = (
        select(Client.id)
        .join(CaseloadEntry, CaseloadEntry.client_id == Client.id)
        .where(CaseloadEntry.membership_id == command.source_id, visible_clients(uow.actor))
        .order_by(Client.family_folded, Client.given_folded, Client.id)
    )
    return uow.session.scalars(theirs).all(), 0


def still_open(uow: UnitOfWork, move_id: UUID) -> CaseloadMove:
    """A plan of the actor's own, locked, that may still be started or was. Raises NotFound, or Gone for an old one."""
    move = get_move(uow, move_id, lock=True)
    if move.created_by != uow.actor.membership_id or (move.expires_at is not None and move.expires_at <= uow.now):
        raise Gone("This preview is too old. Make it anew.")
    return move


def start_move(uow: UnitOfWork, move_id: UUID) -> Job:
    """Start a move as it was previewed; asked again, the job that was started.

    Raises NotFound, Gone for a preview that is too old or somebody else's, Conflict for a cover.
    """
    move = still_open(uow, move_id)
    if move.kind == "cover":
        raise Conflict("This is cover for a time. Set it up as cover.")
    if move.job_id is not None:
        return uow.session.scalars(select(Job).where(Job.id == move.job_id)).one()
    whose = names_of(uow, [move.source_id]).get(move.source_id, "") if move.source_id else ""
    job, _ = create_job(uow, MOVE, {"move": str(move.id), "title": whose})
    whose_ids = select(func.unnest(CaseloadMove.client_ids)).where(CaseloadMove.id == move.id)
    add_items(uow, job, whose_ids, batch=BATCH)
    move.job_id, move.expires_at = job.id, None
    record(uow, "move.started", "job", job.id, clients=job.total)
    return job


def forget_old(uow: UnitOfWork) -> None:
    """Delete plans that nobody started in time."""
    uow.session.execute(text("DELETE FROM caseload_moves WHERE expires_at < :now"), {"now": uow.now})
