"""Step 4 on a phone: from the matches to a recorded decision, without script and by keyboard; every page looked at."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.domain.steps import StepKey
from app.features.plans import service
from app.features.plans.queries import view_plan
from tests.browser_fixture import OpenPage
from tests.plans.test_browser import Site, site
from tests.served import faults_of
from tests.steps.choosing import PUBLISHED, store_result

pytestmark = [pytest.mark.browser, pytest.mark.committed]
__all__ = ["site"]


@pytest.fixture
def choosing(site: Site) -> Site:
    """Step 4 open again, with a result to match."""
    client_id = site.scene.client.actor.client_id
    assert client_id is not None
    with site.runtime.database.unit_of_work(site.scene.admin.actor) as uow:
        store_result(uow, client_id, "interests", PUBLISHED)
        service.return_step(uow, site.scene.plan_id, StepKey.CAREER_CHOICE, "Look at the matches.")
    return site


def test_from_the_matches_to_a_decision_without_script(choosing: Site, open_page: OpenPage) -> None:
    page = choosing.open(open_page, choosing.scene.client, "/my-plan/steps/4?part=1", width=360, script=False).page
    page.get_by_role("link", name="See the whole list").click()
    first = page.locator("li.match").first
    title = first.get_by_role("heading").inner_text()
    first.get_by_role("button").click()
    expect(page.locator("li.match").first.get_by_text("taken")).to_be_visible()
    page.get_by_role("link", name="Step 4").click()
    page.goto(f"{choosing.address}/my-plan/steps/4?part=3")
    for pair, answer in ((1, "somewhat more"), (2, "somewhat more"), (3, "both matter alike")):
        expect(page.get_by_text(f"Pair {pair} of 3")).to_be_visible()
        page.get_by_role("button", name=answer).first.click()
    expect(page.get_by_text("All pairs are compared and")).to_be_visible()
    page.locator("select[name=weighting]").select_option("pairs")
    page.get_by_role("button", name="Next").last.click()
    row = page.locator("details.row-folded").filter(has_text=title)
    row.locator("summary").click()
    for rating in row.locator("select").all():
        rating.select_option("5")
    page.get_by_role("button", name="Next").last.click()
    expect(page.get_by_text("The weights come from comparing")).to_be_visible()
    page.get_by_role("button", name="Next").last.click()
    page.get_by_label("My first choice").select_option(label=title)
    page.get_by_label("My runner-up").select_option(label="Data scientist")
    page.get_by_role("button", name="Next").last.click()
    page.get_by_label("The reason for my choice").fill("It is what I do for hours.")
    page.get_by_role("button", name="Next").last.click()
    expect(page.get_by_text(f"My interests and: {title}", exact=True).first).to_be_visible()
    with choosing.runtime.database.unit_of_work(choosing.scene.admin.actor) as uow:
        content = view_plan(uow, choosing.scene.plan_id).content(StepKey.CAREER_CHOICE)
    assert content["decided_on"] is not None
    assert content["earlier"][0]["name"] == "Market research analyst"


def test_every_page_of_the_choice_fits_and_axe_finds_nothing(choosing: Site, open_page: OpenPage) -> None:
    plan = f"/plans/{choosing.scene.plan_id}"
    asked = [
        *((choosing.scene.client, f"/my-plan/steps/4?part={part}") for part in (1, 2, 3, 4, 5, 6, "check")),
        *((choosing.scene.client, path) for path in ("/my-plan/matches", "/my-plan/matches/29-1141.00")),
        *((choosing.scene.counsellor, f"{plan}/{path}") for path in ("steps/4", "matches", "matches/29-1141.00")),
    ]
    found = []
    for person, path in asked:
        opened = choosing.open(open_page, person, path)
        faults = faults_of(opened.page, f"choice-{path.strip('/').replace('/', '-')}")
        found += [f"{path} {fault}" for fault in faults + opened.complaints]
        opened.page.context.close()
    assert found == []


def test_a_pair_is_answered_by_keyboard_alone(choosing: Site, open_page: OpenPage) -> None:
    page = choosing.open(open_page, choosing.scene.client, "/my-plan/steps/4?part=3", width=360).page
    for _ in range(30):
        page.keyboard.press("Tab")
        if "both matter alike" in page.evaluate("document.activeElement.innerText || ''"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Pair 2 of 3")).to_be_visible()
    # The next answer has the focus.
    expect(page.get_by_role("button", name="extremely much more").first).to_be_focused()
