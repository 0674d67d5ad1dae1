"""Opening reviews for what was found: in order, at most so many a day, never twice, joined where one is open."""

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
from app.domain.triggers import Rule, Trigger
from app.features.reviews.engine import make_due_prompts
from app.features.triggers import events, queries, service
from app.features.triggers.commands import RecordEvent
from app.features.triggers.rules import set_a_day, set_rule
from tests.factories import World
from tests.harness import Clock
from tests.triggers.scenes import Centre, make_centre

TODAY = date(2026, 9, 7)


def late(world: World, plans: int, days: int = 30) -> Centre:
    """Plans with one open step that is overdue by so many days, and the rule for it switched on."""
    centre = make_centre(world, plans, statuses="nccccccc", due_on=TODAY - timedelta(days=days))
    centre.switch_on(Trigger.STEP_OVERDUE, 14)
    return centre


def limit(centre: Centre, number: int) -> None:
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        set_a_day(uow, number)


def opened(centre: Centre) -> list[UUID]:
    return [row.plan_id for row in centre.rows("SELECT plan_id FROM reviews WHERE state = 'open' ORDER BY plan_id")]


def missed(centre: Centre, plan: UUID, ago: int = 3, name: str = "g1") -> None:
    due = (TODAY - timedelta(days=ago)).isoformat()
    centre.write(plan, 6, {"goals": [{"id": name, "text": "Learn to weld", "due_on": due, "status": "open"}]})


def test_at_most_so_many_a_day_and_the_rest_on_the_next(world: World, clock: Clock) -> None:
    centre = late(world, 7)
    limit(centre, 3)
    assert centre.look().opened == 3
    assert centre.look().opened == 0
    clock.now += timedelta(days=1)
    assert centre.look().opened == 3
    clock.now += timedelta(days=1)
    done = centre.look()
    assert (done.opened, done.found) == (1, {"step_overdue": 0})
    assert sorted(opened(centre)) == sorted(centre.plans)
    clock.now += timedelta(days=1)
    assert centre.look().opened == 0


def test_the_most_pressing_first_then_what_waited_longest(world: World, clock: Clock) -> None:
    centre = late(world, 4)
    limit(centre, 1)
    centre.switch_on(Trigger.GOAL_MISSED)
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        set_rule(uow, Rule(Trigger.STEP_OVERDUE, active=True, number=14))
    missed(centre, centre.plans[2])
    assert centre.look().opened == 1
    assert opened(centre) == [centre.plans[2]]
    # Of the same severity the one found first.
    clock.now += timedelta(days=1)
    missed(centre, centre.plans[0])
    centre.look()
    clock.now += timedelta(days=1)
    missed(centre, centre.plans[3])
    missed(centre, centre.plans[1], ago=40)
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        total, people = queries.waiting(uow)
    assert total == len(people) == 2
    centre.look()
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        _, people = queries.waiting(uow)
    assert len(people) == 1
    assert len(opened(centre)) == 3


def test_nobody_is_asked_twice_for_the_same_thing(world: World, clock: Clock) -> None:
    centre = late(world, 1)
    [plan] = centre.plans
    assert centre.look().opened == 1
    [review] = centre.rows("SELECT id FROM reviews WHERE plan_id = :plan", plan=plan)
    centre.rows("UPDATE reviews SET state = 'lapsed' WHERE id = :id RETURNING id", id=review.id)
    centre.rows("UPDATE plans SET next_reminder = 0, next_prompt_at = NULL WHERE id = :plan RETURNING id", plan=plan)
    clock.now += timedelta(days=60)
    assert centre.look().opened == 0
    # Another day that passes is another thing.
    centre.rows(
        "UPDATE plan_steps SET due_on = :day WHERE plan_id = :plan AND step = 1 RETURNING step",
        day=TODAY + timedelta(days=20),
        plan=plan,
    )
    assert centre.look().opened == 1


def test_a_review_that_is_open_takes_the_reason_and_nobody_is_asked_anew(world: World) -> None:
    centre = late(world, 2)
    limit(centre, 1)
    with world.runtime.database.unit_of_work(access.system(centre.organization)) as uow:
        uow.session.execute(
            text("INSERT INTO reviews (plan_id, occurrence_on, state) VALUES (:plan, :day, 'started')"),
            {"plan": centre.plans[0], "day": TODAY - timedelta(days=2)},
        )
    done = centre.look()
    assert (done.joined, done.opened) == (1, 1)
    rows = centre.rows("SELECT plan_id, count(*) AS reviews FROM reviews GROUP BY plan_id")
    assert {row.plan_id: row.reviews for row in rows} == dict.fromkeys(centre.plans, 1)
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert [found.kind for found in queries.reasons_of(uow, centre.plans[0])] == ["step_overdue"]


def test_a_review_whose_reminders_are_over_long_since_gives_way_to_a_new_one(world: World) -> None:
    centre = late(world, 1)
    [plan] = centre.plans
    centre.rows(
        "INSERT INTO reviews (plan_id, occurrence_on) VALUES (:plan, :day) RETURNING id",
        plan=plan,
        day=TODAY - timedelta(days=100),
    )
    done = centre.look()
    assert (done.joined, done.opened) == (0, 1)
    runtime = world.runtime
    make_due_prompts(runtime, centre.organization, until=runtime.clock() + timedelta(seconds=60))
    states = {row.occurrence_on: row.state for row in centre.rows("SELECT occurrence_on, state FROM reviews")}
    assert states == {TODAY - timedelta(days=100): "lapsed", TODAY: "open"}


def test_who_has_just_checked_in_is_left_alone_for_a_while(world: World, clock: Clock) -> None:
    centre = late(world, 1)
    [plan] = centre.plans
    # Confidence is what a check-in itself says, so that its own day does not hide it.
    centre.switch_on(Trigger.CONFIDENCE_DOWN, 3)
    centre.check_in(plan, TODAY - timedelta(days=40), {"confidence": 9})
    centre.check_in(plan, TODAY - timedelta(days=1), {"confidence": 2})
    done = centre.look()
    assert done.found == {"step_overdue": 0, "confidence_down": 1}
    assert done.opened == 0
    clock.now += timedelta(days=14)
    assert centre.look().opened == 1


def test_who_answered_and_waits_for_the_counsellor_is_not_asked_anew(world: World, clock: Clock) -> None:
    centre = late(world, 2)
    centre.check_in(centre.plans[0], TODAY - timedelta(days=40), decided=False)
    done = centre.look()
    assert (done.found, done.joined, done.opened) == ({"step_overdue": 2}, 0, 1)
    assert opened(centre) == [centre.plans[1]]
    centre.rows(
        "UPDATE reviews SET state = 'closed', closed_at = :now WHERE state = 'answered' RETURNING id", now=clock.now
    )
    assert centre.look().opened == 1
    assert sorted(opened(centre)) == sorted(centre.plans)


def test_what_is_no_longer_so_waits_no_more(world: World, clock: Clock) -> None:
    centre = late(world, 2)
    limit(centre, 1)
    assert centre.look().opened == 1
    [waiting] = centre.rows("SELECT plan_id FROM trigger_findings WHERE review_id IS NULL")
    centre.rows(
        "UPDATE plan_steps SET status = 'submitted' WHERE plan_id = :plan AND step = 1 RETURNING step",
        plan=waiting.plan_id,
    )
    clock.now += timedelta(days=1)
    assert centre.look().opened == 0
    assert centre.rows("SELECT 1 FROM trigger_findings WHERE review_id IS NULL") == []


def test_a_rule_that_is_off_finds_nothing_and_what_waited_goes(world: World) -> None:
    centre = late(world, 2)
    limit(centre, 1)
    centre.look()
    centre.switch_on(Trigger.STEP_OVERDUE, 14, active=False)
    assert centre.rows("SELECT 1 FROM trigger_findings WHERE review_id IS NULL") == []
    assert centre.look().found == {}


def test_the_prompt_leaves_and_the_history_says_why(world: World) -> None:
    centre = late(world, 1)
    [plan] = centre.plans
    centre.look()
    runtime = world.runtime
    make_due_prompts(runtime, centre.organization, until=runtime.clock() + timedelta(seconds=60))
    [prompt] = centre.rows("SELECT plan_id, occurrence_on, review_id FROM prompts WHERE message_id IS NOT NULL")
    [finding] = centre.rows("SELECT review_id FROM trigger_findings")
    assert (prompt.plan_id, prompt.occurrence_on, prompt.review_id) == (plan, TODAY, finding.review_id)
    kinds = centre.rows("SELECT kind, detail FROM plan_events WHERE kind = 'review_opened'")
    assert [row.detail for row in kinds] == [{"kinds": ["step_overdue"]}]


def test_who_looks_after_the_client_is_told_that_a_review_opened_and_of_a_reason_that_joined(
    app: Flask, world: World, clock: Clock
) -> None:
    centre = late(world, 3)
    limit(centre, 2)
    nora = world.person(centre.organization, Role.COUNSELLOR)
    world.caseload(nora, centre.clients[:2])
    centre.look()
    first = centre.rows("SELECT membership_id, kind, params, href FROM notices")
    asked = set(opened(centre))
    # Nobody looks after the third, so that the administrators do.
    of = {
        plan: (nora if n < 2 else centre.admin).actor.membership_id
        for n, plan in enumerate(centre.plans)
        if plan in asked
    }
    assert sorted(row.membership_id for row in first) == sorted(who for who in of.values() if who)
    assert {(row.kind, row.params["why"]) for row in first} == {("review_opened", "A step is overdue")}
    assert {row.href for row in first} == {
        f"/clients/{client}" for client, plan in zip(centre.clients, centre.plans, strict=True) if plan in asked
    }
    mine = next(plan for plan in centre.plans[:2] if plan in asked)
    centre.switch_on(Trigger.GOAL_MISSED)
    missed(centre, mine)
    assert (centre.look().joined, centre.look().joined) == (1, 0)
    [joined] = centre.rows("SELECT membership_id, params FROM notices WHERE kind = 'review_reason'")
    assert (joined.membership_id, joined.params["why"]) == (nora.actor.membership_id, "A goal was missed")
    page = world.browser(app, nora).get("/inbox").text
    assert f"There is another reason for the open check-in of {joined.params['name']}: A goal was missed." in page
    assert "was opened beside the calendar: A step is overdue." in page


def test_each_review_is_dated_in_its_clients_own_zone(world: World, clock: Clock) -> None:
    centre = late(world, 2)
    centre.rows(
        "UPDATE clients SET time_zone = 'Pacific/Kiritimati' WHERE id = :client RETURNING id", client=centre.clients[0]
    )
    clock.now = clock.now.replace(hour=14)
    centre.look()
    days = {row.plan_id: row.occurrence_on for row in centre.rows("SELECT plan_id, occurrence_on FROM reviews")}
    assert days == {centre.plans[0]: TODAY + timedelta(days=1), centre.plans[1]: TODAY}


def test_the_nightly_look_runs_once_a_night(world: World, clock: Clock) -> None:
    centre = late(world, 1)
    runtime = world.runtime
    service.look_by_night(runtime, centre.organization)
    assert len(opened(centre)) == 1
    [settings] = centre.rows("SELECT looked_on FROM trigger_settings")
    assert settings.looked_on == TODAY
    clock.now = clock.now.replace(hour=0, minute=30) + timedelta(days=1)
    service.look_by_night(runtime, centre.organization)
    assert centre.rows("SELECT looked_on FROM trigger_settings")[0].looked_on == TODAY
    clock.now = clock.now.replace(hour=1, minute=5)
    # Five past two in Dublin's summer.
    service.look_by_night(runtime, centre.organization)
    assert centre.rows("SELECT looked_on FROM trigger_settings")[0].looked_on == TODAY + timedelta(days=1)


def freeze(centre: Centre, **touches: Any) -> UUID:
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        values = {"title": "A freeze", "words": "Nobody is hired.", "happened_on": TODAY} | touches
        return events.record_event(uow, RecordEvent(**values)).id


def aim(centre: Centre, plan: UUID, code: str = "15-2041.00") -> None:
    centre.write(plan, 4, {"chosen": "o1", "options": [{"id": "o1", "name": "Statistician", "code": code}]})


def test_an_event_opens_only_what_it_touches_and_can_be_withdrawn(world: World) -> None:
    centre = make_centre(world, 4)
    limit(centre, 2)
    for plan in centre.plans[:3]:
        aim(centre, plan)
    event = freeze(centre, families=("15",))
    assert centre.rows("SELECT 1 FROM trigger_findings") == []
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert events.open_event(uow, event) == (3, 2)
    asked = opened(centre)
    assert len(asked) == 2
    assert set(asked) < set(centre.plans[:3])
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        done = events.withdraw_event(uow, event)
    assert (done.waited, done.taken_back, done.stay) == (1, 2, 0)
    assert opened(centre) == []
    # Plans go on by their calendar.
    assert all(
        row.next_review_on > TODAY
        for row in centre.rows("SELECT next_review_on FROM plans WHERE id = ANY(:p)", p=asked)
    )
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert events.withdraw_event(uow, event).waited == 0
        with pytest.raises(Conflict):
            events.open_event(uow, event)


def test_who_was_told_already_keeps_the_review_of_an_event_withdrawn(world: World) -> None:
    centre = make_centre(world, 1)
    aim(centre, centre.plans[0])
    event = freeze(centre, occupations=("15-2041.00",), reach="chosen")
    runtime = world.runtime
    with runtime.database.unit_of_work(centre.admin.actor) as uow:
        events.open_event(uow, event)
    make_due_prompts(runtime, centre.organization, until=runtime.clock() + timedelta(seconds=60))
    with runtime.database.unit_of_work(centre.admin.actor) as uow:
        done = events.withdraw_event(uow, event)
        assert (done.taken_back, done.stay) == (0, 1)
        # Why it was asked for is no longer said.
        assert queries.reasons_of(uow, centre.plans[0]) == []
    assert opened(centre) == centre.plans


def test_an_event_of_a_cohort_alone_touches_its_members(world: World) -> None:
    centre = make_centre(world, 3)
    [row] = centre.rows("INSERT INTO cohorts (name, kind) VALUES ('Welders', 'fixed') RETURNING id")
    centre.rows(
        "INSERT INTO cohort_members (cohort_id, client_id) VALUES (:cohort, :client) RETURNING client_id",
        cohort=row.id,
        client=centre.clients[1],
    )
    event = freeze(centre, cohort_id=row.id)
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert events.open_event(uow, event) == (1, 1)
    assert opened(centre) == [centre.plans[1]]


@pytest.mark.parametrize(
    ("touches", "field"),
    [
        ({}, "occupations"),
        ({"occupations": ("99-9999.99",)}, "occupations"),
        ({"families": ("99",)}, "families"),
        ({"paths": ("sailing",)}, "paths"),
        ({"actions": ("sailing",)}, "actions"),
        ({"families": ("15",), "title": " "}, "title"),
        ({"families": ("15",), "words": "x" * 2001}, "words"),
        ({"families": ("15",), "reach": "near"}, "reach"),
        ({"families": ("15",), "happened_on": date(9999, 12, 31)}, "happened_on"),
    ],
)
def test_an_event_that_says_too_little_or_what_nobody_knows_is_refused(
    world: World, touches: dict[str, Any], field: str
) -> None:
    centre = make_centre(world, 0)
    with pytest.raises(InvalidInput) as refused:
        freeze(centre, **touches)
    assert [problem.field for problem in refused.value.problems] == [field]
