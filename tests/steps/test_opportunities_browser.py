"""Step 3 in a browser: every screen at phone width, the counsellor beside it, light and dark, by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.features.occupations import store
from app.features.occupations.bls import read_bls
from app.features.occupations.onet import read_onet
from tests.browser_fixture import OpenPage
from tests.catalogue_fixture import onet_folder
from tests.plans.test_browser import Site, site
from tests.served import faults_of
from tests.shared_data import data_file

pytestmark = [pytest.mark.browser, pytest.mark.committed]
__all__ = ["site"]
STEP = "/my-plan/steps/3"


def _reopen(site: Site, open_page: OpenPage) -> None:
    page = site.open(open_page, site.scene.counsellor, f"/plans/{site.scene.plan_id}/steps/3").page
    page.get_by_text("Reopen", exact=True).first.click()
    page.get_by_role("button", name="Reopen").click()
    page.wait_for_load_state()


def test_by_keyboard_and_without_script_an_occupation_is_searched_and_added(site: Site, open_page: OpenPage) -> None:
    _reopen(site, open_page)
    page = site.open(open_page, site.scene.client, f"{STEP}?part=1", width=360, script=False).page
    search = page.get_by_label("Search for an occupation")
    search.focus()
    page.keyboard.type("nusre")
    page.keyboard.press("Enter")
    add = page.get_by_role("button", name="Add Registered Nurses")
    add.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Registered Nurses")).to_be_visible()
    expect(page.get_by_role("button", name="Take out Registered Nurses")).to_be_visible()
    page.get_by_label("My highest education so far").select_option(label="Bachelor's degree")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("2 of 5", exact=True)).to_be_visible()
    page.get_by_text("Hiring freeze in regional government").click()
    page.get_by_label("What do you do about it?").nth(1).fill("Apply in two counties")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Map of opportunities and threats")).to_be_visible()
    expect(page.get_by_text("Apply in two counties")).to_be_visible()


@pytest.mark.data
def test_a1_every_screen_fits_and_axe_finds_nothing(site: Site, open_page: OpenPage) -> None:
    owner = site.runtime.settings.owner_database_url
    whole = [onet_folder("db_30_1_text", "Interests.txt"), onet_folder("db_29_3_text_converted", "Skills.txt")]
    store.store(owner, read_onet(whole))
    store.store(owner, read_bls(data_file("onet/bls_ep_2024_34/table_1_2.csv")))
    _reopen(site, open_page)
    opened = site.open(open_page, site.scene.client, f"{STEP}?part=1", width=360)
    page = opened.page
    for typed, title in (
        ("market research", "Market Research Analysts and Marketing Specialists"),
        ("urban planer", "Urban and Regional Planners"),
        ("surgeon", "Oral and Maxillofacial Surgeons"),
        ("managers all other", "Managers, All Other"),
    ):
        page.goto(f"{site.address}{STEP}?part=1")
        page.get_by_label("Search for an occupation").fill(typed)
        page.get_by_role("button", name="Search", exact=True).click()
        page.get_by_role("button", name=f"Add {title}", exact=True).click()
        expect(page.get_by_role("link", name=title)).to_be_visible()
    page.get_by_label("My highest education so far").select_option(label="Bachelor's degree")
    page.get_by_role("button", name="Next").click()
    found = []
    page.goto(f"{site.address}{STEP}?mode=guided")
    for part in ("1&ask=planer", "2", "3", "4", "check"):
        page.goto(f"{site.address}{STEP}?part={part}")
        found += faults_of(page, f"client-{part[0]}")
    page.goto(f"{site.address}{STEP}?mode=whole")
    found += faults_of(page, "client-whole") + opened.complaints
    opened = site.open(open_page, site.scene.counsellor, f"/plans/{site.scene.plan_id}/steps/3")
    found += faults_of(opened.page, "counsellor") + opened.complaints
    assert found == []
