"""A caseload handed over in a real browser: preview, run, progress, undo; and the pages of changing many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from app.domain.access import Role
from app.factory import create_app
from app.infra.runtime import Runtime
from tests.browser_fixture import OpenPage
from tests.factories import World
from tests.moves.office import Office
from tests.served import Served, faults_of, serving

pytestmark = [pytest.mark.browser, pytest.mark.committed]


@dataclass(frozen=True)
class Site(Served):
    """A served installation with an office."""

    office: Office


@pytest.fixture
def site(live: Runtime) -> Iterator[Site]:
    office = Office(World(live), clients=7)
    app = create_app(live)
    with serving(app) as address:
        yield Site(address, app, live, office)


def test_preview_run_progress_and_undo(site: Site, open_page: OpenPage) -> None:
    office = site.office
    before = office.entries()
    leaver = office.people[0].actor
    opened = site.open(open_page, office.admin, "/people")
    page = opened.page
    page.get_by_role("link", name=f"Hand over the caseload of {leaver.name}").click()
    expect(page.locator(".head")).to_contain_text(leaver.name)
    for person in office.people[1:]:
        page.get_by_label(re.compile(f"^{person.actor.name} ")).check()
    assert faults_of(page, "move-new") == []
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("form.preview")).to_contain_text("7 people are handed over")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert faults_of(page, "move-preview") == []
    page.get_by_role("button", name="Hand over", exact=True).click()
    expect(page).to_have_url(re.compile("/jobs/"))
    office.work()
    page.reload()
    expect(page.locator("h1")).to_contain_text("Hand over a caseload")
    assert {member for _, member, _ in office.entries()} == set(office.members[1:])
    page.get_by_role("button", name="Undo the job").click()
    page.locator("dialog.ask .button-go").click()
    expect(page.locator("h1")).to_contain_text("being undone")
    office.work()
    page.reload()
    expect(page.locator("h1")).to_contain_text("undone")
    assert office.entries() == before
    page.goto(f"{site.address}/clients/{office.clients[0]}")
    expect(page.get_by_role("heading", name="Who looked after them")).to_be_visible()
    assert faults_of(page, "move-client") == []
    assert opened.complaints == []


def test_a1_every_kind_of_change_has_a_form_and_a_preview_without_faults(site: Site, open_page: OpenPage) -> None:
    office = site.office
    office.world.plans(office.id, office.clients[:3])
    opened = site.open(open_page, office.admin, "/caseload")
    page = opened.page
    chosen = "&".join(f"client={client}" for client in office.clients)
    found = []
    for kind in ("due", "cohort", "attribute", "pause", "resume", "message"):
        page.goto(f"{site.address}/edits/{kind}?{chosen}")
        found += [f"{kind}: {fault}" for fault in faults_of(page, f"edit-{kind}")]
    page.goto(f"{site.address}/edits/new?{chosen}")
    found += faults_of(page, "edit-new")
    page.get_by_role("button", name="Change due days").click()
    page.get_by_label("By this many working days").check()
    page.get_by_label("Working days", exact=True).fill("3")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Before you change it")).to_be_visible()
    found += faults_of(page, "edit-preview")
    assert found == []
    assert opened.complaints == []


def test_nobody_else_sees_the_buttons(site: Site, open_page: OpenPage) -> None:
    opened = site.open(open_page, site.office.world.person(site.office.id, Role.COUNSELLOR), "/caseload")
    expect(opened.page.get_by_role("button", name="Hand over")).to_have_count(0)
