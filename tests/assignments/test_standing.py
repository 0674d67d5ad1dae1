"""Standing assignments: who joins later is given them, and who leaves keeps, pauses or loses them, as was chosen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.features.assignments import queries, service
from app.features.assignments.models import Assignment
from app.features.assignments.standing import follow_cohorts
from tests.assignments.helpers import START, Place, place
from tests.factories import World
from tests.harness import Clock


@pytest.fixture
def here(world: World) -> Place:
    """Four clients without plans."""
    return place(world)


def _give(here: Place, world: World, on_leaving: str, **values: Any) -> Any:
    cohort = here.cohort(here.clients[:2])
    here.assign(
        template_id=world.template(here.organization),
        version=1,
        started_on=START,
        cohort_id=cohort,
        standing=True,
        on_leaving=on_leaving,
        **values,
    )
    return cohort


def _states(here: Place) -> dict[Any, str]:
    return {row.client_id: row.state for row in here.sql("SELECT client_id, state FROM assignment_members")}


def test_who_leaves_keeps_it_unless_said_otherwise(here: Place, world: World) -> None:
    cohort = _give(here, world, "keep")
    here.leave(cohort, here.clients[0])
    for _ in range(3):
        here.sweep()
    assert _states(here) == {here.clients[0]: "left", here.clients[1]: "given"}
    assert here.sql("SELECT count(*) AS n FROM plans")[0].n == 2
    assert here.sql("SELECT count(*) AS n FROM audit_entries WHERE action = 'assignment.left'")[0].n == 1
    here.join(cohort, here.clients[0])
    here.sweep()
    assert _states(here)[here.clients[0]] == "given"
    assert here.sql("SELECT count(*) AS n FROM plans")[0].n == 2


def test_pausing_stops_check_ins_until_they_are_back(here: Place, world: World, clock: Clock) -> None:
    cohort = _give(here, world, "pause")
    first = here.clients[0]
    here.leave(cohort, first)
    for _ in range(3):
        here.sweep()
    pauses = here.sql("SELECT client_id, ends_on FROM review_pauses")
    assert [(p.client_id, p.ends_on) for p in pauses] == [(first, None)], "one pause, however often it is swept"
    clock.now += timedelta(days=3)
    here.join(cohort, first)
    for _ in range(2):
        here.sweep()
    [pause] = here.sql("SELECT ends_on FROM review_pauses")
    assert pause.ends_on == clock.now.date() - timedelta(days=1)
    assert _states(here)[first] == "given"
    here.leave(cohort, first)
    here.sweep()
    here.join(cohort, first)
    here.sweep()
    assert here.sql("SELECT count(*) AS n FROM review_pauses")[0].n == 1, "a pause of no day leaves nothing"


def test_withdrawing_takes_back_the_untouched_alone_and_gives_anew_to_who_comes_back(here: Place, world: World) -> None:
    cohort = _give(here, world, "withdraw")
    first, second = here.clients[:2]
    here.sql("UPDATE plans SET touched_at = now() WHERE client_id = :c", c=second)
    here.leave(cohort, first, second)
    for _ in range(3):
        here.sweep()
    assert _states(here) == {first: "withdrawn", second: "kept"}
    assert [row.client_id for row in here.sql("SELECT client_id FROM plans")] == [second]
    jobs = here.sql("SELECT id, state FROM jobs WHERE kind = 'assignments.withdraw'")
    assert [job.state for job in jobs] == ["done"], "one job, however often it is swept"
    items = here.items(jobs[0].id)
    assert (items[first][0], items[second][0]) == ("done", "kept")
    here.join(cohort, first, second)
    here.sweep()
    assert _states(here) == {first: "given", second: "given"}
    assert here.sql("SELECT count(*) AS n FROM plans WHERE status = 'active'")[0].n == 2


def test_who_is_back_before_the_withdrawal_runs_keeps_it(here: Place, world: World) -> None:
    cohort = _give(here, world, "withdraw")
    first = here.clients[0]
    here.leave(cohort, first)
    with here.runtime.database.unit_of_work(here.admin.actor) as uow:
        follow_cohorts(uow)
    here.join(cohort, first)
    here.work()
    [job] = here.sql("SELECT id FROM jobs WHERE kind = 'assignments.withdraw'")
    assert here.items(job.id)[first][0] == "skipped"
    assert here.sql("SELECT count(*) AS n FROM plans")[0].n == 2


def test_later_members_may_start_on_the_day_they_join(here: Place, world: World, clock: Clock) -> None:
    cohort = _give(here, world, "keep", from_joining=True)
    clock.now += timedelta(days=10)
    here.join(cohort, here.clients[2])
    here.sweep()
    started = {row.client_id: row.started_on for row in here.sql("SELECT client_id, started_on FROM plans")}
    assert started[here.clients[2]] == clock.now.date()
    assert started[here.clients[2]] - started[here.clients[0]] == timedelta(days=10)


def test_a_step_may_stand_too_with_days_counted_from_joining(here: Place, world: World, clock: Clock) -> None:
    world.plans(here.organization, here.clients)
    cohort = here.cohort([])
    here.assign(what="step", step=2, due_in_days=14, cohort_id=cohort, standing=True, on_leaving="withdraw")
    clock.now += timedelta(days=5)
    here.join(cohort, here.clients[0])
    for _ in range(2):
        here.sweep()
    due = clock.now.date() + timedelta(days=14)
    assert here.steps(2)[here.clients[0]] == ("not_started", due)
    here.leave(cohort, here.clients[0])
    here.sweep()
    assert here.steps(2)[here.clients[0]] == ("not_started", None)


def test_a_resting_assignment_catches_up_and_an_ended_one_does_not(here: Place, world: World) -> None:
    cohort = _give(here, world, "keep")
    with here.runtime.database.unit_of_work(here.admin.actor) as uow:
        made = uow.session.scalars(select(Assignment.id)).one()
        service.pause_assignment(uow, made)
    here.join(cohort, here.clients[2])
    here.sweep()
    assert here.sql("SELECT count(*) AS n FROM plans")[0].n == 2
    with here.runtime.database.unit_of_work(here.admin.actor) as uow:
        [line] = queries.standing_lines(uow)
        assert (line.assignment.state, line.members) == ("paused", {"given": 2})
        service.resume_assignment(uow, made)
    here.sweep()
    assert here.sql("SELECT count(*) AS n FROM plans")[0].n == 3
    with here.runtime.database.unit_of_work(here.admin.actor) as uow:
        service.end_assignment(uow, made)
    here.join(cohort, here.clients[3])
    here.leave(cohort, here.clients[0])
    here.sweep()
    assert here.sql("SELECT count(*) AS n FROM plans")[0].n == 3
    assert set(_states(here).values()) == {"given"}
