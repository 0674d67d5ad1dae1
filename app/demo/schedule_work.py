"""The phase of schedules: one of each kind of report, all written once already."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.demo.build import Build
from app.demo.cohort import EVERYONE, FINAL_YEARS
from app.demo.filter_work import DECIDED
from app.domain.access import Permission
from app.domain.recurrence import Recurrence
from app.features.cohorts.queries import list_cohorts
from app.features.extracts.queries import list_extracts
from app.features.figures.definitions import PEOPLE
from app.features.figures.kinds import STARTED
from app.features.figures.layer import Question, ask
from app.features.organizations.queries import today_here
from app.features.reports.cohort_picture import ORGANIZATION
from app.features.reports.commands import CohortQuestion
from app.features.reports.parts import Parts
from app.features.schedules import contents
from app.features.schedules.commands import RunNow, SaveSchedule
from app.features.schedules.contents import Content
from app.features.schedules.models import ScheduleRun
from app.features.schedules.queries import list_schedules, members
from app.features.schedules.service import create_schedule, run_now
from app.features.selections.queries import list_filters
from app.infra.db.open import UnitOfWork

_REPORT, _FIGURES = "Steps that are overdue, each Monday", "Completed steps of those who began first, each term"
_ALL, _COHORT = "All figures, each month", "The final years beside everybody, once a term"
_PEOPLE = "Who has decided and planned nothing, one page each"
# The administrator and who comes first by name.
_READERS = 3


def keep_schedules(build: Build) -> dict[str, Any]:
    """Keep one of each kind and let each run once by hand; what an interrupted run made is left as it is."""
    admin, database = build.actor(), build.runtime.database
    with database.unit_of_work(admin) as uow:
        known = {line.schedule.name: line.schedule.id for line in list_schedules(uow)}
        commands = _schedules(uow)
        jobs: list[UUID] = []
        for command in commands:
            kept = known.get(command.name) or create_schedule(uow, command).id
            run_now(uow, RunNow(schedule_id=kept, key="demo"))
            made = select(ScheduleRun.job_id).where(ScheduleRun.schedule_id == kept)
            jobs += [job for job in uow.session.scalars(made) if job is not None]
    for job in jobs:
        build.wait_for_job(job)
    build.wait_until(lambda: _settled(build), "the reports of schedules")
    return {"schedules": len(commands), "sent": len(jobs)}


def _schedules(uow: UnitOfWork) -> tuple[SaveSchedule, ...]:
    extract = next(line.extract.id for line in list_extracts(uow) if line.extract.shared)
    cohorts = {line.cohort.name: line.cohort.id for line in list_cohorts(uow)}
    final_years = cohorts.get(FINAL_YEARS, cohorts[EVERYONE])
    decided = next(line.filter.id for line in list_filters(uow) if line.filter.name == DECIDED)
    me = [uow.actor.membership_id] if uow.actor.membership_id else []
    readers, counsellors = (
        tuple(dict.fromkeys([*me, *members(uow, needs)]))
        for needs in (Permission.READ_AGGREGATES, Permission.REPORT_CLIENTS)
    )
    months = [one.values for one in ask(uow, Question(PEOPLE)).offered if one.key == f"{STARTED}_month"]
    # In a small demonstration all may have begun in one month.
    began_first = f"{STARTED}_month:{months[0][0]}" if months else ""
    completed = Question("completed", since=began_first, until=began_first)
    today = today_here(uow)
    weekly = Recurrence(cadence="weekly", weekday=0, at=time(8), starts_on=today)
    monthly = Recurrence(cadence="monthly", month_day=1, at=time(8), starts_on=today)
    by_term = Recurrence(cadence="term", edge="end", at=time(8), starts_on=today, ends_on=today + timedelta(days=730))
    planned: tuple[tuple[str, Recurrence, Content, tuple[UUID, ...]], ...] = (
        (_REPORT, weekly, contents.extract(extract), readers[:_READERS]),
        (_FIGURES, by_term, contents.figures(completed), readers[:1]),
        (_ALL, monthly, contents.aggregates(), readers[:_READERS]),
        (_COHORT, by_term, contents.cohort(CohortQuestion(final_years, ORGANIZATION)), readers[:1]),
        (_PEOPLE, weekly, contents.clients_of_filter(decided, Parts(short=True)), counsellors[:_READERS]),
    )
    return tuple(
        SaveSchedule(
            name=name,
            recurrence=when,
            content=content,
            form="xlsx" if "xlsx" in content.sort.forms else content.sort.forms[0],
            recipients=recipients,
        )
        for name, when, content, recipients in planned
    )


def _settled(build: Build) -> bool:
    with build.runtime.database.unit_of_work(build.actor()) as uow:
        return uow.session.scalars(select(ScheduleRun.id).where(ScheduleRun.state == "making")).first() is None
