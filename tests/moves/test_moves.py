"""Caseloads handed over: exactly what was previewed, one line in the ledger each, and back."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Gone, InvalidInput
from app.features.audit.service import verify
from app.features.clients.commands import AssignCounsellor
from app.features.clients.service import assign_counsellor
from app.features.cohorts.models import Cohort
from app.features.moves import service
from app.features.moves.models import CaseloadMove
from app.features.moves.runner import sweep
from app.features.organizations.members import set_minutes
from app.features.selections.commands import Target
from tests.factories import World
from tests.harness import Clock
from tests.moves.office import Office, member_of


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def test_a_whole_caseload_goes_to_several_as_previewed_and_back(office: Office) -> None:
    before = office.entries()
    leaver, one, other = office.members
    move = office.plan(source_id=leaver, receiver_ids=(one, other))
    planned = dict(zip(move.client_ids, move.receiver_ids, strict=True))
    assert set(planned) == set(office.clients)
    assert sorted(r["takes"] for r in move.numbers["receivers"]) == [6, 6]
    assert office.entries() == before, "a preview changes nothing"
    job = office.start(move)
    assert office.start(move) == job, "sent twice it is one job"
    office.work()
    assert office.entries() == {(client, to, "primary") for client, to in planned.items()} == office.open_history()
    lines = office.rows("SELECT subject_id FROM audit_entries WHERE action = 'caseload.moved'")
    assert sorted(row.subject_id for row in lines) == sorted(office.clients)
    office.undo(job)
    assert office.states(job) == {"undone": 12}
    assert office.entries() == before == office.open_history()
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        assert verify(uow) == []


def test_who_was_moved_on_since_stays_and_is_listed(office: Office) -> None:
    leaver, one, other = office.members
    job = office.start(office.plan(source_id=leaver, receiver_ids=(one,)))
    office.work()
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        assign_counsellor(uow, AssignCounsellor(counsellor_id=other, clients=office.clients[:2]))
        # Support that came beside is no moving on.
        assign_counsellor(uow, AssignCounsellor(counsellor_id=other, clients=office.clients[2:3], kind="supporting"))
    office.undo(job)
    assert office.states(job) == {"undone": 10, "kept": 2}
    mine = {(client, leaver, "primary") for client in office.clients[2:]}
    moved_on = {(client, other, "primary") for client in office.clients[:2]}
    assert office.entries() == mine | moved_on | {(office.clients[2], other, "supporting")}
    browser_line = office.rows("SELECT reason FROM job_items WHERE state = 'kept'")[0].reason
    assert "moved on" in browser_line


def test_who_came_back_to_the_same_person_by_a_later_move_stays_with_them(office: Office, clock: Clock) -> None:
    leaver, one, _ = office.members
    jobs = []
    for source, receiver in ((leaver, one), (one, leaver), (leaver, one)):
        jobs.append(office.start(office.plan(source_id=source, receiver_ids=(receiver,))))
        office.work()
        clock.now += timedelta(hours=1)
    office.undo(jobs[0])
    assert office.states(jobs[0]) == {"kept": 12}
    assert {member for _, member, _ in office.entries()} == {one}
    office.undo(jobs[2])
    office.undo(jobs[1])
    assert {member for _, member, _ in office.entries()} == {one}
    assert office.states(jobs[1]) == {"undone": 12}


def test_minutes_and_open_work_decide_who_takes_how_many(office: Office) -> None:
    leaver, one, other = office.members
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        set_minutes(uow, one, 300)
        set_minutes(uow, other, 900)
    move = office.plan(source_id=leaver, receiver_ids=(one, other))
    assert {r["id"]: r["takes"] for r in move.numbers["receivers"]} == {str(one): 3, str(other): 9}
    # Steps that wait or are overdue are work: who has them is taken first, and they weigh.
    office.world.plans(office.id, office.clients[:1], "ssssssss")
    move = office.plan(source_id=leaver, receiver_ids=(one, other))
    with_work = dict(zip(move.client_ids, move.receiver_ids, strict=True))
    assert with_work[office.clients[0]] == other
    assert {r["id"]: r["work"][1] for r in move.numbers["receivers"]} == {str(one): 5, str(other): 15}


def test_who_is_left_out_and_why(office: Office) -> None:
    leaver, one, other = office.members
    gone = office.world.clients(office.id, 2, active=False)
    office.world.caseload(office.people[0], gone)
    elsewhere = office.world.clients(office.id, 1)
    target = Target(client_ids=(*office.clients[:3], *gone, *elsewhere, UUID(int=7)))
    move = office.plan(source_id=leaver, target=target, receiver_ids=(one,))
    assert move.numbers["left_out"] == {"unseen": 1, "inactive": 2, "elsewhere": 1}
    assert set(move.client_ids) == set(office.clients[:3])
    # Without a source whoever has them is followed; those one of the receivers has already stay.
    office.world.caseload(office.people[1], elsewhere)
    target = Target(client_ids=(office.clients[0], *elsewhere))
    move = office.plan(target=target, receiver_ids=(one, other))
    assert move.kind == "primary"
    assert move.numbers["left_out"] == {"already": 1}
    assert move.client_ids == [office.clients[0]]


def test_what_cannot_be_planned_is_refused(office: Office) -> None:
    leaver, one, _ = office.members
    today = office.runtime.clock().date()
    for field, values in {
        "receiver_ids": {"source_id": leaver, "receiver_ids": ()},
        "target": {"receiver_ids": (one,)},
        "first_on": {"source_id": leaver, "receiver_ids": (one,), "last_on": today},
        "last_on": {
            "source_id": leaver,
            "receiver_ids": (one,),
            "first_on": today,
            "last_on": today - timedelta(days=1),
        },
        "source_id": {"source_id": UUID(int=3), "receiver_ids": (one,)},
    }.items():
        with pytest.raises(InvalidInput) as refused:
            office.plan(**values)
        assert [problem.field for problem in refused.value.problems] == [field]
    for receivers in ((leaver,), (UUID(int=3),), tuple(UUID(int=n) for n in range(51))):
        with pytest.raises(InvalidInput):
            office.plan(source_id=leaver, receiver_ids=receivers)
    # Extending such a cover would count on beyond the calendar.
    with pytest.raises(InvalidInput, match="between 1900 and 2200"):
        office.plan(source_id=leaver, receiver_ids=(one,), first_on=date(9999, 12, 1), last_on=date(9999, 12, 31))


def test_the_job_does_what_was_previewed_whoever_joined_since(office: Office) -> None:
    leaver, one, other = office.members
    move = office.plan(source_id=leaver, receiver_ids=(one,))
    later = office.world.clients(office.id, 1)
    office.world.caseload(office.people[0], later)
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        assign_counsellor(uow, AssignCounsellor(counsellor_id=other, clients=office.clients[:1]))
        uow.session.execute(text("UPDATE clients SET active = false WHERE id = :c"), {"c": office.clients[1]})
    job = office.start(move)
    office.work()
    assert office.states(job) == {"done": 10, "skipped": 2}
    entries = office.entries()
    assert (later[0], leaver, "primary") in entries
    assert (office.clients[0], other, "primary") in entries
    assert (office.clients[1], leaver, "primary") in entries


def test_a_receiver_who_left_meanwhile_takes_nobody(office: Office) -> None:
    leaver, one, _ = office.members
    before = office.entries()
    move = office.plan(source_id=leaver, receiver_ids=(one,))
    office.rows("UPDATE memberships SET active = false WHERE id = :m RETURNING 1", m=one)
    job = office.start(move)
    office.work()
    assert office.states(job) == {"skipped": 12}
    assert office.entries() == before


def test_support_is_taken_over_as_support_and_nobody_is_there_twice(office: Office) -> None:
    leaver, one, other = office.members
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        assign_counsellor(uow, AssignCounsellor(counsellor_id=one, clients=office.clients[:4]))
        assign_counsellor(uow, AssignCounsellor(counsellor_id=leaver, clients=office.clients[:4], kind="supporting"))
        assign_counsellor(uow, AssignCounsellor(counsellor_id=other, clients=office.clients[:2], kind="supporting"))
    before = office.entries()
    job = office.start(office.plan(source_id=leaver, receiver_ids=(other,)))
    office.work()
    assert office.entries() == {
        *((client, one, "primary") for client in office.clients[:4]),
        *((client, other, "supporting") for client in office.clients[:4]),
        *((client, other, "primary") for client in office.clients[4:]),
    }
    office.undo(job)
    assert office.entries() == before == office.open_history()


def test_a_plan_is_its_makers_for_a_day(office: Office, clock: Clock) -> None:
    leaver, one, _ = office.members
    move = office.plan(source_id=leaver, receiver_ids=(one,))
    second = office.world.person(office.id, Role.ADMIN)
    with office.runtime.database.unit_of_work(second.actor) as uow, pytest.raises(Gone):
        service.start_move(uow, move.id)
    clock.now += timedelta(days=1)
    with office.runtime.database.unit_of_work(office.admin.actor) as uow, pytest.raises(Gone):
        service.start_move(uow, move.id)
    started = office.plan(source_id=leaver, receiver_ids=(one,))
    office.start(started)
    clock.now += timedelta(days=2)
    sweep(office.runtime, office.id)
    assert [row.id for row in office.rows("SELECT id FROM caseload_moves")] == [started.id]


def test_rules_that_ask_for_the_counsellor_are_applied_anew(office: Office) -> None:
    leaver, one, _ = office.members
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        uow.session.add(Cohort(name="Rule", kind="rule", rule={"all": []}, stale=False))
    office.start(office.plan(source_id=leaver, receiver_ids=(one,)))
    office.work()
    assert office.rows("SELECT stale FROM cohorts")[0].stale


def test_the_history_is_written_by_triggers_alone(office: Office) -> None:
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        for statement in (
            "UPDATE caseload_history SET began_at = now()",
            "INSERT INTO caseload_history (client_id, membership_id, kind, began_at)"
            " SELECT client_id, membership_id, 'supporting', now() FROM caseload_entries LIMIT 1",
        ):
            with pytest.raises(IntegrityError, match="by changing caseload_entries"), uow.session.begin_nested():
                uow.session.execute(text(statement))


def test_the_history_says_who_and_for_which_job(office: Office, clock: Clock) -> None:
    leaver, one, _ = office.members
    clock.now += timedelta(minutes=1)
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        assign_counsellor(uow, AssignCounsellor(counsellor_id=leaver, clients=office.clients[:1], kind="supporting"))
    clock.now += timedelta(minutes=1)
    job = office.start(office.plan(source_id=leaver, receiver_ids=(one,)))
    office.work()
    rows = office.rows(
        "SELECT * FROM caseload_history WHERE client_id = :c ORDER BY began_at, ended_at NULLS LAST",
        c=office.clients[0],
    )
    assert [(row.membership_id, row.kind) for row in rows] == [
        (leaver, "primary"),
        (leaver, "supporting"),
        (one, "supporting"),
    ]
    me = member_of(office.admin)
    assert [(row.began_by, row.began_job_id) for row in rows] == [(None, None), (me, None), (me, job)]
    assert [(row.ended_by, row.ended_job_id) for row in rows] == [(me, None), (me, job), (None, None)]


def test_a_caseload_is_handed_over_by_pages(office: Office, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    leaver, one, other = office.members
    browser = office.world.browser(app, office.admin)
    assert browser.get("/moves/new").status_code == 200
    shown = browser.get(f"/moves/new?source={leaver}")
    assert shown.status_code == 200
    assert browser.post("/moves/preview", data={"source": leaver}).status_code == 422
    bad = {"source": leaver, "receiver_ids": [one], "lasting": "time"}
    assert browser.post("/moves/preview", data=bad).status_code == 422
    planned = browser.post("/moves/preview", data={"source": leaver, "receiver_ids": [one, other], "lasting": "good"})
    assert planned.status_code == 302
    preview = browser.get(planned.location)
    assert "<b>12</b>" in preview.text
    started = browser.post(f"{planned.location}/start")
    assert started.status_code == 302
    assert "/jobs/" in started.location
    assert browser.post(f"{planned.location}/start").location == started.location
    office.work()
    assert browser.get(planned.location).location == started.location
    assert leaver not in {member for _, member, _ in office.entries()}
    client = browser.get(f"/clients/{office.clients[0]}").text
    assert "Who looked after them" in client
    # Ticked people come by the caseload's form.
    ticked = browser.post("/moves/new", data={"client": [str(c) for c in office.clients[:2]]})
    assert ticked.status_code == 200
    assert ticked.text.count('name="client"') == 2
    again = {
        "client": [str(c) for c in office.clients[:2]],
        "receiver_ids": [leaver],
        "lasting": "good",
        "supporting": "y",
    }
    planned = browser.post("/moves/preview", data=again)
    browser.post(f"{planned.location}/start")
    office.work()
    assert {(c, leaver, "supporting") for c in office.clients[:2]} <= office.entries()


def test_who_leaves_with_a_caseload_is_pointed_out(office: Office, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    leaver = office.members[0]
    browser = office.world.browser(app, office.admin)
    left = browser.post(f"/people/{leaver}/deactivate", follow_redirects=True)
    assert "12 people are still in their caseload" in left.text
    assert f"/moves/new?source={leaver}" in left.text
    assert browser.post(f"/people/{office.members[1]}/minutes", data={"weekly_minutes": "600"}).status_code == 302
    assert browser.post(f"/people/{office.members[1]}/minutes", data={"weekly_minutes": "99999"}).status_code == 422
    assert browser.post(f"/people/{office.members[1]}/minutes", data={"weekly_minutes": "odd"}).status_code == 422
    moved = browser.post("/moves/preview", data={"source": leaver, "receiver_ids": [office.members[1]]})
    assert moved.status_code == 302
    assert "600" in browser.get(moved.location).text


def test_nobody_but_an_administrator_hands_over(office: Office, app: Flask) -> None:
    browser = office.world.browser(app, office.people[1])
    assert browser.get("/moves/new").status_code == 403
    assert browser.get("/covers").status_code == 403


def test_a_move_of_another_organization_is_not_there(office: Office, world: World, app: Flask) -> None:
    leaver, one, _ = office.members
    move = office.plan(source_id=leaver, receiver_ids=(one,))
    stranger = world.browser(app, world.person(world.organization(), Role.ADMIN))
    assert stranger.get(f"/moves/{move.id}").status_code == 404


def test_entries_and_open_history_are_the_same_rows(office: Office) -> None:
    with office.runtime.database.unit_of_work(access.system(office.id)) as uow:
        found = uow.session.scalars(select(CaseloadMove)).all()
    assert list(found) == []
    assert office.entries() == office.open_history() != set()
