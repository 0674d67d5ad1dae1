"""Caseload, Today, Client and Cohorts in a real browser: axe, keyboard, search as one types, and without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest
from playwright.sync_api import expect

from app.domain import access
from app.domain.access import Role
from app.factory import create_app
from app.features.clients.commands import DefineAttribute
from app.features.clients.service import define_attribute
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.service import add_members, create_cohort
from app.infra.runtime import Runtime
from tests.browser_fixture import OpenPage
from tests.factories import Person, World
from tests.served import Served, faults_of, serving

pytestmark = [pytest.mark.browser, pytest.mark.committed]


@dataclass(frozen=True)
class Site(Served):
    """A served installation: an admin, a counsellor with twelve clients, a cohort of four."""

    admin: Person
    lena: Person
    clients: list[UUID]
    cohort: UUID


@pytest.fixture
def site(live: Runtime) -> Iterator[Site]:
    world = World(live)
    here = world.organization()
    admin, lena = world.person(here, Role.ADMIN, "Ada Byrne"), world.person(here, Role.COUNSELLOR, "Lena Moreau")
    ids = world.clients(here, 12)
    world.caseload(lena, ids)
    world.plans(here, ids[:6], "cctsinkr", due_on=date(2026, 1, 5))
    with live.database.unit_of_work(access.system(here)) as uow:
        for label, kind, choices in (("Programme", "choice", ["Law", "Economics"]), ("Year", "number", [])):
            define_attribute(uow, DefineAttribute(label=label, kind=kind, choices=choices))
        cohort = create_cohort(uow, CreateCohort(name="Spring")).id
        add_members(uow, ChangeMembers(cohort_id=cohort, clients=ids[:4]))
    app = create_app(live)
    with serving(app) as address:
        yield Site(address, app, live, admin, lena, ids, cohort)


def test_a1_axe_finds_nothing_and_pages_reflow(site: Site, open_page: OpenPage) -> None:
    pages = [
        (site.lena, "/"),
        (site.lena, "/caseload?why=8"),
        (site.lena, "/caseload?q=nobody"),
        (site.lena, f"/clients/{site.clients[0]}"),
        (site.lena, f"/clients/{site.clients[0]}/edit"),
        (site.admin, "/clients/new"),
        (site.admin, "/clients/attributes"),
        (site.lena, "/labels"),
        (site.lena, "/filters"),
        (site.lena, "/filters/new"),
        (site.lena, "/queues?queue=overdue"),
        (site.lena, "/chosen/list"),
        (site.admin, "/cohorts"),
        (site.admin, "/cohorts/new"),
        (site.admin, "/cohorts/new-rule"),
        (site.admin, f"/cohorts/{site.cohort}"),
    ]
    found = []
    for person, path in pages:
        opened = site.open(open_page, person, path)
        faults = faults_of(opened.page, f"overview-{path.partition('?')[0].strip('/').replace('/', '-')}")
        found += [f"{path} {fault}" for fault in faults + opened.complaints]
        opened.page.context.close()
    assert found == []


def test_the_caseload_by_keyboard_and_as_one_types(site: Site, open_page: OpenPage) -> None:
    opened = site.open(open_page, site.lena, "/caseload")
    page = opened.page
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(12)
    rows.nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    last = (rows.nth(11).text_content() or "").split()[-1]
    page.locator("#q").press_sequentially(last.lower())
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(last)
    # The count at the head is of what is shown, and goes with it.
    expect(page.locator("#count")).to_contain_text("1 of 12 clients")
    expect(page).to_have_url(re.compile(f"q={last.lower()}"))
    page.locator("#q").fill("")
    expect(rows).to_have_count(12)
    expect(page.locator("#count")).to_contain_text("12 clients")
    page.locator("[data-select]").first.check()
    expect(page.locator("[data-bulk-count]")).to_have_text("1 selected")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page).to_have_url(re.compile(r"/assignments/new\?selection="))
    assert opened.complaints == []


def test_today_is_acted_on_from_the_row(site: Site, open_page: OpenPage) -> None:
    page = site.open(open_page, site.lena, "/").page
    first = page.locator("tbody tr").first
    expect(first.get_by_role("link", name=re.compile("Open step 4"))).to_be_visible()
    page.get_by_role("button", name=re.compile("Met today")).first.click()
    expect(page.get_by_role("status").filter(has_text="Noted: you met")).to_be_visible()


def test_a_rule_is_made_without_script(site: Site, open_page: OpenPage) -> None:
    page = site.open(open_page, site.admin, "/cohorts/new-rule", script=False).page
    page.get_by_label("Add a condition on").select_option(label="Year")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("How to compare Year").select_option("is_empty")
    page.get_by_label("Name").fill("Year unknown")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Year unknown")
    expect(page.locator("tbody tr")).to_have_count(12)
