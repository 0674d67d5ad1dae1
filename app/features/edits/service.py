"""Use cases of bulk edits: say what would happen, then do exactly that to exactly those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.saying import later, stored
from app.features.audit.service import record
from app.features.edits import statements
from app.features.edits.kinds import NEW, SAME, EditKind, Values
from app.features.edits.registry import EDITS
from app.features.edits.statements import SampleLine
from app.features.jobs.items import subjects_of
from app.features.jobs.models import Job
from app.features.jobs.service import create_job
from app.features.selections.commands import Target
from app.features.selections.models import Selection
from app.features.selections.service import add_members, choose, members
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkEdit:
    """Change something of many clients at once: the kind's name, its values as they were typed or sent, and whom."""

    kind: str
    values: Values
    target: Target
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """How many are not changed, and why."""

    sentence: str
    clients: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk edit would do: `goes` are numbers of those it reaches by outcome, of whom `sample` shows ten."""

    chosen: int
    goes: dict[str, int]
    same: list[Reason]
    refused: list[Reason]
    not_seen: int
    sample: list[SampleLine]

    @property
    def new(self) -> int:
        """How many something would be done to."""
        return sum(self.goes.values())


def job_name(kind: EditKind) -> str:
    """The name its jobs have."""
    return f"edits.{kind.name}"


def find_kind(uow: UnitOfWork, name: str) -> EditKind:
    """The kind of this name. Raises NotFound, or Forbidden where the actor may not do this."""
    kind = EDITS.get(name)
    if kind is None:
        raise NotFound("There is no such change to make.")
    if not uow.actor.may(kind.permission):
        raise Forbidden("You may not do this. Ask an administrator of your organization.")
    return kind


def preview(uow: UnitOfWork, command: BulkEdit) -> tuple[Selection, dict[str, Any], Preview]:
    """Freeze whom it is for, check the values, and count what would happen; nothing does.

    Raises InvalidInput for values or a target that cannot be, NotFound, Forbidden, and Gone for an old selection.
    """
    kind = find_kind(uow, command.kind)
    values = kind.read(uow, command.values)
    selection = choose(uow, command.target)
    clients = list(uow.session.scalars(members(uow, selection)))
    return selection, values, _count(uow, kind, values, clients, selection.not_seen + selection.clients - len(clients))


def _count(uow: UnitOfWork, kind: EditKind, values: Values, clients: Sequence[UUID], not_seen: int) -> Preview:
    numbers = statements.counted(uow, kind, values, clients)
    left = {name: number for name, number in numbers.items() if name not in kind.goes}
    refused = sorted((name for name in left if name != SAME), key=lambda name: (-left[name], name))
    return Preview(
        chosen=len(clients),
        goes={name: numbers.get(name, 0) for name in sorted(kind.goes) if name == NEW or name in numbers},
        same=[Reason(kind.reasons[SAME], left[SAME])] if SAME in left else [],
        refused=[Reason(kind.reasons[name], left[name]) for name in refused],
        not_seen=not_seen,
        sample=statements.sample(uow, kind, values, clients),
    )


def start(uow: UnitOfWork, command: BulkEdit) -> Job:
    """Start a bulk edit; returns the job that does it. Repeating it with the same key returns the first job.

    Raises what `preview` raises, and Conflict for a key that was used for something else.
    """
    kind = find_kind(uow, command.kind)
    values = kind.read(uow, command.values)
    selection = choose(uow, command.target)
    what = kind.say(uow, values)
    both = later("%(what)s · %(whom)s", what=what, whom=selection.name) if what and selection.name else ""
    params = {"values": values, "title": stored(both or what or selection.name)}
    job, new = create_job(uow, job_name(kind), params, idempotency_key=command.idempotency_key)
    if not new:
        _same_as_before(uow, job, values, selection)
        return job
    add_members(uow, job, selection, along_plans=kind.of_plans, batch=kind.batch_size)
    record(uow, "edit.started", "job", job.id, kind=kind.name, clients=job.total)
    return job


def _same_as_before(uow: UnitOfWork, job: Job, values: Values, selection: Selection) -> None:
    same = job.created_by == uow.actor.membership_id and job.params["values"] == values
    if not same or subjects_of(uow, job) != set(uow.session.scalars(members(uow, selection))):
        raise Conflict("This was already sent with other choices. Open the page anew and choose again.")
