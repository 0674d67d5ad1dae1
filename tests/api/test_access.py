"""Personal tokens: who they speak for, what their scopes allow, and when they no longer open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.domain import access
from app.domain.access import GRANTS, SCOPES, Permission, Role, scope_permissions
from app.domain.errors import Forbidden, InvalidInput
from app.features.identity.models import User
from app.features.organizations.models import ApiToken, Membership
from app.features.organizations.tokens import CreateToken, create_token
from tests.api.conftest import Callers
from tests.factories import World
from tests.harness import Clock


def test_a_token_speaks_for_its_owner_within_its_scopes(world: World, calls: Callers) -> None:
    person = world.person(world.organization(name="Harbour"), Role.COUNSELLOR, "Ada")
    answer = calls(person, "plans").get("/me")
    assert answer.status_code == 200
    assert answer.json["name"] == "Ada"
    assert answer.json["scopes"] == ["plans"]
    assert answer.json["organization"]["name"] == "Harbour"
    assert answer.json["permissions"] == ["read_clients", "read_jobs", "work_plans"]


def test_a_scope_never_grants_more_than_the_role() -> None:
    every = scope_permissions(SCOPES, changing=True)
    assert Permission.READ_AUDIT in every
    assert Permission.READ_AUDIT not in every & GRANTS[Role.COUNSELLOR]
    assert Permission.USE_API not in every, "a token must not make tokens"


def test_the_read_scope_changes_nothing() -> None:
    assert scope_permissions(["read"], changing=True) == frozenset()
    assert Permission.READ_CLIENTS in scope_permissions(["read"], changing=False)
    assert scope_permissions(["nonsense"], changing=False) == frozenset()


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic abc", "Bearer oct_", f"Bearer oct_{'0' * 32}_{'a' * 43}", "Bearer oct_é_é"],
)
def test_a_bad_authorization_is_401_with_a_problem_document(app: Flask, header: str) -> None:
    answer = app.test_client().get("/api/v1/me", headers={"Authorization": header.encode("utf-8").decode("latin-1")})
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_bad_token_is_not_replaced_by_the_cookie(world: World, app: Flask) -> None:
    person = world.person(world.organization(), Role.ADMIN)
    browser = world.browser(app, person)
    assert browser.get("/api/v1/me").status_code == 200
    assert browser.get("/api/v1/me", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_tokens_end_with_time_revocation_membership_and_user(world: World, calls: Callers, clock: Clock) -> None:
    organization = world.organization()
    person = world.person(organization, Role.COUNSELLOR)
    caller = calls(person)
    database = world.runtime.database
    assert caller.get("/me").status_code == 200
    with database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(update(Membership).where(Membership.id == person.actor.membership_id).values(active=False))
    assert caller.get("/me").status_code == 401
    with database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(update(Membership).where(Membership.id == person.actor.membership_id).values(active=True))
    with database.identity_session() as session:
        session.execute(update(User).where(User.id == person.user_id).values(active=False))
    assert caller.get("/me").status_code == 401
    with database.identity_session() as session:
        session.execute(update(User).where(User.id == person.user_id).values(active=True))
    assert caller.get("/me").status_code == 200
    clock.now += timedelta(days=91)
    assert caller.get("/me").status_code == 401
    other = calls(person)
    assert other.get("/me").status_code == 200
    with database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(update(ApiToken).values(revoked_at=uow.now))
    assert other.get("/me").status_code == 401


def test_use_is_noted_once_a_minute(world: World, calls: Callers, clock: Clock) -> None:
    organization = world.organization()
    caller = calls(world.person(organization, Role.ADMIN))

    def used() -> object:
        with world.runtime.database.unit_of_work(access.system(organization)) as uow:
            return uow.session.scalars(select(ApiToken.used_at)).one()

    caller.get("/me")
    first = used()
    assert first == clock.now
    clock.now += timedelta(seconds=59)
    caller.get("/me")
    assert used() == first
    clock.now += timedelta(seconds=1)
    caller.get("/me")
    assert used() == clock.now


def test_tokens_are_managed_by_a_browser_and_never_by_a_token(world: World, app: Flask, calls: Callers) -> None:
    person = world.person(world.organization(), Role.ADMIN)
    assert calls(person).get("/me/tokens").status_code == 403
    assert calls(person).post("/me/tokens", {"name": "x", "scopes": ["read"]}).status_code == 403
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, person)
    made = browser.post("/api/v1/me/tokens", json={"name": "Sync", "scopes": ["read"], "days": 7})
    assert made.status_code == 201
    assert made.json["token"].startswith(f"oct_{person.actor.organization_id.hex}_")
    listed = browser.get("/api/v1/me/tokens").json["items"]
    assert made.json["id"] in [token["id"] for token in listed]
    assert all("token" not in token for token in listed)
    assert browser.delete(f"/api/v1/me/tokens/{made.json['id']}").status_code == 204
    assert browser.delete(f"/api/v1/me/tokens/{made.json['id']}").status_code == 404


def test_only_the_digest_of_a_token_is_stored(world: World) -> None:
    person = world.person(world.organization(), Role.ADMIN)
    with world.runtime.database.unit_of_work(person.actor) as uow:
        token, text = create_token(uow, CreateToken(name="x", scopes=("read",)))
        assert len(token.token_hash) == 32
        assert text.rpartition("_")[2].encode() not in token.token_hash


def test_who_may_make_a_token_and_how(world: World) -> None:
    organization = world.organization()
    with (
        pytest.raises(Forbidden),
        world.runtime.database.unit_of_work(world.person(organization, Role.CLIENT).actor) as uow,
    ):
        create_token(uow, CreateToken(name="x", scopes=("read",)))
    with world.runtime.database.unit_of_work(world.person(organization, Role.ADMIN).actor) as uow:
        with pytest.raises(InvalidInput) as caught:
            create_token(uow, CreateToken(name=" ", scopes=("everything",), days=0))
        assert [problem.field for problem in caught.value.problems] == ["name", "scopes", "days"]


def test_a_cookie_needs_the_csrf_header_and_a_token_does_not(world: World, app: Flask, calls: Callers) -> None:
    person = world.person(world.organization(), Role.ADMIN)
    refused = world.browser(app, person).post("/api/v1/me/tokens", json={"name": "x", "scopes": ["read"]})
    assert refused.status_code == 400
    assert "CSRF" in refused.json["detail"]
    # A token gets as far as its permission.
    assert calls(person).post("/me/tokens", {"name": "x", "scopes": ["read"]}).status_code == 403
    assert app.test_client().post("/api/v1/me/tokens", json={}).status_code == 401


def test_somebody_without_an_organization_is_told_so_in_json(world: World, app: Flask) -> None:
    person = world.person(world.organization(), Role.ADMIN)
    with world.runtime.database.unit_of_work(access.system(person.actor.organization_id)) as uow:
        uow.session.execute(update(Membership).values(active=False))
    browser = world.browser(app, person)
    assert browser.get("/api/v1/me").status_code == 403
    assert browser.get("/api/v1/me/tokens").status_code == 403
