"""Idempotency-Key (TRUST W1): one effect, one answer, also when requests come at the same moment or fail half-way."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app.domain import access
from app.domain.access import Role
from app.factory import create_app
from app.features.cohorts.models import Cohort
from app.features.organizations.models import IdempotencyKey
from app.features.organizations.repeats import forget_old
from app.infra.runtime import Runtime
from tests.api.conftest import Caller, Callers
from tests.factories import World
from tests.harness import Clock

KEY = {"Idempotency-Key": "3a3a6d0c-once"}


def cohorts(runtime: Runtime, organization: UUID) -> int:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return uow.session.execute(select(func.count()).select_from(Cohort)).scalar_one()


@pytest.fixture
def organization(world: World) -> UUID:
    return world.organization()


@pytest.fixture
def admin(world: World, calls: Callers, organization: UUID) -> Caller:
    return calls(world.person(organization, Role.ADMIN))


def test_a_repeat_gets_the_same_answer_and_no_effect(world: World, organization: UUID, admin: Caller) -> None:
    first = admin.post("/cohorts", {"name": "One"}, headers=KEY)
    again = admin.post("/cohorts", {"name": "One"}, headers=KEY)
    assert (first.status_code, first.data) == (201, again.data)
    assert again.status_code == 201
    assert cohorts(world.runtime, organization) == 1
    # Without the key it is another request.
    assert admin.post("/cohorts", {"name": "One"}).status_code == 422


def test_the_key_names_one_request(admin: Caller) -> None:
    assert admin.post("/cohorts", {"name": "One"}, headers=KEY).status_code == 201
    other = admin.post("/cohorts", {"name": "Two"}, headers=KEY)
    assert other.status_code == 422
    assert other.json["errors"][0]["field"] == "Idempotency-Key"
    assert admin.post("/attributes", {"label": "One", "kind": "text"}, headers=KEY).status_code == 422


def test_a_refused_request_leaves_the_key_free(admin: Caller) -> None:
    assert admin.post("/cohorts", {"name": "x" * 500}, headers=KEY).status_code == 422
    assert admin.post("/cohorts", {"name": "x"}, headers=KEY).status_code == 201


def test_keys_are_each_members_own(world: World, calls: Callers, organization: UUID, admin: Caller) -> None:
    other = calls(world.person(organization, Role.ADMIN))
    foreign = calls(world.person(world.organization(), Role.ADMIN))
    made = [caller.post("/cohorts", {"name": name}, headers=KEY) for caller, name in ((admin, "a"), (other, "b"))]
    made.append(foreign.post("/cohorts", {"name": "a"}, headers=KEY))
    assert [answer.status_code for answer in made] == [201, 201, 201]
    assert len({answer.json["id"] for answer in made}) == 3


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a b", "é"])
def test_a_key_that_is_none(admin: Caller, key: str) -> None:
    answer = admin.post("/cohorts", {"name": "x"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 422


def test_answers_are_kept_for_a_day(world: World, organization: UUID, admin: Caller, clock: Clock) -> None:
    first = admin.post("/cohorts", {"name": "One"}, headers=KEY)
    clock.now += timedelta(hours=24)
    forget_old(world.runtime, organization)
    assert admin.post("/cohorts", {"name": "One"}, headers=KEY).data == first.data
    clock.now += timedelta(seconds=1)
    assert admin.post("/cohorts", {"name": "One"}, headers=KEY).status_code == 422, "the name is taken, not the key"
    forget_old(world.runtime, organization)
    with world.runtime.database.unit_of_work(access.system(organization)) as uow:
        assert uow.session.scalars(select(IdempotencyKey)).all() == []


@pytest.mark.committed
def test_w1_concurrent_repeats_have_one_effect(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    app = create_app(live)
    admin = Callers(app, world)(world.person(organization, Role.ADMIN))
    answers: list[tuple[int, bytes]] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        caller = Caller(app.test_client(), admin.token)
        barrier.wait()
        for _ in range(6):
            answer = caller.post("/cohorts", {"name": "One"}, headers=KEY)
            answers.append((answer.status_code, answer.data))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = Counter(status for status, _ in answers)
    assert set(kinds) <= {201, 409}
    assert kinds[201] >= 8
    assert len({data for status, data in answers if status == 201}) == 1
    assert cohorts(live, organization) == 1


@pytest.mark.committed
def test_w1_a_request_still_running_is_409_and_a_failed_one_frees_the_key(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    app: Flask = create_app(live)
    person = world.person(organization, Role.ADMIN)
    admin = Callers(app, world)(person)
    whose = f"idempotency:{organization}:{person.actor.membership_id}:{KEY['Idempotency-Key']}"
    with live.database.unit_of_work(person.actor) as uow:
        uow.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))"), {"whose": whose})
        assert admin.post("/cohorts", {"name": "One"}, headers=KEY).status_code == 409
    # The server died before it committed: nothing was remembered and nothing was done.
    assert admin.post("/cohorts", {"name": "One"}, headers=KEY).status_code == 201
    assert cohorts(live, organization) == 1
