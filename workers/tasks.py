"""One task per queue. Each builds nothing itself: it names its organization and calls a runner."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from celery import shared_task

from app.composition import JOB_KINDS, prompt_organization, sweep_organization
from app.features.jobs.runner import waits, work
from app.infra.db.open import Bell
from app.infra.queue import BrokerDoorbell
from workers import heartbeat
from workers.app import runtime

# Nobody waits longer for a file; what hangs is ended then.
_LONGEST = timedelta(hours=1)


def _slice() -> timedelta:
    """How long a task works: long enough to amortise a message, short enough for other organizations to wait."""
    return timedelta(seconds=runtime().settings.lease_seconds / 3)


def _heard(bell: Bell, organization_id: UUID, number: int) -> bool:
    """Whether a ring says anything; a number of 0 is of a ring without one."""
    doorbell = runtime().doorbell
    return not isinstance(doorbell, BrokerDoorbell) or doorbell.heard(bell, organization_id, number)


@shared_task(name="workers.tasks.bulk")
def bulk(organization_id: str, number: int = 0) -> None:
    """Work on the organization's open jobs for one slice of time."""
    organization = UUID(organization_id)
    if not _heard(Bell.BULK, organization, number):
        return
    if work(runtime(), organization, JOB_KINDS, until=runtime().clock() + _slice(), part="short"):
        runtime().doorbell.ring(Bell.BULK, organization)
    if waits(runtime(), organization, JOB_KINDS, "long"):
        runtime().doorbell.ring(Bell.LONG, organization)


@shared_task(
    name="workers.tasks.long",
    soft_time_limit=0.9 * _LONGEST.total_seconds(),
    time_limit=_LONGEST.total_seconds(),
)
def long(organization_id: str, number: int = 0) -> None:
    """Do what may take an hour of the organization's open jobs; its lease is kept meanwhile."""
    organization = UUID(organization_id)
    if not _heard(Bell.LONG, organization, number):
        return
    with heartbeat.kept(runtime().settings.heartbeat_file):
        more = work(runtime(), organization, JOB_KINDS, until=runtime().clock() + _slice(), part="long")
    if more:
        runtime().doorbell.ring(Bell.LONG, organization)


@shared_task(name="workers.tasks.prompt")
def prompt(organization_id: str, number: int = 0) -> None:
    """Make the organization's due prompts and send its outbox for one slice of time."""
    organization = UUID(organization_id)
    if not _heard(Bell.PROMPT, organization, number):
        return
    if prompt_organization(runtime(), organization, until=runtime().clock() + _slice()):
        runtime().doorbell.ring(Bell.PROMPT, organization)


@shared_task(name="workers.tasks.sweep")
def sweep(organization_id: str, number: int = 0) -> None:
    """Housekeeping of one organization: stale cohorts, standing assignments, lapsed reviews."""
    organization = UUID(organization_id)
    if not _heard(Bell.SWEEP, organization, number):
        return
    sweep_organization(runtime(), organization)


@shared_task(name="workers.tasks.ring_all")
def ring_all() -> None:
    """Ring the housekeeping queue for every organization; the only thing beat does."""
    for organization_id in runtime().database.organization_ids():
        runtime().doorbell.ring(Bell.SWEEP, organization_id)


@shared_task(name="workers.tasks.alive")
def alive() -> None:
    """Note that a message of this worker went through the broker and its own pool."""
    Path(runtime().settings.heartbeat_file).touch()
