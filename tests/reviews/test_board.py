"""The reviews page: policies set by whom they may, prompts asked for now, unknown mails decided."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.domain.access import Role
from app.features.reviews.engine import make_due_prompts
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.reviews.helpers import make_plans, rows
from tests.reviews.test_engine import EVERY_DAY, run

FORM: dict[str, Any] = {
    "kind": "every_months",
    "months": "4",
    "reminder_days": "0, 2",
    "escalate_after_days": "9",
    "quiet_from": "21:00",
    "quiet_until": "07:00",
    "weekdays": ["mon", "tue"],
}


@pytest.fixture
def plain_app(app: Flask) -> Flask:
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def centre(world: World, runtime: Runtime) -> tuple[UUID, UUID, Person, Person]:
    """An organization, its one plan, an administrator, and the plan's counsellor."""
    organization = world.organization(time_zone="UTC")
    (plan,) = make_plans(runtime, organization, 1, started_on=date(2026, 9, 7))
    counsellor = world.person(organization, Role.COUNSELLOR)
    world.caseload(counsellor, [rows(runtime, organization, "SELECT id FROM clients")[0].id])
    return organization, plan, world.person(organization, Role.ADMIN), counsellor


def test_an_administrator_sets_and_takes_away_the_organizations_policy(
    plain_app: Flask, runtime: Runtime, world: World, centre: tuple[UUID, UUID, Person, Person]
) -> None:
    organization, _, admin, _ = centre
    browser = world.browser(plain_app, admin)
    assert "every six months" in browser.get("/reviews").text
    page = browser.post("/reviews/policy/organization", data=FORM, follow_redirects=True)
    assert "every 4 months" in page.text
    assert "on the day; 2 days after" in page.text
    assert rows(runtime, organization, "SELECT next_review_on FROM plans") == [(date(2027, 1, 7),)]
    shown = browser.get("/reviews/policy/organization").text
    assert 'value="21:00"' in shown
    browser.post("/reviews/policy/organization/remove")
    assert rows(runtime, organization, "SELECT next_review_on FROM plans") == [(date(2027, 3, 7),)]
    actions = rows(runtime, organization, "SELECT action FROM audit_entries WHERE action LIKE 'review_policy%'")
    assert {a.action for a in actions} == {"review_policy.set", "review_policy.removed"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"months": "1"}, "3 to 60 months"),
        ({"kind": "dates", "dates": "soon"}, "YYYY-MM-DD"),
        ({"reminder_days": "7, 3"}, "the smallest first"),
        ({"escalate_after_days": "1"}, "before the last reminder"),
        ({"quiet_from": "08:00", "quiet_until": "08:00"}, "Quiet hours end as they start"),
        ({"quiet_until": ""}, "Fill in both hours"),
        ({"weekdays": []}, "at least one weekday"),
    ],
)
def test_a_wrong_policy_names_its_field_and_keeps_what_was_typed(
    plain_app: Flask,
    world: World,
    centre: tuple[UUID, UUID, Person, Person],
    change: dict[str, Any],
    sentence: str,
) -> None:
    answer = world.browser(plain_app, centre[2]).post("/reviews/policy/organization", data=FORM | change)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="0, 2"' in answer.text or "reminder_days" in change


def test_a_counsellor_sets_a_policy_for_a_plan_of_the_caseload_and_for_nothing_else(
    plain_app: Flask, runtime: Runtime, world: World, centre: tuple[UUID, UUID, Person, Person]
) -> None:
    organization, plan, _, counsellor = centre
    (foreign,) = make_plans(runtime, organization, 1, started_on=date(2026, 9, 7))
    browser = world.browser(plain_app, counsellor)
    assert browser.post(f"/reviews/policy/plan?subject={plan}", data=FORM).status_code == 302
    assert browser.post(f"/reviews/policy/plan?subject={foreign}", data=FORM).status_code == 404
    assert browser.post("/reviews/policy/organization", data=FORM).status_code == 403
    elsewhere = world.browser(plain_app, world.person(world.organization(), Role.ADMIN))
    assert elsewhere.post(f"/reviews/policy/plan?subject={plan}", data=FORM).status_code == 404
    assert [r.scope for r in rows(runtime, organization, "SELECT scope FROM review_policies")] == ["plan"]


def test_chosen_people_are_asked_now_once_and_foreign_ones_never(
    plain_app: Flask, runtime: Runtime, world: World, centre: tuple[UUID, UUID, Person, Person], clock: Clock
) -> None:
    organization, plan, _, counsellor = centre
    make_plans(runtime, organization, 1, started_on=date(2026, 9, 7))
    clients = [str(r.id) for r in rows(runtime, organization, "SELECT id FROM clients")]
    browser = world.browser(plain_app, counsellor)
    assert "<b>1</b>" in browser.post("/reviews/prompt", data={"client": clients}).text
    assert rows(runtime, organization, "SELECT 1 FROM prompts") == []
    for _ in range(2):
        browser.post("/reviews/prompt/now", data={"client": clients})
        make_due_prompts(runtime, organization, until=clock.now.replace(hour=23))
    # The two mails that a policy plans before the review's day are joined to the first.
    made = rows(runtime, organization, "SELECT plan_id, occurrence_on, reminder, reason FROM prompts ORDER BY reminder")
    day = date(2026, 9, 7)
    assert made == [(plan, day, 0, None), (plan, day, 1, "joined"), (plan, day, 2, "joined")]


def test_trouble_is_shown_and_an_unknown_mail_is_decided_by_its_counsellor(
    plain_app: Flask, mailing: Runtime, world: World, clock: Clock
) -> None:
    organization = world.organization(time_zone="UTC")
    (plan,) = make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    make_plans(mailing, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY, client={"email": None})
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    run(mailing, organization)
    rows(mailing, organization, "UPDATE messages SET state = 'unknown' RETURNING 1")
    (message,) = rows(mailing, organization, "SELECT id FROM messages")[0]
    admin = world.browser(plain_app, world.person(organization, Role.ADMIN))
    page = admin.get("/reviews").text
    assert "arrival unknown" in page
    assert "no address" in page
    stranger = world.browser(plain_app, world.person(organization, Role.COUNSELLOR))
    assert "arrival unknown" not in stranger.get("/reviews").text
    assert stranger.post(f"/reviews/messages/{message}/leave").status_code == 404
    assert admin.post(f"/reviews/messages/{message}/leave").status_code == 302
    assert admin.post(f"/reviews/messages/{message}/again").status_code == 302
    assert rows(mailing, organization, "SELECT state FROM messages") == [("queued",)]
    assert plan
