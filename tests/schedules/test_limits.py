"""How many schedules each may have, and how often one may be run by hand: also where two ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, TooMany
from app.features.figures.layer import Question
from app.features.schedules import service
from app.features.schedules.commands import RunNow
from app.features.schedules.service import MOST_BY_HAND, MOST_EACH
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.schedules.scene import rows, runs, schedule

PEOPLE = Question("people")


def many(runtime: Runtime, owner: Person, number: int) -> list[UUID]:
    """So many schedules of one owner."""
    first = schedule(runtime, owner, [owner], question=PEOPLE)
    with runtime.database.unit_of_work(access.system(owner.actor.organization_id)) as uow:
        columns = (
            "owner_id, name, what, question, form, cadence, weekday, month_day, edge, at_time, starts_on, when_empty"
        )
        copied = uow.session.scalars(
            text(
                f"INSERT INTO schedules ({columns}, since, place) SELECT {columns}, since, place + n"
                " FROM schedules, generate_series(1, :more) n RETURNING id"
            ),
            {"more": number - 1},
        ).all()
    return [first, *copied]


def test_nobody_has_more_than_there_are_places(world: World, runtime: Runtime) -> None:
    here = world.organization()
    owner, other = world.person(here, Role.COUNSELLOR), world.person(here, Role.ADMIN)
    made = many(runtime, owner, MOST_EACH)
    with pytest.raises(Conflict, match="You have 50 schedules"):
        schedule(runtime, owner, [owner], question=PEOPLE)
    schedule(runtime, other, [other], question=PEOPLE)
    with runtime.database.unit_of_work(owner.actor) as uow:
        service.pause_schedule(uow, made[3])
    with pytest.raises(Conflict):
        schedule(runtime, owner, [owner], question=PEOPLE)
    with runtime.database.unit_of_work(owner.actor) as uow:
        service.end_schedule(uow, made[7])
    schedule(runtime, owner, [owner], question=PEOPLE)
    ((number, places),) = rows(
        runtime, here, "SELECT count(*), count(DISTINCT place) FROM schedules WHERE owner_id = :o AND state <> 'ended'",
        o=owner.actor.membership_id,
    )  # fmt: skip
    assert number == places == MOST_EACH


@pytest.mark.parametrize("place", ["51", "0", "NULL", "2"])
def test_the_database_refuses_one_more(world: World, runtime: Runtime, place: str) -> None:
    here = world.organization()
    owner = world.person(here, Role.ADMIN)
    many(runtime, owner, 2)
    with pytest.raises(IntegrityError), runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text(f"UPDATE schedules SET place = {place} WHERE place = 1"))


@pytest.mark.committed
def test_of_several_at_once_one_gets_the_last_place(live: Runtime) -> None:
    world = World(live)
    owner = world.person(world.organization(), Role.ADMIN)
    many(live, owner, MOST_EACH - 1)

    def one_more(_: int) -> bool:
        try:
            schedule(live, owner, [owner], question=PEOPLE)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one_more, range(4))) == [False, False, False, True]


def test_one_is_run_by_hand_so_often_within_an_hour(world: World, runtime: Runtime, clock: Clock, app: Flask) -> None:
    here = world.organization()
    owner, reader = world.person(here, Role.ADMIN), world.person(here, Role.ANALYST)
    made, other = (schedule(runtime, owner, readers, question=PEOPLE) for readers in ([owner, reader], [owner]))

    def run(key: str, which: UUID = made) -> int:
        with runtime.database.unit_of_work(owner.actor) as uow:
            return service.run_now(uow, RunNow(schedule_id=which, key=key))

    for number in range(MOST_BY_HAND):
        assert run(f"k{number}") == 2
        clock.now += timedelta(minutes=1)
    with pytest.raises(TooMany, match="within an hour") as refused:
        run("one more")
    assert refused.value.retry_after == (60 - MOST_BY_HAND) * 60
    # Sent twice is one, also then; one that nobody else gets has its own count.
    assert run("k0") == 0
    assert run("k0", other) == 1
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, owner)
    answer = browser.post(f"/api/v1/schedules/{made}/runs")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    page = browser.post(f"/schedules/{made}/run", data={"key": "k"})
    assert page.status_code == 429
    assert "within an hour" in page.text
    assert len(runs(runtime, here)) == 2 * MOST_BY_HAND + 1
    clock.now += timedelta(minutes=60 - MOST_BY_HAND)
    assert run("one more") == 2


@pytest.mark.committed
def test_nobody_s_colleagues_are_sent_more_by_way_of_many_schedules(live: Runtime) -> None:
    world = World(live)
    here = world.organization()
    owner, reader, admin = (world.person(here, role) for role in (Role.COUNSELLOR, Role.ANALYST, Role.ADMIN))
    to_others = [schedule(live, owner, [reader], question=PEOPLE) for _ in range(MOST_BY_HAND + 2)]
    for_self = schedule(live, owner, [owner], question=PEOPLE)
    of_another = schedule(live, admin, [reader], question=PEOPLE)

    refused = "Reports for others were run by hand 6 times within an hour. Try again later."

    def run(person: Person, which: UUID) -> str:
        with live.database.unit_of_work(person.actor) as uow:
            try:
                # The same key for all of them: each schedule's is a run of its own.
                return str(service.run_now(uow, RunNow(schedule_id=which, key="k")))
            except TooMany as error:
                return str(error.sentence)

    with ThreadPoolExecutor(4) as pool:
        made = sorted(pool.map(lambda which: run(owner, which), to_others))
    assert made == [*["1"] * MOST_BY_HAND, refused, refused]
    # One that has ended counts as before, whoever asks; the owner's own and another's are counted by themselves.
    with live.database.unit_of_work(owner.actor) as uow:
        service.end_schedule(uow, to_others[0])
    one_more = schedule(live, owner, [owner, reader], question=PEOPLE)
    assert [run(owner, one_more), run(admin, one_more)] == [refused, refused]
    assert [run(owner, for_self), run(admin, of_another)] == ["1", "1"]
