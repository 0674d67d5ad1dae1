"""Days that nobody means (year 1, year 9999, thousands of them) are refused before a worker has to count with them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from app.domain.access import Role
from app.domain.cadence import MOST_DATES, OnDates, parse_policy
from app.domain.errors import InvalidInput
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.features.organizations.commands import SaveTerm
from app.features.organizations.settings import save_term
from app.infra.runtime import Runtime
from tests.factories import World
from tests.reviews.helpers import make_plans, rows

MANY = [(date(2000, 1, 1) + timedelta(days=n)).isoformat() for n in range(MOST_DATES + 1)]


@pytest.mark.parametrize("dates", [["9999-12-31"], ["0001-01-01", "2026-01-01"], ["2201-01-01"], MANY])
def test_dates_of_a_policy_are_few_and_near(dates: list[str]) -> None:
    with pytest.raises(InvalidInput):
        parse_policy({"cadence": {"kind": "dates", "dates": dates}})


def test_as_many_dates_as_may_be_are_taken() -> None:
    policy = parse_policy({"cadence": {"kind": "dates", "dates": MANY[:-1]}})
    assert isinstance(policy.cadence, OnDates)
    assert len(policy.cadence.dates) == MOST_DATES


def test_a_policy_with_a_far_date_is_told_so_and_the_plans_keep_their_days(
    app: Flask, world: World, runtime: Runtime
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = world.organization(time_zone="UTC")
    make_plans(runtime, here, 1, started_on=date(2026, 3, 7))
    admin = world.browser(app, world.person(here, Role.ADMIN))
    before = rows(runtime, here, "SELECT next_review_on FROM plans")
    far = {"content": {"cadence": {"kind": "dates", "dates": ["9999-12-31"]}}}
    assert admin.put("/api/v1/review-policies/organization", json=far).status_code == 422
    assert rows(runtime, here, "SELECT next_review_on FROM plans") == before


@pytest.mark.parametrize(("first", "last"), [(date(2026, 9, 1), date(9999, 12, 31)), (date(1, 1, 1), date(2026, 9, 1))])
def test_a_term_lies_in_years_that_can_be_counted_with(world: World, runtime: Runtime, first: date, last: date) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    with pytest.raises(InvalidInput), runtime.database.unit_of_work(admin.actor) as uow:
        save_term(uow, SaveTerm(name="Autumn", starts_on=first, ends_on=last, term_id=None))


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_a_plan_starts_in_a_year_that_can_be_counted_from(world: World, runtime: Runtime, day: date) -> None:
    here = world.organization()
    admin, clients = world.person(here, Role.ADMIN), world.clients(here, 1)
    template = world.template(here)
    given: dict[str, Any] = {"template_id": template, "version": 1, "client_ids": tuple(clients)}
    with pytest.raises(InvalidInput), runtime.database.unit_of_work(admin.actor) as uow:
        assign(uow, Assign(**given, started_on=day, idempotency_key="far"))


def test_the_page_of_a_term_says_it_beside_its_field(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    admin = world.browser(app, world.person(world.organization(), Role.ADMIN))
    far = {"name": "Autumn", "starts_on": "2026-09-01", "ends_on": "9999-12-31"}
    answer = admin.post("/settings/terms", data=far)
    assert (answer.status_code, "between 1900 and 2200" in answer.text) == (422, True)
