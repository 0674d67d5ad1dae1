"""Records that are likely one person: found with reasons, linked, told apart, unlinked without loss."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.features.clients import duplicates
from app.infra.runtime import Runtime
from tests.api.conftest import Callers, calls
from tests.factories import Person, World

__all__ = ["calls"]

MARY = {"given_name": "Mary", "family_name": "Jane", "given_folded": "mary", "family_folded": "jane"}
SWAPPED = {"given_name": "Jane", "family_name": "Mary", "given_folded": "jane", "family_folded": "mary"}


@pytest.fixture
def admin(world: World) -> Person:
    """An administrator of an organization."""
    return world.person(world.organization(), Role.ADMIN)


def _one(world: World, admin: Person, **values: Any) -> UUID:
    return world.clients(admin.actor.organization_id, 1, **values)[0]


def _rows(runtime: Runtime, organization: UUID) -> list[Any]:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return list(
            uow.session.execute(text("SELECT id, active, membership_id, attributes FROM clients ORDER BY id")).all()
        )


def test_pairs_are_found_by_what_they_share_the_likeliest_first(runtime: Runtime, world: World, admin: Person) -> None:
    id_one = _one(world, admin, external_id="00-123", external_folded="00-123")
    id_two = _one(world, admin, external_id="123", external_folded="123")
    mail_one = _one(world, admin, email="A@x.org", email_folded="a@x.org", **MARY)
    mail_two = _one(world, admin, email="a@x.org", email_folded="a@x.org", **SWAPPED)
    name_two = _one(world, admin, **MARY)
    with runtime.database.unit_of_work(admin.actor) as uow:
        seen = duplicates.likely_pairs(uow)
        pairs = seen.pairs
        found = {frozenset((p.first.id, p.second.id)): p.shared for p in pairs}
        assert found == {
            frozenset((id_one, id_two)): ("external",),
            frozenset((mail_one, mail_two)): ("email", "name"),
            frozenset((mail_one, name_two)): ("name",),
            frozenset((mail_two, name_two)): ("name",),
        }
        assert (seen.likely, seen.namesakes, len(pairs)) == (2, 2, 4)
        assert pairs[-1].shared == pairs[-2].shared == ("name",)
        assert [p.shared for p in pairs[:2]] == [("email", "name"), ("external",)]
        assert len(duplicates.likely_pairs(uow, limit=1, offset=3).pairs) == 1
        for by_name, wanted in ((False, pairs[:2]), (True, pairs[2:])):
            part = duplicates.likely_pairs(uow, by_name=by_name)
            assert (part.pairs, part.likely, part.namesakes) == (wanted, 2, 2)


def test_a_name_needs_another_hint(runtime: Runtime, world: World, admin: Person) -> None:
    details = {"programme": "Computing", "year": 3}
    home = _one(world, admin, email="mj7@x.org", email_folded="mj7@x.org", attributes=details, **MARY)
    away = _one(world, admin, email="mj7@y.org", email_folded="mj7@y.org", **MARY)
    alike = _one(world, admin, email="mj8@x.org", email_folded="mj8@x.org", attributes=details, **MARY)
    bare = [_one(world, admin, attributes={"year": 1}, **MARY) for _ in range(2)]
    other = {**MARY, "given_name": "Ann", "given_folded": "ann"}
    _one(world, admin, email="mj7@z.org", email_folded="mj7@z.org", attributes=details, **other)
    with runtime.database.unit_of_work(admin.actor) as uow:
        seen = duplicates.likely_pairs(uow, by_name=False)
        found = {frozenset((p.first.id, p.second.id)): p.shared for p in seen.pairs}
    assert found == {frozenset((home, away)): ("mailbox", "name"), frozenset((home, alike)): ("details", "name")}
    assert seen.namesakes == 8, f"one detail in common is none that counts: {bare}"


def test_a_shared_mailbox_is_not_one_person(runtime: Runtime, world: World, admin: Person) -> None:
    for _ in range(9):
        _one(world, admin, email="office@x.org", email_folded="office@x.org")
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert duplicates.likely_pairs(uow) == duplicates.Found([], 0, 0)


def test_linking_puts_one_behind_and_unlinking_brings_it_back_whole(
    runtime: Runtime, world: World, admin: Person
) -> None:
    organization = admin.actor.organization_id
    keep, other = _one(world, admin, **MARY), _one(world, admin, **MARY, attributes={"year": 3})
    account = world.person(organization, Role.CLIENT).actor.membership_id
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(text("UPDATE clients SET membership_id = :m WHERE id = :c"), {"m": account, "c": other})
    world.plans(organization, [keep, other], "ccnnnnnn")
    before = _rows(runtime, organization)
    for _ in range(2):
        with runtime.database.unit_of_work(admin.actor) as uow:
            duplicates.link_clients(uow, keep, other)
    now = {row.id: row for row in _rows(runtime, organization)}
    assert (now[keep].active, now[keep].membership_id) == (True, account), "the account has the plan that goes on"
    assert (now[other].active, now[other].membership_id) == (False, None)
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert duplicates.likely_pairs(uow) == duplicates.Found([], 0, 0)
        [link] = duplicates.links_of(uow, keep)
        assert (link.other.id, link.behind) == (other, True)
        [link] = duplicates.links_of(uow, other)
        assert (link.other.id, link.behind) == (keep, False)
        [(kept, behind)] = duplicates.linked_pairs(uow)
        assert (kept.id, behind.id) == (keep, other)
        duplicates.unlink_clients(uow, other, keep)
    assert _rows(runtime, organization) == before
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM plans")).scalar_one() == 2
        assert duplicates.likely_pairs(uow).namesakes == 1, "taking a link away is no decision that they are two"
        with pytest.raises(NotFound):
            duplicates.unlink_clients(uow, other, keep)


def test_a_linked_record_stays_behind_whatever_a_roster_says(runtime: Runtime, world: World, admin: Person) -> None:
    keep, other = _one(world, admin, **MARY), _one(world, admin, **MARY)
    with runtime.database.unit_of_work(admin.actor) as uow:
        duplicates.link_clients(uow, keep, other)
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(text("UPDATE clients SET active = true, email = 'new@x.org'"))
        rows = uow.session.execute(text("SELECT id, active, email FROM clients")).all()
    assert {row.id: row.active for row in rows} == {keep: True, other: False}
    assert {row.email for row in rows} == {"new@x.org"}


def test_links_have_one_level_and_one_direction(runtime: Runtime, world: World, admin: Person) -> None:
    one, two, three = (_one(world, admin, **MARY) for _ in range(3))
    with runtime.database.unit_of_work(admin.actor) as uow:
        duplicates.link_clients(uow, one, two)
        for keep, other in ((two, three), (three, one), (three, two), (two, one)):
            with pytest.raises(Conflict):
                duplicates.link_clients(uow, keep, other)
        duplicates.link_clients(uow, one, three)
        with pytest.raises(InvalidInput):
            duplicates.link_clients(uow, one, one)
        with pytest.raises(Conflict):
            duplicates.mark_different(uow, one, two)
    with pytest.raises(IntegrityError), runtime.database.unit_of_work(admin.actor) as uow:
        first, second = sorted((two, three))
        uow.session.execute(
            text(
                "INSERT INTO client_pairs (first_id, second_id, state, linked_id, decided_at)"
                " VALUES (:a, :b, 'linked', :l, now())"
            ),
            {"a": first, "b": second, "l": two},
        )


def test_two_accounts_are_not_joined_by_themselves(runtime: Runtime, world: World, admin: Person) -> None:
    organization = admin.actor.organization_id
    accounts = [world.person(organization, Role.CLIENT).actor.membership_id for _ in range(2)]
    keep, other = (_one(world, admin, **MARY, membership_id=account) for account in accounts)
    with pytest.raises(Conflict, match="account"), runtime.database.unit_of_work(admin.actor) as uow:
        duplicates.link_clients(uow, keep, other)


def test_the_page_links_tells_apart_and_unlinks_for_administrators_alone(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization = admin.actor.organization_id
    keep, other, third = (_one(world, admin, **MARY) for _ in range(3))
    browser = world.browser(app, admin)
    assert "3 pairs share a name and nothing else" in browser.get("/clients/duplicates").text
    page = browser.get("/clients/duplicates?shown=namesakes").text
    assert "3 pairs" in page
    assert "the same name" in page
    browser.post("/clients/duplicates/link", data={"keep": str(keep), "other": str(other)})
    browser.post("/clients/duplicates/different", data={"keep": str(keep), "other": str(third)})
    page = browser.get("/clients/duplicates").text
    assert "No likely doubles" in page
    assert "Unlink" in page
    assert "stands behind this one" in browser.get(f"/clients/{keep}").text
    assert "is not active" in browser.get(f"/clients/{other}").text
    answer = browser.post("/clients/duplicates/unlink", data={"keep": str(keep), "other": str(other), "back": "client"})
    assert answer.headers["Location"].endswith(f"/clients/{keep}")
    assert browser.post("/clients/duplicates/link", data={"keep": "x", "other": ""}).status_code == 422
    counsellor = world.browser(app, world.person(organization, Role.COUNSELLOR))
    assert counsellor.get("/clients/duplicates").status_code == 403
    foreign = world.browser(app, world.person(world.organization(), Role.ADMIN))
    assert foreign.post("/clients/duplicates/link", data={"keep": str(keep), "other": str(other)}).status_code == 404
    with runtime.database.unit_of_work(admin.actor) as uow:
        actions = uow.session.scalars(text("SELECT action FROM audit_entries WHERE action LIKE 'client.%'")).all()
    assert set(actions) >= {"client.linked", "client.unlinked", "client.told_apart"}


def test_who_looks_after_one_record_learns_nothing_of_another_they_do_not_see(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    organization = admin.actor.organization_id
    keep, other = _one(world, admin, **MARY), _one(world, admin, external_id="SECRET-77", **SWAPPED)
    counsellor = world.person(organization, Role.COUNSELLOR)
    world.caseload(counsellor, [keep])
    with runtime.database.unit_of_work(admin.actor) as uow:
        duplicates.link_clients(uow, keep, other)
    browser = world.browser(app, counsellor)
    assert browser.get(f"/clients/{other}").status_code == 404
    assert "SECRET-77" not in browser.get(f"/clients/{keep}").text
    assert browser.get(f"/api/v1/clients/{keep}/links").json == {"items": []}
    world.caseload(counsellor, [other])
    assert "SECRET-77" in browser.get(f"/clients/{keep}").text


def test_a_token_of_the_administration_alone_reads_no_names(world: World, admin: Person, calls: Callers) -> None:
    for _ in range(2):
        _one(world, admin, **MARY)
    assert calls(admin, "admin").get("/duplicates").status_code == 403
    assert calls(admin, "admin", "clients").get("/duplicates").json["total"] == 1
