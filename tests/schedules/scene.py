"""Own reports, figures and their schedules for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.recurrence import Recurrence
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.service import add_members, create_cohort
from app.features.extracts.commands import SaveExtract
from app.features.extracts.service import create_extract
from app.features.jobs.runner import work
from app.features.schedules import contents
from app.features.schedules.commands import SaveSchedule
from app.features.schedules.making import make_due_runs
from app.features.schedules.models import ScheduleRun
from app.features.schedules.service import create_schedule
from app.features.schedules.settling import settle_ended
from app.infra.runtime import Runtime
from tests.factories import Person

WHO = ["client.external_id", "client.given_name", "client.family_name"]
EVERYBODY = {"rows": "clients", "columns": WHO, "rule": None, "group": [], "order": []}
NOBODY = EVERYBODY | {"rule": {"all": [{"field": "@active", "is": "is", "values": [False]}]}}


def member_of(person: Person) -> UUID:
    assert person.actor.membership_id is not None
    return person.actor.membership_id


def daily(**changes: Any) -> Recurrence:
    return Recurrence(**{"cadence": "daily", "at": time(8), "starts_on": date(2026, 9, 1)} | changes)


def report(runtime: Runtime, owner: Person, raw: dict[str, Any] = EVERYBODY, *, shared: bool = True) -> UUID:
    """An own report that everybody may use."""
    with runtime.database.unit_of_work(owner.actor) as uow:
        return create_extract(uow, SaveExtract(name=f"Our people {uuid4().hex}", definition=raw, shared=shared)).id


def schedule(runtime: Runtime, owner: Person, readers: Sequence[Person], **changes: Any) -> UUID:
    """A schedule of an own report (made for it unless given) for these readers, each day at eight."""
    if "question" in changes:
        changes["content"] = contents.figures(changes.pop("question"))
    elif "content" not in changes:
        changes["content"] = contents.extract(changes.pop("extract_id", None) or report(runtime, owner))
    given = {
        "name": "Every morning",
        "recurrence": daily(),
        "form": "csv",
        "recipients": tuple(member_of(one) for one in readers),
    } | changes
    with runtime.database.unit_of_work(owner.actor) as uow:
        return create_schedule(uow, SaveSchedule(**given)).id


def cohort_of(runtime: Runtime, admin: Person, people: list[UUID]) -> UUID:
    """A fixed cohort named Autumn."""
    with runtime.database.unit_of_work(admin.actor) as uow:
        cohort = create_cohort(uow, CreateCohort(name="Autumn")).id
        add_members(uow, ChangeMembers(cohort_id=cohort, clients=people))
    return cohort


def pass_time(runtime: Runtime, here: UUID) -> None:
    """What the workers do at a moment: make what is due, and write it."""
    until = runtime.clock() + timedelta(minutes=1)
    make_due_runs(runtime, here, until=until)
    work(runtime, here, JOB_KINDS, until=until)
    settle_ended(runtime, here)


def runs(runtime: Runtime, here: UUID) -> list[ScheduleRun]:
    with runtime.database.unit_of_work(access.system(here)) as uow:
        found = select(ScheduleRun).order_by(ScheduleRun.created_at, ScheduleRun.membership_id)
        return list(uow.session.scalars(found))


def rows(runtime: Runtime, here: UUID, statement: str, **values: Any) -> list[Any]:
    with runtime.database.unit_of_work(access.system(here)) as uow:
        return list(uow.session.execute(text(statement), values))
