"""What is kept of what schedules wrote, and of files of figures taken from a page, for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app.composition import sweep_organization
from app.domain.access import Role
from app.features.figures.layer import Question
from app.features.reports.commands import CohortQuestion
from app.features.schedules import contents
from app.features.schedules.contents import Content
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.schedules.scene import cohort_of, pass_time, rows, runs, schedule

DAYS = 30


@pytest.fixture
def admin(world: World, app: Flask) -> Person:
    app.config["WTF_CSRF_ENABLED"] = False
    return world.person(world.organization(), Role.ADMIN)


def test_files_are_deleted_when_their_days_are_over_and_their_checksums_stay(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Flask
) -> None:
    here = admin.actor.organization_id
    people = world.clients(here, 2)
    world.plans(here, people)
    cohort = cohort_of(runtime, admin, people)
    every: list[Content] = [
        contents.figures(Question("people")),
        contents.aggregates(),
        contents.cohort(CohortQuestion(cohort)),
        contents.clients_of_cohort(cohort),
    ]
    for content in every:
        schedule(runtime, admin, [admin], content=content, form=content.sort.forms[0])
    clock.now += timedelta(days=1)
    pass_time(runtime, here)
    browser = world.browser(app, admin)
    made = runs(runtime, here)
    assert len(made) == len(every)
    told = {run.id: browser.get(f"/api/v1/received-reports/{run.id}").json["files"] for run in made}
    assert all(file["href"] for files in told.values() for file in files)
    clock.now += timedelta(days=DAYS - 1)
    sweep_organization(runtime, here)
    assert rows(runtime, here, "SELECT count(*) > 5 FROM stored_files WHERE expires_at IS NULL") == [(True,)]
    clock.now += timedelta(days=2)
    for _ in range(2):
        sweep_organization(runtime, here)
    assert rows(runtime, here, "SELECT count(*) FROM stored_files") == [(0,)]
    browser = world.browser(app, admin)
    for run, files in told.items():
        after = browser.get(f"/api/v1/received-reports/{run}").json["files"]
        assert [(file["name"], file["sha256"]) for file in after] == [(file["name"], file["sha256"]) for file in files]
        assert all(file["href"] is None for file in after)
        assert (
            "The file was deleted when the days of keeping it were over."
            in browser.get(f"/schedules/received/{run}").text
        )


def test_what_is_known_of_files_taken_from_a_page_goes_with_those_days(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Flask
) -> None:
    here = admin.actor.organization_id
    world.plans(here, world.clients(here, 2))
    browser = world.browser(app, admin)
    for page in ("figures.csv?figure=people", "aggregates.csv"):
        assert browser.get(f"/{page}").status_code == 200
    schedule(runtime, admin, [admin], question=Question("people"))
    clock.now += timedelta(days=1)
    pass_time(runtime, here)
    kept = "SELECT job_id IS NULL, count(*) FROM figure_exports GROUP BY 1 ORDER BY 1"
    for days in (0, DAYS - 2):
        clock.now += timedelta(days=days)
        sweep_organization(runtime, here)
        ((by_schedule, made), (from_page, taken)) = rows(runtime, here, kept)
        assert (by_schedule, made, from_page, taken) == (False, 1, True, 2)
    clock.now += timedelta(days=2)
    sweep_organization(runtime, here)
    # Of what a schedule sent stays what it was, and the ledger knows who took the others.
    assert rows(runtime, here, kept) == [(False, 1)]
    told = "SELECT count(*) FROM audit_entries WHERE action IN ('figures.exported', 'aggregates.exported')"
    assert rows(runtime, here, told) == [(2,)]
