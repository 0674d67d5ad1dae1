"""The inbox: told once, one's own only, counted in the header, for everybody with an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.domain import access
from app.domain.access import Role
from app.features.messaging.inbox import put_notices
from app.features.messaging.notice_words import NOTICES
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.identity.helpers import send
from tests.reviews.helpers import rows


def tell(runtime: Runtime, person: Person, key: str, **more: Any) -> int:
    notice = {
        "membership_id": person.actor.membership_id,
        "dedupe_key": key,
        "kind": "mail_returned",
        "params": {"name": "Ann <b>Smith</b>", "reason": "full"},
        "href": "/inbox",
    }
    with runtime.database.unit_of_work(access.system(person.actor.organization_id)) as uow:
        return put_notices(uow, [notice | more])


@pytest.mark.parametrize("role", [Role.ADMIN, Role.COUNSELLOR, Role.ANALYST, Role.CLIENT])
def test_everybody_with_an_account_has_one_and_sees_how_much_is_unread(
    *, app: Flask, runtime: Runtime, world: World, role: Role, clock: Clock
) -> None:
    here = world.organization()
    person = world.client_person(here) if role is Role.CLIENT else world.person(here, role)
    other = world.person(here, Role.COUNSELLOR)
    browser = world.browser(app, person)
    assert "unread" not in browser.get("/inbox").text
    assert tell(runtime, person, "one", href="/profile") == 1
    assert tell(runtime, person, "one") == 0, "told once"
    clock.now += timedelta(minutes=1)
    tell(runtime, person, "two")
    tell(runtime, other, "one")
    page = browser.get("/inbox").text
    assert "2 unread" in page
    assert page.count('class="card notice"') == 2
    assert "A mail to Ann &lt;b&gt;Smith&lt;/b&gt; came back: full" in page
    (first,) = rows(runtime, here, "SELECT id FROM notices WHERE href = '/profile'")
    opened = send(browser, f"/inbox/{first.id}", page="/inbox")
    assert (opened.status_code, opened.location) == (302, "/profile")
    assert "1 unread" in browser.get("/inbox").text
    assert send(browser, "/inbox/read", page="/inbox").status_code == 302
    after = browser.get("/inbox").text
    assert "1 notice is marked as read" in after
    assert "unread" not in after
    theirs = rows(runtime, here, "SELECT id FROM notices WHERE membership_id = :m", m=other.actor.membership_id)
    for not_mine in (theirs[0].id, uuid4()):
        assert send(browser, f"/inbox/{not_mine}", page="/inbox").status_code == 404
    assert "1 unread" in world.browser(app, other).get("/inbox").text


def test_a_long_inbox_is_read_in_pages(app: Flask, runtime: Runtime, world: World, clock: Clock) -> None:
    person = world.person(world.organization(), Role.COUNSELLOR)
    for number in range(53):
        clock.now += timedelta(seconds=1)
        tell(runtime, person, str(number), params={"name": f"Person {number}.", "reason": "full"})
    browser = world.browser(app, person)
    page = browser.get("/inbox").text
    assert page.count('class="card notice"') == 50
    assert "Person 52." in page
    assert "Person 2." not in page
    older = page.partition("/inbox?before=")[2].partition('"')[0]
    assert "Person 2." in browser.get(f"/inbox?before={older}").text
    assert browser.get("/inbox?before=nonsense").status_code == 200


@pytest.mark.parametrize("href", ["https://evil.example.org/", "//evil.example.org", "javascript:alert(1)", ""])
def test_a_notice_leads_nowhere_outside(runtime: Runtime, world: World, href: str) -> None:
    person = world.person(world.organization(), Role.COUNSELLOR)
    with pytest.raises(IntegrityError):
        tell(runtime, person, "one", href=href)


def test_a_kind_without_words_cannot_be_told(runtime: Runtime, world: World) -> None:
    person = world.person(world.organization(), Role.COUNSELLOR)
    with pytest.raises(KeyError):
        tell(runtime, person, "one", kind="nobody_knows_this")
    assert NOTICES
