"""Reads of schedules: which there are, who may get one, what was made for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, select, true

from app.domain.access import GRANTS, Actor, Permission, Role
from app.domain.errors import NotFound
from app.domain.recurrence import Recurrence
from app.domain.saying import later
from app.domain.terms import Term
from app.features.clients.policy import sees_everybody
from app.features.cohorts.models import Cohort
from app.features.extracts.models import Extract
from app.features.jobs.models import Job
from app.features.messaging.models import Message
from app.features.organizations.models import Membership, Organization
from app.features.organizations.models import Term as TermRow
from app.features.schedules.models import Schedule, ScheduleRecipient, ScheduleRun
from app.features.selections.models import SavedFilter
from app.infra.db.open import UnitOfWork

_WORKS = (Role.ADMIN, Role.COUNSELLOR, Role.ANALYST)


@dataclass(frozen=True, slots=True)
class Line:
    """A schedule, whose it is, the name of what it writes of, as `subject_of`, and for how many."""

    schedule: Schedule
    owner: str
    subject: str
    readers: int
    refused: int


@dataclass(frozen=True, slots=True)
class RunLine:
    """One occurrence for one reader, and what of it the actor may know.

    How many rows a reader has, and whether they have any, tells of people the actor may not see: then `rows` is None,
    `mail` empty, and the state of what was written is "written" whether or not it was sent.
    """

    run: ScheduleRun
    reader: str
    state: str
    rows: int | None
    # What became of the mail; empty where there is none.
    mail: str
    # Why nothing was sent, or nothing comes.
    reason: str | None


def recurrence_of(schedule: Schedule) -> Recurrence:
    """When a schedule is due, as it is kept."""
    return Recurrence(
        cadence=schedule.cadence,
        at=schedule.at_time,
        starts_on=schedule.starts_on,
        ends_on=schedule.ends_on,
        weekday=schedule.weekday,
        month_day=schedule.month_day,
        edge="end" if schedule.edge == "end" else "start",
    )


def zone_and_terms(uow: UnitOfWork) -> tuple[ZoneInfo, dict[str, Term]]:
    """The organization's zone, and its terms by their ids."""
    zone = uow.session.scalars(select(Organization.time_zone)).one()
    rows = uow.session.scalars(select(TermRow))
    return ZoneInfo(zone), {str(row.id): Term(row.name, row.starts_on, row.ends_on) for row in rows}


def may_change_all(actor: Actor) -> bool:
    """Whether the actor may change everybody's schedules."""
    return actor.may(Permission.MANAGE_SETTINGS)


def visible_schedules(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `Schedule`: one's own, all for administrators."""
    return true() if may_change_all(actor) else Schedule.owner_id == actor.membership_id


def get_schedule(uow: UnitOfWork, schedule_id: UUID, *, lock: bool = False) -> Schedule:
    """A schedule the actor may see and change. Raises NotFound for somebody else's, or none."""
    found = select(Schedule).where(Schedule.id == schedule_id, visible_schedules(uow.actor))
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    schedule = uow.session.scalars(found).one_or_none()
    if schedule is None:
        raise NotFound("There is no such schedule, or it is not yours.")
    return schedule


def list_schedules(uow: UnitOfWork) -> list[Line]:
    """The actor's schedules, or everybody's for administrators: those that go on first, then by name."""
    readers = select(func.count()).where(
        ScheduleRecipient.organization_id == Schedule.organization_id, ScheduleRecipient.schedule_id == Schedule.id
    )
    newest = select(func.max(ScheduleRun.created_at)).where(
        ScheduleRun.organization_id == Schedule.organization_id, ScheduleRun.schedule_id == Schedule.id
    )
    refused = select(func.count()).where(
        ScheduleRun.organization_id == Schedule.organization_id,
        ScheduleRun.schedule_id == Schedule.id,
        ScheduleRun.state.in_(("refused", "failed")),
        ScheduleRun.created_at == newest.correlate(Schedule).scalar_subquery(),
    )
    rows = uow.session.execute(
        select(Schedule, Membership.name, _SUBJECT, readers.scalar_subquery(), refused.scalar_subquery())
        .join(
            Membership,
            and_(Membership.organization_id == Schedule.organization_id, Membership.id == Schedule.owner_id),
        )
        .where(visible_schedules(uow.actor))
        .order_by(Schedule.state == "ended", func.lower(Schedule.name), Schedule.id)
    )
    return [Line(*row) for row in rows]


# The name of the own report, the cohort or the filter that a schedule writes of; empty for others, and once deleted.
_SUBJECT = func.coalesce(
    select(Extract.name)
    .where(Extract.organization_id == Schedule.organization_id, Extract.id == Schedule.extract_id)
    .scalar_subquery(),
    select(Cohort.name)
    .where(Cohort.organization_id == Schedule.organization_id, Cohort.id == Schedule.cohort_id)
    .scalar_subquery(),
    select(SavedFilter.name)
    .where(SavedFilter.organization_id == Schedule.organization_id, SavedFilter.id == Schedule.filter_id)
    .scalar_subquery(),
    "",
)


def subject_of(uow: UnitOfWork, schedule: Schedule) -> str:
    """The name of what a schedule writes of; empty for figures of all, and for what was deleted."""
    return str(uow.session.scalars(select(_SUBJECT).where(Schedule.id == schedule.id)).one())


def members(uow: UnitOfWork, needs: Permission = Permission.READ_AGGREGATES) -> dict[UUID, str]:
    """Everybody who works here and may get what needs this permission, by name."""
    roles = [role.value for role in _WORKS if needs in GRANTS[role]]
    rows = uow.session.execute(
        select(Membership.id, Membership.name)
        .where(Membership.active, Membership.role.in_(roles))
        .order_by(func.lower(Membership.name), Membership.id)
    )
    return {row.id: row.name for row in rows}


def recipients_of(uow: UnitOfWork, schedule_id: UUID) -> dict[UUID, str]:
    """Who gets what a schedule writes, by name; also those who work here no more."""
    rows = uow.session.execute(
        select(Membership.id, Membership.name)
        .join(
            ScheduleRecipient,
            and_(
                ScheduleRecipient.organization_id == Membership.organization_id,
                ScheduleRecipient.membership_id == Membership.id,
            ),
        )
        .where(ScheduleRecipient.schedule_id == schedule_id)
        .order_by(func.lower(Membership.name), Membership.id)
    )
    return {row.id: row.name for row in rows}


def runs_of(uow: UnitOfWork, schedule_id: UUID, *, limit: int = 100) -> list[RunLine]:
    """What a schedule made, newest first."""
    rows = uow.session.execute(
        select(ScheduleRun, Membership.name, Message.state, Job.state)
        .join(
            Membership,
            and_(Membership.organization_id == ScheduleRun.organization_id, Membership.id == ScheduleRun.membership_id),
        )
        .outerjoin(
            Message,
            and_(Message.organization_id == ScheduleRun.organization_id, Message.id == ScheduleRun.message_id),
        )
        .outerjoin(Job, and_(Job.organization_id == ScheduleRun.organization_id, Job.id == ScheduleRun.report_job_id))
        .where(ScheduleRun.schedule_id == schedule_id)
        .order_by(ScheduleRun.created_at.desc(), func.lower(Membership.name), ScheduleRun.id)
        .limit(limit)
    )
    return [_line(uow.actor, run, reader, mail or "", job) for run, reader, mail, job in rows]


def _line(actor: Actor, run: ScheduleRun, reader: str, mail: str, job: str | None) -> RunLine:
    paused = run.state == "making" and job == "paused"
    reason = later("Its reader has paused the job that writes it.") if paused else run.reason
    sees_all = actor.may(Permission.READ_CLIENTS) and sees_everybody(actor)
    if sees_all or run.membership_id == actor.membership_id:
        return RunLine(run, reader, run.state, run.row_count, mail, reason)
    return RunLine(run, reader, "written" if run.state in ("sent", "silent") else run.state, None, "", reason)


def received(uow: UnitOfWork, *, limit: int = 20) -> Sequence[tuple[ScheduleRun, str]]:
    """What was sent to the actor, newest first, with the names of the schedules."""
    rows = uow.session.execute(
        select(ScheduleRun, Schedule.name)
        .join(
            Schedule,
            and_(Schedule.organization_id == ScheduleRun.organization_id, Schedule.id == ScheduleRun.schedule_id),
        )
        .where(ScheduleRun.membership_id == uow.actor.membership_id, ScheduleRun.state == "sent")
        .order_by(ScheduleRun.created_at.desc(), ScheduleRun.id)
        .limit(limit)
    )
    return [(run, name) for run, name in rows]


def get_received(uow: UnitOfWork, run_id: UUID) -> tuple[ScheduleRun, Schedule, str]:
    """What was sent to the actor, with its schedule and the name of whose it is. Raises NotFound for another's."""
    row = uow.session.execute(
        select(ScheduleRun, Schedule, Membership.name)
        .join(
            Schedule,
            and_(Schedule.organization_id == ScheduleRun.organization_id, Schedule.id == ScheduleRun.schedule_id),
        )
        .join(
            Membership,
            and_(Membership.organization_id == Schedule.organization_id, Membership.id == Schedule.owner_id),
        )
        .where(
            ScheduleRun.id == run_id,
            ScheduleRun.membership_id == uow.actor.membership_id,
            ScheduleRun.state == "sent",
        )
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such report, or it was not sent to you.")
    return row[0], row[1], row[2]


def gets(uow: UnitOfWork, schedule_id: UUID, membership_id: UUID | None) -> bool:
    """Whether a member still gets what a schedule writes."""
    found = exists().where(
        ScheduleRecipient.schedule_id == schedule_id, ScheduleRecipient.membership_id == membership_id
    )
    return bool(uow.session.execute(select(found)).scalar_one())
