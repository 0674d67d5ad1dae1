"""The sweeper asks only organizations that have something to do, and finds whatever was written meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from app.domain import access
from app.features.messaging.service import queue_messages
from app.infra.db.open import Bell
from app.infra.runtime import Runtime, make_runtime
from tests.factories import World
from tests.harness import Clock
from tests.reviews.helpers import make_plans, rows
from workers.sweeper import sweep_once


class Heard:
    """A doorbell that remembers."""

    def __init__(self) -> None:
        self.rung: list[tuple[Bell, UUID]] = []

    def ring(self, bell: Bell, organization_id: UUID) -> None:
        self.rung.append((bell, organization_id))


@pytest.fixture
def heard(live: Runtime, clock: Clock) -> Iterator[tuple[Runtime, Heard]]:
    bell = Heard()
    runtime = make_runtime(live.settings, doorbell=bell, clock=clock)
    yield runtime, bell
    runtime.database.dispose()


def quiet(runtime: Runtime, clock: Clock) -> None:
    """Sweep until nothing is asked any more."""
    for _ in range(3):
        sweep_once(runtime)
        clock.now += timedelta(seconds=10)
    assert runtime.database.organizations_to_wake(clock.now) == []


def queue(runtime: Runtime, organization: UUID, key: str, moment: datetime) -> None:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        row = {"dedupe_key": key, "kind": "prompt", "recipient": "a@example.org", "recipient_name": "", "locale": "en"}
        queue_messages(uow, [row | {"params": {}, "client_id": None, "due_at": moment, "not_before": moment}])


@pytest.mark.committed
def test_an_organization_is_left_alone_until_something_comes_due(heard: tuple[Runtime, Heard], clock: Clock) -> None:
    runtime, bell = heard
    world = World(runtime)
    idle, busy = world.organization(), world.organization(time_zone="UTC")
    make_plans(runtime, busy, 1, started_on=date(2026, 9, 1))
    quiet(runtime, clock)
    moment = rows(runtime, busy, "SELECT next_prompt_at FROM plans")[0][0]
    clock.now = moment - timedelta(seconds=1)
    assert runtime.database.organizations_to_wake(clock.now) == []
    clock.now = moment
    assert runtime.database.organizations_to_wake(clock.now) == [busy]
    bell.rung.clear()
    # Nobody hears the bell: it is rung again each round.
    assert [sweep_once(runtime), sweep_once(runtime)] == [1, 1]
    assert bell.rung == [(Bell.PROMPT, busy)] * 2
    assert idle not in runtime.database.organizations_to_wake(clock.now)


@pytest.mark.committed
def test_what_comes_due_earlier_than_known_brings_the_moment_forward(
    heard: tuple[Runtime, Heard], clock: Clock
) -> None:
    runtime, _ = heard
    organization = World(runtime).organization(time_zone="UTC")
    make_plans(runtime, organization, 1, started_on=date(2026, 9, 1))
    for number, statement in enumerate(
        (
            None,
            "UPDATE clients SET time_zone = 'Asia/Kathmandu' RETURNING 1",
            "INSERT INTO jobs (kind, not_before) VALUES ('none', '2026-09-07') RETURNING 1",
            "INSERT INTO cohorts (name, kind, stale) VALUES ('C', 'fixed', true) RETURNING 1",
        )
    ):
        quiet(runtime, clock)
        if statement is None:
            queue(runtime, organization, f"key {number}", clock.now)
        else:
            rows(runtime, organization, statement)
        assert sweep_once(runtime) == 1, statement
        rows(runtime, organization, "UPDATE messages SET state = 'sent' RETURNING 1")
        rows(runtime, organization, "UPDATE plans SET review_stale = false RETURNING 1")
        rows(runtime, organization, "UPDATE jobs SET state = 'done' RETURNING 1")
        rows(runtime, organization, "UPDATE cohorts SET stale = false RETURNING 1")


@pytest.mark.committed
def test_what_was_not_committed_while_the_sweeper_looked_is_found_by_its_second_look(
    heard: tuple[Runtime, Heard], clock: Clock
) -> None:
    runtime, _ = heard
    organization = World(runtime).organization(time_zone="UTC")
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        row = {"dedupe_key": "k", "kind": "prompt", "recipient": "a@example.org", "recipient_name": "", "locale": "en"}
        moment = datetime(2026, 9, 7, tzinfo=UTC)
        queue_messages(uow, [row | {"params": {}, "client_id": None, "due_at": moment, "not_before": moment}])
        # It has its wake already, so the trigger wrote nothing; the sweeper cannot see the row yet.
        assert sweep_once(runtime) == 0
    assert sweep_once(runtime) == 0
    clock.now += timedelta(seconds=6)
    assert sweep_once(runtime) == 1


@pytest.mark.committed
def test_a_whole_round_asks_everybody(heard: tuple[Runtime, Heard], clock: Clock) -> None:
    runtime, _ = heard
    organization = World(runtime).organization(time_zone="UTC")
    quiet(runtime, clock)
    queue(runtime, organization, "k", clock.now)
    rows(runtime, organization, "UPDATE organization_wakes SET wake_at = 'infinity' RETURNING 1")
    assert sweep_once(runtime) == 0
    assert sweep_once(runtime, whole=True) == 1
    assert sweep_once(runtime) == 1
