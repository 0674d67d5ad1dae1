"""What becomes of a run: its reader is told of what was written, or its owner reads why nothing was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, update

from app.domain import access
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.policy import member_now
from app.features.jobs.models import Job, JobItem
from app.features.jobs.queries import item_counts
from app.features.schedules.contents import COHORT, content_of
from app.features.schedules.letters import tell_reader
from app.features.schedules.models import Schedule, ScheduleRun
from app.features.schedules.queries import gets
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# So many runs in a transaction.
_AT_ONCE = 50


def refuse(uow: UnitOfWork, run: ScheduleRun, state: str, reason: str | None) -> None:
    """Nothing is sent: `state` is refused or failed."""
    run.state, run.reason, run.settled_at = state, reason, uow.now
    record(uow, f"schedule.{state}", "schedule", run.schedule_id, run=str(run.id))


def lost_by(uow: UnitOfWork, run: ScheduleRun, schedule: Schedule) -> str | None:
    """Why the reader of a run gets nothing of it as things are now, or None where they do."""
    if not gets(uow, schedule.id, run.membership_id):
        return later("Is not among its readers any more.")
    reader = member_now(uow, run.membership_id)
    if reader is None:
        return later("Does not work here any more.")
    return None if reader.may(content_of(schedule).sort.needs) else later("May not have such reports any more.")


def settle(
    uow: UnitOfWork, schedule: Schedule, run: ScheduleRun, rows: int, made: Mapping[str, UUID], *, empty: bool
) -> None:
    """Tell the reader, or stay silent, and keep at once all that says so."""
    state, message = "silent", None
    if not empty or schedule.when_empty != "silent":
        state, message = "sent", tell_reader(uow, schedule, run, empty=empty and schedule.when_empty == "say")
    uow.session.execute(
        update(ScheduleRun)
        .where(ScheduleRun.id == run.id)
        .values(state=state, message_id=message, row_count=rows, settled_at=uow.now, **made)
    )
    record(uow, f"schedule.{state}", "schedule", schedule.id, run=str(run.id))


def wait_again(uow: UnitOfWork, job: Job, again: Job) -> None:
    """Let the run of which nothing came wait for the job that its reader has try again; they are told when it is there.

    Not one whose report somebody cancelled, and not one that was sent although some of its reports failed.
    """
    some = exists().where(JobItem.job_id == job.id, JobItem.state == "done")
    if again is not job and (job.state != "done" or uow.session.scalar(select(some))):
        return
    uow.session.execute(
        update(ScheduleRun)
        .where(
            ScheduleRun.report_job_id == job.id,
            # A job that was just seen to fail may not have been settled yet.
            ScheduleRun.state.in_(("failed", "making")),
            ScheduleRun.membership_id == again.created_by,
        )
        .values(state="making", reason=None, settled_at=None, report_job_id=again.id)
    )


def settle_ended(runtime: Runtime, organization_id: UUID, *, until: datetime | None = None) -> bool:
    """Settle runs whose report a job of its own has written, and those whose job was cancelled or given up.

    Some in any case, and more while it is not yet `until` (None: all there are). Returns whether any were settled, so
    that there may be mails, and more of them. Harmless to repeat.
    """
    number = _AT_ONCE
    some = False
    while number == _AT_ONCE:
        number = _settle_some(runtime, organization_id)
        some = some or number > 0
        if until is not None and runtime.clock() >= until:
            break
    return some


def _settle_some(runtime: Runtime, organization_id: UUID) -> int:
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        writes = func.coalesce(ScheduleRun.report_job_id, ScheduleRun.job_id)
        written = and_(Job.state == "done", ScheduleRun.report_job_id.is_not(None))
        found = (
            select(ScheduleRun, Schedule, Job)
            .join(
                Schedule,
                and_(Schedule.organization_id == ScheduleRun.organization_id, Schedule.id == ScheduleRun.schedule_id),
            )
            .join(Job, and_(Job.organization_id == ScheduleRun.organization_id, Job.id == writes))
            .where(ScheduleRun.state == "making", or_(Job.state.in_(("cancelled", "failed")), written))
            .order_by(ScheduleRun.id)
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True, of=ScheduleRun)
        )
        ended = uow.session.execute(found).all()
        for run, schedule, job in ended:
            if job.state != "done":
                refuse(uow, run, "failed", job.error or later("The job was cancelled."))
            elif (lost := lost_by(uow, run, schedule)) is not None:
                # Writing it took as long as it took.
                refuse(uow, run, "refused", lost)
            elif schedule.what == COHORT:
                _settle_cohort(uow, schedule, run, job)
            else:
                _settle_clients(uow, schedule, run, job)
        return len(ended)


def _settle_cohort(uow: UnitOfWork, schedule: Schedule, run: ScheduleRun, job: Job) -> None:
    item = uow.session.scalars(select(JobItem).where(JobItem.job_id == job.id)).one()
    if item.state != "done" or item.result is None:
        refuse(uow, run, "failed", item.reason)
    else:
        settle(uow, schedule, run, item.result["lines"], {}, empty=item.result.get("people") == 0)


def _settle_clients(uow: UnitOfWork, schedule: Schedule, run: ScheduleRun, job: Job) -> None:
    number = item_counts(uow, job.id)
    reports = number.get("done", 0)
    if not reports and number.get("failed"):
        refuse(uow, run, "failed", later("None of the reports could be written."))
    else:
        settle(uow, schedule, run, reports, {}, empty=reports == 0)
