"""Pages asked in hostile ways: whatever stands in an address or a form field, the answer is a sentence, never a 5xx.

What is asked is found in the running application: the query parameters its code reads, and the fields of the forms
its pages show; so a new page is tested without being named here. The API is asked the same in tests/api.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.access import Role
from app.infra.web.access import access_of
from tests.factories import Person, World
from tests.identity.helpers import keep_post
from tests.one_of_everything import Filled, fill

# Tens of thousands of requests; a busy machine takes many times the minute and a half of an idle one.
pytestmark = pytest.mark.timeout(1200)
APP = Path(__file__).resolve().parents[2] / "app"
ROLES = (Role.ADMIN, Role.COUNSELLOR, Role.ANALYST, Role.CLIENT)
HOSTILE = (
    "\x00",
    "a\x00b",
    "-1",
    "9" * 25,
    "9999999999",
    "1e999",
    "\u0663",
    "\u00b2",
    "not-an-id",
    str(uuid4()),
    "2026-99-99",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59_" + str(uuid4()),
    "0001-01-01T00:00:00+14:00_" + str(uuid4()),
    "{}:x",
    "cohort:" + "9" * 40,
    "\u202e=cmd|' /C calc'!A0%s{{7*7}}",
    "x" * 5000,
)
FORM_VALUES = ("9" * 25, "\x00", "9999-12-31", "x" * 5000)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_ROW = re.compile(r"-\d+-")


def query_names() -> list[str]:
    """Every query parameter that a page reads, wherever it is read."""
    asks = r"(?:request\.(?:args|values)(?:\.get|\.getlist)?|whole_in_query)[(\[]\"(\w+)\""
    read = re.compile(asks + r"|\"(\w+)\" in request\.args")
    found = chain.from_iterable(read.findall(path.read_text()) for path in APP.rglob("*.py"))
    filters = re.findall(r"given\.get\(\"(\w+)\"", (APP / "features/overview/filters.py").read_text())
    named = {name for pair in found for name in pair if name}
    targets = re.findall(r"\(?given(?:\.getlist\(|, )\"(\w+)\"", (APP / "features/selections/forms.py").read_text())
    return sorted(named | set(filters) | set(targets) | {"template", "started_on"})


class Forms(HTMLParser):
    """The forms of a page: address, method and the names of their fields with the values they hold."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), given.get("method", "get").lower(), {}))
        elif tag in ("input", "select", "textarea", "button") and given.get("name") and self.forms:
            self.forms[-1][2].setdefault(given["name"], given.get("value", ""))


@pytest.fixture
def filled(world: World) -> Filled:
    """An organization with a row in every table."""
    return fill(world)


@pytest.fixture
def people(world: World, filled: Filled) -> dict[Role, Person]:
    """A member of each role in that organization; the client has a plan of their own."""
    client = world.client_person(filled.organization)
    client_id = client.actor.client_id
    assert client_id is not None
    world.caseload(filled.counsellor, [client_id])
    world.plan(filled.organization, client_id)
    return {
        Role.ADMIN: filled.admin,
        Role.COUNSELLOR: filled.counsellor,
        Role.ANALYST: world.person(filled.organization, Role.ANALYST),
        Role.CLIENT: client,
    }


def pages(app: Flask, browser: FlaskClient, filled: Filled) -> Iterator[str]:
    """Addresses of pages that the browser's user can read; a place no table is named for takes the first id that
    opens the page."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/api/", "/static", "/metrics", "/readyz")):
            continue
        found = access_of(app, rule.endpoint)
        assert found is not None
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", re.sub(r"<int:\w+>", "1", rule.rule))
        path = path.replace("<name>", "digest")
        for name in rule.arguments & filled.places.keys():
            path = re.sub(rf"<(?:\w+:)?{name}>", str(filled.places[name]), path)
        tried = [re.sub(r"<[^>]+>", str(some_id), path) for some_id in filled.ids] if "<" in path else [path]
        for address in tried:
            if browser.get(address, buffered=True).status_code == 200:
                yield address
                break


def forms(browser: FlaskClient, addresses: Iterator[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Address, method and fields of every form on these pages."""
    for address in addresses:
        page = browser.get(address, buffered=True)
        if page.mimetype == "text/html":
            reader = Forms()
            reader.feed(page.text)
            for action, method, fields in reader.forms:
                yield action or address, method, fields


def status(browser: FlaskClient, method: str, address: str, given: dict[str, str]) -> int:
    """The status of the answer, read to its end; what breaks while it is streamed counts as 500."""
    try:
        if method == "post":
            return browser.post(address, data=given, buffered=True).status_code
        return browser.get(address, query_string=given, buffered=True).status_code
    except Exception:
        return 500


def test_w2_no_query_parameter_breaks_a_page(
    app: Flask, world: World, people: dict[Role, Person], filled: Filled
) -> None:
    names = query_names()
    assert {"before", "from", "q", "cohort", "client", "after", "page", "next"} <= set(names)
    asked, broken, seen = 0, set(), set()
    for role in ROLES:
        browser = world.browser(app, people[role])
        for address in list(pages(app, browser, filled)):
            if (named := _ID.sub("*", address)) in seen:
                continue
            seen.add(named)
            for value in HOSTILE:
                asked += 1
                if status(browser, "get", address, dict.fromkeys(names, value)) >= 500:
                    broken.add((address, value[:30]))
    assert asked > 500
    assert not broken


def test_w2_no_field_of_a_form_breaks_a_page(
    app: Flask, world: World, people: dict[Role, Person], filled: Filled
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    keep_post(app)
    asked, broken, seen = 0, set(), set()
    for role in ROLES:
        browser = world.browser(app, people[role])
        for action, method, fields in list(forms(browser, pages(app, browser, filled))):
            # The same form with another id, or on another page, is the same form.
            named = (_ID.sub("*", action), method, *fields)
            if named in seen or action.startswith(("/sign-out", "/organization/")):
                continue
            seen.add(named)
            # One row of a list stands for its other rows.
            lone = {_ROW.sub("-*-", name): name for name in reversed(fields)}.values()
            alone = [fields | {name: FORM_VALUES[0]} for name in lone]
            for given in (*alone, *(dict.fromkeys(fields, value) for value in FORM_VALUES)):
                asked += 1
                if status(browser, method, action, given) >= 500:
                    broken.add((action, method, *given.items()))
    assert not broken
    assert asked > 200
