"""Which policy a plan follows and why; what the next 90 days bring, and spreading it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.domain import access
from app.domain.access import Role
from app.domain.cadence import OnDates, ReviewPolicy, policy_as_json
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.forecast import loads
from app.features.reviews.engine import make_due_prompts
from app.features.reviews.forecast import apply_spread, forecast, propose_spread
from app.features.reviews.policies import groups_of
from app.features.reviews.why import explain
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.reviews.helpers import make_plans, rows
from tests.reviews.test_schedule import months, set_policy

START = date(2026, 9, 7)
# Three months on, so that a plan comes up twice within 90 days of its first prompt; the first mail on the day.
SOON = policy_as_json(ReviewPolicy(reminder_days=(0,), escalate_after_days=14)) | {
    "cadence": {"kind": "every_months", "months": 3}
}


def test_the_page_names_the_place_that_decides_and_those_that_do_not(
    app: Flask, runtime: Runtime, world: World, clock: Clock
) -> None:
    organization = world.organization(name="Harbour")
    (plan,) = make_plans(runtime, organization, 1, started_on=START)
    template, client = rows(runtime, organization, "SELECT template_id, client_id FROM plans")[0]
    old, new = (
        rows(runtime, organization, "INSERT INTO cohorts (name, kind) VALUES (:n, 'fixed') RETURNING id", n=name)[0].id
        for name in ("Old", "New")
    )
    for cohort in (old, new):
        rows(
            runtime,
            organization,
            "INSERT INTO cohort_members (cohort_id, client_id) VALUES (:c, :m) RETURNING 1",
            c=cohort,
            m=client,
        )
    browser = world.browser(app, world.person(organization, Role.ADMIN))
    steps: list[tuple[Any, Any, str]] = [
        (None, None, "standard"),
        ("organization", None, "organization"),
        ("template", template, "template"),
        ("cohort", old, "cohort"),
        ("cohort", new, "cohort"),
        ("plan", plan, "plan"),
    ]
    for number, (scope, subject, place) in enumerate(steps):
        clock.now += timedelta(minutes=1)
        if scope:
            set_policy(runtime, organization, scope, subject, months(3 + number))
            rows(
                runtime,
                organization,
                "UPDATE review_policies SET updated_at = :now WHERE subject_id IS NOT DISTINCT FROM :s RETURNING 1",
                now=clock.now,
                s=subject,
            )
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            why = explain(uow, plan)
            assert why.winner.place == place
            assert why.policy == groups_of(uow, [plan])[0].policy
            assert sum(one.wins for one in why.chain) == 1
        said = browser.get(f"/reviews/plan/{plan}").text
        assert (f"every {3 + number} months" if scope else "every 6 months") in said
        assert said.count("counts</span>") >= 1
        assert browser.get(f"/plans/{plan}").text.count(f"every {3 + number if scope else 6} months") == 1
    assert [one.name for one in why.chain if one.place == "cohort"] == ["New", "Old"]


def test_a_recipe_of_its_own_decides_and_an_older_standard_written_out_does_not(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    former = policy_as_json(ReviewPolicy(reminder_days=(0, 3, 7)))
    del former["escalate_admin_after_days"]
    (said,) = make_plans(runtime, organization, 1, started_on=START, recipe=months(5))
    (silent,) = make_plans(runtime, organization, 1, started_on=START, recipe=former)
    (now,) = make_plans(
        runtime, organization, 1, started_on=START, recipe=policy_as_json(ReviewPolicy(reminder_days=(0, 3, 7)))
    )
    set_policy(runtime, organization, "organization", None, months(12))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert [explain(uow, plan).winner.place for plan in (said, silent, now)] == ["recipe", "organization", "recipe"]
        with pytest.raises(NotFound):
            explain(uow, UUID(int=1))


def centre(runtime: Runtime, world: World, numbers: dict[str, int]) -> tuple[UUID, dict[str, Any]]:
    """An organization whose counsellors have so many plans each, all begun on one day."""
    organization = world.organization(time_zone="UTC")
    people = {}
    for name, number in numbers.items():
        plans = make_plans(runtime, organization, number, started_on=date(2026, 6, 30), recipe=SOON)
        people[name] = world.person(organization, Role.COUNSELLOR, name)
        clients = rows(runtime, organization, "SELECT client_id FROM plans WHERE id = ANY(:p)", p=plans)
        world.caseload(people[name], [row.client_id for row in clients])
    return organization, people


def test_the_forecast_is_what_the_engine_then_does(runtime: Runtime, world: World, clock: Clock) -> None:
    organization = world.organization(time_zone="UTC")
    chance = 7
    for n in range(24):
        chance = (chance * 1103515245 + 12345) % 2**31
        recipe = (
            SOON
            if n % 3
            else policy_as_json(
                ReviewPolicy(
                    OnDates(tuple(date(2026, 9, 1) + timedelta(days=d + n) for d in (3, 48, 80))), (-14, 0, 5), 10, 12
                )
            )
        )
        zone = ("Europe/Dublin", "Asia/Kathmandu", "America/New_York")[n % 3]
        make_plans(
            runtime,
            organization,
            1,
            started_on=date(2026, 6, 1) + timedelta(days=chance % 90),
            recipe=recipe,
            client={"time_zone": zone},
        )
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        asks = forecast(uow).asks
    assert len(asks) > 24
    first = clock.now
    for hour in range(24 * 90):
        clock.now = first + timedelta(hours=hour)
        if hour % 6 == 0:
            make_due_prompts(runtime, organization, until=clock.now + timedelta(seconds=5))
    made = rows(runtime, organization, "SELECT plan_id, occurrence_on, due_at FROM prompts WHERE reminder = 0")
    opened = Counter((row.plan_id, row.occurrence_on) for row in made)
    last = first.date() + timedelta(days=89)
    assert opened == Counter((ask.plan_id, ask.review_on) for ask in asks if ask.day <= last)


def test_a_flood_is_shown_spread_and_then_leaves_as_shown(
    app: Flask, runtime: Runtime, world: World, clock: Clock
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization, people = centre(runtime, world, {"Nora Blake": 12, "Lena Moreau": 3})
    nora = world.browser(app, people["Nora Blake"])
    page = nora.get("/reviews/forecast").text
    assert "Nora Blake" in page
    assert "Lena Moreau" not in page, "a counsellor sees the caseload"
    admin = world.browser(app, world.person(organization, Role.ADMIN))
    assert "Lena Moreau" in admin.get("/reviews/forecast").text
    page = nora.get("/reviews/forecast?most=5").text
    assert "7 reviews would be put later" in page
    assert rows(runtime, organization, "SELECT 1 FROM plans WHERE review_set") == []
    with runtime.database.unit_of_work(people["Nora Blake"].actor) as uow:
        proposal = propose_spread(uow, 5)
    assert proposal.digest in page
    done = nora.post("/reviews/forecast/spread", data={"most": "5", "digest": proposal.digest}, follow_redirects=True)
    assert "7 reviews are put later." in done.text
    clock.now = datetime(2026, 10, 20, 12, tzinfo=UTC)
    make_due_prompts(runtime, organization, until=clock.now + timedelta(seconds=5))
    due = rows(runtime, organization, "SELECT plan_id, due_at FROM prompts WHERE reminder = 0")
    own = "SELECT p.id FROM plans p JOIN caseload_entries e ON e.client_id = p.client_id WHERE e.membership_id = :m"
    mine = {row.id for row in rows(runtime, organization, own, m=people["Nora Blake"].actor.membership_id)}
    days = Counter(row.due_at.date() for row in due if row.plan_id in mine)
    assert days == Counter(ask.day for ask in proposal.after.asks if ask.day <= clock.now.date())
    assert max(days.values()) == 5
    assert all(row.due_at.time() == time(9) and row.due_at.weekday() < 5 for row in due)


def test_a_proposal_that_is_out_of_date_is_not_applied(runtime: Runtime, world: World) -> None:
    organization, _ = centre(runtime, world, {"Nora Blake": 6})
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        digest = propose_spread(uow, 2).digest
    make_plans(runtime, organization, 1, started_on=date(2026, 6, 30), recipe=SOON)
    rows(
        runtime,
        organization,
        "INSERT INTO caseload_entries (membership_id, client_id)"
        " SELECT (SELECT membership_id FROM caseload_entries LIMIT 1), id FROM clients"
        " WHERE id NOT IN (SELECT client_id FROM caseload_entries) RETURNING 1",
    )
    with pytest.raises(Conflict), runtime.database.unit_of_work(access.system(organization)) as uow:
        apply_spread(uow, 2, digest)
    assert rows(runtime, organization, "SELECT 1 FROM plans WHERE review_set") == []
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        proposal = propose_spread(uow, 2)
        assert apply_spread(uow, 2, proposal.digest) == len(proposal.moves) == 5
        assert propose_spread(uow, 2).moves == []
        assert loads(forecast(uow).asks) == loads(proposal.after.asks)
        with pytest.raises(InvalidInput):
            propose_spread(uow, 0)
