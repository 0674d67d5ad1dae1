"""Members, invitations and what a change of role ends (S3, S7)."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, Gone
from app.features.identity.models import User
from app.features.identity.service import find_or_create_user
from app.features.organizations.commands import Invite
from app.features.organizations.invitations import accept_as_new, invite
from app.features.organizations.members import change_role, deactivate
from app.features.organizations.models import Invitation
from app.features.organizations.service import find_actor
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.identity.helpers import PASSWORD, give_password, keep_post, send, sign_in


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(name="Alder"), Role.ADMIN)


def test_an_invited_person_sets_name_and_password_and_is_in(app: Flask, world: World, admin: Person) -> None:
    post = keep_post(app)
    browser = world.browser(app, admin)
    answer = send(browser, "/people/invite", "/people", name="Grace", email="Grace@Example.org", role="counsellor")
    assert answer.status_code == 302
    assert "Grace" in browser.get("/people").text
    guest = app.test_client()
    page = guest.get(post.link).text
    assert "Welcome to Alder" in page
    assert "grace@example.org" in page
    assert send(guest, post.link, name="Grace H", password="short").status_code == 422
    assert send(guest, post.link, name="Grace H", password=PASSWORD).location == "/enter"
    assert guest.get("/profile").status_code == 200
    assert sign_in(app.test_client(), "grace@example.org").status_code == 302
    used = app.test_client().get(post.link)
    assert used.status_code == 410
    assert "already used" in used.text


def test_s6_inviting_answers_the_same_whether_or_not_there_is_an_account(
    app: Flask, world: World, admin: Person
) -> None:
    keep_post(app)
    elsewhere = world.person(world.organization(), Role.COUNSELLOR)
    browser = world.browser(app, admin)
    answers = []
    for email in (elsewhere.email, "nobody01@example.org"):
        answer = send(browser, "/people/invite", "/people", name="Some Body", email=email, role="analyst")
        answers.append((answer.status_code, answer.location, browser.get("/people").text.count("Some Body is invited")))
    assert answers[0] == answers[1]


def test_a_known_user_signs_in_to_accept_and_keeps_the_password(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    post = keep_post(app)
    known = world.person(world.organization(name="Birch"), Role.COUNSELLOR)
    give_password(runtime, known)
    send(world.browser(app, admin), "/people/invite", "/people", name="K", email=known.email, role="analyst")
    stranger = app.test_client()
    assert "Sign in as" in stranger.get(post.link).text
    with pytest.raises(Forbidden):
        accept_as_new(runtime, post.link.rpartition("/")[2], name="Thief", password="nine soft lanterns rise")
    other = world.browser(app, world.person(world.organization(), Role.ANALYST))
    assert send(other, post.link + "/join", "/organization").status_code == 403
    browser = app.test_client()
    sign_in(browser, known.email, path=f"/sign-in?next={post.link}")
    assert send(browser, post.link + "/join", post.link).location == "/enter"
    page = browser.get("/organization").text
    assert "Alder" in page
    assert "Birch" in page


def test_a_client_invited_to_the_portal_becomes_that_client(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    post = keep_post(app)
    client, other = world.clients(admin.actor.organization_id, 2)
    browser = world.browser(app, admin)
    assert send(browser, f"/people/invite-client/{client}", "/people").status_code == 302
    send(app.test_client(), post.link, name="Stu Dent", password=PASSWORD)
    with runtime.database.identity_session() as session:
        user_id = find_or_create_user(session, post.mails[0][0], "").id
    found = find_actor(runtime, admin.actor.organization_id, user_id)
    assert found is not None
    assert (found[0].role, found[0].client_id) == (Role.CLIENT, client)
    assert send(browser, f"/people/invite-client/{client}", "/people").status_code == 409
    assert other != client


def test_invitations_are_sent_again_with_a_new_link_and_taken_back(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    post = keep_post(app)
    browser = world.browser(app, admin)
    send(browser, "/people/invite", "/people", name="Grace", email="grace@example.org", role="analyst")
    first = post.link
    with runtime.database.unit_of_work(admin.actor) as uow:
        number = uow.session.execute(text("SELECT id FROM invitations")).scalar_one()
    send(browser, f"/people/invitations/{number}/resend", "/people")
    assert app.test_client().get(first).status_code == 410
    assert app.test_client().get(post.link).status_code == 200
    send(browser, f"/people/invitations/{number}/revoke", "/people")
    assert app.test_client().get(post.link).status_code == 410


def test_an_invitation_ends_after_seven_days(app: Flask, world: World, admin: Person, clock: Clock) -> None:
    post = keep_post(app)
    send(world.browser(app, admin), "/people/invite", "/people", name="G", email="g@example.org", role="analyst")
    clock.now += timedelta(days=7, minutes=1)
    assert app.test_client().get(post.link).status_code == 410


@pytest.mark.parametrize("link", ["", "abc", "x.y", f"{'0' * 32}.secret", "é.é"])
def test_made_up_invitations_are_gone(runtime: Runtime, link: str) -> None:
    with pytest.raises(Gone):
        accept_as_new(runtime, link, name="N", password=PASSWORD)


@pytest.mark.committed
def test_s7_an_invitation_is_accepted_once_by_fifty_at_once(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    with live.database.unit_of_work(access.system(organization)) as uow:
        link = invite(uow, Invite(email="g@example.org", name="G", role=Role.ANALYST))
    barrier = threading.Barrier(50)
    outcomes: list[str] = []

    def accept() -> None:
        barrier.wait()
        try:
            accept_as_new(live, link, name="G", password=PASSWORD)
            outcomes.append("in")
        except (Gone, Forbidden):
            outcomes.append("out")

    with live.database.identity_session() as session:
        find_or_create_user(session, "g@example.org", "G")
    threads = [threading.Thread(target=accept) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in"] + ["out"] * 49
    with live.database.unit_of_work(access.system(organization)) as uow:
        accepted = uow.session.query(Invitation).filter(Invitation.accepted_at.is_not(None)).count()
    assert accepted == 1


def test_s3_a_new_role_ends_the_members_sessions_here_and_nowhere_else(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    member = world.person(admin.actor.organization_id, Role.ANALYST)
    here = world.browser(app, member)
    with runtime.database.unit_of_work(access.system(elsewhere := world.organization())) as uow:
        from app.features.organizations.service import add_member

        there_id = add_member(uow, user_id=member.user_id, role=Role.ANALYST, name="A", email=member.email).id
    there_actor = access.member(Role.ANALYST, elsewhere, membership_id=there_id, user_id=member.user_id)
    there = world.browser(app, Person(there_actor, member.user_id, member.email))
    path = f"/people/{member.actor.membership_id}/role"
    assert send(world.browser(app, admin), path, "/people", role="counsellor").status_code == 302
    assert here.get("/profile").location.startswith("/sign-in")
    assert there.get("/profile").status_code == 200


def test_s3_a_deactivated_member_is_out_at_once(app: Flask, world: World, admin: Person) -> None:
    member = world.person(admin.actor.organization_id, Role.COUNSELLOR)
    browser = world.browser(app, member)
    keeper = world.browser(app, admin)
    send(keeper, f"/people/{member.actor.membership_id}/deactivate", "/people")
    assert browser.get("/profile").location.startswith("/sign-in")
    again = world.browser(app, member)
    assert again.get("/people").location == "/organization"
    send(keeper, f"/people/{member.actor.membership_id}/reactivate", "/people")
    assert again.get("/people").status_code == 403


def test_the_last_administrator_stays(app: Flask, runtime: Runtime, world: World, admin: Person) -> None:
    browser = world.browser(app, admin)
    own = f"/people/{admin.actor.membership_id}"
    for path, data in ((f"{own}/role", {"role": "analyst"}), (f"{own}/deactivate", {})):
        answer = send(browser, path, "/people", **data)
        assert answer.status_code == 409
        assert "last administrator" in answer.text
    second = world.person(admin.actor.organization_id, Role.ADMIN)
    assert send(browser, f"{own}/role", "/people", role="analyst").status_code == 302
    with pytest.raises(Conflict), runtime.database.unit_of_work(second.actor) as uow:
        assert second.actor.membership_id is not None
        deactivate(uow, second.actor.membership_id)


@pytest.mark.committed
def test_two_administrators_who_remove_each_other_do_not_both_succeed(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    pair = [world.person(organization, Role.ADMIN) for _ in range(2)]
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def remove(actor: Person, other: Person) -> None:
        try:
            with live.database.unit_of_work(actor.actor) as uow:
                barrier.wait()
                assert other.actor.membership_id is not None
                change_role(uow, other.actor.membership_id, Role.ANALYST)
            outcomes.append("removed")
        except Conflict:
            outcomes.append("kept")

    threads = [threading.Thread(target=remove, args=(pair[n], pair[1 - n])) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept", "removed"]


def test_an_inactive_account_cannot_accept_itself_back_in(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    post = keep_post(app)
    known = world.person(world.organization(), Role.COUNSELLOR)
    with runtime.database.identity_session() as session:
        session.get_one(User, known.user_id).active = False
    send(world.browser(app, admin), "/people/invite", "/people", name="K", email=known.email, role="analyst")
    browser = app.test_client()
    send(browser, post.link, name="K", password=PASSWORD)
    assert browser.get("/profile").location.startswith("/sign-in")
