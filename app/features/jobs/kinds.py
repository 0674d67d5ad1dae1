"""What a kind of job is to the ledger: how a batch of its items is worked on, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.access import Permission
from app.domain.errors import Forbidden
from app.features.jobs.models import Job
from app.features.jobs.service import Settled, get_job
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# One transaction: does the work for these subjects and says what became of each. Files the job reads are in
# `uow.info["storage"]`. A batch whose own statement has written its items, settled (large ones do, to keep what undoing
# needs without sending it back and forth), leaves them out of its answer: `claims.places_of` and `claims.note_written`.
Batch = Callable[[UnitOfWork, Job, Sequence[UUID]], Mapping[UUID, Settled]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowWork:
    """Work outside the database: `load` reads what is needed, `act` works without a transaction, `store` writes.

    `act` returns an outcome per subject; a subject it leaves out is given back and tried again.
    `store` runs in the transaction that settles the items, for those whose lease still holds; `drop` gets the others
    (cancelled meanwhile, or another worker's) and removes what was written for them.
    """

    load: Callable[[UnitOfWork, Job, Sequence[UUID]], Any]
    act: Callable[[Runtime, Job, Any], Mapping[UUID, Settled]]
    store: Callable[[UnitOfWork, Job, Mapping[UUID, Settled]], None]
    drop: Callable[[Runtime, Mapping[UUID, Settled]], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """A kind of bulk operation. Exactly one of `batch` and `slow` is given.

    `grow` runs after each batch of slow work (outside a transaction): it puts together what can be already, and may
    fail or be left out, for `finish` does the rest. `finish` runs when no item is left (outside a transaction; it must
    be harmless to repeat) and returns what to add to the job's result, or None to be called again.
    `retry` starts a job for those that failed in one that has ended, and `retried` is told of it in the same
    transaction: the job, and the one that tries again (itself where it only was not finished).
    `undo_batch` makes the job undoable; it gets the items whose state is done and settles each as `undone` or `kept`
    (with the reason it was kept).
    An item of a `long` kind, and the closing act of one with `long_finish`, may take longer than a worker's task
    usually may: they have tasks of their own, which keep the lease of what they work on.
    `label` is a translatable sentence fragment such as "Assign a template". `permission` is what starting one takes;
    cancelling, pausing, resuming and undoing take it too, whoever started it and whatever else they may.
    """

    name: str
    label: str
    permission: Permission
    batch_size: int
    # Other sizes, by what the job's parameters call `what`, where one kind does several things.
    batch_sizes: Mapping[str, int] = field(default_factory=dict)
    batch: Batch | None = None
    slow: SlowWork | None = None
    long: bool = False
    long_finish: bool = False
    grow: Callable[[Runtime, UUID, UUID], None] | None = None
    finish: Callable[[Runtime, UUID, UUID], dict[str, Any] | None] | None = None
    retry: Callable[[UnitOfWork, Job], Job] | None = None
    retried: Callable[[UnitOfWork, Job, Job], None] | None = None
    undo_batch: Batch | None = None
    # When what an ended job made is deleted; None while that is not known, or never.
    kept_until: Callable[[UnitOfWork, Job], datetime | None] | None = None

    def size_for(self, job: Job) -> int:
        """How many items of this job a batch takes at most."""
        return self.batch_sizes.get(str(job.params.get("what")), self.batch_size)


def kind_to_act_on(uow: UnitOfWork, kinds: Mapping[str, JobKind], job_id: UUID) -> JobKind:
    """The kind of a job that the actor may cancel, pause, resume or undo.

    Raises NotFound for a job that is not theirs to see, Forbidden where they may not do (any more) what it does.
    """
    kind = kinds.get(get_job(uow, job_id).kind)
    if kind is None or not uow.actor.may(kind.permission):
        raise Forbidden("You may see this job, but not change what it does. Ask an administrator of your organization.")
    return kind
