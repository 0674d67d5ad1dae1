"""Bulk work of somebody who may not (any more): what stops a job, takes it back, or keeps it from reaching people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.composition import JOB_KINDS
from app.domain.access import Role
from app.features.assignments import service
from app.features.assignments.commands import Assign
from app.features.clients.queries import NOT_THEIRS
from app.features.edits import service as edits
from app.features.edits.service import BulkEdit
from app.features.jobs.runner import undo_job
from app.features.jobs.service import pause_job, resume_job
from app.features.selections.commands import Target
from tests.api.conftest import Callers, calls
from tests.assignments.helpers import Place, place
from tests.factories import Person, World
from tests.harness import Clock
from tests.moves.office import Office

__all__ = ["calls"]


@pytest.fixture
def here(world: World) -> Place:
    """An organization whose clients have plans."""
    made = place(world)
    world.plans(made.organization, made.clients)
    return made


def test_a_token_acts_only_on_jobs_of_what_it_may_do(here: Place, calls: Callers) -> None:
    job = here.assign(what="step", step=3, client_ids=tuple(here.clients), due_in_days=9)
    reports, assign = calls(here.admin, "reports"), calls(here.admin, "assign")
    assert reports.get(f"/jobs/{job}").status_code == 200
    for act in ("undo", "cancel", "pause", "resume"):
        assert reports.post(f"/jobs/{job}/{act}").status_code == 403, act
    assert here.sql("SELECT state FROM jobs WHERE id = :j", j=job)[0].state == "done"
    assert assign.post(f"/jobs/{job}/undo").status_code == 202


def test_a_token_for_plans_follows_the_bulk_edit_it_starts_and_takes_it_back(here: Place, calls: Callers) -> None:
    plans = calls(here.admin, "plans")
    given = here.assign(what="step", step=4, client_ids=tuple(here.clients), due_in_days=9)
    edit = {"kind": "due", "values": {"steps": [3], "mode": "set", "day": "2026-12-01"}}
    job = plans.post("/edits", edit | {"client_ids": [str(client) for client in here.clients]}).json["id"]
    here.work()
    assert plans.get(f"/jobs/{job}").json["progress"]["done"] == len(here.clients)
    assert plans.post(f"/jobs/{job}/undo").status_code == 202
    assert plans.post(f"/jobs/{given}/undo").status_code == 403


def test_who_is_no_administrator_any_more_takes_no_caseload_back(world: World, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    office = Office(world)
    job = office.start(office.plan(receiver_ids=(office.members[1],), source_id=office.members[0]))
    office.work()
    browser, moved = world.browser(app, office.admin), office.entries()
    assert f"/jobs/{job}/undo" in browser.get(f"/jobs/{job}").get_data(as_text=True)
    _become(office.admin, world, Role.COUNSELLOR)
    page = browser.get(f"/jobs/{job}")
    assert page.status_code == 200
    assert f"/jobs/{job}/undo" not in page.get_data(as_text=True)
    for act in ("undo", "cancel", "pause", "resume"):
        assert browser.post(f"/jobs/{job}/{act}").status_code == 403, act
    office.work()
    assert office.entries() == moved


@pytest.mark.parametrize("leaves", [False, True])
def test_a_job_that_waited_reaches_nobody_who_was_handed_over_meanwhile(
    here: Place, world: World, clock: Clock, *, leaves: bool
) -> None:
    ada, bo = (world.person(here.organization, Role.COUNSELLOR) for _ in range(2))
    world.caseload(ada, here.clients)
    asked = Assign(what="step", step=3, due_in_days=9, client_ids=tuple(here.clients), tell=True)
    with here.runtime.database.unit_of_work(ada.actor) as uow:
        job = service.assign(uow, replace(asked, starts_at=uow.now + timedelta(days=7))).id
    _hand_over(here, ada, bo, here.clients[1:])
    if leaves:
        here.sql("UPDATE memberships SET active = false WHERE id = :m", m=ada.actor.membership_id)
    clock.now += timedelta(days=8)
    here.work()
    reached = [] if leaves else here.clients[:1]
    assert [c for c, (state, _) in here.items(job).items() if state == "done"] == reached
    assert {reason for state, reason in here.items(job).values() if state == "skipped"} == {NOT_THEIRS}
    assert here.sql("SELECT count(*) FROM messages WHERE kind = 'assigned'")[0].count == len(reached)


def test_mail_to_many_is_not_written_to_who_was_handed_over_while_it_rested(here: Place, world: World) -> None:
    ada, bo = (world.person(here.organization, Role.COUNSELLOR) for _ in range(2))
    world.caseload(ada, here.clients)
    mail = BulkEdit(
        kind="message", values={"subject": "Hello", "text": "Come by."}, target=Target(client_ids=tuple(here.clients))
    )
    with here.runtime.database.unit_of_work(ada.actor) as uow:
        job = edits.start(uow, mail).id
        pause_job(uow, job)
    _hand_over(here, ada, bo, here.clients[1:])
    with here.runtime.database.unit_of_work(ada.actor) as uow:
        resume_job(uow, job)
    here.work()
    written = here.sql("SELECT client_id FROM messages WHERE kind = 'staff_letter_to_many'")
    assert [row.client_id for row in written] == here.clients[:1]
    assert {reason for _, reason in here.items(job).values()} == {"", NOT_THEIRS}


@pytest.mark.parametrize("kind", ["assign", "edit"])
def test_who_takes_a_job_back_reaches_whom_they_look_after_and_an_administrator_all(
    here: Place, world: World, kind: str
) -> None:
    ada, bo = (world.person(here.organization, Role.COUNSELLOR) for _ in range(2))
    world.caseload(ada, here.clients)
    before = here.steps(3)
    jobs = [_change_step(here, ada, kind, days) for days in (9, 10)]
    assert here.steps(3) != before
    _hand_over(here, ada, bo, here.clients[1:])
    changed = here.steps(3)
    undo_job(here.runtime, ada.actor, JOB_KINDS, jobs[1])
    here.work()
    states = here.items(jobs[1])
    assert states[here.clients[0]] == ("undone", "")
    assert {states[client] for client in here.clients[1:]} == {("kept", NOT_THEIRS)}
    assert {c: here.steps(3)[c] for c in here.clients[1:]} == {c: changed[c] for c in here.clients[1:]}
    of_bo = _change_step(here, bo, kind, 11)
    here.undo(of_bo)
    assert set(here.items(of_bo).values()) == {("undone", "")}
    here.undo(jobs[0])
    assert here.items(jobs[0])[here.clients[0]] == ("undone", "")
    assert here.steps(3)[here.clients[0]] == before[here.clients[0]]


def _change_step(here: Place, by: Person, kind: str, days: int) -> UUID:
    with here.runtime.database.unit_of_work(by.actor) as uow:
        due = uow.now.date() + timedelta(days=days)
        if kind == "assign":
            job = service.assign(uow, Assign(what="step", step=3, due_on=due, client_ids=tuple(here.clients)))
        else:
            values = {"steps": [3], "mode": "set", "day": due.isoformat()}
            job = edits.start(uow, BulkEdit(kind="due", values=values, target=Target(client_ids=tuple(here.clients))))
    here.work()
    return job.id


def _hand_over(here: Place, source: Person, to: Person, clients: list[UUID]) -> None:
    here.sql(
        "UPDATE caseload_entries SET membership_id = :to WHERE membership_id = :source AND client_id = ANY(:clients)",
        source=source.actor.membership_id,
        to=to.actor.membership_id,
        clients=clients,
    )


def _become(person: Person, world: World, role: Role) -> None:
    with world.runtime.database.unit_of_work(person.actor) as uow:
        uow.session.execute(
            text("UPDATE memberships SET role = :role WHERE id = :id"),
            {"role": role.value, "id": person.actor.membership_id},
        )
