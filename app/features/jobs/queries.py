"""Reads of the job ledger for pages and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, tuple_

from app.domain.errors import NotFound
from app.domain.saying import recalled
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.policy import sees_every_client, visible_files, visible_jobs
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item as a page lists it: whom it was about (empty for items that are no client) and what became of it."""

    subject_id: UUID
    name: str
    external_id: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one subject of a job; its place in the order in which they are worked on."""

    subject_id: UUID
    position: int
    state: str
    reason: str | None


# The items of a job, of one state if asked: rows, and ids that wait together.
_ITEMS = """
    SELECT subject_id, position, listed, state, reason FROM job_items
    WHERE job_id = :job AND (CAST(:state AS text) IS NULL OR state = :state)
    UNION ALL
    SELECT t.subject_id, w.number + t.place - 1, t.listed, 'pending', NULL
    FROM waiting_items w, unnest(w.subject_ids, w.listed) WITH ORDINALITY AS t(subject_id, listed, place)
    WHERE w.job_id = :job AND coalesce(:state, 'pending') = 'pending'
"""
_IN_TURN = text(
    f"SELECT * FROM ({_ITEMS}) i WHERE CAST(:position AS bigint) IS NULL"
    " OR (position, subject_id) > (CAST(:position AS bigint), CAST(:subject AS uuid))"
    " ORDER BY position, subject_id LIMIT :limit"
)


def list_jobs(
    uow: UnitOfWork, *, scheduled: bool = False, limit: int = 50, before: tuple[datetime, UUID] | None = None
) -> Sequence[Job]:
    """Jobs the actor may see, newest first: those of schedules, or the others.

    `before` is the (created_at, id) of the last one of the page before.
    """
    statement = select(Job).where(visible_jobs(uow.actor), Job.scheduled if scheduled else ~Job.scheduled)
    if before is not None:
        statement = statement.where(tuple_(Job.created_at, Job.id) < before)
    return uow.session.scalars(statement.order_by(Job.created_at.desc(), Job.id.desc()).limit(limit)).all()


def has_scheduled(uow: UnitOfWork) -> bool:
    """Whether there are jobs of schedules that the actor may see."""
    return (
        uow.session.scalars(select(Job.id).where(visible_jobs(uow.actor), Job.scheduled).limit(1)).first() is not None
    )


def reasons(uow: UnitOfWork, job_id: UUID) -> list[tuple[str, str, int]]:
    """(state, reason, number of items) of the items that have a reason, most frequent first."""
    rows = uow.session.execute(
        select(JobItem.state, JobItem.reason, func.count())
        .where(JobItem.job_id == job_id, JobItem.reason.is_not(None))
        .group_by(JobItem.state, JobItem.reason)
        .order_by(func.count().desc())
    )
    return [(state, reason or "", number) for state, reason, number in rows]


def item_counts(uow: UnitOfWork, job_id: UUID) -> dict[str, int]:
    """How many items of a job are in each state."""
    rows = uow.session.execute(
        text(f"SELECT state, count(*) AS number FROM ({_ITEMS}) i GROUP BY state"), {"job": job_id, "state": None}
    )
    return {row.state: row.number for row in rows}


def items_in_turn(
    uow: UnitOfWork, job_id: UUID, *, state: str | None = None, after: Sequence[Any] | None = None, limit: int
) -> Sequence[Item]:
    """Items of a job in the order in which they are worked on, those after the place `after` (position, subject_id)."""
    position, subject = after or (None, None)
    rows = uow.session.execute(
        _IN_TURN, {"job": job_id, "state": state, "position": position, "subject": subject, "limit": limit}
    )
    return [Item(row.subject_id, row.position, row.state, recalled(row.reason)) for row in rows]


def items_of(
    uow: UnitOfWork, job_id: UUID, *, state: str | None = None, limit: int = 100, offset: int = 0
) -> list[ItemLine]:
    """What became of the items of a job, in its order, with the client's name where the subject is a client.

    Of one `state` alone if asked. Somebody who has left the actor's caseload since is listed without a name.
    """
    # By name, because clients stand above jobs on the ladder.
    rows = uow.session.execute(
        text(
            "SELECT i.subject_id, coalesce(c.given_name || ' ' || c.family_name, '') AS name,"
            " coalesce(c.external_id, '') AS external_id, i.state, i.reason"
            f" FROM ({_ITEMS} ORDER BY listed, subject_id LIMIT :limit OFFSET :offset) i"
            " LEFT JOIN clients c ON c.id = i.subject_id"
            "  AND (:all OR EXISTS (SELECT 1 FROM caseload_entries e WHERE e.organization_id = c.organization_id"
            "       AND e.client_id = c.id AND e.membership_id = :me))"
            " ORDER BY i.listed, i.subject_id"
        ),
        {
            "job": job_id,
            "state": state,
            "limit": limit,
            "offset": offset,
            "all": sees_every_client(uow.actor),
            "me": uow.actor.membership_id,
        },
    )
    return [ItemLine(r.subject_id, r.name, r.external_id, r.state, recalled(r.reason) or "") for r in rows]


def files_of(uow: UnitOfWork, job_id: UUID, *, kind: str | None = None, limit: int = 20) -> Sequence[StoredFile]:
    """Files a job made, newest first, without those about one client each."""
    statement = select(StoredFile).where(
        StoredFile.job_id == job_id, StoredFile.client_id.is_(None), visible_files(uow.actor)
    )
    if kind is not None:
        statement = statement.where(StoredFile.kind == kind)
    return uow.session.scalars(statement.order_by(StoredFile.created_at.desc()).limit(limit)).all()


def get_file(uow: UnitOfWork, file_id: UUID) -> StoredFile:
    """The file if the actor may have it; raises NotFound otherwise."""
    found = uow.session.scalars(
        select(StoredFile).where(StoredFile.id == file_id, visible_files(uow.actor))
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such file, or it is not yours.")
    return found
