"""Pages and JSON of messages: the webhook, returned addresses, what staff see before they write, and writing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.composition import prompt_organization
from app.domain.access import Role
from app.infra.runtime import Runtime
from tests.api.conftest import Caller
from tests.factories import Person, World
from tests.harness import Clock
from tests.identity.helpers import send
from tests.reviews.helpers import make_plans, rows


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(time_zone="UTC"), Role.ADMIN, "Maja Berg")


def by_json(app: Flask, world: World, person: Person) -> Caller:
    app.config["WTF_CSRF_ENABLED"] = False
    return Caller(world.browser(app, person))


def run(runtime: Runtime, organization: UUID) -> None:
    prompt_organization(runtime, organization, until=runtime.clock() + timedelta(seconds=60), senders=1)


def test_a_webhook_is_set_renewed_and_removed_by_hand(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    browser = world.browser(app, admin)
    home = "/settings/messages"
    assert "begin with https://" in send(browser, f"{home}/webhook", home, url="http://example.org", active="y").text
    assert send(browser, f"{home}/webhook", home, url="https://example.org/h", active="y").status_code == 302
    first = browser.get(home).text.partition("whsec_")[2].partition('"')[0]
    assert len(first) > 40
    send(browser, f"{home}/webhook/renew", home)
    assert first not in browser.get(home).text
    send(browser, f"{home}/webhook/remove", home)
    assert "whsec_" not in browser.get(home).text
    entries = browser.get("/audit").text
    for action in ("webhook.saved", "webhook.key_renewed", "webhook.removed"):
        assert action in entries


def test_the_same_by_json(app: Flask, runtime: Runtime, world: World, admin: Person) -> None:
    caller = by_json(app, world, admin)
    assert caller.get("/webhook").status_code == 404
    assert caller.post("/webhook/key").status_code == 404
    bad = caller("PUT", "/webhook", {"url": "https://localhost:x/"})
    assert (bad.status_code, bad.json["errors"][0]["field"]) == (422, "url")
    made = caller("PUT", "/webhook", {"url": "https://example.org/h"}).json
    assert (made["url"], made["active"], made["rest_until"]) == ("https://example.org/h", True, None)
    assert caller.get("/webhook").json == made
    assert caller.post("/webhook/key").json["key"] != made["key"]
    assert caller("DELETE", "/webhook").status_code == 204
    shipped = {(row["name"], row["locale"]): row for row in caller.get("/message-templates").json["items"]}
    assert not any(row["own"] for row in shipped.values())
    path = "/message-templates/review_prompt/en"
    refused = caller("PUT", path, {"subject": "{no}", "body": "nothing"})
    assert (refused.status_code, [row["field"] for row in refused.json["errors"]]) == (422, ["subject", "body"])
    kept = caller("PUT", path, {"subject": "Now", "body": "{link}"}).json
    assert kept == shipped["review_prompt", "en"] | {"subject": "Now", "body": "{link}", "own": True}
    assert caller("DELETE", path).status_code == 204
    assert {(row["name"], row["locale"]): row for row in caller.get("/message-templates").json["items"]} == shipped
    assert caller("PUT", "/message-templates/review_prompt/fr", {"subject": "x", "body": "{link}"}).status_code == 404
    assert caller.get("/returned-addresses").json["items"] == []
    assert caller.post("/returned-addresses/release", {"address": "a@example.org"}).status_code == 404
    assert caller.get("/inbox").json == {"items": [], "next": None}
    assert caller.post("/inbox/read").json == {"read": 0}


def test_an_address_that_came_back_is_listed_and_taken_off(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(
            text("INSERT INTO suppressed_addresses (address, reason, bounced, declined) VALUES "
                 "('gone@example.org', 'x', true, false),"
                 " ('asked@example.org', 'unsubscribed', false, true)")
        )  # fmt: skip
    browser = world.browser(app, admin)
    page = browser.get("/settings/messages").text
    assert "gone@example.org" in page
    assert "asked@example.org" not in page, "who opted out is not an administrator's to take back"
    send(browser, "/settings/messages/addresses", "/settings/messages", address="gone@example.org")
    assert "gone@example.org" not in browser.get("/settings/messages").text
    again = send(browser, "/settings/messages/addresses", "/settings/messages", address="asked@example.org")
    assert again.status_code == 404


def test_staff_see_what_was_written_before_they_write_and_one_too_many_waits(
    app: Flask, mailing: Runtime, world: World, admin: Person
) -> None:
    here = admin.actor.organization_id
    ada = world.person(here, Role.COUNSELLOR, "Ada Lovelace")
    (client,) = world.clients(here, 1)
    world.caseload(ada, [client])
    browser, path = world.browser(app, ada), f"/clients/{client}/write"
    assert "already written to" not in browser.get(path).text
    for number in range(2):
        assert send(browser, path, subject=f"Letter {number}", text="Come by.").status_code == 302
        run(mailing, here)
    page = browser.get(path).text
    assert "enough for this week" in page
    assert "2 of 2 messages a week are used." in page
    assert "by Ada Lovelace" in page
    assert "by Ada Lovelace" in world.browser(app, admin).get(f"/clients/{client}").text
    send(browser, path, subject="Third", text="It can wait.")
    send(browser, path, subject="Fourth", text="It cannot.", urgent="y")
    run(mailing, here)
    found = rows(mailing, here, "SELECT params ->> 'subject' AS subject, state, created_by FROM messages ORDER BY 1")
    assert [(r.subject, r.state) for r in found] == [
        ("Fourth", "sent"), ("Letter 0", "sent"), ("Letter 1", "sent"), ("Third", "held")
    ]  # fmt: skip
    assert {r.created_by for r in found} == {ada.actor.membership_id}
    assert "waits for next week" in browser.get(path).text
    bad = send(browser, path, subject="x" * 201, text="y")
    assert (bad.status_code, "between 1 and 200" in bad.text) == (422, True)
    stranger = world.browser(app, world.person(here, Role.COUNSELLOR))
    assert stranger.get(path).status_code == 404


def test_the_ledger_of_contacts_by_json(app: Flask, mailing: Runtime, world: World, admin: Person) -> None:
    here = admin.actor.organization_id
    (client,) = world.clients(here, 1)
    (silent,) = world.clients(here, 1, email=None)
    caller = by_json(app, world, admin)
    path = f"/clients/{client}/messages"
    assert caller.get(path).json == {"cap": 2, "used": 0, "left": 2, "messages": []}
    made = caller.post(path, {"subject": "Hello", "text": "Come by."})
    assert made.status_code == 202
    run(mailing, here)
    found: dict[str, Any] = caller.get(path).json
    assert (found["used"], found["left"]) == (1, 1)
    assert [(m["message_id"], m["state"], m["by"]) for m in found["messages"]] == [
        (made.json["message_id"], "sent", "Maja Berg")
    ]
    assert caller.post(f"/clients/{silent}/messages", {"subject": "a", "text": "b"}).status_code == 409
    assert caller.post(path, {"subject": " ", "text": "b"}).status_code == 422


def test_before_many_are_asked_staff_learn_who_was_written_to_by_whom(
    app: Flask, mailing: Runtime, world: World, admin: Person
) -> None:
    here = admin.actor.organization_id
    make_plans(mailing, here, 3, started_on=mailing.clock().date())
    clients = [r.id for r in rows(mailing, here, "SELECT id FROM clients ORDER BY external_id")]
    caller = by_json(app, world, admin)
    asked = {"client_ids": [str(client) for client in clients]}
    assert caller.post("/prompts/preview", asked).json["written_this_week"] == 0
    for client, number in ((clients[0], 1), (clients[1], 2)):
        for _ in range(number):
            caller.post(f"/clients/{client}/messages", {"subject": "Hello", "text": "Come by."})
            run(mailing, here)
    told = caller.post("/prompts/preview", asked).json
    assert (told["written_this_week"], told["without_contact"]) == (2, 1)
    page = world.browser(app, admin).post("/reviews/prompt", data={"client": asked["client_ids"]}).text
    assert "2 of them were written to this week already:" in page
    assert "2 by Maja Berg" in page
    assert "1 gets no more this week" in page


def states(caller: Caller) -> list[str]:
    """The fates of the prompts that have a mail; a reminder that was joined to another has none."""
    return [row["message_state"] for row in caller.get("/prompts").json["items"] if row["message_id"]]


def test_a_prompt_that_leaves_in_a_digest_has_the_digests_fate(
    app: Flask, mailing: Runtime, world: World, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    make_plans(mailing, here, 1, started_on=mailing.clock().date())
    with mailing.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(text("UPDATE organizations SET contact_cap = 1"))
    (client,) = rows(mailing, here, "SELECT id FROM clients")[0]
    caller = by_json(app, world, admin)
    caller.post(f"/clients/{client}/messages", {"subject": "Hello", "text": "It takes the week's contact."})
    run(mailing, here)
    # The first two mails of one occasion.
    for reminder in range(2):
        with mailing.database.unit_of_work(admin.actor) as uow:
            uow.session.execute(
                text("UPDATE plans SET next_prompt_at = :now, next_reminder = :r, next_review_on = :day"),
                {"now": uow.now, "r": reminder, "day": clock.now.date() + timedelta(days=14)},
            )
        run(mailing, here)
        clock.now += timedelta(minutes=5)
    assert states(caller) == ["held", "held"]
    clock.now += timedelta(days=7)
    run(mailing, here)
    # A browser's session has ended by now.
    assert set(states(by_json(app, world, admin))) == {"sent"}, "what fell due meanwhile came along"
    assert [r.n for r in rows(mailing, here, "SELECT count(*) AS n FROM messages WHERE kind = 'digest'")] == [1]
    assert "in one mail with others" not in world.browser(app, admin).get("/reviews").text
    timeline = world.browser(app, admin).get(f"/clients/{client}").text
    assert "sent in one mail with others" in timeline
