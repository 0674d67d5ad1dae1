"""T2, S9 in the small, generated from the URL map, so that a new route is covered the day it is added."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.routing import Rule

from app.domain.access import GRANTS, Permission, Role
from app.infra.web.access import RouteAccess, access_of
from tests.api.test_contract import body_of, plausible
from tests.factories import Person, World
from tests.harness import Clock
from tests.one_of_everything import Filled, fill, tenant_tables

ROLES = (Role.ADMIN, Role.COUNSELLOR, Role.ANALYST, Role.CLIENT)
SAFE = {"GET", "HEAD", "OPTIONS"}
# Posts that need no CSRF token, each with what stands in its place.
WITHOUT_TOKEN: dict[str, str] = {
    "messaging.end_mail": "a mail program has no session (RFC 8058); the signed link in the mail is the proof"
}
_WORD = "abc"


def routes(app: Flask, kind: str | None = None) -> Iterator[tuple[Rule, RouteAccess, str]]:
    """Each rule with its access and its main method, in the order of its address."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        found = access_of(app, rule.endpoint)
        assert found is not None, rule.endpoint
        if kind is None or found.kind == kind:
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            yield rule, found, "GET" if "GET" in methods else min(methods)


def address(rule: Rule, some_id: UUID) -> str:
    """The rule's address with `some_id` for ids and small things for the rest."""

    def fill(found: re.Match[str]) -> str:
        converter = found[1] or "string"
        if converter.startswith("any("):
            return converter[4:].rstrip(")").split(",")[0].strip(" '")
        return {"uuid": str(some_id), "int": "1"}.get(converter.split("(")[0], _WORD)

    return re.sub(r"<(?:([^:>]+):)?[^>]+>", fill, rule.rule)


def test_every_endpoint_that_code_or_a_page_names_exists(app: Flask) -> None:
    """A name without an address breaks the page it stands on, and often only for who may use it."""
    source = Path(app.root_path)
    known = set(app.view_functions)
    named: dict[str, str] = {}
    for path in (*source.rglob("*.py"), *source.rglob("*.html")):
        said = path.read_text("utf-8")
        asked = re.findall(r"url_for\(\s*[\"']([\w.]+)[\"']", said)
        # Kept in a table until somebody may use it, see `selections.acts`.
        kept = re.findall(r"[(\s]\"(\w+\.\w+)\",\s*Permission\.", said)
        named |= dict.fromkeys([*asked, *kept], str(path.relative_to(source)))
    assert len(named) > 100
    assert {name: where for name, where in named.items() if name not in known} == {}


def changing(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - SAFE)


@pytest.fixture
def people(world: World) -> dict[Role, Person]:
    organization = world.organization()
    return {role: world.person(organization, role) for role in ROLES}


@pytest.fixture
def browsers(app: Flask, world: World, people: dict[Role, Person]) -> dict[Role, FlaskClient]:
    return {role: world.browser(app, person) for role, person in people.items()}


def is_page(rule: Rule) -> bool:
    return not rule.rule.startswith("/api/")


def test_every_route_says_who_may_use_it_and_public_ones_why(app: Flask) -> None:
    rules = list(routes(app))
    assert len(rules) > 20
    for rule, found, _ in rules:
        if found.kind == "member":
            assert found.permissions, rule.endpoint
        if found.kind == "public":
            assert len(found.reason) > 15, rule.endpoint


def test_t2_members_pages_ask_strangers_to_sign_in(app: Flask, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    stranger = world.browser(app)
    for kind in ("member", "signed_in"):
        for rule, _, method in routes(app, kind):
            answer = stranger.open(address(rule, uuid4()), method=method)
            if is_page(rule):
                assert (answer.status_code, (answer.location or "")[:8]) == (302, "/sign-in"), rule.rule
            else:
                assert answer.status_code == 401, rule.rule


def test_t2_a_role_without_the_permission_is_refused(app: Flask, browsers: dict[Role, FlaskClient]) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    refused = 0
    for rule, found, _ in routes(app, "member"):
        for role, browser in browsers.items():
            if GRANTS[role].isdisjoint(found.permissions):
                for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                    answer = browser.open(address(rule, uuid4()), method=method)
                    # The bare address leads to a page one may see, and shows nothing itself.
                    expected = (302, "/enter") if rule.rule == "/" else (403, None)
                    assert (answer.status_code, answer.location) == expected, (rule.rule, method, role)
                    refused += 1
    assert refused > 20


def test_s9_what_changes_something_needs_its_token(app: Flask, browsers: dict[Role, FlaskClient], world: World) -> None:
    asked = 0
    for rule, found, _ in routes(app):
        for method in changing(rule) if is_page(rule) and rule.endpoint not in WITHOUT_TOKEN else ():
            role = next((r for r in ROLES if not GRANTS[r].isdisjoint(found.permissions)), Role.ADMIN)
            browser = world.browser(app) if found.kind == "public" else browsers[role]
            for data in ({}, {"csrf_token": "made up"}):
                answer = browser.open(address(rule, uuid4()), method=method, data=data)
                assert answer.status_code == 400, (rule.rule, method)
                asked += 1
    assert asked > 20


# With OCTANT_TEST_LONG=1 every reader asks every address for every id: some thirty thousand requests, some minutes.
LONG = os.environ.get("OCTANT_TEST_LONG") == "1"
SEED = 20261127
# Beside the ids a place is made for, so many others, drawn anew for each address.
_OTHERS = 3


def test_t2_foreign_and_missing_ids_get_the_same_answer(
    app: Flask, world: World, people: dict[Role, Person], clock: Clock
) -> None:
    """Every route with an id, asked for a row of every table of another organization and for one that never was."""
    app.config["WTF_CSRF_ENABLED"] = False
    theirs = fill(world)
    assert set(theirs.rows) == set(tenant_tables())
    readers = readers_of(app, world, people, clock) if LONG else {}
    signed_in = {role.value: world.browser(app, person) for role, person in people.items()}
    draw = random.Random(SEED)
    asked = 0
    for rule, found, _ in routes(app, "member"):
        if "uuid:" not in rule.rule:
            continue
        role = next(r for r in ROLES if not GRANTS[r].isdisjoint(found.permissions))
        asking = signed_in | readers if LONG else {role.value: signed_in[role.value]}
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for name, browser in asking.items():
                missing = answer_of(browser, rule, method, uuid4())
                # Taking somebody who is not there out of something is done already; nothing else succeeds.
                done = method in ("POST", "DELETE") and rule.rule.endswith("/remove")
                assert 400 <= missing[0] < 500 or done or name in readers, (rule.rule, method, name, missing[0])
                for some_id in theirs.ids if LONG else ids_for(rule, theirs, draw):
                    assert answer_of(browser, rule, method, some_id) == missing, (rule.rule, method, name)
                    asked += 1
    assert asked >= (20_000 if LONG else 300), f"seed {SEED}: only {asked}"


# Rows about one client, and the work somebody else asked for: a counsellor who does not have the client sees none.
_OF_A_CLIENT = (
    "clients",
    "plans",
    "assessments",
    "sittings",
    "stored_files",
    "reviews",
    "review_links",
    "prompts",
    "messages",
    "step_comments",
    "plan_events",
    "jobs",
)


def test_t2_what_is_not_my_caseload_is_like_what_never_was(app: Flask, world: World) -> None:
    """Every page and operation a counsellor may use, asked for rows about a client of somebody else's caseload."""
    app.config["WTF_CSRF_ENABLED"] = False
    ours = fill(world)
    seen = world.browser(app, ours.counsellor).get(f"/clients/{ours.client}")
    assert seen.status_code == 200, "who has the client sees them"
    browser = world.browser(app, world.person(ours.organization, Role.COUNSELLOR))
    ids = ours.ids_of(*_OF_A_CLIENT)
    draw = random.Random(SEED)
    asked: dict[bool, int] = {True: 0, False: 0}
    for rule, found, _ in routes(app, "member"):
        if "uuid:" not in rule.rule or GRANTS[Role.COUNSELLOR].isdisjoint(found.permissions):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            missing = answer_of(browser, rule, method, uuid4())
            assert 400 <= missing[0] < 500, (rule.rule, method, missing[0])
            meant = [ours.places[name] for name in rule.arguments & ours.places.keys()]
            meant = [some_id for some_id in meant if some_id in ids]
            for some_id in ids if LONG else dict.fromkeys([*meant, *draw.sample(ids, 2)]):
                assert answer_of(browser, rule, method, some_id) == missing, (rule.rule, method, some_id)
                asked[is_page(rule)] += 1
    assert min(asked.values()) > (200 if LONG else 40), asked


def ids_for(rule: Rule, theirs: Filled, draw: random.Random) -> list[UUID]:
    """The foreign ids the rule's places are named for, and some that belong elsewhere."""
    meant = [theirs.places[name] for name in sorted(rule.arguments & theirs.places.keys())]
    others = [some_id for some_id in theirs.ids if some_id not in meant]
    return meant + draw.sample(others, _OTHERS)


def readers_of(app: Flask, world: World, people: dict[Role, Person], clock: Clock) -> dict[str, FlaskClient]:
    """Those who are not signed in, for as many reasons: a stranger, an ended session, a disabled user."""
    expired = world.browser(app, people[Role.ADMIN])
    clock.now += timedelta(days=400)
    disabled = world.person(people[Role.ADMIN].actor.organization_id, Role.ADMIN)
    browser = world.browser(app, disabled)
    with world.runtime.database.identity_session() as session:
        session.execute(text("UPDATE users SET active = false WHERE id = :id"), {"id": disabled.user_id})
    return {"stranger": world.browser(app), "expired": expired, "disabled": browser}


def document_of(app: Flask) -> Any:
    if "test.document" not in app.extensions:
        app.extensions["test.document"] = app.test_client().get("/api/v1/openapi.json").json
    return app.extensions["test.document"]


def good_body(app: Flask, rule: Rule, method: str) -> Any:
    """The body the API's own document asks for here."""
    document = document_of(app)
    operation = document["paths"][re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)][method.lower()]
    schema = body_of(document, operation)
    return {} if schema is None else plausible(document, schema)


def answer_of(browser: FlaskClient, rule: Rule, method: str, some_id: UUID) -> tuple[int, str, dict[str, str]]:
    path = address(rule, some_id)
    body, headers = None, {}
    if not is_page(rule) and method != "GET":
        # A body of the right shape, so that the id is what the answer is about.
        body, headers = good_body(browser.application, rule, method), {"If-Match": '"0"'}
    answer = browser.open(path, method=method, json=body, headers=headers)
    headers = {
        k: v.replace(str(some_id), "") for k, v in answer.headers if k not in ("X-Request-Id", "Set-Cookie", "Date")
    }
    # The address itself is the reader's own words; pages carry a token of the reader.
    body = re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text.replace(str(some_id), ""))
    return answer.status_code, body, headers


def test_a_system_actor_has_no_routes_of_its_own(app: Flask) -> None:
    """Every permission a route asks for is one that some person's role grants."""
    asked = {permission for _, found, _ in routes(app, "member") for permission in found.permissions}
    granted = frozenset().union(*(GRANTS[role] for role in ROLES))
    assert asked <= granted
    assert Permission.MANAGE_PEOPLE in asked
