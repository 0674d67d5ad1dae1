"""A client takes the interests questionnaire on a phone by keyboard, leaves half way, returns and sees the result."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.domain import access
from app.domain.access import Role
from app.factory import create_app
from app.features.instruments.builtin import add_built_in
from app.features.instruments.models import Assessment
from app.infra.runtime import Runtime
from tests.browser_fixture import Opened, OpenPage
from tests.factories import Person, World
from tests.served import Served, serving, violations

pytestmark = [pytest.mark.browser, pytest.mark.committed]


@dataclass(frozen=True)
class Site(Served):
    """A served installation: a client with a plan, their counsellor, an administrator."""

    client: Person
    lena: Person
    admin: Person


@pytest.fixture
def site(live: Runtime) -> Iterator[Site]:
    world = World(live)
    here = world.organization()
    client = world.client_person(here, name="Nora Quinn")
    lena = world.person(here, Role.COUNSELLOR, "Lena Moreau")
    admin = world.person(here, Role.ADMIN, "Ada Byrne")
    assert client.actor.client_id is not None
    world.caseload(lena, [client.actor.client_id])
    world.plan(here, client.actor.client_id)
    with live.database.unit_of_work(access.system(here)) as uow:
        add_built_in(uow, "interests")
    app = create_app(live)
    with serving(app) as address:
        yield Site(address, app, live, client, lena, admin)


def looked_at(opened: Opened, name: str) -> None:
    """axe finds nothing, nothing runs over the edge, the console is silent; a picture where somebody wants one."""
    page = opened.page
    if folder := os.environ.get("OCTANT_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
    assert violations(page) == [], name
    assert opened.complaints == [], name
    assert page.viewport_size is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name


def press_button(page: Page, name: str) -> None:
    """Go to a button with the Tab key alone and press it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the Tab key never reached {name}")


def answer_by_keyboard(page: Page, answers: list[int]) -> None:
    """Answer one set: Tab to each question, arrows to the answer; focus begins before the first."""
    page.locator("#main").focus()
    for answer in answers:
        for _ in range(9):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.type === 'radio' && !document.activeElement.checked"):
                break
        # Space takes the first answer, the arrow each further one.
        page.keyboard.press("Space")
        for _ in range(answer - 1):
            page.keyboard.press("ArrowRight")


def test_a_questionnaire_by_keyboard_left_half_way_and_finished(site: Site, open_page: OpenPage) -> None:
    phone = site.open(open_page, site.client, "/my-plan/steps/2", width=360, height=740)
    page = phone.page
    looked_at(phone, "step-360")
    page.get_by_role("link", name="Answer What I would like to do").click()
    looked_at(phone, "take-360")
    press_button(page, "Begin")
    expect(page.locator(".questions fieldset")).to_have_count(5)
    looked_at(phone, "set-360")
    pattern = {"R": 5, "I": 4, "A": 3, "S": 2, "E": 1, "C": 1}
    order = [pattern["RIASEC"[place % 6]] for place in range(60)]
    for number in range(6):
        answer_by_keyboard(page, order[number * 5 : number * 5 + 5])
        if number < 5:
            press_button(page, "Next")
            expect(page).to_have_title(re.compile(f"part {number + 2} of 12"))
    # The script has saved the sixth set before any button is pressed.
    expect(page.get_by_text("Saved", exact=False).first).to_be_visible()
    page.close()

    back = site.open(open_page, site.client, "/my-plan/steps/2", width=360, height=740)
    page = back.page
    expect(page.get_by_text("30 of 60 answered")).to_be_visible()
    looked_at(back, "half-360")
    page.get_by_role("link", name="Go on What I would like to do").click()
    press_button(page, "Go on")
    expect(page).to_have_title(re.compile("part 6 of 12"))
    expect(page.locator("input:checked")).to_have_count(5)
    press_button(page, "Next")
    for number in range(6, 12):
        answer_by_keyboard(page, order[number * 5 : number * 5 + 5])
        press_button(page, "Next" if number < 11 else "To the end")
    expect(page.get_by_role("heading", name="All questions are answered")).to_be_visible()
    looked_at(back, "finish-360")
    press_button(page, "Finish")
    expect(page).to_have_url(re.compile("/results/"))
    looked_at(back, "result-360")
    with site.runtime.database.unit_of_work(access.system(site.client.actor.organization_id)) as uow:
        [stored] = uow.session.scalars(select(Assessment)).all()
        assert stored.scores == [40, 30, 20, 10, 0, 0]
        assert stored.source == "portal"
    expect(page.get_by_text("RIA (Doing, Finding out, Creating)")).to_be_visible()
    result = page.url.removeprefix(site.address)
    for person, name in ((site.client, "client"), (site.lena, "counsellor")):
        for width, scheme in ((320, "dark"), (768, "light"), (1440, "dark"), (1440, "light")):
            opened = site.open(open_page, person, result, width=width, scheme=scheme)
            looked_at(opened, f"result-{name}-{width}-{scheme}")
            assert opened.page.get_by_text("How the questions were answered").count() == (person is site.lena)
            opened.page.context.close()


def test_the_instruments_of_an_organization(site: Site, open_page: OpenPage) -> None:
    for width, scheme in ((360, "dark"), (1440, "light")):
        opened = site.open(open_page, site.admin, "/instruments", width=width, scheme=scheme)
        looked_at(opened, f"instruments-{width}-{scheme}")
        opened.page.get_by_role("link", name="What I would like to do").click()
        looked_at(opened, f"instrument-{width}-{scheme}")
        opened.page.context.close()
