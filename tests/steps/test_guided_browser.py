"""A client walks through steps on a phone: one screen at a time, with script and without, by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser_fixture import OpenPage
from tests.plans.test_browser import Site, site
from tests.served import violations

pytestmark = [pytest.mark.browser, pytest.mark.committed]
__all__ = ["site"]


def test_a_step_is_walked_without_script(site: Site, open_page: OpenPage) -> None:
    page = site.open(open_page, site.scene.client, "/my-plan/steps/5", width=360, script=False).page
    expect(page.get_by_text("1 of 7", exact=True)).to_be_visible()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Kind of way").first.select_option("technical")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Next").click()
    page.locator("#chosen").select_option(label="growing as an expert")
    page.get_by_label("Why this way").fill("I like to know things well.")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Why this way")).to_have_value("I like to know things well.")
    page.get_by_role("link", name="Go to the end").click()
    expect(page.get_by_text("I like to know things well.")).to_be_visible()
    page.get_by_role("link", name="See everything on one page").click()
    expect(page.get_by_label("Why this way")).to_have_value("I like to know things well.")


def test_typing_on_a_screen_is_saved_and_enter_goes_on(site: Site, open_page: OpenPage) -> None:
    opened = site.open(open_page, site.scene.client, "/my-plan/steps/5?part=6", width=360)
    page = opened.page
    stage = page.get_by_label("Position or stage").first
    stage.fill("Trainee in the planning office")
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    stage.press("Enter")
    expect(page.get_by_text("7 of 7", exact=True)).to_be_visible()
    expect(page.get_by_text("Trainee in the planning office")).to_be_visible()
    assert opened.complaints == []


def test_every_screen_fits_a_phone_and_axe_finds_nothing(site: Site, open_page: OpenPage) -> None:
    found = []
    page = site.open(open_page, site.scene.client, "/my-plan", width=360).page
    for number in (5, 6, 7):
        for part in (1, 2, 5, 6, "check"):
            page.goto(f"{site.address}/my-plan/steps/{number}?part={part}")
            problems = violations(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            low = page.evaluate(
                "Math.min(...[...document.querySelectorAll('.guided-foot .button')].map(b => b.offsetHeight))"
            )
            if problems or wide > 360 or low < 44:
                found.append((number, part, problems, wide, low))
    assert found == []
