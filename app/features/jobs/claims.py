"""How workers share a job's items: taken for a transaction, or claimed for the time of a lease, and settled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Uuid, and_, cast, func, or_, select, text, update

from app.domain.saying import later, stored
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import Settled
from app.infra.db.arrays import as_array
from app.infra.db.open import UnitOfWork

# How often work is begun, by workers that stop in it, before it is given up.
MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """An item handed to this worker; `token` must still be the item's when the result is stored."""

    subject_id: UUID
    attempt: int
    token: UUID


@dataclass(slots=True)
class Taken:
    """What a batch works on: subjects, with the places in which their items are worked on and listed."""

    subjects: list[UUID]
    positions: Sequence[int]
    listed: Sequence[int]
    # How many of their items a statement of the batch's own has written.
    written: int = 0

    def places(self, subjects: Sequence[UUID]) -> dict[str, str]:
        """The arrays `positions` and `listed` along with some of the subjects, in their order."""
        positions, listed = self.positions, self.listed
        if subjects != self.subjects:
            numbers = {subject: number for number, subject in enumerate(self.subjects)}
            at = [numbers[subject] for subject in subjects]
            positions, listed = [positions[n] for n in at], [listed[n] for n in at]
        return {"positions": as_array(positions), "listed": as_array(listed)}


_TAKEN = "taken"
_TAKE_TOGETHER = text(
    "DELETE FROM waiting_items WHERE ctid = (SELECT ctid FROM waiting_items WHERE job_id = :job ORDER BY number LIMIT 1"
    " FOR UPDATE SKIP LOCKED) RETURNING number, subject_ids, listed"
)
_TAKE_ROWS = text(
    "DELETE FROM job_items WHERE ctid = ANY(ARRAY(SELECT ctid FROM job_items WHERE job_id = :job AND state = 'pending'"
    " AND subject_id <> ALL(CAST(:without AS uuid[])) ORDER BY position LIMIT :limit FOR UPDATE SKIP LOCKED))"
    " RETURNING subject_id, position, listed"
)
_WRITE_ALIKE = text(
    """
    INSERT INTO job_items (job_id, subject_id, position, listed, state, reason)
    SELECT :job, g.*, :state, CAST(:reason AS text)
    FROM unnest(CAST(:subjects AS uuid[]), CAST(:positions AS bigint[]), CAST(:listed AS bigint[])) AS g
    """
)
_WRITE_EACH = text(
    """
    INSERT INTO job_items (job_id, subject_id, position, listed, state, reason, result)
    SELECT :job, g.subject_id, g.position, g.listed, g.state, g.reason, g.result::jsonb
    FROM unnest(cast(:subjects AS uuid[]), cast(:positions AS bigint[]), cast(:listed AS bigint[]),
                cast(:states AS text[]), cast(:reasons AS text[]), cast(:results AS text[]))
        AS g(subject_id, position, listed, state, reason, result)
    """
)


def _one_of(ids: Sequence[UUID]) -> Any:
    # One array parameter instead of thousands of placeholders.
    return func.any(cast(list(ids), ARRAY(Uuid)))


def _claimable(uow: UnitOfWork, job_id: UUID) -> Any:
    return and_(
        JobItem.job_id == job_id,
        or_(JobItem.state == "pending", and_(JobItem.state == "leased", JobItem.lease_until < uow.now)),
        or_(JobItem.not_before.is_(None), JobItem.not_before <= uow.now),
    )


def take_items(uow: UnitOfWork, job: Job, limit: int) -> Taken | None:
    """Take what a batch is to work on, for this transaction: ids that wait together, else up to `limit` open rows.

    None where nothing is free. For transactional batches: taken is deleted, so that a crash, as a refusal, gives all
    of it back at once; `settle_taken` writes it anew in the same transaction.
    """
    row = uow.session.execute(_TAKE_TOGETHER, {"job": job.id}).one_or_none()
    if row is None:
        return take_rows(uow, job, limit)
    return _noted(uow, Taken(row.subject_ids, range(row.number, row.number + len(row.subject_ids)), row.listed))


def take_rows(uow: UnitOfWork, job: Job, limit: int, *, without: Iterable[UUID] = ()) -> Taken | None:
    """The same, of those alone that are rows, and of none of `without`."""
    rows = uow.session.execute(_TAKE_ROWS, {"job": job.id, "limit": limit, "without": list(without)}).all()
    if not rows:
        return None
    rows = sorted(rows, key=lambda row: row.position)
    return _noted(uow, Taken([r.subject_id for r in rows], [r.position for r in rows], [r.listed for r in rows]))


def _noted(uow: UnitOfWork, taken: Taken) -> Taken:
    uow.info[_TAKEN] = taken
    return taken


# The parameters of `places_of` where a statement that could write items only looks.
NOWHERE: Mapping[str, None] = {"positions": None, "listed": None}


def places_of(uow: UnitOfWork, subjects: Sequence[UUID]) -> dict[str, str]:
    """The parameters `positions` and `listed`, arrays along with these subjects of the batch, for a statement of its
    own that writes their items."""
    taken: Taken = uow.info[_TAKEN]
    return taken.places(subjects)


def note_written(uow: UnitOfWork, number: int) -> None:
    """Note how many items such a statement has written, as the database counts them."""
    taken: Taken = uow.info[_TAKEN]
    taken.written += number


def settle_taken(uow: UnitOfWork, job: Job, taken: Taken, outcomes: Mapping[UUID, Settled]) -> None:
    """Write the items of a batch: what became of each. Those without an outcome the batch has written itself.

    Raises LookupError where it has not: nobody is to be lost.
    """
    for (state, reason), subjects in _alike(outcomes).items():
        which = {"state": state, "reason": stored(reason), "subjects": subjects, **taken.places(subjects)}
        uow.session.execute(_WRITE_ALIKE, which | {"job": job.id})
    if single := {subject: outcome for subject, outcome in outcomes.items() if outcome.result is not None}:
        uow.session.execute(_WRITE_EACH, {"job": job.id, **_each(single), **taken.places(list(single))})
    if taken.written + len(outcomes) != len(taken.subjects):
        raise LookupError("A batch has not said what became of each of its subjects.")


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


def keep_lease(uow: UnitOfWork, job: Job, token: UUID) -> bool:
    """Hold what was claimed with this token, items or the job's closing act, for another lease.

    Returns whether any of it was still held: what was cancelled, or is another worker's by now, is not.
    """
    closing = uow.session.scalars(
        update(Job)
        .where(Job.id == job.id, Job.lease_token == token)
        .values(lease_until=uow.now + uow.lease)
        .returning(Job.id),
        execution_options={"synchronize_session": False},
    ).all()
    items = uow.session.scalars(
        update(JobItem)
        .where(JobItem.job_id == job.id, JobItem.lease_token == token, JobItem.state == "leased")
        .values(lease_until=uow.now + uow.lease)
        .returning(JobItem.subject_id),
        execution_options={"synchronize_session": False},
    ).all()
    return bool(closing or items)


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
    if single := {subject: outcome for subject, outcome in outcomes.items() if outcome.result is not None}:
        settled |= set(uow.session.scalars(_SETTLE_EACH, {"job": job.id, "token": token, **_each(single)}))
    for (state, reason), ids in _alike(outcomes).items():
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


def _alike(outcomes: Mapping[UUID, Settled]) -> dict[tuple[str, str | None], list[UUID]]:
    """The subjects without a result, by what became of them."""
    groups: dict[tuple[str, str | None], list[UUID]] = {}
    for subject_id, outcome in outcomes.items():
        if outcome.result is None:
            groups.setdefault((outcome.state, outcome.reason), []).append(subject_id)
    return groups


def _each(outcomes: Mapping[UUID, Settled]) -> dict[str, list[Any]]:
    return {
        "subjects": list(outcomes),
        "states": [outcome.state for outcome in outcomes.values()],
        "reasons": [stored(outcome.reason) for outcome in outcomes.values()],
        "results": [json.dumps(outcome.result) for outcome in outcomes.values()],
    }


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
