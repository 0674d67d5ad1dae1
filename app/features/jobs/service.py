"""Use cases of the job ledger: make jobs and items, claim, settle, cancel, count.

A bulk operation is a job row with one item per subject, written in the transaction that asked for
it. Work that SQL does in one statement is done in *transactional batches*: claimed, done and settled
in one transaction, so that a crash undoes the claim too. Work with slow effects (rendering,
say) is *leased*: claimed and committed, done, and settled only while the lease's token still holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Integer, Select, Uuid, and_, cast, func, insert, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.domain.errors import Conflict, NotFound
from app.domain.saying import later, stored
from app.features.audit.service import record
from app.features.jobs.models import Job, JobItem
from app.features.jobs.policy import visible_jobs
from app.infra.db.open import Bell, UnitOfWork

OPEN = ("queued", "running", "finishing", "undoing")
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: counts of items, and seconds to go if it keeps its pace (None: not yet known)."""

    total: int
    done: int
    skipped: int
    failed: int
    cancelled: int
    left: int
    seconds_left: int | None
    # Where items are parts of a file: how many people are in the file (0: items are people), and in what is done.
    people: int = 0
    people_done: int = 0

    @property
    def settled(self) -> int:
        """Items that need no more work."""
        return self.total - self.left


@dataclass(frozen=True, slots=True)
class Claim:
    """An item handed to this worker; `token` must still be the item's when the result is stored."""

    subject_id: UUID
    attempt: int
    token: UUID


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of an item: a final state, why (a sentence) and a small result."""

    state: str = "done"
    reason: str | None = None
    result: dict[str, Any] | None = None


def create_job(
    uow: UnitOfWork, kind: str, params: Mapping[str, Any], *, idempotency_key: str | None = None
) -> tuple[Job, bool]:
    """Make a job, or find the one made before with the same key. Returns (job, whether it is new).

    Workers take it once this transaction is committed; add its items in the same transaction.
    """
    values = {
        "id": uuid4(),
        "kind": kind,
        "params": dict(params),
        "idempotency_key": idempotency_key,
        "created_by": uow.actor.membership_id,
        "created_at": uow.now,
        "not_before": uow.now,
        "request_id": uow.request_id,
    }
    made = uow.session.execute(
        pg_insert(Job).values(values).on_conflict_do_nothing().returning(Job.id)
    ).scalar_one_or_none()
    if made is None:
        statement = select(Job).where(Job.kind == kind, Job.idempotency_key == idempotency_key)
        return uow.session.scalars(statement).one(), False
    record(uow, "job.created", "job", made, kind=kind)
    uow.ring(Bell.BULK)
    return uow.session.scalars(select(Job).where(Job.id == made)).one(), True


def add_items(uow: UnitOfWork, job: Job, subjects: Select[UUID] | Sequence[UUID]) -> int:
    """Write one item per subject (a select of ids, or ids), each once. Returns how many were new."""
    columns = ["organization_id", "job_id", "subject_id", "position"]
    if isinstance(subjects, Select):
        chosen = subjects.subquery()
        rows = select(literal(job.organization_id), literal(job.id), chosen.c[0], func.row_number().over())
        statement = pg_insert(JobItem).from_select(columns, rows).on_conflict_do_nothing()
        # Without the option SQLAlchemy answers -1 for an INSERT … SELECT.
        added = uow.session.connection().execute(statement, execution_options={"preserve_rowcount": True}).rowcount
    else:
        values = [
            {"organization_id": job.organization_id, "job_id": job.id, "subject_id": s, "position": i}
            for i, s in enumerate(dict.fromkeys(subjects))
        ]
        if values:
            uow.session.connection().execute(insert(JobItem), values)
        added = len(values)
    job.total += added
    return added


def get_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """The job if the actor may see it; raises NotFound otherwise."""
    job = uow.session.scalars(select(Job).where(Job.id == job_id, visible_jobs(uow.actor))).one_or_none()
    if job is None:
        raise NotFound("There is no such job, or it is not yours.")
    return job


def lock_job(uow: UnitOfWork, job_id: UUID) -> Job | None:
    """The job's row, locked for this transaction; None when another transaction holds it."""
    return uow.session.scalars(
        select(Job).where(Job.id == job_id).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    ).one_or_none()


def next_open_job(uow: UnitOfWork, kinds: Iterable[str], *, without: Iterable[UUID] = ()) -> Job | None:
    """The oldest job of these kinds that wants work now, leaving out those in `without`."""
    return uow.session.scalars(
        select(Job)
        .where(
            Job.state.in_(OPEN),
            Job.kind.in_(list(kinds)),
            Job.not_before <= uow.now,
            Job.id.not_in(list(without)),
            or_(Job.lease_until.is_(None), Job.lease_until < uow.now),
        )
        .order_by(Job.created_at)
        .limit(1)
    ).one_or_none()


def _one_of(ids: Sequence[UUID]) -> Any:
    # One array parameter instead of thousands of placeholders.
    return func.any(cast(list(ids), ARRAY(Uuid)))


def _claimable(uow: UnitOfWork, job_id: UUID) -> Any:
    return and_(
        JobItem.job_id == job_id,
        or_(JobItem.state == "pending", and_(JobItem.state == "leased", JobItem.lease_until < uow.now)),
        or_(JobItem.not_before.is_(None), JobItem.not_before <= uow.now),
    )


def lock_items(uow: UnitOfWork, job: Job, limit: int, *, without: Iterable[UUID] = ()) -> list[UUID]:
    """Lock up to `limit` open items for this transaction, none of `without`; returns their subjects, in order.

    For transactional batches: the lock is the claim, so that a crash returns the items at once.
    """
    return list(
        uow.session.scalars(
            select(JobItem.subject_id)
            .where(_claimable(uow, job.id), JobItem.subject_id.not_in(list(without)))
            .order_by(JobItem.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def claim_items(uow: UnitOfWork, job: Job, limit: int) -> list[Claim]:
    """Lease up to `limit` open items. An item claimed too often is parked as failed instead."""
    token = uuid4()
    open_items = (
        select(JobItem.subject_id)
        .where(_claimable(uow, job.id))
        .order_by(JobItem.position)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    chosen = list(uow.session.scalars(open_items))
    if not chosen:
        return []
    of_job = and_(JobItem.job_id == job.id, JobItem.subject_id == _one_of(chosen))
    uow.session.execute(
        update(JobItem)
        .where(of_job, JobItem.attempts >= MAX_ATTEMPTS)
        .values(
            state="failed",
            lease_until=None,
            lease_token=None,
            reason=func.coalesce(JobItem.reason, later("The worker stopped three times while working on this.")),
        ),
        execution_options={"synchronize_session": False},
    )
    rows = uow.session.execute(
        update(JobItem)
        .where(of_job, JobItem.attempts < MAX_ATTEMPTS)
        .values(state="leased", attempts=JobItem.attempts + 1, lease_until=uow.now + uow.lease, lease_token=token)
        .returning(JobItem.subject_id, JobItem.attempts),
        execution_options={"synchronize_session": False},
    ).all()
    return [Claim(row.subject_id, row.attempts, token) for row in rows]


# Items whose results differ, in one statement however many there are.
_SETTLE_EACH = text(
    """
    UPDATE job_items i
    SET state = g.state, reason = g.reason, result = g.result::jsonb, lease_until = NULL, lease_token = NULL
    FROM unnest(cast(:subjects AS uuid[]), cast(:states AS text[]), cast(:reasons AS text[]),
                cast(:results AS text[])) AS g(subject_id, state, reason, result)
    WHERE i.job_id = :job AND i.subject_id = g.subject_id
      AND (cast(:token AS uuid) IS NULL OR (i.lease_token = :token AND i.state = 'leased'))
    RETURNING i.subject_id
    """
)


def settle_items(
    uow: UnitOfWork, job: Job, outcomes: Mapping[UUID, Settled], *, token: UUID | None = None
) -> set[UUID]:
    """Store what became of items; with a token only those still leased under it. Returns those stored."""
    settled: set[UUID] = set()
    groups: dict[tuple[str, str | None], list[UUID]] = {}
    single: list[tuple[UUID, Settled]] = []
    for subject_id, outcome in outcomes.items():
        if outcome.result is None:
            groups.setdefault((outcome.state, outcome.reason), []).append(subject_id)
        else:
            single.append((subject_id, outcome))
    if single:
        settled |= set(
            uow.session.scalars(
                _SETTLE_EACH,
                {
                    "job": job.id,
                    "token": token,
                    "subjects": [subject_id for subject_id, _ in single],
                    "states": [outcome.state for _, outcome in single],
                    "reasons": [stored(outcome.reason) for _, outcome in single],
                    "results": [json.dumps(outcome.result) for _, outcome in single],
                },
            )
        )
    for (state, reason), ids in groups.items():
        statement = update(JobItem).where(JobItem.job_id == job.id, JobItem.subject_id == _one_of(ids))
        if token is not None:
            statement = statement.where(JobItem.lease_token == token, JobItem.state == "leased")
        settled |= set(
            uow.session.scalars(
                statement.values(state=state, reason=reason, result=None, lease_until=None, lease_token=None).returning(
                    JobItem.subject_id
                ),
                execution_options={"synchronize_session": False},
            )
        )
    return settled


def return_item(uow: UnitOfWork, job: Job, claim: Claim, reason: str, *, delay: timedelta) -> None:
    """Give a leased item back after a failure that may pass; parked as failed after three attempts."""
    final = claim.attempt >= MAX_ATTEMPTS
    uow.session.execute(
        update(JobItem)
        .where(
            JobItem.job_id == job.id,
            JobItem.subject_id == claim.subject_id,
            JobItem.lease_token == claim.token,
        )
        .values(
            state="failed" if final else "pending",
            reason=reason,
            not_before=None if final else uow.now + delay,
            lease_until=None,
            lease_token=None,
        ),
        execution_options={"synchronize_session": False},
    )


def fail_open_items(uow: UnitOfWork, job: Job, reason: str) -> None:
    """Settle what is left of a job that cannot go on as failed, each with the reason."""
    uow.session.execute(
        update(JobItem)
        .where(JobItem.job_id == job.id, JobItem.state.in_(("pending", "leased")))
        .values(state="failed", reason=reason, lease_until=None, lease_token=None),
        execution_options={"synchronize_session": False},
    )


def count_open_items(uow: UnitOfWork, job: Job) -> int:
    """Items of the job that still want work."""
    return uow.session.execute(
        select(func.count()).where(JobItem.job_id == job.id, JobItem.state.in_(("pending", "leased")))
    ).scalar_one()


def progress(uow: UnitOfWork, jobs: Sequence[Job]) -> dict[UUID, Progress]:
    """Progress of each job, in one query."""
    rows = uow.session.execute(
        select(JobItem.job_id, JobItem.state, func.count(), func.sum(cast(JobItem.result["people"].astext, Integer)))
        .where(JobItem.job_id.in_([job.id for job in jobs]))
        .group_by(JobItem.job_id, JobItem.state)
    ).all()
    counts: dict[UUID, dict[str, int]] = {}
    people: dict[UUID, int] = {}
    for job_id, state, number, in_them in rows:
        counts.setdefault(job_id, {})[state] = number
        people[job_id] = people.get(job_id, 0) + (in_them or 0)
    return {job.id: _progress(job, counts.get(job.id, {}), people.get(job.id, 0), uow.now) for job in jobs}


def _progress(job: Job, counts: Mapping[str, int], people_done: int, now: datetime) -> Progress:
    left = counts.get("pending", 0) + counts.get("leased", 0)
    settled = job.total - left
    seconds_left = None
    if left and settled > 0 and job.started_at is not None:
        seconds_left = round((now - job.started_at).total_seconds() / settled * left)
    return Progress(
        total=job.total,
        done=counts.get("done", 0) + counts.get("undone", 0) + counts.get("kept", 0),
        skipped=counts.get("skipped", 0),
        failed=counts.get("failed", 0),
        cancelled=counts.get("cancelled", 0),
        left=left,
        seconds_left=seconds_left,
        people=int(job.params.get("people", 0)),
        # What was taken back says no longer how many it was about.
        people_done=people_done if job.state not in ("undoing", "undone") else int(job.params.get("people", 0)),
    )


def cancel_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """Stop a job: items not begun are cancelled, finished ones stay. Raises Conflict when it has ended."""
    get_job(uow, job_id)
    job = uow.session.scalars(select(Job).where(Job.id == job_id).with_for_update()).one()
    if job.state not in ("queued", "running"):
        raise Conflict("This job has already ended, so there is nothing to cancel.")
    uow.session.execute(
        update(JobItem)
        .where(JobItem.job_id == job.id, JobItem.state.in_(("pending", "leased")))
        .values(state="cancelled", lease_until=None, lease_token=None),
        execution_options={"synchronize_session": False},
    )
    job.state, job.finished_at = "cancelled", uow.now
    record(uow, "job.cancelled", "job", job.id)
    return job
