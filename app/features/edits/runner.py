"""What workers do for bulk edits: one statement a batch, then a reason for each who was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.queries import NOT_THEIRS, still_seen
from app.features.edits import statements
from app.features.edits.kinds import NEW, EditKind
from app.features.edits.registry import EDITS
from app.features.edits.service import job_name
from app.features.jobs.kinds import JobKind
from app.features.jobs.models import Job
from app.features.jobs.service import Settled, undone_by
from app.infra.db.open import UnitOfWork

_MEANWHILE = later("Was changed by somebody else at that moment.")


def _batch(kind: EditKind, uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    values = job.params["values"]
    # It may have rested while the caseload was handed over.
    seen = still_seen(uow, job.created_by, clients)
    settled = dict.fromkeys(set(clients) - set(seen), Settled("skipped", NOT_THEIRS))
    clients = seen
    if kind.act is None:
        left = statements.do(uow, kind, job, values, clients)
        found = statements.outcomes(uow, kind, values, left) if left else {}
    else:
        found = statements.outcomes(uow, kind, values, clients)
        acted = kind.act(uow, job, values, [client for client in clients if found.get(client) in kind.goes])
        settled |= acted
        left = [client for client in clients if client not in acted]
    for client in left:
        outcome = found.get(client, NEW)
        settled[client] = Settled("skipped", kind.reasons.get(outcome, _MEANWHILE))
    _end_of_batch(kind, uow, job, "edit.applied", len(clients) - len(left))
    return settled


def _undo(kind: EditKind, uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    seen = still_seen(uow, undone_by(job), clients)
    back = statements.take_back(uow, kind, job, job.params["values"], seen)
    _end_of_batch(kind, uow, job, "edit.taken_back", len(back))
    settled = dict.fromkeys(clients, Settled("kept", NOT_THEIRS))
    return settled | {client: Settled("undone") if client in back else Settled("kept", kind.kept) for client in seen}


def _end_of_batch(kind: EditKind, uow: UnitOfWork, job: Job, action: str, clients: int) -> None:
    if clients:
        # One line a batch: what became of each is in the job's items.
        record(uow, action, "job", job.id, kind=kind.name, clients=clients)
        if kind.after is not None:
            kind.after(uow)


KINDS: tuple[JobKind, ...] = tuple(
    JobKind(
        name=job_name(kind),
        label=kind.label,
        permission=kind.permission,
        batch_size=kind.batch_size,
        batch=partial(_batch, kind),
        undo_batch=partial(_undo, kind) if kind.back else None,
    )
    for kind in EDITS.values()
)
