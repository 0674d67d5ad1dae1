"""Use cases of schedules: keep, change, pause, go on, end, run now, and get no more."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, insert, literal_column, select, text

from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound, TooMany
from app.domain.saying import later
from app.features.audit.service import record
from app.features.cohorts.queries import get_cohort
from app.features.extracts.models import Extract
from app.features.figures.layer import ask, question_of
from app.features.organizations.queries import today_here
from app.features.reports.cohort_picture import read_picture
from app.features.schedules.commands import WHEN_EMPTY, RunNow, SaveSchedule
from app.features.schedules.contents import (
    AGGREGATES,
    CLIENTS,
    COHORT,
    EXTRACT,
    FIGURES,
    cohort_question,
)
from app.features.schedules.making import make_runs, plan_next
from app.features.schedules.models import Schedule, ScheduleRecipient, ScheduleRun
from app.features.schedules.queries import get_received, get_schedule, members, recurrence_of
from app.features.selections.models import SavedFilter
from app.infra.db.holding import to_refer
from app.infra.db.open import UnitOfWork

LONGEST = 120
# What a problem with each kind is said beside.
_FIELDS = {
    EXTRACT: "extract_id",
    FIGURES: "question",
    AGGREGATES: "aggregates",
    COHORT: "cohort_figures",
    CLIENTS: "client_reports",
}
MOST_READERS = 500
# Schedules that have not ended, for each owner, and runs by hand within an hour: of one, and of all of an owner's that
# go to others, whose mailboxes are not to be filled by way of one schedule after the other.
MOST_EACH, MOST_BY_HAND = 50, 6
_HOUR = timedelta(hours=1)
_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))")
_FREE_PLACE = text(
    "SELECT min(n) FROM generate_series(1, :most) n"
    " WHERE NOT EXISTS (SELECT 1 FROM schedules WHERE owner_id = :owner AND place = n)"
)


def create_schedule(uow: UnitOfWork, command: SaveSchedule) -> Schedule:
    """Keep a schedule; its first occurrence is the first after now. Raises InvalidInput naming what is wrong."""
    owner = uow.actor.membership_id
    if owner is None:
        raise Forbidden("Only a member can keep a schedule.")
    _check(uow, command, owner)
    place = _place_for(uow, owner)
    schedule = Schedule(owner_id=owner, place=place, since=uow.now, created_at=uow.now, changed_at=uow.now)
    _fill(schedule, command)
    uow.session.add(schedule)
    uow.session.flush()
    _put_readers(uow, schedule, command.recipients)
    plan_next(uow, schedule)
    record(uow, "schedule.created", "schedule", schedule.id, what=schedule.what, readers=len(command.recipients))
    uow.session.flush()
    return schedule


def change_schedule(uow: UnitOfWork, schedule_id: UUID, command: SaveSchedule) -> Schedule:
    """Write a schedule anew; other times count from now on. Raises as `create_schedule`.

    NotFound for another's, Conflict for one that has ended.
    """
    # What it writes is held before its own row, as by who deletes that: the other way round they would wait for each
    # other.
    _check(uow, command, get_schedule(uow, schedule_id).owner_id)
    schedule = _going_on(uow, schedule_id)
    if recurrence_of(schedule) != command.recurrence:
        schedule.since = uow.now
    _fill(schedule, command)
    schedule.changed_at = uow.now
    _put_readers(uow, schedule, command.recipients)
    if schedule.state == "on":
        plan_next(uow, schedule)
    record(uow, "schedule.changed", "schedule", schedule.id, readers=len(command.recipients))
    uow.session.flush()
    return schedule


def pause_schedule(uow: UnitOfWork, schedule_id: UUID) -> Schedule:
    """Let nothing come of it until it is resumed; harmless to repeat. Raises NotFound, Conflict if ended."""
    schedule = _going_on(uow, schedule_id)
    if schedule.state == "on":
        schedule.state, schedule.next_at, schedule.stale, schedule.why = "paused", None, False, None
        record(uow, "schedule.paused", "schedule", schedule.id)
        uow.session.flush()
    return schedule


def resume_schedule(uow: UnitOfWork, schedule_id: UUID) -> Schedule:
    """Go on from now; what lay in the pause is not made up for. Raises NotFound, Conflict if ended."""
    schedule = _going_on(uow, schedule_id)
    if schedule.state == "paused":
        schedule.state, schedule.since, schedule.why = "on", uow.now, None
        plan_next(uow, schedule)
        record(uow, "schedule.resumed", "schedule", schedule.id)
        uow.session.flush()
    return schedule


def end_schedule(uow: UnitOfWork, schedule_id: UUID) -> Schedule:
    """End it for good; what it made stays. Harmless to repeat. Raises NotFound."""
    schedule = get_schedule(uow, schedule_id, lock=True)
    if schedule.state != "ended":
        schedule.state, schedule.next_at, schedule.stale, schedule.why = "ended", None, False, None
        schedule.place = None
        record(uow, "schedule.ended", "schedule", schedule.id)
        uow.session.flush()
    return schedule


def run_now(uow: UnitOfWork, command: RunNow) -> int:
    """Make a run beside the calendar; returns for how many readers. The same key again makes none.

    Raises NotFound, Conflict if ended, TooMany after `MOST_BY_HAND` of them within an hour: of this schedule, or where
    others get it, of all of its owner's that others get.
    """
    schedule = _going_on(uow, command.schedule_id)
    occurrence = f"now:{command.key}"
    _count_by_hand(uow, schedule, occurrence)
    made = make_runs(uow, schedule, occurrence, today_here(uow))
    if made:
        record(uow, "schedule.run", "schedule", schedule.id, readers=made)
    return made


def _count_by_hand(uow: UnitOfWork, schedule: Schedule, occurrence: str) -> None:
    """Raise TooMany where a run by hand would be one too many; the same occurrence again is none."""
    owner = schedule.owner_id
    # Of several at once each counts those before.
    uow.session.execute(_IN_TURN, {"whose": f"by hand {uow.actor.organization_id} {owner}"})
    runs = uow.session.execute(
        select(
            ScheduleRun.schedule_id,
            ScheduleRun.occurrence,
            func.min(ScheduleRun.created_at).label("at"),
            func.bool_or(ScheduleRun.membership_id != owner).label("to_others"),
        )
        .join(
            Schedule,
            and_(Schedule.organization_id == ScheduleRun.organization_id, Schedule.id == ScheduleRun.schedule_id),
        )
        .where(
            Schedule.owner_id == owner,
            ScheduleRun.occurrence.startswith("now:"),
            ScheduleRun.created_at > uow.now - _HOUR,
        )
        .group_by(ScheduleRun.schedule_id, ScheduleRun.occurrence)
        .order_by(literal_column("at"))
    ).all()
    if any((run.schedule_id, run.occurrence) == (schedule.id, occurrence) for run in runs):
        return
    others = exists().where(ScheduleRecipient.schedule_id == schedule.id, ScheduleRecipient.membership_id != owner)
    of_it = [run.at for run in runs if run.schedule_id == schedule.id]
    of_all = [run.at for run in runs if run.to_others] if uow.session.scalar(select(others)) else []
    for moments, sentence in (
        (of_it, later("It was run by hand %(most)s times within an hour. Try again later.", most=MOST_BY_HAND)),
        (
            of_all,
            later(
                "Reports for others were run by hand %(most)s times within an hour. Try again later.", most=MOST_BY_HAND
            ),
        ),
    ):
        if len(moments) >= MOST_BY_HAND:
            wait = moments[-MOST_BY_HAND] + _HOUR - uow.now
            raise TooMany(sentence, retry_after=round(wait.total_seconds()))


def get_no_more(uow: UnitOfWork, run_id: UUID) -> None:
    """Take the actor off the readers of what was sent to them; harmless to repeat. Raises NotFound."""
    _, schedule, _ = get_received(uow, run_id)
    gone = uow.session.execute(
        delete(ScheduleRecipient)
        .where(ScheduleRecipient.schedule_id == schedule.id, ScheduleRecipient.membership_id == uow.actor.membership_id)
        .returning(ScheduleRecipient.membership_id)
    ).all()
    if gone:
        record(uow, "schedule.left", "schedule", schedule.id)


def _place_for(uow: UnitOfWork, owner: UUID) -> int:
    """A place for one more schedule; the table has so many for each and refuses more. Raises Conflict without one."""
    uow.session.execute(_IN_TURN, {"whose": f"schedules {uow.actor.organization_id} {owner}"})
    place: int | None = uow.session.execute(_FREE_PLACE, {"owner": owner, "most": MOST_EACH}).scalar_one()
    if place is None:
        raise Conflict(
            later("You have %(most)s schedules, and nobody can have more. End one that is not needed.", most=MOST_EACH)
        )
    return place


def _going_on(uow: UnitOfWork, schedule_id: UUID) -> Schedule:
    schedule = get_schedule(uow, schedule_id, lock=True)
    if schedule.state == "ended":
        raise Conflict("This schedule has ended. Make a new one.")
    return schedule


def _fill(schedule: Schedule, command: SaveSchedule) -> None:
    when = command.recurrence
    schedule.name = " ".join(command.name.split())
    content = command.content
    schedule.what, schedule.extract_id = content.what, content.extract_id
    schedule.cohort_id, schedule.filter_id = content.cohort_id, content.filter_id
    schedule.question = None if content.question is None else dict(content.question)
    schedule.form, schedule.when_empty = command.form, command.when_empty
    schedule.cadence, schedule.at_time = when.cadence, when.at
    schedule.weekday, schedule.month_day, schedule.edge = when.weekday, when.month_day, when.edge
    schedule.starts_on, schedule.ends_on = when.starts_on, when.ends_on


def _put_readers(uow: UnitOfWork, schedule: Schedule, readers: tuple[UUID, ...]) -> None:
    uow.session.execute(delete(ScheduleRecipient).where(ScheduleRecipient.schedule_id == schedule.id))
    rows = [
        {"organization_id": schedule.organization_id, "schedule_id": schedule.id, "membership_id": one}
        for one in dict.fromkeys(readers)
    ]
    uow.session.connection().execute(insert(ScheduleRecipient), rows)


def _check(uow: UnitOfWork, command: SaveSchedule, owner: UUID) -> None:
    problems = _check_content(uow, command, owner)
    name = " ".join(command.name.split())
    if not name or len(name) > LONGEST:
        problems.append(FieldProblem("name", later("Give it a name of at most %(most)s characters.", most=LONGEST)))
    forms, needs = command.content.sort.forms, command.content.sort.needs
    if command.form not in forms:
        problems.append(FieldProblem("form", later("Choose one of: %(forms)s.", forms=", ".join(forms))))
    if command.when_empty not in WHEN_EMPTY:
        problems.append(FieldProblem("when_empty", "Choose what happens when there is nothing in it."))
    known = members(uow, needs)
    if not command.recipients:
        problems.append(FieldProblem("recipients", "Choose who gets it."))
    elif any(one not in known for one in command.recipients):
        problems.append(
            FieldProblem("recipients", "Choose among those who work here and may have reports of people.")
            if command.content.what == CLIENTS
            else FieldProblem("recipients", "Choose among those who work here.")
        )
    elif len(command.recipients) > MOST_READERS:
        problems.append(FieldProblem("recipients", later("Choose at most %(most)s.", most=MOST_READERS)))
    if problems:
        raise InvalidInput(problems)


def _check_content(uow: UnitOfWork, command: SaveSchedule, owner: UUID) -> list[FieldProblem]:
    """What of it is not there, or not its owner's or its readers' to use."""
    content, others = command.content, set(command.recipients) - {owner}
    if not uow.actor.may(content.sort.needs):
        return [FieldProblem(_FIELDS[content.what], "You may not have such reports.")]
    try:
        if content.what == FIGURES:
            ask(uow, question_of(content.question or {}))
        elif content.what == COHORT:
            read_picture(uow, cohort_question(content))
        elif content.what == CLIENTS and content.cohort_id is not None:
            get_cohort(uow, content.cohort_id)
    except NotFound as error:
        return [FieldProblem(_FIELDS[content.what], error.sentence)]
    except InvalidInput as error:
        return list(error.problems)
    if content.what == EXTRACT:
        return _check_extract(uow, content.extract_id, owner, others)
    if content.what == CLIENTS and content.cohort_id is None:
        return _check_filter(uow, content.filter_id, owner, others)
    return []


def _check_extract(uow: UnitOfWork, extract_id: UUID | None, owner: UUID, others: set[UUID]) -> list[FieldProblem]:
    found = uow.session.scalars(to_refer(select(Extract).where(Extract.id == extract_id))).one_or_none()
    if found is None or not (found.shared or found.owner_id == owner):
        return [FieldProblem("extract_id", "There is no such report, or it is not yours to use.")]
    if not found.shared and others:
        return [FieldProblem("recipients", "Only you may use this report. Make it one for everybody first.")]
    return []


def _check_filter(uow: UnitOfWork, filter_id: UUID | None, owner: UUID, others: set[UUID]) -> list[FieldProblem]:
    found = uow.session.scalars(to_refer(select(SavedFilter).where(SavedFilter.id == filter_id))).one_or_none()
    if found is None or not (found.shared or found.owner_id == owner):
        return [FieldProblem("client_reports", "There is no such filter, or it is not yours to use.")]
    if not found.shared and others:
        return [FieldProblem("recipients", "Only you may use this filter. Make it one for everybody first.")]
    return []
