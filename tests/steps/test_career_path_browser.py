"""Step 5 in a real browser: a route taken and a switch previewed on a phone without script; axe at three widths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.domain.steps import StepKey
from app.features.occupations import store
from app.features.plans.commands import SaveContent
from app.features.plans.service import save_content
from app.features.steps.registry import ROOMS
from tests.browser_fixture import OpenPage
from tests.plans.test_browser import Site, site
from tests.served import violations
from tests.steps.small_catalogue import HELPER, PLANNER, outlook, release

pytestmark = [pytest.mark.browser, pytest.mark.committed]
__all__ = ["site"]


@pytest.fixture
def filled(site: Site) -> Site:
    """The small catalogue, two ways, the first chosen, a goal of each."""
    owner = site.runtime.settings.owner_database_url
    assert owner is not None
    store.store(owner, release())
    store.store(owner, outlook())
    path = {
        "criteria": [{"id": "c1", "name": "Freedom", "weight": 6}, {"id": "c2", "name": "Income", "weight": 4}],
        "weighting": "pairs",
        "pairs": [{"first": "c1", "second": "c2", "times": 3, "why": "I want to breathe"}],
        "paths": [
            {"id": "p1", "kind": "technical", "name": "Depth", "ratings": {"c1": 5, "c2": 3}},
            {"id": "p2", "kind": "administration", "name": "Lead", "ratings": {"c1": 3, "c2": 4}},
            {"id": "p3", "kind": "entrepreneurship", "ratings": {"c1": 3, "c2": 3}},
        ],
        "chosen": "p1",
        "reason": "So.",
        "start": {"name": "Figures Helpers", "code": HELPER, "release": "onet-90.1"},
        "target": {"name": "Town Planners by Figures", "code": PLANNER, "release": "onet-90.1"},
    }
    goals = {
        "goals": [{"id": "g1", "text": "Publish", "path": "p1"}, {"id": "g2", "text": "Lead five people", "path": "p2"}]
    }
    for key, content, over in ((StepKey.CAREER_PATH, path, 0), (StepKey.GOALS, goals, 1)):
        with site.runtime.database.unit_of_work(site.scene.client.actor) as uow:
            command = SaveContent(plan_id=site.scene.plan_id, step=key, content=content, over=over)
            save_content(uow, command, ROOMS[key])
    return site


def test_a_route_is_taken_and_a_way_switched_on_a_phone_without_script(filled: Site, open_page: OpenPage) -> None:
    page = filled.open(open_page, filled.scene.client, "/my-plan/steps/5?part=5", width=360, script=False).page
    page.get_by_label("Find an occupation").fill("chief statistcian")
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("button", name="I want to get there").first.click()
    expect(page.get_by_role("textbox", name="Where I want to get")).to_have_value(
        "Chief Statisticians and Methodologists of Very Long Official Titles"
    )
    page.get_by_role("button", name="Take this route").first.click()
    expect(page.get_by_role("heading", name="The route I take")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Town Planners by Figures")).to_be_visible()
    page.goto(f"{filled.address}/my-plan/steps/5?part=4")
    page.locator("a[href$='/ways/p2']").click()
    goals = page.get_by_role("region", name="Goals")
    expect(goals).to_contain_text("Publish")
    page.get_by_role("button", name="Take this way").click()
    expect(page.get_by_text("Another way is taken.")).to_be_visible()
    page.goto(f"{filled.address}/my-plan/steps/5?part=6")
    expect(page.get_by_text("milestones set aside")).to_be_visible()


def test_the_switch_works_by_keyboard_alone(filled: Site, open_page: OpenPage) -> None:
    opened = filled.open(open_page, filled.scene.client, "/my-plan/ways/p2", width=360)
    page = opened.page
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Take this way":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Another way is taken.")).to_be_visible()
    assert opened.complaints == []


def test_a1_axe_finds_nothing_and_nothing_is_wider_than_its_screen(filled: Site, open_page: OpenPage) -> None:
    found: list[object] = []

    def look(page: Page, name: str, width: int) -> None:
        if folder := os.environ.get("OCTANT_PICTURES"):
            page.screenshot(path=Path(folder) / f"step-5-{name}-{width}.png", full_page=True)
        problems = violations(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if problems or wide > width:
            found.append((name, width, problems, wide))

    phone = filled.open(open_page, filled.scene.client, "/my-plan/steps/5?mode=guided", width=360).page
    for part in (*range(1, 8), "5&ask=planners"):
        phone.goto(f"{filled.address}/my-plan/steps/5?part={part}")
        look(phone, f"part-{str(part)[:5]}", 360)
    phone.goto(f"{filled.address}/my-plan/ways/p2")
    look(phone, "switch", 360)
    for width, scheme in ((1440, "dark"), (768, "light")):
        page = filled.open(
            open_page, filled.scene.client, "/my-plan/steps/5?mode=whole", width=width, scheme=scheme
        ).page
        look(page, "whole", width)
    where = f"/plans/{filled.scene.plan_id}/steps/5"
    for width, scheme in ((1440, "light"), (360, "dark")):
        page = filled.open(open_page, filled.scene.counsellor, where, width=width, scheme=scheme).page
        look(page, "counsellor", width)
    assert found == []
