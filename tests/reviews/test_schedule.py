"""Which policy a plan follows, and the moment of its next prompt."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.cadence import ReviewPolicy, policy_as_json
from app.features.reviews import schedule
from app.features.reviews.schedule import schedule_new_plans, schedule_plans, schedule_unscheduled
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.reviews.helpers import make_plans, rows

STANDARD = policy_as_json(ReviewPolicy())


def months(number: int, **more: Any) -> dict[str, Any]:
    return STANDARD | {"cadence": {"kind": "every_months", "months": number}} | more


def set_policy(runtime: Runtime, organization: UUID, scope: str, subject: UUID | None, content: Any) -> None:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text("INSERT INTO review_policies (scope, subject_id, content) VALUES (:s, :i, CAST(:c AS jsonb))"),
            {"s": scope, "i": subject, "c": json.dumps(content)},
        )


def next_of(runtime: Runtime, organization: UUID, plan: UUID) -> Any:
    return rows(
        runtime,
        organization,
        "SELECT next_review_on, next_prompt_at, next_reminder FROM plans WHERE id = :p",
        p=plan,
    )[0]


def test_the_standard_policy_asks_after_six_months_at_nine_in_the_clients_zone(runtime: Runtime, world: World) -> None:
    organization = world.organization(time_zone="Europe/Dublin")
    (home,) = make_plans(runtime, organization, 1, started_on=date(2026, 9, 7))
    (away,) = make_plans(runtime, organization, 1, started_on=date(2026, 9, 7), client={"time_zone": "Asia/Shanghai"})
    # The first mail leaves two weeks before. 21 February 2027 is a Sunday; standard prompts leave on working days.
    assert next_of(runtime, organization, home) == (date(2027, 3, 7), datetime(2027, 2, 22, 9, tzinfo=UTC), 0)
    assert next_of(runtime, organization, away) == (date(2027, 3, 7), datetime(2027, 2, 22, 1, tzinfo=UTC), 0)


def test_the_nearest_policy_wins(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    start = date(2026, 9, 7)
    (plan,) = make_plans(runtime, organization, 1, started_on=start)
    (own_recipe,) = make_plans(runtime, organization, 1, started_on=start, recipe=months(5))
    (standard_recipe,) = make_plans(runtime, organization, 1, started_on=start, recipe=STANDARD)
    template, client = rows(runtime, organization, "SELECT template_id, client_id FROM plans WHERE id = :p", p=plan)[0]
    cohort = rows(runtime, organization, "INSERT INTO cohorts (name, kind) VALUES ('C', 'fixed') RETURNING id")[0][0]
    rows(
        runtime,
        organization,
        "INSERT INTO cohort_members (cohort_id, client_id) VALUES (:c, :m) RETURNING 1",
        c=cohort,
        m=client,
    )

    def after(scope: str, subject: UUID | None, number: int) -> date:
        set_policy(runtime, organization, scope, subject, months(number))
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            assert schedule_plans(uow, [plan, own_recipe, standard_recipe]) == 3
        day: date = next_of(runtime, organization, plan)[0]
        return day

    assert after("organization", None, 12) == date(2027, 9, 7)
    assert next_of(runtime, organization, own_recipe)[0] == date(2027, 2, 7)
    assert next_of(runtime, organization, standard_recipe)[0] == date(2027, 9, 7)
    assert after("template", template, 9) == date(2027, 6, 7)
    assert after("cohort", cohort, 4) == date(2027, 1, 7)
    assert after("plan", plan, 3) == date(2026, 12, 7)


def test_a_plan_begun_long_ago_starts_with_its_latest_missed_review(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    (plan,) = make_plans(runtime, organization, 1, started_on=date(2023, 8, 1))
    assert next_of(runtime, organization, plan)[0] == date(2026, 8, 1)


def test_dates_used_up_leave_nothing_to_come(runtime: Runtime, world: World, clock: Clock) -> None:
    organization = world.organization()
    recipe = STANDARD | {"cadence": {"kind": "dates", "dates": ["2026-10-01"]}}
    (plan,) = make_plans(runtime, organization, 1, started_on=date(2026, 10, 1), recipe=recipe)
    assert next_of(runtime, organization, plan) == (None, None, -1)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert schedule_unscheduled(uow) == 0


def test_a_plan_nobody_scheduled_is_found(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    (plan,) = make_plans(runtime, organization, 1, started_on=date(2026, 9, 7), schedule=False)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert schedule_unscheduled(uow) == 1
    assert next_of(runtime, organization, plan)[0] == date(2027, 3, 7)


@pytest.mark.committed
def test_ten_thousand_plans_are_scheduled_by_a_few_statements(live: Runtime) -> None:
    organization = World(live).organization()
    plans = make_plans(live, organization, 10_000, started_on=date(2026, 9, 7), schedule=False)
    with live.database.unit_of_work(access.system(organization)) as uow:
        begun = time.monotonic()
        assert schedule_new_plans(uow, plans) == 10_000
        took = time.monotonic() - begun
    assert took < 3, "0.2 s on two quiet cores; row by row it takes more than ten"


def test_a_sweep_of_new_tables_reads_each_plan_once_and_not_once_for_every_client(
    runtime: Runtime, world: World
) -> None:
    organization, number = world.organization(), 1000
    make_plans(runtime, organization, number, started_on=date(2026, 9, 7))
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + schedule._UNSCHEDULED.text
    (found,) = rows(runtime, organization, explain, most=10_000)
    assert found[0][0]["Plan"]["Shared Hit Blocks"] < 20 * number
