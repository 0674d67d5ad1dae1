"""S6, S7, X36: links that set a password."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from flask import Flask

from app.domain.access import Role
from app.domain.errors import Gone, InvalidInput
from app.features.identity.links import make_reset, redeem_reset
from app.features.organizations.tokens import CreateToken, create_token
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.identity.helpers import PASSWORD, give_password, keep_post, send, sign_in

NEW = "eight loud lanterns sink"


@pytest.fixture
def counsellor(runtime: Runtime, world: World) -> Person:
    person = world.person(world.organization(), Role.COUNSELLOR)
    give_password(runtime, person)
    return person


def test_s6_asking_for_a_link_answers_the_same_for_every_address(app: Flask, counsellor: Person) -> None:
    post = keep_post(app)
    answers = []
    for email in (counsellor.email, "nobody1@example.org"):
        browser = app.test_client()
        answer = send(browser, "/forgotten", email=email)
        answers.append((answer.status_code, answer.location, browser.get(answer.location).text))
    assert answers[0] == answers[1]
    assert [mail[0] for mail in post.mails] == [counsellor.email]


def test_x36_a_mail_scanner_that_opens_the_link_does_not_use_it_up(app: Flask, counsellor: Person) -> None:
    post = keep_post(app)
    send(app.test_client(), "/forgotten", email=counsellor.email)
    for _ in range(3):
        assert app.test_client().get(post.link).status_code == 200
        assert app.test_client().head(post.link).status_code == 200
    assert send(app.test_client(), post.link, password=NEW).location == "/sign-in"
    assert sign_in(app.test_client(), counsellor.email, NEW).status_code == 302


def test_s7_a_link_works_once_and_signs_out_everywhere(app: Flask, counsellor: Person) -> None:
    post = keep_post(app)
    elsewhere = app.test_client()
    sign_in(elsewhere, counsellor.email, PASSWORD)
    send(app.test_client(), "/forgotten", email=counsellor.email)
    browser, late = app.test_client(), app.test_client()
    token = re.search(r'value="([^"]+)"', late.get(post.link).text)
    assert token is not None
    send(browser, post.link, password=NEW)
    assert late.post(post.link, data={"password": "nine soft lanterns rise", "csrf_token": token[1]}).status_code == 410
    assert browser.get(post.link).status_code == 410
    assert elsewhere.get("/organization").location.startswith("/sign-in")
    assert sign_in(app.test_client(), counsellor.email, NEW).status_code == 302


def test_s7_a_new_password_by_a_link_ends_the_tokens_made_before(
    app: Flask, counsellor: Person, runtime: Runtime, clock: Clock
) -> None:
    def make() -> str:
        with runtime.database.unit_of_work(counsellor.actor) as uow:
            return create_token(uow, CreateToken(name="program", scopes=("read",)))[1]

    def opens(token: str) -> bool:
        answer = app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code == 200

    before = make()
    assert opens(before)
    clock.now += timedelta(minutes=1)
    post = keep_post(app)
    send(app.test_client(), "/forgotten", email=counsellor.email)
    send(app.test_client(), post.link, password=NEW)
    assert not opens(before)
    clock.now += timedelta(minutes=1)
    after = make()
    assert opens(after)
    browser = app.test_client()
    sign_in(browser, counsellor.email, NEW)
    assert len(browser.get("/api/v1/me/tokens").json["items"]) == 1
    assert browser.get("/profile/tokens").text.count("/revoke") == 1


def test_a_refused_password_leaves_the_link_good(app: Flask, counsellor: Person) -> None:
    post = keep_post(app)
    send(app.test_client(), "/forgotten", email=counsellor.email)
    browser = app.test_client()
    answer = send(browser, post.link, password="too short")
    assert answer.status_code == 422
    assert "at least 15 characters" in answer.text
    assert send(browser, post.link, password=NEW).status_code == 302


def test_the_mail_is_in_the_readers_language(app: Flask, counsellor: Person) -> None:
    post = keep_post(app)
    send(app.test_client(), "/forgotten", email=counsellor.email)
    to, subject, text = post.mails[0]
    assert (to, subject) == (counsellor.email, "Choose a new password")
    assert "30 minutes" in text


def test_s7_an_expired_and_a_changed_link_are_refused(
    app: Flask, runtime: Runtime, counsellor: Person, clock: Clock
) -> None:
    with runtime.database.identity_session() as session:
        made = make_reset(session, counsellor.email, clock.now)
    assert made is not None
    token = made[1]
    for n in range(len(token)):
        changed = token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :]
        with pytest.raises(Gone):
            redeem_reset(runtime, changed, NEW, gone="gone")
    with pytest.raises(InvalidInput):
        redeem_reset(runtime, token, counsellor.email * 2, gone="gone")
    clock.now += timedelta(minutes=31)
    with pytest.raises(Gone):
        redeem_reset(runtime, token, NEW, gone="gone")
    assert app.test_client().get(f"/reset/{token}").status_code == 410


def test_s5_links_are_sent_three_times_an_hour_to_one_address(app: Flask, counsellor: Person) -> None:
    keep_post(app)
    answers = [send(app.test_client(), "/forgotten", email=counsellor.email).status_code for _ in range(4)]
    assert answers == [302, 302, 302, 429]
    answers = [send(app.test_client(), "/forgotten", email="nobody1@example.org").status_code for _ in range(4)]
    assert answers == [302, 302, 302, 429]


@pytest.mark.committed
def test_s7_fifty_at_once_redeem_a_link_once(live: Runtime) -> None:
    world = World(live)
    person = world.person(world.organization(), Role.COUNSELLOR)
    with live.database.identity_session() as session:
        made = make_reset(session, person.email, live.clock())
    assert made is not None
    barrier = threading.Barrier(50)
    outcomes: list[str] = []

    def redeem() -> None:
        barrier.wait()
        try:
            redeem_reset(live, made[1], NEW, gone="gone")
            outcomes.append("set")
        except Gone:
            outcomes.append("gone")

    threads = [threading.Thread(target=redeem) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["gone"] * 49 + ["set"]
