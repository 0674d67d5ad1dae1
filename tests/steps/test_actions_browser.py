"""Step 7 on a phone, by keyboard and with axe: an action written, begun, shown by a file, and its calendar."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser_fixture import OpenPage
from tests.plans.test_browser import Site, site
from tests.served import faults_of
from tests.steps.action_scene import write_actions
from tests.steps.files import PDF

pytestmark = [pytest.mark.browser, pytest.mark.committed]
__all__ = ["site"]


def test_an_action_is_planned_begun_and_shown_on_a_phone_without_script(site: Site, open_page: OpenPage) -> None:
    page = site.open(open_page, site.scene.client, "/my-plan/steps/7?part=1", width=360, script=False).page
    page.get_by_label("What will I do?").fill("Course in statistics")
    page.get_by_label("Kind", exact=True).select_option("training")
    page.get_by_label("Done by").fill("2026-12-31")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("How many hours a week have I").fill("8")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("All is done on 31 Dec 2026")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Back").click()
    page.get_by_text("Say where an action stands, add files").click()
    page.get_by_role("link", name="Course in statistics", exact=True).click()
    page.get_by_label("begun").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("begun")).to_be_checked()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "proof.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    page.get_by_role("button", name="Add the file").click()
    expect(page.get_by_role("link", name="proof.pdf")).to_be_visible()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_role("link", name="proof.pdf")).to_be_visible()


def test_the_calendar_is_made_and_ended_by_keyboard_alone(site: Site, open_page: OpenPage) -> None:
    page = site.open(open_page, site.scene.client, "/my-plan/calendar", width=360).page
    page.get_by_role("button", name="Make an address").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your address")).to_be_focused()
    expect(page.locator(".address code")).to_contain_text("/calendar/")
    page.get_by_role("button", name="End the address").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("There is no address now")).to_be_visible()


def test_pages_fit_and_axe_finds_nothing(site: Site, open_page: OpenPage) -> None:
    write_actions(site.runtime, site.scene, site.runtime.clock().date())
    plan = f"/plans/{site.scene.plan_id}"
    found = []
    for person, path in (
        (site.scene.client, "/my-plan/steps/7?part=1"),
        (site.scene.client, "/my-plan/actions/a3"),
        (site.scene.client, "/my-plan/schedule?action=a2&days=14"),
        (site.scene.client, "/my-plan/calendar"),
        (site.scene.counsellor, f"{plan}/steps/7"),
        (site.scene.counsellor, f"{plan}/schedule?action=a2&days=14"),
    ):
        opened = site.open(open_page, person, path)
        opened.page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        faults = faults_of(opened.page, f"actions-{path.partition('?')[0].strip('/').replace('/', '-')}")
        found += [f"{path} {fault}" for fault in faults + opened.complaints]
        opened.page.context.close()
    assert found == []
