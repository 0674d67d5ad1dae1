"""The questionnaires beside interests, on a phone and a desk: choices between two, numbers in a row, long results."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from playwright.sync_api import expect

from app.domain import access
from app.features.instruments.builtin import add_built_ins, built_ins
from app.features.instruments.commands import SaveAnswers
from app.features.instruments.sittings import begin_sitting, finish_sitting, save_answers
from tests.browser_fixture import OpenPage
from tests.instruments.test_browser import Site, answer_by_keyboard, looked_at, press_button, site
from tests.served import faults_of

pytestmark = [pytest.mark.browser, pytest.mark.committed]
__all__ = ["site"]
NAMES = ("values", "adaptability", "paths", "skills")


@pytest.fixture
def loaded(site: Site) -> dict[str, UUID]:
    """All built-in questionnaires of the site's organization, by name."""
    with site.runtime.database.unit_of_work(access.system(site.client.actor.organization_id)) as uow:
        return dict(zip(built_ins(), [each.instrument_id for each in add_built_ins(uow)], strict=True))


def begin(site: Site, instrument: UUID) -> UUID:
    with site.runtime.database.unit_of_work(site.client.actor) as uow:
        return begin_sitting(uow, instrument).row.id


def take(site: Site, instrument: UUID) -> UUID:
    """Answer everything, differently from question to question."""
    sitting = begin(site, instrument)
    with site.runtime.database.unit_of_work(site.client.actor) as uow:
        definition = begin_sitting(uow, instrument).definition
        span = definition.highest - definition.lowest + 1
        answers = {item.id: definition.lowest + (n * n + n // 7) % span for n, item in enumerate(definition.items)}
        save_answers(uow, SaveAnswers(sitting_id=sitting, answers=answers))
    with site.runtime.database.unit_of_work(site.client.actor) as uow:
        return finish_sitting(uow, sitting)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_and_a_result_are_pleasant_at_every_width(
    name: str, site: Site, loaded: dict[str, UUID], open_page: OpenPage
) -> None:
    sitting, found = begin(site, loaded[name]), []
    for number in (1, 2):
        opened = site.open(open_page, site.client, f"/my-plan/sittings/{sitting}?set={number}")
        found += faults_of(opened.page, f"{name}-set{number}") + opened.complaints
        # A finger finds every answer.
        for width in (360, 1440):
            opened.page.set_viewport_size({"width": width, "height": 900})
            low = opened.page.evaluate(
                "Math.min(...[...document.querySelectorAll('.answers label')]"
                ".map(l => Math.min(l.offsetHeight, l.offsetWidth)))"
            )
            assert low >= 30, (width, low)
        opened.page.context.close()
    result = take(site, loaded[name])
    for person, who in ((site.client, "client"), (site.lena, "counsellor")):
        opened = site.open(open_page, person, f"/results/{result}")
        found += faults_of(opened.page, f"{name}-result-{who}") + opened.complaints
        opened.page.context.close()
    assert found == []


def test_a_choice_between_two_is_made_by_keyboard(site: Site, loaded: dict[str, UUID], open_page: OpenPage) -> None:
    opened = site.open(open_page, site.client, f"/my-plan/questionnaires/{loaded['values']}", width=360)
    page = opened.page
    press_button(page, "Begin")
    for number in range(1, 7):
        expect(page).to_have_title(re.compile(f"part {number} of 6"))
        answer_by_keyboard(page, [1, 2, 1, 2, 2])
        press_button(page, "Next" if number < 6 else "To the end")
    expect(page.get_by_role("heading", name="All questions are answered")).to_be_visible()
    press_button(page, "Finish")
    expect(page).to_have_url(re.compile("/results/"))
    expect(page.get_by_role("heading", name="Your order")).to_be_visible()
    places = page.locator(".rank-list li")
    expect(places).to_have_count(6)
    values = [int(place.get_attribute("value") or 0) for place in places.all()]
    assert values[0] == 1
    assert values == sorted(values)
    expect(page.get_by_text("This is an order of your own", exact=False)).to_be_visible()
    expect(page.get_by_text("No comparison with other people is made", exact=False).first).to_be_visible()


def test_a_level_is_chosen_by_keyboard_and_said_in_words(
    site: Site, loaded: dict[str, UUID], open_page: OpenPage
) -> None:
    sitting = begin(site, loaded["skills"])
    page = site.open(open_page, site.client, f"/my-plan/sittings/{sitting}", width=360).page
    answer_by_keyboard(page, [1, 8, 4, 2, 5])
    first = page.locator("fieldset").first
    # Whoever hears the page hears the whole answer, not only its number.
    expect(first.get_by_role("radio", name="0: I have never done it")).to_be_checked()
    expect(page.locator("fieldset").nth(1).get_by_role("radio", name=re.compile("^7: Experienced"))).to_be_checked()
    press_button(page, "Next")
    expect(page).to_have_title(re.compile("part 2 of 7"))
    with site.runtime.database.unit_of_work(site.client.actor) as uow:
        assert begin_sitting(uow, loaded["skills"]).row.responses[:5] == [1, 8, 4, 2, 5]


def test_the_list_of_instruments_and_one_act_for_all(site: Site, open_page: OpenPage) -> None:
    for width, scheme in ((360, "light"), (768, "dark"), (1440, "light")):
        opened = site.open(open_page, site.admin, "/instruments", width=width, scheme=scheme)
        looked_at(opened, f"instruments-{width}-{scheme}")
        opened = site.open(open_page, site.admin, "/instruments/new", width=width, scheme=scheme)
        opened.page.get_by_text("what the file does not say", exact=False).click()
        looked_at(opened, f"instruments-new-{width}-{scheme}")
    page = site.open(open_page, site.admin, "/instruments", width=1440).page
    page.get_by_role("button", name="Add all of them").click()
    expect(page.get_by_text("4 instruments are loaded.")).to_be_visible()
    expect(page.get_by_role("heading", name="Add a built-in instrument")).to_have_count(0)
    for name in ("What matters to me at work", "What I can do"):
        page.get_by_role("link", name=name).click()
        looked_at_page = page.locator("h1")
        expect(looked_at_page).to_contain_text(name)
        page.go_back()
