"""Which jobs and files an actor may see."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, column, exists, false, or_, table, true
from sqlalchemy.orm import aliased

from app.domain.access import Actor, Permission
from app.features.jobs.models import Job, JobItem, StoredFile

# By name, because clients stand above jobs on the ladder.
_CLIENTS = table("clients", column("organization_id"), column("id"))
_CASELOAD = table("caseload_entries", column("organization_id"), column("client_id"), column("membership_id"))


def sees_every_client(actor: Actor) -> bool:
    """Whether what a job says of clients may be shown whole; otherwise only of the actor's caseload as it is now."""
    return actor.may(Permission.READ_ALL_JOBS) or actor.shares_caseloads


def may_have_whole(actor: Actor) -> bool:
    """Whether a file that tells of the whole organization is theirs (still): who had more rights then may have less."""
    return actor.may(Permission.READ_ALL_AGGREGATES) or sees_every_client(actor)


def visible_jobs(actor: Actor) -> ColumnElement[bool]:
    """All jobs for those who may read all, otherwise the actor's own."""
    if actor.may(Permission.READ_ALL_JOBS):
        return true()
    if actor.may(Permission.READ_JOBS) and actor.membership_id is not None:
        return Job.created_by == actor.membership_id
    return false()


def visible_files(actor: Actor) -> ColumnElement[bool]:
    """All files for those who may read all jobs, otherwise those the actor asked for; none that was withdrawn.

    A file about one client is the actor's only while that client is in the caseload, and one about many (a cohort's
    archive) only while all of them are. One about the whole organization is theirs only while they may see all of it.
    """
    offered = StoredFile.expires_at.is_(None)
    if actor.may(Permission.READ_ALL_JOBS):
        return offered
    if not actor.may(Permission.READ_JOBS) or actor.membership_id is None:
        return false()
    own = offered & (StoredFile.created_by == actor.membership_id)
    if sees_every_client(actor):
        return own
    theirs = exists().where(
        _CASELOAD.c.organization_id == StoredFile.organization_id,
        _CASELOAD.c.client_id == StoredFile.client_id,
        _CASELOAD.c.membership_id == actor.membership_id,
    )
    # What an item is about need not be a client.
    items = aliased(JobItem)
    gone = exists().where(
        items.organization_id == StoredFile.organization_id,
        items.job_id == StoredFile.job_id,
        # An index names those as well for whom there is no report.
        items.state.in_(("done", "failed", "skipped")),
        _CLIENTS.c.organization_id == items.organization_id,
        _CLIENTS.c.id == items.subject_id,
        ~exists().where(
            _CASELOAD.c.organization_id == items.organization_id,
            _CASELOAD.c.client_id == items.subject_id,
            _CASELOAD.c.membership_id == actor.membership_id,
        ),
    )
    if not may_have_whole(actor):
        own &= ~StoredFile.whole
    return own & or_(and_(StoredFile.client_id.is_(None), ~gone), theirs)
