"""Random sequences of bulk edits and changes by hand: undone in turn, what nobody touched is as it was."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.features.edits import service
from app.features.edits.service import BulkEdit
from app.features.selections.commands import Target
from tests.edits.desk import DUE, Desk
from tests.factories import World
from tests.harness import Clock

Days = dict[tuple[UUID, int], date | None]


def days(desk: Desk) -> Days:
    return {(plan, step): day for plan, step, day in desk.days()}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(("set", "shift", "hand")), min_size=2, max_size=6), st.integers(0, 10**6))
def test_due_days_undone_in_turn(world: World, clock: Clock, acts: list[str], seed: int) -> None:
    desk, chance = Desk(world), random.Random(seed)
    jobs: list[tuple[UUID, Days, Days]] = []
    for act in acts:
        clock.now += timedelta(minutes=1)
        before = days(desk)
        if act == "hand":
            # Somebody changes a day by hand: from now on it is theirs.
            plan = chance.choice(desk.plans)
            desk.rows(
                "UPDATE plan_steps SET due_on = :day WHERE plan_id = :plan AND step = :step RETURNING 1",
                day=DUE + timedelta(days=chance.randint(1000, 2000)),
                plan=plan,
                step=chance.randint(1, 8),
            )
            continue
        steps = sorted(chance.sample(range(1, 9), chance.randint(1, 8)))
        values: dict[str, Any] = {"mode": act, "steps": steps, "by": chance.choice([-3, 1, 5])}
        values["day"] = (DUE + timedelta(days=chance.randint(0, 90))).isoformat()
        with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
            target = Target(client_ids=tuple(chance.sample(desk.clients, chance.randint(1, 10))))
            job = service.start(uow, BulkEdit(kind="due", values=values, target=target)).id
        desk.work()
        jobs.append((job, before, days(desk)))
    for job, before, after in reversed(jobs):
        now = days(desk)
        changed = {step for step in before if before[step] != after[step]}
        desk.undo(job)
        then = days(desk)
        for step, day in then.items():
            untouched = step in changed and now[step] == after[step]
            assert day == (before[step] if untouched else now[step])
        # Whose every day came back is undone, anybody else is kept.
        kept = {row.subject_id for row in desk.rows(
            "SELECT subject_id FROM job_items WHERE job_id = :job AND state = 'kept'", job=job)}  # fmt: skip
        plans = {row.client_id: row.id for row in desk.rows("SELECT client_id, id FROM plans")}
        touched = {plan for plan, step in changed if now[plan, step] != after[plan, step]}
        assert {plans[client] for client in kept} == touched
