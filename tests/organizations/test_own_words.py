"""An organization's own words for people and its colour, on every page, in reports, workbooks and mails."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.factory import create_app
from app.features.messaging.kinds import Draft
from app.features.reports.bundle import write_workbook
from app.features.reports.document import documents
from app.features.reports.sources import load_sources
from app.features.reviews.messages import KINDS
from app.infra.drawing.svg import ACCENT
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from tests.harness import Servers
from tests.look.everything import Everything, addresses, make_everything

OWN = "#7a2e6d"
# Nobody's word here: the organization says learner and coach.
_OTHERS = re.compile(r"\b(?:clients?|counsellors?|students?|advisers?)\b", re.IGNORECASE)
# Pages that speak of all words there are, or of names of the API.
_SPEAK_OF_WORDS = {"organizations.settings", "organizations.tokens"}


class Said(HTMLParser):
    """The text of a page as it is read, with labels and placeholders; what is stored, in code, is not said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("code", "script", "style", "option")
        self.said += [value or "" for name, value in attrs if name in ("aria-label", "placeholder", "title", "alt")]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("code", "script", "style", "option")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)


@pytest.fixture(scope="module")
def house(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Everything]]:
    """One of everything in an organization with words and a colour of its own."""
    name, folder = servers.clone(), tmp_path_factory.mktemp("words")
    runtime = make_runtime(servers.settings(name, folder / "storage"), doorbell=SilentDoorbell())
    everything = make_everything(runtime, folder)
    admin = everything.people["admin"]
    assert admin is not None
    with runtime.database.unit_of_work(access.system(admin.actor.organization_id)) as uow:
        uow.session.execute(
            text("UPDATE organizations SET client_word = 'learner', counsellor_word = 'coach', accent = :a"), {"a": OWN}
        )
    yield create_app(runtime), everything
    runtime.database.dispose()
    servers.drop(name)


def test_no_page_calls_people_by_another_word(house: tuple[Flask, Everything]) -> None:
    app, everything = house
    runtime: Runtime = app.extensions["octant"]
    from tests.factories import World

    world, found, asked = World(runtime), [], 0
    for role, pages in addresses(app, everything).items():
        browser = world.browser(app, everything.people[role])
        for endpoint, path in pages.items():
            reader = Said()
            reader.feed(browser.get(path).text)
            said = " ".join(reader.said)
            asked += 1
            if endpoint not in _SPEAK_OF_WORDS and (other := _OTHERS.search(said)):
                found.append((role, endpoint, said[max(0, other.start() - 60) : other.end() + 40]))
    assert asked > 60
    assert found == []


def test_pages_that_a_link_opens_have_the_name_and_the_colour(house: tuple[Flask, Everything]) -> None:
    app, everything = house
    for path in (f"/check-in/{everything.by_token['check_in']}", f"/unsubscribe/{everything.by_token['unsubscribe']}"):
        page = app.test_client().get(path).text
        assert f"/accent/{OWN[1:]}.css" in page, path
        assert "Harbour University" in page, path
    asked = app.test_client().get(f"/unsubscribe/{everything.by_token['unsubscribe']}").text
    assert "your coach sees" in asked


def drawings_in(part: Any) -> list[str]:
    """Every drawing of a document, wherever it stands."""
    if isinstance(part, dict):
        return [part["svg"]] if "svg" in part else [svg for value in part.values() for svg in drawings_in(value)]
    return [svg for value in part for svg in drawings_in(value)] if isinstance(part, list | tuple) else []


def test_the_report_is_in_the_colour_and_the_words(house: tuple[Flask, Everything], tmp_path: Path) -> None:
    app, everything = house
    runtime: Runtime = app.extensions["octant"]
    admin, client = everything.people["admin"], everything.people["client"]
    assert admin is not None
    assert client is not None
    assert client.actor.client_id is not None
    with runtime.database.unit_of_work(admin.actor) as uow:
        ((_, document),) = documents(load_sources(uow, [client.actor.client_id]))
    assert ["Coach", "Lena Moreau"] in document["facts"]
    assert document["accent"] == OWN
    drawings = drawings_in(document)
    assert len(drawings) > 1
    assert all(ACCENT not in svg for svg in drawings)
    assert OWN in document["dial"]["svg"]
    stored = write_workbook(runtime, admin.actor, [client.actor.client_id], folder="made")
    book = openpyxl.load_workbook(io.BytesIO(runtime.storage.path(stored.location).read_bytes()))
    assert book.sheetnames[0] == "Learners"
    assert book["Learners"]["C1"].value == "Coach"


def test_mails_are_in_the_colour_and_the_words(house: tuple[Flask, Everything]) -> None:
    runtime: Runtime = house[0].extensions["octant"]
    admin, client = house[1].people["admin"], house[1].people["client"]
    assert admin is not None
    assert client is not None
    with runtime.database.unit_of_work(access.system(admin.actor.organization_id)) as uow:
        message = uow.session.execute(
            text("SELECT id, params FROM messages WHERE kind = 'review_prompt' ORDER BY client_id = :c DESC LIMIT 1"),
            {"c": client.actor.client_id},
        ).first()
    assert message is not None
    (kind,) = [kind for kind in KINDS if kind.name == "review_prompt"]
    draft = Draft(
        organization_id=admin.actor.organization_id,
        organization_name="Harbour",
        message_id=message.id,
        recipient_name="A",
        locale="en",
        params=message.params | {"counsellor": "Lena Moreau"},
        accent=OWN,
        client_word="learner",
        counsellor_word="coach",
        unsubscribe_url="https://example.org/u",
    )
    words = kind.render(runtime.settings, draft)
    assert f"background: {OWN}" in words.html
    assert "Lena Moreau, your coach" in words.text
    # The dial of the plan as it stood: eight steps and the revision.
    assert words.html.count("<td") == 9
    assert re.search(r"^\[.\] 1 Ambition: ", words.text, re.M)
