"""Rolling a version out in a real browser: preview, first stage, conflicts, the next stage, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app.domain.access import Role
from app.domain.steps import StepKey
from app.factory import create_app
from app.features.plans.commands import SetDueDate
from app.features.plans.service import set_due_date
from app.infra.runtime import Runtime
from tests.browser_fixture import OpenPage
from tests.factories import Person, World
from tests.rollouts.helpers import digest, finish, plans, two_versions
from tests.served import Served, faults_of, serving

pytestmark = [pytest.mark.browser, pytest.mark.committed]


@dataclass(frozen=True)
class Site(Served):
    """A served installation: an administrator, a template with a second version, and eight plans of the first."""

    organization: UUID
    maja: Person
    template: UUID

    def work(self) -> None:
        """Let workers do what is open."""
        finish(self.runtime, self.organization)


@pytest.fixture
def site(live: Runtime) -> Iterator[Site]:
    world = World(live)
    organization = world.organization()
    maja = world.person(organization, Role.ADMIN, "Maja Berg")
    template = two_versions(world, organization)
    for plan in plans(world, organization, template, 8):
        with live.database.unit_of_work(maja.actor) as uow:
            set_due_date(uow, SetDueDate(plan_id=plan, step=StepKey.GOALS, due_on=date(2027, 1, 1)))
    app = create_app(live)
    with serving(app) as address:
        yield Site(address, app, live, organization, maja, template)


def _press(page: Page, name: str) -> None:
    """Press a button that asks once more, and say yes."""
    page.get_by_role("button", name=name, exact=True).click()
    dialog = page.get_by_role("dialog")
    if dialog.is_visible():
        dialog.get_by_role("button", name=name, exact=True).click()


def test_preview_stage_conflicts_next_stage_and_back(site: Site, open_page: OpenPage) -> None:
    before = digest(site.runtime, site.organization)
    opened = site.open(open_page, site.maja, f"/templates/{site.template}")
    page = opened.page
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Roll out version 2").click()
    page.get_by_label("Plans that are there, also steps that are begun").check()
    page.get_by_role("button", name="Show what it would do").click()
    row = page.get_by_role("row", name=re.compile("Opportunities"))
    expect(row.locator("td").nth(1)).to_have_text("8")
    assert faults_of(page, "rollout-preview") == []
    # On a phone the words of before and after stand one below the other, each with its version.
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    cells = page.locator(".beside tbody tr").first.locator("td")
    boxes = [cells.nth(n).bounding_box() for n in (0, 1)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 1
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_label("one plan in four").check()
    page.get_by_role("button", name="Begin", exact=True).click()
    expect(page.locator("h1")).to_contain_text("under way")
    site.work()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "2")
    page.reload()
    expect(page.locator("h1")).to_contain_text("waits for you")
    expect(page.locator("tbody")).to_contain_text("6 Goals: its due day is not the one its version gives")
    assert faults_of(page, "rollout-stage") == []
    page.get_by_role("button", name="Begin the next stage").click()
    site.work()
    page.reload()
    expect(page.locator("h1")).to_contain_text("done")
    expect(page.locator(".tiles")).to_contain_text("8 plans brought over")
    _press(page, "Roll back")
    expect(page.locator("h1")).to_contain_text("being rolled back")
    site.work()
    page.reload()
    expect(page.locator("h1")).to_contain_text("rolled back")
    assert digest(site.runtime, site.organization) == before
    assert opened.complaints == []
