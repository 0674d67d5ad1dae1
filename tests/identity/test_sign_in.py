"""S3, S5, S6: signing in, what a wrong answer tells, and what a session is."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from app.domain.access import Role
from app.features.identity.models import User
from app.features.identity.pages import local_path
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.identity.helpers import PASSWORD, csrf_of, give_password, send, sign_in


@pytest.fixture
def counsellor(runtime: Runtime, world: World) -> Person:
    person = world.person(world.organization(), Role.COUNSELLOR)
    give_password(runtime, person)
    return person


def test_s3_signing_in_begins_a_new_session_and_leaves_nothing_of_the_old(app: Flask, counsellor: Person) -> None:
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = "fixed by somebody else"
        cookie["left"] = "over"
    answer = sign_in(browser, counsellor.email.upper(), PASSWORD)
    assert answer.status_code == 302
    assert answer.location == "/enter"
    with browser.session_transaction() as cookie:
        assert cookie["_user_id"] not in ("fixed by somebody else", "")
        assert len(cookie["_user_id"]) >= 43
        assert "left" not in cookie
    cookies = answer.headers.getlist("Set-Cookie")
    assert all("HttpOnly" in c and "SameSite=Lax" in c and "Path=/" in c for c in cookies)
    assert len(cookies) == 2


def test_s3_sign_out_ends_the_session_behind_the_cookie(app: Flask, counsellor: Person) -> None:
    browser = app.test_client()
    sign_in(browser, counsellor.email, PASSWORD)
    with browser.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert browser.get("/organization").status_code == 200
    browser.post("/sign-out", data={"csrf_token": csrf_of(browser, "/organization")})
    replay = app.test_client()
    with replay.session_transaction() as cookie:
        cookie["_user_id"] = token
    assert replay.get("/organization").location.startswith("/sign-in")


def test_s3_sign_out_everywhere_ends_the_other_browsers(app: Flask, counsellor: Person) -> None:
    one, other = app.test_client(), app.test_client()
    sign_in(one, counsellor.email, PASSWORD)
    sign_in(other, counsellor.email, PASSWORD)
    one.post("/sign-out", data={"csrf_token": csrf_of(one, "/organization"), "everywhere": "1"})
    assert other.get("/organization").location.startswith("/sign-in")


def test_a_new_password_ends_the_other_browsers_and_this_one_is_listed_by_its_name(
    app: Flask, counsellor: Person
) -> None:
    here, there = app.test_client(), app.test_client()
    here.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    for browser in (here, there):
        sign_in(browser, counsellor.email, PASSWORD)
    answer = send(here, "/profile/password", "/profile", old=PASSWORD, password="nine patient rivers bend")
    assert answer.location == "/profile"
    assert there.get("/organization").location.startswith("/sign-in")
    listed = here.get("/profile").text
    assert "Firefox on Linux" in listed
    assert "127.0.0.1" in listed


@pytest.mark.parametrize(("idle", "lives"), [(timedelta(minutes=29), True), (timedelta(minutes=31), False)])
def test_s3_a_session_ends_after_half_an_hour_idle(
    app: Flask, counsellor: Person, clock: Clock, idle: timedelta, lives: bool
) -> None:
    browser = app.test_client()
    sign_in(browser, counsellor.email, PASSWORD)
    clock.now += idle
    assert (browser.get("/organization").status_code == 200) is lives


def test_s3_a_session_ends_after_twelve_hours_however_busy(app: Flask, counsellor: Person, clock: Clock) -> None:
    browser = app.test_client()
    sign_in(browser, counsellor.email, PASSWORD)
    answers = []
    for _ in range(30):
        clock.now += timedelta(minutes=25)
        answers.append(browser.get("/organization").status_code)
    assert answers == [200] * 28 + [302] * 2


def test_s6_wrong_password_unknown_and_closed_accounts_get_the_same_answer(
    app: Flask, runtime: Runtime, world: World, counsellor: Person
) -> None:
    closed, unset = (world.person(counsellor.actor.organization_id, Role.ANALYST) for _ in range(2))
    give_password(runtime, closed)
    with runtime.database.identity_session() as session:
        session.get_one(User, closed.user_id).active = False
    answers = []
    for email, password in (
        (counsellor.email, "wrong"),
        ("nobody1@example.org", PASSWORD),
        (closed.email, PASSWORD),
        (unset.email, PASSWORD),
    ):
        answer = sign_in(app.test_client(), email, password)
        text = re.sub(r'value="[^"]*"', "", answer.text)
        headers = {k: v for k, v in answer.headers if k not in ("X-Request-Id", "Set-Cookie", "Content-Length")}
        answers.append((answer.status_code, text, headers))
    assert answers[0][0] == 422
    assert all(answer == answers[0] for answer in answers)


def test_s5_an_account_takes_ten_tries_and_says_when_to_come_back(app: Flask, counsellor: Person) -> None:
    known = app.test_client()
    assert sign_in(known, counsellor.email, PASSWORD).status_code == 302
    known.post("/sign-out", data={"csrf_token": csrf_of(known, "/organization")})
    answers = [sign_in(app.test_client(), counsellor.email, f"guess {n}") for n in range(12)]
    assert [a.status_code for a in answers] == [422] * 10 + [429] * 2
    assert "Try again in 15 minutes" in answers[-1].text
    assert 800 < int(answers[-1].headers["Retry-After"]) <= 901
    # Not even the right password helps an unknown browser now; the known one still gets in.
    assert sign_in(app.test_client(), counsellor.email, PASSWORD).status_code == 429
    assert sign_in(known, counsellor.email, PASSWORD).status_code == 302


def test_passwords_made_with_old_parameters_are_renewed_at_sign_in(
    app: Flask, runtime: Runtime, counsellor: Person
) -> None:
    from argon2 import PasswordHasher

    with runtime.database.identity_session() as session:
        session.get_one(User, counsellor.user_id).password_hash = PasswordHasher(
            time_cost=1, memory_cost=8 * 1024, parallelism=1
        ).hash(PASSWORD)
    sign_in(app.test_client(), counsellor.email, PASSWORD)
    with runtime.database.identity_session() as session:
        stored = session.get_one(User, counsellor.user_id).password_hash
    assert stored is not None
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil", "javascript:alert(1)", "evil", "", None],
)
def test_next_leads_nowhere_else(wanted: str | None) -> None:
    assert local_path(wanted) is None


def test_next_leads_to_the_page_asked_for(app: Flask, counsellor: Person) -> None:
    browser = app.test_client()
    path = browser.get("/organization?x=1").location
    assert path == "/sign-in?next=/organization?x%3D1"
    assert sign_in(browser, counsellor.email, PASSWORD, path).location == "/organization?x=1"


def test_several_organizations_are_chosen_and_switched_with_a_new_session(
    app: Flask, runtime: Runtime, world: World
) -> None:
    from app.domain import access
    from app.features.organizations.service import add_member

    first, second, foreign = (world.organization(name=n) for n in ("Alder", "Birch", "Cedar"))
    person = world.person(first, Role.ADMIN)
    with runtime.database.unit_of_work(access.system(second)) as uow:
        add_member(uow, user_id=person.user_id, role=Role.ANALYST, name="A", email=person.email)
    give_password(runtime, person)
    browser = app.test_client()
    sign_in(browser, person.email, PASSWORD)
    assert browser.get("/enter").location == "/organization"
    page = browser.get("/organization").text
    assert "Alder" in page
    assert "Birch" in page
    assert "Cedar" not in page
    token = csrf_of(browser, "/organization")
    with browser.session_transaction() as cookie:
        before = cookie["_user_id"]

    def switch(organization: UUID):
        return browser.post(f"/organization/{organization}", data={"csrf_token": token})

    assert switch(foreign).status_code == 404
    assert switch(second).status_code == 302
    with browser.session_transaction() as cookie:
        assert cookie["_user_id"] != before
