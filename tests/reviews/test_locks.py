"""Two who change one plan's review at the same moment wait for each other in one order: plans before reviews."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.triggers import Trigger
from app.features.reviews import engine, service
from app.features.triggers import events
from app.features.triggers import service as triggers
from app.infra.runtime import Runtime
from tests.factories import World
from tests.reviews.helpers import make_plans, rows
from tests.reviews.test_engine import EVERY_DAY
from tests.triggers.scenes import make_centre
from tests.triggers.test_opening import aim, freeze


def beside(runtime: Runtime, work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Begin `work` in a thread and return once the database says that it waits for a lock."""
    told: list[object] = []

    def run() -> None:
        try:
            told.append(work())
        except Exception as error:
            told.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    waits = text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND (database IS NULL OR database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )
    until = time.monotonic() + 10
    while time.monotonic() < until and not told:
        with runtime.database.unit_of_work(access.system(UUID(int=1))) as uow:
            if uow.session.execute(waits).scalar_one():
                break
        time.sleep(0.02)
    return thread, told


@pytest.mark.committed
def test_a_client_who_types_and_the_engine_that_tells_staff_do_not_block_each_other(live: Runtime) -> None:
    world = World(live)
    here = world.organization(time_zone="UTC")
    make_plans(live, here, 1, started_on=live.clock().date() - timedelta(days=200), recipe=EVERY_DAY)
    engine.make_due_prompts(live, here, until=live.clock() + timedelta(seconds=9))
    review, plan, client = rows(
        live, here, "SELECT r.id, p.id, p.client_id FROM reviews r JOIN plans p ON p.id = r.plan_id"
    )[0]

    def typed() -> str:
        with live.database.unit_of_work(access.review_link(here, client)) as uow:
            service.save_answers(uow, review, {"words": "typed"})
        return "kept"

    with live.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("SELECT 1 FROM plans WHERE id = :p FOR UPDATE"), {"p": plan})
        thread, told = beside(live, typed)
        uow.session.execute(text("UPDATE reviews SET escalated_at = now() WHERE id = :r"), {"r": review})
    thread.join(30)
    assert told == ["kept"]
    assert rows(live, here, "SELECT answers ->> 'words', escalated_at IS NULL FROM reviews") == [("typed", False)]


@pytest.mark.committed
def test_an_event_taken_back_while_its_prompt_is_made_leaves_the_review_that_the_mail_opens(live: Runtime) -> None:
    centre = make_centre(World(live), started_on=date(2026, 9, 7))
    aim(centre, centre.plans[0])
    event = freeze(centre, families=("15",))
    with live.database.unit_of_work(centre.admin.actor) as uow:
        assert events.open_event(uow, event) == (1, 1)

    def taken_back() -> events.Withdrawn:
        with live.database.unit_of_work(centre.admin.actor) as uow:
            return events.withdraw_event(uow, event)

    with live.database.unit_of_work(access.system(centre.organization)) as uow:
        assert engine.make_batch(uow)
        thread, told = beside(live, taken_back)
    thread.join(30)
    assert told == [events.Withdrawn(0, 0, 1)]
    assert centre.rows(
        "SELECT count(DISTINCT l.id) FROM prompts p JOIN review_links l ON l.review_id = p.review_id"
    ) == [(1,)]


@pytest.mark.committed
def test_a_rule_switched_off_while_a_worker_looks_leaves_nothing_to_open(live: Runtime) -> None:
    centre = make_centre(World(live), started_on=date(2026, 9, 7))
    centre.write(centre.plans[0], 6, {"goals": [{"id": "g1", "text": "Missed", "due_on": "2026-09-10"}]})
    centre.switch_on(Trigger.GOAL_MISSED)
    with live.database.unit_of_work(access.system(centre.organization)) as uow:
        # Somebody is being asked already, so that what is found waits.
        uow.session.execute(text("UPDATE plans SET next_reminder = 1"))

    def off() -> str:
        centre.switch_on(Trigger.GOAL_MISSED, active=False)
        return "off"

    with live.database.unit_of_work(access.system(centre.organization)) as uow:
        assert triggers.look(uow).found == {"goal_missed": 1}
        thread, told = beside(live, off)
    thread.join(30)
    assert told == ["off"]
    assert centre.rows("SELECT 1 FROM trigger_findings WHERE review_id IS NULL") == []
