"""What a kind of job is to the ledger: how a batch of its items is worked on, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# One transaction: does the work for these subjects and says what became of each. Files the job reads are in
# `uow.info["storage"]`.
Batch = Callable[[UnitOfWork, Job, Sequence[UUID]], Mapping[UUID, Settled]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowWork:
    """Work outside the database: `load` reads what is needed, `act` works without a transaction, `store` writes.

    `act` returns an outcome per subject; a subject it leaves out is given back and tried again.
    `store` runs in the transaction that settles the items, for those whose lease still holds.
    """

    load: Callable[[UnitOfWork, Job, Sequence[UUID]], Any]
    act: Callable[[Runtime, Job, Any], Mapping[UUID, Settled]]
    store: Callable[[UnitOfWork, Job, Mapping[UUID, Settled]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """A kind of bulk operation. Exactly one of `batch` and `slow` is given.

    `finish` runs once when no item is left (outside a transaction; it must be harmless to repeat) and
    returns what to add to the job's result. `undo_batch` makes the job undoable; it gets the items
    whose state is done and settles each as `undone` or `kept` (with the reason it was kept).
    `label` is a translatable sentence fragment such as "Assign a template".
    """

    name: str
    label: str
    batch_size: int
    batch: Batch | None = None
    slow: SlowWork | None = None
    finish: Callable[[Runtime, UUID, UUID], dict[str, Any]] | None = None
    undo_batch: Batch | None = None
