"""What workers call to assign: the jobs that give and withdraw, and the sweep of standing assignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask_babel import lazy_gettext
from sqlalchemy import select, text

from app.domain import access
from app.features.assignments.models import Assignment
from app.features.assignments.registry import GIFTS
from app.features.assignments.service import ASSIGN
from app.features.assignments.standing import WITHDRAW, follow_cohorts
from app.features.assignments.telling import tell_of
from app.features.clients.queries import NOT_THEIRS, still_seen
from app.features.jobs.kinds import JobKind
from app.features.jobs.models import Job
from app.features.jobs.service import Settled, undone_by
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# Who has a standing assignment is known by a row each, with the job that gave it, for when they leave.
_MEMBERS = text(
    """
    INSERT INTO assignment_members (assignment_id, client_id, state, detail, changed_at)
    SELECT :assignment, g.id, 'given', jsonb_build_object('job', CAST(:job AS text)), :now
    FROM unnest(CAST(:clients AS uuid[])) AS g(id)
    ON CONFLICT (organization_id, assignment_id, client_id)
    DO UPDATE SET state = 'given', detail = excluded.detail, changed_at = excluded.changed_at
    """
)
_ORIGINS = text(
    "SELECT client_id, CAST(detail ->> 'job' AS uuid) AS job FROM assignment_members"
    " WHERE assignment_id = :assignment AND client_id = ANY(CAST(:clients AS uuid[])) AND state = 'given'"
)
_STILL_OUT = text(
    """
    SELECT m.client_id FROM assignment_members m
    JOIN assignments a ON a.organization_id = m.organization_id AND a.id = m.assignment_id
    WHERE m.assignment_id = :assignment AND m.client_id = ANY(CAST(:clients AS uuid[])) AND m.state = 'given'
      AND NOT EXISTS (SELECT FROM cohort_members c WHERE c.organization_id = m.organization_id
                      AND c.cohort_id = a.cohort_id AND c.client_id = m.client_id)
    """
)
_SETTLED = text(
    "UPDATE assignment_members SET state = :state, changed_at = :now"
    " WHERE assignment_id = :assignment AND client_id = ANY(CAST(:clients AS uuid[]))"
)


def _assignment(uow: UnitOfWork, job: Job) -> Assignment:
    return uow.session.scalars(select(Assignment).where(Assignment.id == UUID(job.params["assignment"]))).one()


def _give(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    assignment = _assignment(uow, job)
    # It may have waited for its time, or rested, while the caseload was handed over.
    seen = still_seen(uow, assignment.created_by, clients)
    settled = dict.fromkeys(set(clients) - set(seen), Settled("skipped", NOT_THEIRS))
    settled |= GIFTS[assignment.what].give(uow, job, assignment, seen)
    given = [client for client in clients if client not in settled or settled[client].state == "done"]
    if given and assignment.standing:
        which = {"assignment": assignment.id, "job": str(job.id), "clients": given, "now": uow.now}
        uow.session.execute(_MEMBERS, which)
    if given and assignment.detail.get("tell"):
        tell_of(uow, job, assignment, given)
    return settled


def _take_back(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    assignment = _assignment(uow, job)
    seen = still_seen(uow, undone_by(job), clients)
    settled = dict.fromkeys(set(clients) - set(seen), Settled("kept", NOT_THEIRS))
    settled |= GIFTS[assignment.what].take_back(uow, job, seen)
    if assignment.job_id == job.id:
        assignment.state = "undone"
    _mark_members(uow, assignment, settled, {"undone": "withdrawn"})
    return settled


def _withdraw(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    """Take back what those have who left, each by the job that gave it; who is back in the cohort keeps it."""
    assignment = _assignment(uow, job)
    which = {"assignment": assignment.id, "clients": list(clients)}
    out = set(uow.session.scalars(_STILL_OUT, which))
    by_job: dict[UUID, list[UUID]] = {}
    for row in uow.session.execute(_ORIGINS, which):
        if row.client_id in out:
            by_job.setdefault(row.job, []).append(row.client_id)
    origins = {one.id: one for one in uow.session.scalars(select(Job).where(Job.id.in_(by_job)))}
    settled: dict[UUID, Settled] = {}
    for origin, theirs in by_job.items():
        settled |= GIFTS[assignment.what].take_back(uow, origins[origin], theirs)
    _mark_members(uow, assignment, settled, {"undone": "withdrawn", "kept": "kept"})
    back = Settled("skipped", "Is in the cohort again.")
    # An item of this job is done when it was taken back: it is the giving that is undone, not this.
    done = {client: Settled() if one.state == "undone" else one for client, one in settled.items()}
    return {client: done.get(client, back) for client in clients}


def _mark_members(
    uow: UnitOfWork, assignment: Assignment, settled: Mapping[UUID, Settled], states: Mapping[str, str]
) -> None:
    if not assignment.standing:
        return
    for was, state in states.items():
        if theirs := [client for client, one in settled.items() if one.state == was]:
            which = {"assignment": assignment.id, "clients": theirs, "state": state, "now": uow.now}
            uow.session.execute(_SETTLED, which)


def follow_standing(runtime: Runtime, organization_id: UUID) -> None:
    """See to who joined or left the cohorts of standing assignments since; part of the sweep."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        follow_cohorts(uow)


KIND = JobKind(
    name=ASSIGN,
    label=lazy_gettext("Assign"),
    permission=access.Permission.ASSIGN,
    batch_size=2000,
    batch_sizes={gift.what: gift.batch for gift in GIFTS.values()},
    batch=_give,
    undo_batch=_take_back,
)
WITHDRAWAL = JobKind(
    name=WITHDRAW,
    label=lazy_gettext("Withdraw from those who left"),
    permission=access.Permission.ASSIGN,
    batch_size=2000,
    batch_sizes={gift.what: gift.batch for gift in GIFTS.values()},
    batch=_withdraw,
)
