"""The check-in: links that open once, answers that keep or revise a plan, and mail that can be ended (S7, M4)."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import composition
from app.domain import access
from app.domain.access import Role
from app.domain.errors import Gone
from app.factory import create_app
from app.features.messaging.runner import make_token as unsubscribe_token
from app.features.reviews import links
from app.features.reviews.engine import make_due_prompts
from app.features.reviews.messages import LINK_PURPOSE
from app.infra.links import make_token
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.plans.scenes import make_scene
from tests.reviews.helpers import make_plans, rows
from tests.reviews.test_engine import EVERY_DAY

GOALS = {"goals": [{"id": "g1", "horizon": "short", "text": "Find a placement", "measure": "signed", "levels": {}}]}
FACTORS = {"factors": [{"id": "f1", "text": "New campus", "kind": "opportunity", "controllable": "no"}]}
KEEP = {"goal-g1": "1", "factor-f1": "stronger", "confidence": "7", "step-goals": "keep", "step-opportunities": "keep"}


@pytest.fixture
def prompted(runtime: Runtime, world: World, clock: Clock) -> tuple[UUID, UUID, str]:
    """An organization, a plan with goals and factors that was just prompted, and the token of its link."""
    organization = world.organization(time_zone="UTC", name="Harbour Careers")
    (plan,) = make_plans(runtime, organization, 1, started_on=date(2026, 3, 7), recipe=EVERY_DAY)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for step, content in ((6, GOALS), (3, FACTORS)):
            uow.session.execute(
                text("UPDATE plan_steps SET status = 'completed' WHERE plan_id = :p AND step = :s"),
                {"p": plan, "s": step},
            )
            uow.session.execute(
                text("INSERT INTO step_contents (plan_id, step, content) VALUES (:p, :s, CAST(:c AS jsonb))"),
                {"p": plan, "s": step, "c": json.dumps(content)},
            )
    clock.now = datetime(2026, 9, 7, 10, tzinfo=UTC)
    make_due_prompts(runtime, organization, until=clock.now + timedelta(seconds=9))
    return organization, plan, token_of(runtime, organization)


def token_of(runtime: Runtime, organization: UUID) -> str:
    link = rows(runtime, organization, "SELECT id FROM review_links ORDER BY created_at DESC LIMIT 1")[0].id
    return make_token(runtime.settings, LINK_PURPOSE, organization, link)


def post(browser: FlaskClient, address: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
    """Send a form with its token, as a page would."""
    page = browser.get("/check-in/" + address.split("/")[2] if address.startswith("/check-in") else address).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    given = {"csrf_token": found.group(1)} if found else {}
    return browser.post(address, data=given | (data or {}), **more)


def test_looking_never_uses_a_link_up_and_the_button_does_once(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str]
) -> None:
    organization, _, token = prompted
    scanner, mine, other = app.test_client(), app.test_client(), app.test_client()
    for _ in range(3):
        assert "Begin the check-in" in scanner.get(f"/check-in/{token}").text
        assert scanner.head(f"/check-in/{token}").status_code == 200
    assert rows(runtime, organization, "SELECT used_at FROM review_links") == [(None,)]
    assert post(mine, f"/check-in/{token}").status_code == 302
    assert "How are your goals going?" in mine.get(f"/check-in/{token}").text
    second = post(other, f"/check-in/{token}")
    assert second.status_code == 410
    assert "already used" in second.text
    assert "fresh link" in second.text
    refused = post(other, f"/check-in/{token}/answers", KEEP)
    assert refused.status_code == 410
    assert rows(runtime, organization, "SELECT answers FROM reviews") == [({},)]


def test_the_browser_that_opened_it_goes_on_for_a_day(
    app: Flask, prompted: tuple[UUID, UUID, str], clock: Clock
) -> None:
    _, _, token = prompted
    browser = app.test_client()
    post(browser, f"/check-in/{token}")
    clock.now += timedelta(hours=23)
    assert browser.get(f"/check-in/{token}").status_code == 200
    clock.now += timedelta(hours=2)
    assert "already used" in browser.get(f"/check-in/{token}").text


def test_an_expired_link_and_a_changed_one_say_so(app: Flask, prompted: tuple[UUID, UUID, str], clock: Clock) -> None:
    _, _, token = prompted
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    answer = app.test_client().get(f"/check-in/{changed}")
    assert answer.status_code == 404
    assert "does not open a check-in" in answer.text
    clock.now += timedelta(days=31)
    answer = app.test_client().get(f"/check-in/{token}")
    assert answer.status_code == 410
    assert "has expired" in answer.text
    assert post(app.test_client(), f"/check-in/{token}").status_code == 410


def test_a_fresh_link_goes_to_the_address_on_file_three_times_a_day_and_the_answer_is_uniform(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], clock: Clock
) -> None:
    organization, _, token = prompted
    clock.now += timedelta(days=31)
    browser = app.test_client()
    good = [post(browser, f"/check-in/{token}/fresh") for _ in range(5)]
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    bad = post(browser, f"/check-in/{changed}/fresh")
    assert {answer.text for answer in (*good, bad)} == {bad.text}
    mails = rows(runtime, organization, "SELECT recipient FROM messages WHERE kind = 'review_fresh_link'")
    assert [m.recipient for m in mails] == ["client1@example.org"] * 3
    fresh = token_of(runtime, organization)
    assert fresh != token
    assert app.test_client().get(f"/check-in/{fresh}").status_code == 200


def test_keeping_everything_confirms_the_plan_and_the_next_review_counts_from_the_day(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], clock: Clock
) -> None:
    organization, plan, token = prompted
    browser = app.test_client()
    post(browser, f"/check-in/{token}")
    clock.now += timedelta(days=2)
    saved = post(browser, f"/check-in/{token}/answers", {"goal-g1": "1"}, headers={"X-Autosave": "1"})
    assert saved.status_code == 410, "a day has passed"
    fresh = app.test_client()
    post(fresh, f"/check-in/{token}/fresh")
    token = token_of(runtime, organization)
    post(fresh, f"/check-in/{token}")
    saved = post(fresh, f"/check-in/{token}/answers", {"goal-g1": "1"}, headers={"X-Autosave": "1"})
    assert saved.status_code == 204
    missing = post(fresh, f"/check-in/{token}/answers", {"goal-g1": "1"})
    assert missing.status_code == 422
    assert "how sure you feel" in missing.text
    answered = post(fresh, f"/check-in/{token}/answers", KEEP, follow_redirects=True)
    assert "You keep your plan as it is" in answered.text
    state = rows(runtime, organization, "SELECT state, outcome, revision_before, revision_after FROM reviews")
    assert state == [("answered", "confirm", 1, None)]
    following = rows(runtime, organization, "SELECT next_review_on, next_reminder FROM plans WHERE id = :p", p=plan)
    assert following == [(date(2027, 3, 7), 0)]
    again = app.test_client().get(f"/check-in/{token}")
    assert again.status_code == 410
    assert "Nothing more is needed" in again.text


def test_an_answer_ends_the_reminders(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], clock: Clock
) -> None:
    organization, _, token = prompted
    browser = app.test_client()
    post(browser, f"/check-in/{token}")
    post(browser, f"/check-in/{token}/answers", KEEP)
    clock.now += timedelta(days=20)
    composition.sweep_organization(runtime, organization)
    make_due_prompts(runtime, organization, until=clock.now + timedelta(seconds=9))
    assert rows(runtime, organization, "SELECT reminder FROM prompts") == [(0,)]


def test_rethinking_waits_for_the_counsellor_and_leaves_the_plan_as_it_is(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str], clock: Clock
) -> None:
    organization, plan, token = prompted
    browser = app.test_client()
    post(browser, f"/check-in/{token}")
    new = {"new-0-text": "A twin was born", "new-0-kind": "opportunity", "new-0-control": "partly"}
    more = {"control-f1": "partly", "why": "Less time than I thought."}
    answered = post(
        browser, f"/check-in/{token}/answers", KEEP | new | more | {"step-goals": "rethink"}, follow_redirects=True
    )
    assert "Until then your plan stays as it is." in answered.text
    assert rows(runtime, organization, "SELECT revision FROM plans WHERE id = :p", p=plan) == [(1,)]
    assert rows(runtime, organization, "SELECT revision FROM plan_revisions") == []
    steps = rows(runtime, organization, "SELECT step, status FROM plan_steps WHERE step IN (3, 6, 8) ORDER BY step")
    assert steps == [(3, "completed"), (6, "completed"), (8, "not_started")]
    contents = rows(runtime, organization, "SELECT content FROM step_contents ORDER BY step")
    assert [row.content for row in contents] == [FACTORS, GOALS], "nothing was written into the plan"
    kept = rows(runtime, organization, "SELECT answers, outcome, state, revision_after, result FROM reviews")[0]
    assert (kept.outcome, kept.state, kept.revision_after) == ("revise", "answered", None)
    assert kept.answers["new_factors"][0]["text"] == "A twin was born"
    assert kept.answers["control"] == {"f1": "partly"}
    told = [(change["key"], change["change"], change["controllable"]) for change in kept.result["changes"]]
    assert told == [
        ("factor:f1", "stronger", "partly"),
        ("new:0", "new", "partly"),
        ("step:goals", "rethink", "yes"),
    ]
    # Next time, last time stands beside today, and how sure one was is drawn.
    clock.now = datetime(2027, 3, 7, 10, tzinfo=UTC)
    make_due_prompts(runtime, organization, until=clock.now + timedelta(seconds=9))
    token = token_of(runtime, organization)
    later = app.test_client()
    post(later, f"/check-in/{token}")
    assert "Last time: rethink" in later.get(f"/check-in/{token}").text


def test_a_signed_in_client_reaches_the_same_page_without_a_link_and_nobody_elses(
    app: Flask, runtime: Runtime, world: World, prompted: tuple[UUID, UUID, str]
) -> None:
    organization, plan, _ = prompted
    app.config["WTF_CSRF_ENABLED"] = False
    (client,) = rows(runtime, organization, "SELECT client_id FROM plans WHERE id = :p", p=plan)[0]
    person = world.person(organization, Role.CLIENT)
    rows(
        runtime,
        organization,
        "UPDATE clients SET membership_id = :m WHERE id = :c RETURNING 1",
        m=person.actor.membership_id,
        c=client,
    )
    browser = world.browser(app, person)
    started = browser.post("/my-plan/check-in")
    assert started.status_code == 302
    address = started.headers["Location"]
    assert browser.post("/my-plan/check-in").headers["Location"] == address, "the open one goes on"
    assert "How are your goals going?" in browser.get(address).text
    other = world.browser(app, world.person(world.organization(), Role.CLIENT))
    assert other.get(address).status_code == 404
    assert other.post(address, data=KEEP).status_code == 404
    assert browser.post(address, data=KEEP, follow_redirects=True).status_code == 200
    assert rows(runtime, organization, "SELECT state FROM reviews") == [("answered",)]


def test_whoever_has_checked_in_today_reads_so_and_can_again_tomorrow(app: Flask, world: World, clock: Clock) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    scene = make_scene(world, clock=clock)
    browser = world.browser(app, scene.client)
    address = browser.post("/my-plan/check-in").headers["Location"]
    assert browser.get(address).status_code == 200
    rows(world.runtime, scene.organization, "UPDATE reviews SET state = 'closed', closed_at = now() RETURNING 1")
    again = browser.post("/my-plan/check-in", follow_redirects=True)
    assert (again.status_code, "You have checked in today already." in again.text) == (200, True)
    assert "Check in now" not in again.text
    clock.now += timedelta(days=1)
    tomorrow = world.browser(app, scene.client)
    assert "Check in now" in tomorrow.get("/my-plan").text
    assert "/check-in/" in tomorrow.post("/my-plan/check-in").headers["Location"]


def test_m4_one_click_ends_the_mails_without_a_cookie_and_looking_does_not(
    app: Flask, runtime: Runtime, prompted: tuple[UUID, UUID, str]
) -> None:
    organization, _, _ = prompted
    (message,) = rows(runtime, organization, "SELECT id FROM messages")[0]
    token = unsubscribe_token(runtime.settings, "unsubscribe", organization, message)
    browser = app.test_client()
    assert "Stop these mails" in browser.get(f"/unsubscribe/{token}").text
    assert rows(runtime, organization, "SELECT 1 FROM suppressed_addresses") == []
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert browser.post(f"/unsubscribe/{changed}").status_code == 404
    for _ in range(2):
        done = app.test_client().post(f"/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
    assert rows(runtime, organization, "SELECT address FROM suppressed_addresses") == [("client1@example.org",)]


@pytest.mark.committed
def test_s7_of_fifty_redemptions_at_once_one_succeeds(live: Runtime) -> None:
    world = World(live)
    organization = world.organization(time_zone="UTC")
    make_plans(live, organization, 1, started_on=live.clock().date() - timedelta(days=200), recipe=EVERY_DAY)
    make_due_prompts(live, organization, until=live.clock() + timedelta(seconds=9))
    link = rows(live, organization, "SELECT id FROM review_links")[0].id
    outcomes: list[str] = []
    gate = threading.Barrier(50)

    def redeem() -> None:
        gate.wait()
        for _ in range(20):
            try:
                with live.database.unit_of_work(access.system(organization)) as uow:
                    links.redeem_link(uow, link)
                outcomes.append("opened")
                return
            except Gone:
                outcomes.append("gone")
                return
            except PoolTimeout:
                continue  # the pool has fewer connections than there are threads

    threads = [threading.Thread(target=redeem) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["gone"] * 49 + ["opened"]


def test_the_address_in_a_mail_is_a_page(runtime: Runtime) -> None:
    app = create_app(runtime)
    found = {str(rule) for rule in app.url_map.iter_rules()}
    assert {"/check-in/<token>", "/unsubscribe/<token>"} <= found
