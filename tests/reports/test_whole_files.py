"""Who had more rights than now does not keep files about the whole organization, whichever way leads to them."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.domain import access
from app.domain.access import Role
from app.features.cohorts.models import Cohort, CohortMember
from app.features.figures.layer import Question
from app.features.jobs.models import StoredFile
from app.features.reports.cohort_service import report_figures
from app.features.reports.commands import CohortQuestion, ReportFigures
from app.features.schedules import service
from app.features.schedules.commands import RunNow
from app.infra.runtime import Runtime
from tests.extracts.scene import ask, definition
from tests.factories import Person, World
from tests.schedules.scene import member_of, pass_time, runs, schedule


def everything(world: World, runtime: Runtime, who: Person) -> list[UUID]:
    """Files of an own report, of a cohort's figures and of two schedules, for somebody; the clients."""
    here = who.actor.organization_id
    clients = world.clients(here, 12)
    world.plans(here, clients)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        cohort = Cohort(name="Class", kind="fixed")
        uow.session.add(cohort)
        uow.session.flush()
        uow.session.add_all(CohortMember(cohort_id=cohort.id, client_id=client) for client in clients)
        cohort_id = cohort.id
    return [cohort_id, *clients]


def write(runtime: Runtime, who: Person, cohort: UUID) -> list[UUID]:
    here = who.actor.organization_id
    ask(runtime, who, definition("clients", ["client.external_id"]))
    with runtime.database.unit_of_work(who.actor) as uow:
        report_figures(uow, ReportFigures(CohortQuestion(cohort, "", False), "en"))
    for question in ({}, {"question": Question("people")}):
        made = schedule(runtime, who, [who], **question)
        with runtime.database.unit_of_work(who.actor) as uow:
            service.run_now(uow, RunNow(schedule_id=made, key="k"))
    pass_time(runtime, here)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        return list(uow.session.scalars(select(StoredFile.id)))


def become(runtime: Runtime, who: Person, role: str) -> None:
    with runtime.database.unit_of_work(access.system(who.actor.organization_id)) as uow:
        uow.session.execute(
            text("UPDATE memberships SET role = :role WHERE id = :m"), {"role": role, "m": member_of(who)}
        )


@pytest.mark.parametrize("role", ["counsellor", "analyst"])
def test_an_administrator_who_is_none_any_more_has_no_file_of_everybody(
    world: World, runtime: Runtime, app: Flask, role: str
) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    here = admin.actor.organization_id
    cohort, *_ = everything(world, runtime, admin)
    files = write(runtime, admin, cohort)
    assert len(files) == 5
    sent = [run.id for run in runs(runtime, here)]
    with runtime.database.unit_of_work(access.system(here)) as uow:
        own = list(uow.session.scalars(text("SELECT id FROM extract_runs")))
        jobs = list(uow.session.scalars(text("SELECT id FROM jobs WHERE kind = 'reports.cohort_figures'")))
    paths = [
        *(f"/files/{one}" for one in files),
        *(f"/api/v1/files/{one}/content" for one in files),
        *(f"/schedules/received/{one}/file" for one in sent),
        *(f"/own-reports/files/{one}/file" for one in own),
        *(f"/cohort-figures/files/{one}/{form}" for one in jobs for form in ("pdf", "xlsx")),
    ]
    browser = world.browser(app, admin)
    for path in paths:
        with browser.get(path) as answer:
            assert answer.status_code in (200, 302), path
    become(runtime, admin, role)
    browser = world.browser(app, admin)
    for path in paths:
        with browser.get(path) as answer:
            assert answer.status_code in (403, 404), path
    if role == "counsellor":
        assert browser.get("/api/v1/files").json["items"] == []


def test_what_a_counsellor_had_written_of_their_own_stays_theirs(world: World, runtime: Runtime, app: Flask) -> None:
    counsellor = world.person(world.organization(), Role.COUNSELLOR)
    cohort, *clients = everything(world, runtime, counsellor)
    world.caseload(counsellor, clients)
    files = write(runtime, counsellor, cohort)
    browser = world.browser(app, counsellor)
    assert len(browser.get("/api/v1/files").json["items"]) == len(files) == 5
    for run in runs(runtime, counsellor.actor.organization_id):
        with browser.get(f"/schedules/received/{run.id}/file") as answer:
            assert answer.status_code == 200


def test_an_analyst_who_becomes_a_counsellor_has_no_figures_of_everybody(
    world: World, runtime: Runtime, app: Flask
) -> None:
    analyst = world.person(world.organization(), Role.ANALYST)
    here = analyst.actor.organization_id
    everything(world, runtime, analyst)
    made = schedule(runtime, analyst, [analyst], question=Question("people"))
    with runtime.database.unit_of_work(analyst.actor) as uow:
        service.run_now(uow, RunNow(schedule_id=made, key="k"))
    pass_time(runtime, here)
    (run,) = runs(runtime, here)
    path = f"/schedules/received/{run.id}/file"
    with world.browser(app, analyst).get(path) as answer:
        assert answer.status_code == 200
    become(runtime, analyst, "counsellor")
    assert world.browser(app, analyst).get(path).status_code == 404
