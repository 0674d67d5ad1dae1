"""What is due is made: one run for each occurrence and reader, with the job that writes it, in one transaction.

A schedule's row is held while it is looked at, so that of several workers one makes what is due; were it looked at
twice all the same, the key of its runs lets the second make nothing.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, text

from app.domain import access
from app.domain.access import Permission
from app.domain.recurrence import Due, look
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.policy import member_now
from app.features.jobs.items import add_items
from app.features.jobs.service import create_job
from app.features.schedules.contents import content_of
from app.features.schedules.models import Schedule, ScheduleRun
from app.features.schedules.queries import recurrence_of, zone_and_terms
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

KIND = "schedules.write"
_MAKE = text(
    """
    INSERT INTO schedule_runs (schedule_id, membership_id, occurrence, occurrence_on, missed, created_at)
    SELECT r.schedule_id, r.membership_id, :occurrence, :day, :missed, :now
    FROM schedule_recipients r WHERE r.schedule_id = :schedule
    ORDER BY r.membership_id
    ON CONFLICT (organization_id, schedule_id, occurrence, membership_id) DO NOTHING
    RETURNING id
    """
)


def make_due_runs(runtime: Runtime, organization_id: UUID, *, until: datetime) -> bool:
    """Make what is due of the organization's schedules; returns whether more may be due."""
    while runtime.clock() < until:
        # One in a transaction: with many readers it takes some seconds, and a task that is cut off has made nothing.
        with runtime.database.unit_of_work(access.system(organization_id)) as uow:
            schedule = uow.session.scalars(
                select(Schedule)
                .where(Schedule.state == "on", or_(Schedule.stale, Schedule.next_at <= uow.now))
                .order_by(Schedule.next_at, Schedule.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if schedule is None:
                return False
            _make(uow, schedule)
    return True


def make_runs(uow: UnitOfWork, schedule: Schedule, occurrence: str, day: date, missed: int = 0) -> int:
    """Make an occurrence for every reader it was not made for, each with its job; returns for how many."""
    made = uow.session.scalars(
        _MAKE,
        {"schedule": schedule.id, "occurrence": occurrence, "day": day, "missed": missed, "now": uow.now},
    ).all()
    for run_id in made:
        # One each, because who is in a file decides who may have it, and that goes by the items of its job.
        job, _ = create_job(
            uow, KIND, {"schedule": str(schedule.id), "title": schedule.name}, idempotency_key=str(run_id)
        )
        # Nobody's, also when it was asked for by hand: the items of a job tell who is in its file, and that is the
        # reader's to see and not the owner's.
        job.created_by, job.scheduled = None, True
        add_items(uow, job, [run_id])
        run = uow.session.scalars(select(ScheduleRun).where(ScheduleRun.id == run_id)).one()
        run.job_id = job.id
    return len(made)


def plan_next(uow: UnitOfWork, schedule: Schedule) -> Due:
    """Work out what is due of a schedule and when it is due next, and keep the latter; it goes on."""
    zone, terms = zone_and_terms(uow)
    # Not all of them: this is asked every minute, and a schedule of many readers has many runs after a year. A day
    # less, because the organization's day may be the one before.
    told = ScheduleRun.occurrence_on >= min(schedule.since, uow.now).date() - timedelta(days=1)
    if schedule.cadence == "term":
        told = ScheduleRun.occurrence.startswith("term:")
    found = select(ScheduleRun.occurrence).where(ScheduleRun.schedule_id == schedule.id, told)
    made = set(uow.session.scalars(found.distinct()))
    due = look(recurrence_of(schedule), since=schedule.since, now=uow.now, zone=zone, terms=terms, made=made)
    coming = due.run or due.following
    next_at = coming.moment if coming is not None else None
    if schedule.next_at != next_at:
        schedule.next_at = next_at
    if schedule.stale:
        schedule.stale = False
    return due


def check_all(runtime: Runtime, organization_id: UUID) -> None:
    """Work out the next times anew, as after a clock that was ahead was set right; harmless to repeat."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        for schedule in uow.session.scalars(
            select(Schedule).where(Schedule.state == "on").order_by(Schedule.id).with_for_update(skip_locked=True)
        ).all():
            schedule.since = min(schedule.since, uow.now)
            plan_next(uow, schedule)


def _make(uow: UnitOfWork, schedule: Schedule) -> None:
    owner = member_now(uow, schedule.owner_id)
    if owner is None or not (owner.may(Permission.OWN_REPORTS) and owner.may(content_of(schedule).sort.needs)):
        schedule.state, schedule.next_at, schedule.stale = "paused", None, False
        schedule.why = (
            later("Whose it is does not work here any more.")
            if owner is None
            else later("Whose it is may not have such reports any more.")
        )
        record(uow, "schedule.paused", "schedule", schedule.id)
        return
    due = plan_next(uow, schedule)
    if due.run is None:
        return
    made = make_runs(uow, schedule, due.run.key, due.run.day, due.missed)
    schedule.since = uow.now
    schedule.next_at = due.following.moment if due.following is not None else None
    record(
        uow, "schedule.due", "schedule", schedule.id,
        occurrence=due.run.key, readers=made, missed=due.missed,
    )  # fmt: skip
