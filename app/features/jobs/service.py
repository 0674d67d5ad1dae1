"""Use cases of the job ledger: make jobs, cancel, pause, undo, count.

A bulk operation is a job row with one item per subject (`items.py`), written in the transaction that asked for
it. Work that SQL does in one statement is done in *transactional batches*: taken, done and settled
in one transaction, so that a crash undoes the taking too. Work with slow effects (rendering,
say) is *leased*: claimed and committed, done, and settled only while the lease's token still holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Integer, case, cast, func, literal, null, or_, select, union_all
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.domain.errors import Conflict, NotFound
from app.features.audit.service import record
from app.features.jobs.items import end_open_items
from app.features.jobs.models import Job, JobItem, WaitingItems
from app.features.jobs.policy import visible_jobs
from app.infra.db.open import Bell, UnitOfWork

# States in which workers work on a job, and those from which it may still come to its end.
OPEN = ("queued", "running", "finishing", "undoing")
GOING_ON = (*OPEN, "paused")
_UNDONE_BY = "undone_by"


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
class Settled:
    """What became of an item: a final state, why (a sentence) and a small result."""

    state: str = "done"
    reason: str | None = None
    result: dict[str, Any] | None = None


def create_job(
    uow: UnitOfWork,
    kind: str,
    params: Mapping[str, Any],
    *,
    idempotency_key: str | None = None,
    starts_at: datetime | None = None,
) -> tuple[Job, bool]:
    """Make a job, or find the one made before with the same key. Returns (job, whether it is new).

    Workers take it once this transaction is committed, not before `starts_at`; add its items in the same transaction.
    """
    values = {
        "id": uuid4(),
        "kind": kind,
        "params": dict(params),
        "idempotency_key": idempotency_key,
        "created_by": uow.actor.membership_id,
        "created_at": uow.now,
        "not_before": starts_at or uow.now,
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


def get_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """The job if the actor may see it; raises NotFound otherwise."""
    job = uow.session.scalars(select(Job).where(Job.id == job_id, visible_jobs(uow.actor))).one_or_none()
    if job is None:
        raise NotFound("There is no such job, or it is not yours.")
    return job


def hold_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """The job's row, locked, as it is once the batch under way has ended; raises NotFound as `get_job`."""
    get_job(uow, job_id)
    statement = select(Job).where(Job.id == job_id).with_for_update().execution_options(populate_existing=True)
    return uow.session.scalars(statement).one()


def lock_job(uow: UnitOfWork, job_id: UUID) -> Job | None:
    """The job's row, locked for this transaction; None when another transaction holds it."""
    return uow.session.scalars(
        select(Job).where(Job.id == job_id).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    ).one_or_none()


def next_open_job(
    uow: UnitOfWork, kinds: Iterable[str], *, finishing: Iterable[str], without: Iterable[UUID] = ()
) -> Job | None:
    """The job that wants work now, leaving out those in `without`: the oldest, those that people wait for first.

    What Octant does by itself (a schedule of 500 readers, say) comes after them. It is of one of `kinds`, or of
    `finishing` when nothing but its closing act is left.
    """
    return uow.session.scalars(
        select(Job)
        .where(
            Job.state.in_(OPEN),
            case((Job.state == "finishing", Job.kind.in_(list(finishing))), else_=Job.kind.in_(list(kinds))),
            Job.not_before <= uow.now,
            Job.id.not_in(list(without)),
            or_(Job.lease_until.is_(None), Job.lease_until < uow.now),
        )
        .order_by(or_(Job.scheduled, Job.created_by.is_(None)), Job.created_at)
        .limit(1)
    ).one_or_none()


def progress(uow: UnitOfWork, jobs: Sequence[Job]) -> dict[UUID, Progress]:
    """Progress of each job, in one query."""
    ids = [job.id for job in jobs]
    rows = (
        select(
            JobItem.job_id,
            JobItem.state,
            func.count().label("number"),
            func.sum(cast(JobItem.result["people"].astext, Integer)).label("people"),
        )
        .where(JobItem.job_id.in_(ids))
        .group_by(JobItem.job_id, JobItem.state)
    )
    waiting = (
        select(WaitingItems.job_id, literal("pending"), func.sum(func.cardinality(WaitingItems.subject_ids)), null())
        .where(WaitingItems.job_id.in_(ids))
        .group_by(WaitingItems.job_id)
    )
    counts: dict[UUID, Counter[str]] = {}
    people: dict[UUID, int] = {}
    for row in uow.session.execute(select(union_all(rows, waiting).subquery())):
        counts.setdefault(row.job_id, Counter())[row.state] += row.number
        people[row.job_id] = people.get(row.job_id, 0) + (row.people or 0)
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
    job = hold_job(uow, job_id)
    if job.state not in ("queued", "running", "paused"):
        raise Conflict("This job has already ended, so there is nothing to cancel.")
    end_open_items(uow, job, "cancelled")
    job.state, job.finished_at = "cancelled", uow.now
    record(uow, "job.cancelled", "job", job.id)
    return job


def begin_undo(uow: UnitOfWork, job_id: UUID) -> Job:
    """Have workers take back what an ended job did; the caller knows that its kind can. Raises Conflict otherwise."""
    job = hold_job(uow, job_id)
    if job.state not in ("done", "cancelled", "failed"):
        raise Conflict("Only a job that has ended can be undone.")
    job.state, job.finished_at, job.attempts = "undoing", None, 0
    job.params = {**job.params, _UNDONE_BY: str(uow.actor.membership_id) if uow.actor.membership_id else None}
    record(uow, "job.undo_requested", "job", job.id)
    uow.ring(Bell.BULK)
    return job


def finish_again(uow: UnitOfWork, job: Job) -> None:
    """Have workers finish a job that failed while it was finished; what became of its items stays."""
    job.state, job.error, job.finished_at = "finishing", None, None
    job.attempts, job.not_before = 0, uow.now
    record(uow, "job.retried", "job", job.id)
    uow.ring(Bell.BULK)


def undone_by(job: Job) -> UUID | None:
    """Who asked for the job to be taken back; need not be who asked for the job. None for Octant itself."""
    asked = job.params.get(_UNDONE_BY)
    return UUID(asked) if asked else None


def pause_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """Let a job rest: the batch under way is finished, no other begins. Raises Conflict when it has ended."""
    job = hold_job(uow, job_id)
    if job.state == "paused":
        return job
    if job.state not in ("queued", "running"):
        raise Conflict("This job has already ended, so there is nothing to pause.")
    job.state = "paused"
    record(uow, "job.paused", "job", job.id)
    return job


def resume_job(uow: UnitOfWork, job_id: UUID) -> Job:
    """Let a resting job go on where it stopped, also before the time it was to start. Raises Conflict otherwise."""
    job = hold_job(uow, job_id)
    waits = job.state == "queued" and job.not_before > uow.now
    if job.state != "paused" and not waits:
        raise Conflict("This job is not paused, so there is nothing to resume.")
    job.state = "queued" if job.started_at is None else "running"
    job.not_before = uow.now
    record(uow, "job.resumed", "job", job.id)
    uow.ring(Bell.BULK)
    return job
