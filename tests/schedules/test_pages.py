"""From choosing to the download in a browser, and the same by the API; who may not gets nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.figures.layer import Question
from app.features.jobs.service import next_open_job
from app.features.reports.commands import ReportCohort
from app.features.reports.parts import Parts
from app.features.reports.service import report_cohort
from app.features.schedules import contents
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.schedules.scene import cohort_of, member_of, pass_time, report, rows, schedule


@pytest.fixture
def admin(world: World, app: Flask) -> Person:
    app.config["WTF_CSRF_ENABLED"] = False
    return world.person(world.organization(), Role.ADMIN)


def typed(admin: Person, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Weekly", "form": "csv", "cadence": "weekly", "weekday": "0", "month_day": "1", "edge": "start",
        "at": "08:00", "starts_on": "2026-09-01", "ends_on": "", "when_empty": "say",
        "recipients": [str(member_of(admin))],
    } | changes  # fmt: skip


def test_from_choosing_to_the_download(world: World, runtime: Runtime, app: Flask, admin: Person) -> None:
    here = admin.actor.organization_id
    world.clients(here, 2)
    browser = world.browser(app, admin)
    assert "No schedules yet" in browser.get("/schedules").text
    new = f"/schedules/new?extract={report(runtime, admin)}"
    assert "It writes: Our people" in browser.get(new).text
    refused = browser.post(new, data=typed(admin, recipients=[], ends_on="2026-08-01"))
    assert refused.status_code == 422
    assert "The last day is before the first." in refused.text
    saved = browser.post(new, data=typed(admin))
    assert saved.status_code == 302
    page = browser.get(saved.location).text
    assert "every Monday at 08:00" in page
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key is not None
    for _ in range(2):
        browser.post(f"{saved.location}/run", data={"key": key[1]})
    pass_time(runtime, here)
    ((run,),) = rows(runtime, here, "SELECT id FROM schedule_runs")
    received = browser.get(f"/schedules/received/{run}").text
    assert "SHA-256" in received
    # What was sent stays what it was, whatever form the next one has.
    changed = browser.post(f"{saved.location}/change", data=typed(admin, form="xlsx"))
    assert changed.status_code == 302
    for shown in (received, browser.get(f"/schedules/received/{run}").text):
        assert "<dt>Form</dt><dd>CSV</dd>" in shown
        assert "XLSX" not in shown
    with browser.get(f"/schedules/received/{run}/file") as taken:
        assert taken.mimetype == "text/csv"
        assert len(taken.text.splitlines()) == 3
    assert "asked for by hand" in browser.get(saved.location).text
    for act, word in (("pause", "paused"), ("resume", "going on"), ("end", "ended")):
        browser.post(f"{saved.location}/{act}")
        assert word in browser.get(saved.location).text
    assert browser.post(f"{saved.location}/run").status_code == 409
    done = {row.action for row in rows(runtime, here, "SELECT action FROM audit_entries")}
    assert {"schedule.created", "schedule.run", "schedule.sent", "extract.made", "extract.downloaded"} <= done
    assert {"schedule.paused", "schedule.resumed", "schedule.ended"} <= done


def test_changing_keeps_what_is_not_changed(world: World, runtime: Runtime, app: Flask, admin: Person) -> None:
    made = schedule(runtime, admin, [admin], question=Question("people"))
    browser = world.browser(app, admin)
    page = browser.get(f"/schedules/{made}/change").text
    assert 'value="Every morning"' in page
    changed = browser.post(f"/schedules/{made}/change", data=typed(admin, cadence="monthly", month_day="31"))
    assert changed.status_code == 302
    assert "on the last day of every month at 08:00" in browser.get(f"/schedules/{made}").text
    ((what, question),) = rows(
        runtime, admin.actor.organization_id, "SELECT what, question ->> 'figure' FROM schedules"
    )
    assert (what, question) == ("figures", "people")


def test_one_s_schedule_is_nobody_else_s_but_the_administrators(
    world: World, runtime: Runtime, app: Flask, admin: Person
) -> None:
    here = admin.actor.organization_id
    owner, other = world.person(here, Role.COUNSELLOR), world.person(here, Role.COUNSELLOR)
    made = schedule(runtime, owner, [owner, other], question=Question("people"))
    assert world.browser(app, owner).get(f"/schedules/{made}").status_code == 200
    assert world.browser(app, admin).get(f"/schedules/{made}").status_code == 200
    # Who gets it does not see who else does.
    for path in (f"/schedules/{made}", f"/schedules/{made}/change"):
        assert world.browser(app, other).get(path).status_code == 404
    assert world.browser(app, other).post(f"/schedules/{made}/end").status_code == 404
    client = world.client_person(here)
    assert world.browser(app, client).get("/schedules").status_code == 403


def test_figures_taken_from_the_page_are_kept_with_their_checksum(
    world: World, runtime: Runtime, app: Flask, admin: Person
) -> None:
    here = admin.actor.organization_id
    world.plans(here, world.clients(here, 12))
    browser = world.browser(app, admin)
    for form in ("csv", "xlsx", "csv", "xlsx"):
        assert browser.get(f"/figures.{form}?figure=completed").status_code == 200
    kept = rows(
        runtime, here, "SELECT form, count(*), count(DISTINCT sha256), min(row_count), min(template)"
        " FROM figure_exports GROUP BY form ORDER BY form",
    )  # fmt: skip
    assert kept == [("csv", 2, 1, 8, "figures/1"), ("xlsx", 2, 1, 8, "figures/1")]
    listed = browser.get("/figures/files").text
    one = re.search(r'href="(/figures/files/[0-9a-f-]+)"', listed)
    assert one is not None
    assert "SHA-256" in browser.get(one[1]).text
    other = world.person(here, Role.ADMIN)
    assert world.browser(app, other).get(one[1]).status_code == 404


def test_the_same_by_the_api(world: World, runtime: Runtime, app: Flask, admin: Person) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    browser = world.browser(app, admin)
    body = {
        "name": "Daily", "extract_id": str(report(runtime, admin)), "form": "jsonl", "cadence": "daily", "at": "06:30",
        "recipients": [str(member_of(admin))],
    }  # fmt: skip
    made = browser.post("/api/v1/schedules", json=body)
    assert made.status_code == 201, made.text
    where = f"/api/v1/schedules/{made.json['id']}"
    assert browser.post("/api/v1/schedules", json=body | {"at": "half past"}).status_code == 422
    changed = browser.patch(where, json={"cadence": "weekly", "weekday": 4})
    assert (changed.json["cadence"], changed.json["at"], changed.json["next_at"]) == (
        "weekly", "06:30", "2026-09-11T05:30:00+00:00",
    )  # fmt: skip
    assert browser.post(f"{where}/runs").json == {"readers": 1}
    pass_time(runtime, here)
    (run,) = browser.get(f"{where}/runs").json["items"]
    assert (run["state"], run["rows"]) == ("sent", 1)
    (received,) = browser.get("/api/v1/received-reports").json["items"]
    with browser.get(f"/api/v1/received-reports/{received['id']}/content") as taken:
        assert len(taken.text.splitlines()) == 1
    assert browser.post(f"{where}/pause").json["state"] == "paused"
    assert browser.post(f"{where}/resume").json["state"] == "on"
    assert browser.delete(where).status_code == 204
    assert browser.get(where).json["state"] == "ended"


def test_jobs_of_schedules_are_listed_apart(world: World, runtime: Runtime, app: Flask, admin: Person) -> None:
    here = admin.actor.organization_id
    people = world.clients(here, 1)
    cohort = cohort_of(runtime, admin, people)
    browser = world.browser(app, admin)
    assert "By schedules" not in browser.get("/jobs").text
    with runtime.database.unit_of_work(admin.actor) as uow:
        report_cohort(uow, ReportCohort(cohort_id=cohort, parts=Parts(short=True)))
    for content in (contents.figures(Question("people")), contents.clients_of_cohort(cohort)):
        made = schedule(runtime, admin, [admin], content=content, form=content.sort.forms[0])
        browser.post(f"/schedules/{made}/run", data={"key": "k"})
    pass_time(runtime, here)
    by_people, by_schedules = browser.get("/jobs").text, browser.get("/jobs?by=schedules").text
    assert (by_people.count("Write a report of a schedule"), by_people.count("Write reports")) == (0, 1)
    assert (by_schedules.count("Write a report of a schedule"), by_schedules.count("Write reports")) == (2, 1)
    listed = {
        asked: [one["kind"] for one in browser.get(f"/api/v1/jobs{asked}").json["items"]]
        for asked in ("", "?scheduled=true", "?scheduled=false")
    }
    assert sorted(listed[""]) == sorted(listed["?scheduled=true"] + listed["?scheduled=false"])
    assert listed["?scheduled=false"] == ["reports.cohort"]
    # What a schedule asks for comes after what people wait for, although it is the reader's.
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE jobs SET state = 'queued'"))
        uow.session.execute(text("UPDATE jobs SET created_at = :late WHERE NOT scheduled"), {"late": runtime.clock()})
        first = next_open_job(uow, ["reports.cohort", "schedules.write"], finishing=[])
        assert first is not None
        assert not first.scheduled
