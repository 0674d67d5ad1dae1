"""Cover for a time: it comes and goes by itself, once, and leaves what was there before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, InvalidInput
from app.features.clients.commands import AssignCounsellor, RemoveCounsellor
from app.features.clients.service import assign_counsellor, remove_counsellor
from app.features.moves import covers, service
from app.features.moves.commands import ExtendCover, PlanMove
from app.features.moves.runner import sweep
from tests.factories import World
from tests.harness import Clock
from tests.moves.office import Office

TODAY = date(2026, 9, 7)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world, clients=6)


def cover(office: Office, *, first: int, last: int, **values: Any) -> UUID:
    """Set cover up from a day to a day, counted from today; returns its id."""
    days = {"first_on": TODAY + timedelta(days=first), "last_on": TODAY + timedelta(days=last)}
    given = {"source_id": office.members[0], "receiver_ids": tuple(office.members[1:])} | values
    move = office.plan(**given, **days)
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        made = covers.plan_cover(uow, move.id).id
        assert covers.plan_cover(uow, move.id).id == made
    return made


def swept(office: Office, times: int = 2) -> set[tuple[UUID, UUID, str]]:
    for _ in range(times):
        sweep(office.runtime, office.id)
    assert office.entries() == office.open_history()
    return office.entries()


def support(office: Office) -> list[int]:
    """How many clients each of the others supports."""
    entries = office.entries()
    return [sum(1 for _, m, kind in entries if m == member and kind == "supporting") for member in office.members[1:]]


def test_cover_begins_on_its_first_day_and_ends_after_its_last(office: Office, clock: Clock) -> None:
    before = office.entries()
    cover(office, first=2, last=4)
    assert swept(office) == before
    clock.now += timedelta(days=2)
    swept(office)
    assert support(office) == [3, 3]
    assert before < office.entries()
    lines = office.rows("SELECT count(*) FROM audit_entries WHERE action = 'caseload.covered'")
    assert lines[0].count == 6
    clock.now += timedelta(days=2)
    swept(office)
    assert support(office) == [3, 3], "the last day belongs to it"
    clock.now += timedelta(days=1)
    assert swept(office) == before
    assert office.rows("SELECT state FROM covers")[0].state == "ended"
    lines = office.rows("SELECT count(*) FROM audit_entries WHERE action = 'caseload.uncovered'")
    assert lines[0].count == 6


def test_days_are_the_organizations(world: World, clock: Clock) -> None:
    office = Office(world, clients=2)
    with office.runtime.database.unit_of_work(access.system(office.id)) as uow:
        uow.session.execute(text("UPDATE organizations SET time_zone = 'Asia/Shanghai'"))
    cover(office, first=1, last=1)
    # Midnight in Shanghai is at four in the afternoon in London.
    clock.now = clock.now.replace(hour=15, minute=30)
    swept(office)
    assert support(office) == [0, 0]
    clock.now = clock.now.replace(hour=16)
    swept(office)
    assert support(office) == [1, 1]
    clock.now += timedelta(hours=23)
    swept(office)
    assert support(office) == [1, 1]
    clock.now += timedelta(minutes=30)
    swept(office)
    assert support(office) == [0, 0]


def test_cover_that_begins_today_begins_at_once(office: Office) -> None:
    cover(office, first=0, last=3)
    assert support(office) == [3, 3]
    with pytest.raises(InvalidInput):
        cover(office, first=-1, last=3)
    with pytest.raises(InvalidInput):
        cover(office, first=0, last=800)


def test_support_that_was_there_before_stays(office: Office, clock: Clock) -> None:
    one = office.members[1]
    planned = cover(office, first=1, last=2, receiver_ids=(one,))
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        kept = AssignCounsellor(counsellor_id=one, clients=office.clients[:2], kind="supporting")
        assign_counsellor(uow, kept)
    before = office.entries()
    clock.now += timedelta(days=1)
    swept(office)
    assert support(office)[0] == 6
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        covers.end_cover(uow, planned)
    assert swept(office) == before


def test_what_somebody_changed_meanwhile_stays_as_they_left_it(office: Office, clock: Clock) -> None:
    one = office.members[1]
    cover(office, first=0, last=2, receiver_ids=(one,))
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        assign_counsellor(uow, AssignCounsellor(counsellor_id=one, clients=office.clients[:1]))
        remove_counsellor(uow, RemoveCounsellor(counsellor_id=one, clients=office.clients[1:2]))
        again = AssignCounsellor(counsellor_id=one, clients=office.clients[1:2], kind="supporting")
        assign_counsellor(uow, again)
    clock.now += timedelta(days=3)
    swept(office)
    mine = {(client, kind) for client, member, kind in office.entries() if member == one}
    assert mine == {(office.clients[0], "primary"), (office.clients[1], "supporting")}


def test_of_two_covers_by_the_same_person_the_longer_one_holds(office: Office, clock: Clock) -> None:
    one = office.members[1]
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        plans = [
            service.plan_move(
                uow,
                PlanMove(
                    source_id=office.members[0],
                    receiver_ids=(one,),
                    first_on=TODAY,
                    last_on=TODAY + timedelta(days=days),
                ),
            ).id
            for days in (2, 9)
        ]
        shorter, longer = (covers.plan_cover(uow, plan).id for plan in plans)
    assert support(office) == [6, 0]
    clock.now += timedelta(days=3)
    swept(office)
    assert support(office) == [6, 0], "the longer cover still needs them"
    states = {row.id: row.state for row in office.rows("SELECT id, state FROM covers")}
    assert states == {shorter: "ended", longer: "active"}
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        covers.end_cover(uow, longer)
    assert support(office) == [0, 0]


def test_cover_is_ended_early_and_extended(office: Office, clock: Clock) -> None:
    planned = cover(office, first=0, last=2)
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        covers.extend_cover(uow, ExtendCover(cover_id=planned, last_on=TODAY + timedelta(days=5)))
        with pytest.raises(InvalidInput):
            covers.extend_cover(uow, ExtendCover(cover_id=planned, last_on=TODAY - timedelta(days=1)))
    clock.now += timedelta(days=4)
    swept(office)
    assert support(office) == [3, 3]
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        covers.end_cover(uow, planned)
        with pytest.raises(Conflict):
            covers.end_cover(uow, planned)
        with pytest.raises(Conflict):
            covers.extend_cover(uow, ExtendCover(cover_id=planned, last_on=TODAY + timedelta(days=9)))
    assert support(office) == [0, 0]


def test_cover_nobody_was_there_to_begin_has_no_effect(office: Office, clock: Clock) -> None:
    before = office.entries()
    cover(office, first=1, last=2)
    clock.now += timedelta(days=10)
    assert swept(office) == before
    row = office.rows("SELECT state, begun_at FROM covers")[0]
    assert (row.state, row.begun_at) == ("ended", None)


def test_who_left_the_caseload_before_the_first_day_is_not_covered(office: Office, clock: Clock) -> None:
    cover(office, first=1, last=2)
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        assign_counsellor(uow, AssignCounsellor(counsellor_id=office.members[2], clients=office.clients[:3]))
    clock.now += timedelta(days=1)
    swept(office)
    covered = {client for client, _, kind in office.entries() if kind == "supporting"}
    assert covered == set(office.clients[3:])


def test_cover_by_pages(office: Office, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = office.world.browser(app, office.admin)
    data = {
        "source": office.members[0],
        "receiver_ids": office.members[1:],
        "lasting": "time",
        "first_on": TODAY.isoformat(),
        "last_on": (TODAY + timedelta(days=2)).isoformat(),
    }
    planned = browser.post("/moves/preview", data=data)
    assert planned.status_code == 302
    assert "support for this time" in browser.get(planned.location).text
    assert browser.post(f"{planned.location}/start").location == "/covers"
    page = browser.get("/covers").text
    assert "goes on" in page
    row = office.rows("SELECT id FROM covers")[0].id
    assert browser.post(f"/covers/{row}/extend", data={"last_on": "2026-09-20"}).status_code == 302
    assert browser.post(f"/covers/{row}/extend", data={"last_on": "odd"}).status_code == 422
    assert browser.post(f"/covers/{row}/end").status_code == 302
    assert browser.post(f"/covers/{row}/end").status_code == 409
    assert support(office) == [0, 0]


def test_who_covers_sees_them_and_not_longer(office: Office, app: Flask) -> None:
    counsellor = office.world.browser(app, office.people[1])
    client = office.clients[0]
    assert counsellor.get(f"/clients/{client}").status_code == 404
    planned = cover(office, first=0, last=1, receiver_ids=(office.members[1],))
    assert counsellor.get(f"/clients/{client}").status_code == 200
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        covers.end_cover(uow, planned)
    assert counsellor.get(f"/clients/{client}").status_code == 404


def test_an_analyst_sees_no_covers(office: Office, app: Flask) -> None:
    analyst = office.world.browser(app, office.world.person(office.id, Role.ANALYST))
    assert analyst.get("/covers").status_code == 403
