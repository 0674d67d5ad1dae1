"""The gallery in Chromium: axe, the content security policy, reflow, keys, and the script's kindnesses."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser_fixture import OpenPage
from tests.look.gallery import PAGES, create_gallery
from tests.served import violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("name", PAGES)
def test_a1_axe_finds_nothing(open_page: OpenPage, gallery_url: str, name: str, width: int, scheme: str) -> None:
    opened = open_page(f"{gallery_url}/{name}", width=width, scheme=scheme)
    assert violations(opened.page) == []
    assert opened.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_a3_reflow_at_320_and_right_to_left(open_page: OpenPage, gallery_url: str, name: str) -> None:
    for query in ("", "?dir=rtl&lang=ar"):
        page = open_page(f"{gallery_url}/{name}{query}", width=320).page
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        small = page.evaluate(
            """() => [...document.querySelectorAll('a, button, summary, select, input:not([type=hidden])')]
            .filter((e) => e.checkVisibility() && getComputedStyle(e).display !== 'inline'
              && !e.closest('svg') && !e.matches('[type=checkbox], [type=radio], .skip'))
            .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])
            .filter(([, h]) => h < 24)"""
        )
        assert small == []


def test_a2_the_skip_link_is_first_and_the_focus_shows(open_page: OpenPage, gallery_url: str) -> None:
    page = open_page(f"{gallery_url}/plan").page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    dial = page.locator(".dial-wide a.dial-step").nth(3)
    dial.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(dial).to_be_focused()
    assert dial.locator(".dial-hit").evaluate("e => getComputedStyle(e).strokeWidth") == "3.5px"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"step=4$"))


def test_live_search_swaps_the_results_and_keeps_the_focus(open_page: OpenPage, gallery_url: str) -> None:
    opened = open_page(f"{gallery_url}/caseload")
    page = opened.page
    page.locator("#q").press_sequentially("sofia")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#announce")).to_have_text("1 students")
    expect(page).to_have_url(re.compile(r"q=sofia"))
    assert opened.complaints == []


def test_search_works_without_script(open_page: OpenPage, gallery_url: str) -> None:
    page = open_page(f"{gallery_url}/caseload", script=False).page
    page.locator("#q").fill("sofia")
    page.locator("#q").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("[data-bulk] button").first).to_be_enabled()


def test_rows_by_arrow_and_the_bulk_count(open_page: OpenPage, gallery_url: str) -> None:
    page = open_page(f"{gallery_url}/caseload").page
    rows = page.locator("[data-row]")
    rows.nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(rows.nth(0)).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.locator("[data-select-all]").check()
    expect(page.locator("[data-bulk-count]")).to_have_text("8 selected")
    page.locator("[data-select-all]").uncheck()
    expect(page.locator("[data-bulk] button").first).to_be_disabled()


def test_confirm_asks_and_gives_the_focus_back(open_page: OpenPage, gallery_url: str) -> None:
    opened = open_page(f"{gallery_url}/plan")
    page = opened.page
    button = page.get_by_role("button", name="Accept step 4")
    button.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("You can open it again later")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()
    button.click()
    dialog.get_by_role("button", name="Accept step 4").click()
    expect(page).to_have_url(re.compile(r"/form$"))


def test_progress_moves_on_by_itself_until_finished(open_page: OpenPage, gallery_url: str) -> None:
    page = open_page(f"{gallery_url}/jobs").page
    expect(page.locator("#job-7 progress")).to_have_attribute("value", "100")
    expect(page.locator("#job-7 progress")).to_have_attribute("value", "412", timeout=12000)
    expect(page.locator("#announce")).to_have_text("Finished")
    expect(page.locator("#job-7[data-poll]")).to_have_count(0)


def test_autosave_says_saved(open_page: OpenPage, gallery_url: str) -> None:
    page = open_page(f"{gallery_url}/plan").page
    page.locator("#comment").press_sequentially(" Thank you.")
    expect(page.locator("[data-saved]")).to_have_text("Saved")


def test_a3_errors_take_the_focus_and_lead_to_their_fields(open_page: OpenPage, gallery_url: str) -> None:
    page = open_page(f"{gallery_url}/form-errors").page
    expect(page.locator(".error-summary")).to_be_focused()
    name = page.locator("#name")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description(re.compile("Write a few words"))
    expect(page.locator("#side")).to_have_accessible_description(re.compile("next two years.*Choose one", re.S))
    page.get_by_role("link", name=re.compile("What does it do")).click()
    expect(page.locator("#side-0")).to_be_focused()


def test_the_theme_of_the_page_wins_over_the_system(open_page: OpenPage, gallery_url: str) -> None:
    page = open_page(f"{gallery_url}/plan?theme=light", scheme="dark").page
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(250, 249, 246)"


def test_every_page_of_the_gallery_answers() -> None:
    client = create_gallery().test_client()
    assert {name: client.get(f"/{name}").status_code for name in PAGES} == dict.fromkeys(PAGES, 200)
