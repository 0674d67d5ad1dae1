"""What the owner of a schedule learns of its readers, and who gets nothing although it was made for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.composition import JOB_KINDS, sweep_organization
from app.domain import access
from app.domain.access import Role
from app.features.figures.layer import Question
from app.features.jobs.runner import work
from app.features.jobs.service import cancel_job
from app.features.schedules import service
from app.features.schedules.commands import RunNow
from app.features.schedules.making import make_due_runs
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.schedules.scene import NOBODY, member_of, pass_time, report, rows, runs, schedule


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


def run_now(runtime: Runtime, owner: Person, made: UUID, key: str = "k") -> None:
    with runtime.database.unit_of_work(owner.actor) as uow:
        service.run_now(uow, RunNow(schedule_id=made, key=key))


def test_the_owner_does_not_learn_how_many_people_others_see(
    world: World, runtime: Runtime, admin: Person, app: Flask
) -> None:
    here = admin.actor.organization_id
    owner, other = world.person(here, Role.COUNSELLOR), world.person(here, Role.COUNSELLOR)
    people = world.clients(here, 7)
    world.caseload(other, people[:3])
    told = {}
    for name, raw in (("some", None), ("none", NOBODY)):
        chosen = {"extract_id": report(runtime, owner, raw)} if raw else {}
        made = schedule(runtime, owner, [owner, admin, other], when_empty="silent", **chosen)
        run_now(runtime, owner, made, name)
        pass_time(runtime, here)
        browser = world.browser(app, owner)
        listed = browser.get(f"/api/v1/schedules/{made}/runs").json["items"]
        told[name] = {one["membership_id"]: (one["state"], one["rows"]) for one in listed}
        page = browser.get(f"/schedules/{made}").text
        assert ">7<" not in page
        assert ">3<" not in page
        # Who sees everybody may know.
        whole = world.browser(app, admin).get(f"/api/v1/schedules/{made}/runs").json["items"]
        assert {one["rows"] for one in whole} == ({0, 3, 7} if raw is None else {0})
    of_others = {str(member_of(one)) for one in (admin, other)}
    for found in told.values():
        assert {found[one] for one in of_others} == {("written", None)}
        assert found[str(member_of(owner))] == ("silent", 0)
    # Nor by the jobs: the items of one are the people in its file.
    assert browser.get("/api/v1/jobs").json["items"] == []
    for (job,) in rows(runtime, here, "SELECT job_id FROM schedule_runs"):
        assert browser.get(f"/api/v1/jobs/{job}/items").status_code == 404


@pytest.mark.parametrize("act", ["left", "taken off", "paused", "ended"])
def test_what_was_made_and_is_not_wanted_any_more_is_not_sent(
    world: World, runtime: Runtime, admin: Person, clock: Clock, act: str
) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    reader = world.person(here, Role.ADMIN)
    made = schedule(runtime, admin, [admin, reader])
    clock.now = datetime(2026, 9, 8, 9, tzinfo=UTC)
    make_due_runs(runtime, here, until=clock() + timedelta(minutes=1))
    # The job waits in a long queue meanwhile.
    with runtime.database.unit_of_work(admin.actor) as uow:
        if act in ("paused", "ended"):
            (service.pause_schedule if act == "paused" else service.end_schedule)(uow, made)
        else:
            uow.session.execute(
                text("DELETE FROM schedule_recipients WHERE membership_id = :m"), {"m": member_of(reader)}
            )
    work(runtime, here, JOB_KINDS, until=clock() + timedelta(minutes=1))
    states = {run.membership_id: (run.state, bool(run.reason)) for run in runs(runtime, here)}
    assert states[member_of(reader)] == ("refused", True)
    assert states[member_of(admin)] == (("refused", True) if act in ("paused", "ended") else ("sent", False))
    assert rows(runtime, here, "SELECT recipient FROM messages") == (
        [] if act in ("paused", "ended") else [(admin.email,)]
    )


def test_what_was_asked_for_by_hand_is_written_while_it_is_paused(
    world: World, runtime: Runtime, admin: Person
) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    made = schedule(runtime, admin, [admin])
    with runtime.database.unit_of_work(admin.actor) as uow:
        service.pause_schedule(uow, made)
    run_now(runtime, admin, made)
    pass_time(runtime, here)
    assert [run.state for run in runs(runtime, here)] == ["sent"]


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_a_run_whose_job_was_given_up_says_so(world: World, runtime: Runtime, admin: Person, how: str) -> None:
    here = admin.actor.organization_id
    run_now(runtime, admin, schedule(runtime, admin, [admin]))
    (run,) = runs(runtime, here)
    assert run.job_id is not None
    with runtime.database.unit_of_work(admin.actor) as uow:
        if how == "cancelled":
            cancel_job(uow, run.job_id)
        else:
            uow.session.execute(text("UPDATE jobs SET state = 'failed', error = 'The disk is full.'"))
    sweep_organization(runtime, here)
    (run,) = runs(runtime, here)
    assert (run.state, run.reason) == (
        "failed", "The job was cancelled." if how == "cancelled" else "The disk is full.",
    )  # fmt: skip
    assert rows(runtime, here, "SELECT count(*) FROM messages") == [(0,)]


def test_a_schedule_of_somebody_who_may_keep_none_any_more_is_paused(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    owner = world.person(here, Role.COUNSELLOR)
    schedule(runtime, owner, [admin], question=Question("people"))
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE memberships SET role = 'client' WHERE id = :m"), {"m": member_of(owner)})
    clock.now = datetime(2026, 9, 8, 9, tzinfo=UTC)
    pass_time(runtime, here)
    assert runs(runtime, here) == []
    assert rows(runtime, here, "SELECT state FROM schedules") == [("paused",)]


def test_a_schedule_one_of_whose_readers_left_can_still_be_changed(
    world: World, runtime: Runtime, admin: Person, app: Flask
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    leaving = world.person(admin.actor.organization_id, Role.COUNSELLOR)
    made = schedule(runtime, admin, [admin, leaving], question=Question("people"))
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(text("UPDATE memberships SET active = false WHERE id = :m"), {"m": member_of(leaving)})
    changed = world.browser(app, admin).patch(f"/api/v1/schedules/{made}", json={"name": "Renamed"})
    assert changed.status_code == 200, changed.text
    assert (changed.json["name"], changed.json["recipients"]) == ("Renamed", [str(member_of(admin))])


@pytest.mark.parametrize(
    "given", ["figure=people&small=%00", "figure=people&small=anything", "figure=%00", "extract=%00"]
)
def test_a_hostile_address_is_refused_or_left_out(
    world: World, runtime: Runtime, admin: Person, app: Flask, given: str
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, admin)
    form = {
        "name": "A\x00B", "form": "csv", "cadence": "weekly", "weekday": "0", "month_day": "99999999999999999999",
        "edge": "start", "at": "08:00", "starts_on": "2026-09-01", "when_empty": "say",
        "recipients": [str(member_of(admin))],
    }  # fmt: skip
    for changes in ({}, {"month_day": "1"}, {"month_day": "1", "name": "A"}):
        assert browser.post(f"/schedules/new?{given}", data=form | changes).status_code < 500
    for (question,) in rows(runtime, admin.actor.organization_id, "SELECT question FROM schedules"):
        assert question.get("small") in (None, "withheld")
    made = schedule(runtime, admin, [admin], question=Question("people"))
    assert browser.post(f"/schedules/{made}/run", data={"key": "\x00"}).status_code < 500
