"""A client goes through all eight rooms on a phone, the counsellor beside them; then the report holds every step."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import policy as email_policy
from email.parser import BytesParser
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from app import composition
from app.domain.access import Role
from app.domain.cadence import OnDates, ReviewPolicy
from app.domain.steps import StepKey
from app.factory import create_app
from app.features.instruments.builtin import add_built_in
from app.features.messaging.relay import relay_of
from app.features.plans.default_template import default_content
from app.features.plans.queries import view_plan
from app.features.reviews.commands import SetPolicy
from app.features.reviews.settings import set_policy
from app.infra.mailsink.launch import start_mailsink
from app.infra.runtime import Runtime
from tests.browser_fixture import Opened, OpenPage
from tests.factories import World
from tests.infra.test_pdf import packed
from tests.instruments.test_browser import Site, answer_by_keyboard, press_button
from tests.served import serving, violations
from tests.steps.choosing import PUBLISHED, store_result

pytestmark = [pytest.mark.browser, pytest.mark.committed]
QUESTIONNAIRE = "How I deal with what comes"
AMBITION = (
    "I want to help people in my town to get up again after an accident, close to where they live, and later to teach "
    "others how to do it well."
)
FACTORS = (
    ("The clinic in town is being enlarged", "opportunity", "no", "4", "4"),
    ("Fees for the course may rise", "threat", "no", "3", "4"),
    ("I am patient with people in pain", "strength", "yes", "5", "4"),
    ("I know little about anatomy yet", "weakness", "partly", "5", "2"),
)


@dataclass(frozen=True)
class Walk:
    """The served installation, its people, the plan, and the mail that leaves it."""

    site: Site
    plan_id: UUID
    mails: Path
    phone: Opened
    desk: Opened

    @property
    def page(self) -> Page:
        """The client's phone."""
        return self.phone.page

    def step(self, number: int, part: int | str = "") -> None:
        """Open a step of one's own plan, on a screen of the guided way."""
        self.page.goto(f"{self.site.address}/my-plan/steps/{number}{f'?part={part}' if part else ''}")

    def next(self) -> None:
        """Go on to the next screen."""
        before = self.page.locator("progress").get_attribute("value")
        self.page.get_by_role("button", name="Next").last.click()
        expect(self.page.locator("progress")).not_to_have_attribute("value", str(before))
        self.page.wait_for_load_state()

    def hand_in(self, number: int) -> None:
        """On the last screen: axe, then the button."""
        expect(self.page.get_by_role("heading", name="Read it once more")).to_be_visible()
        looked_at(self.phone, f"walk-{number}-360", 360)
        self.page.get_by_role("button", name="Hand in").click()
        expect(self.page.get_by_text(f"Step {number} is handed in.")).to_be_visible()

    def accept(self, number: int) -> None:
        """The counsellor reads the step beside the client and accepts it."""
        self.desk.page.goto(f"{self.site.address}/plans/{self.plan_id}/steps/{number}")
        looked_at(self.desk, f"walk-{number}-1440", 1440)
        self.desk.page.get_by_role("button", name=f"Accept step {number}").click()
        expect(self.desk.page.locator(".head").get_by_text("completed")).to_be_visible()


def looked_at(opened: Opened, name: str, width: int) -> None:
    """axe finds nothing, nothing runs over the edge, the console is silent, and no part of a program is shown."""
    if folder := os.environ.get("OCTANT_PICTURES"):
        opened.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    assert " object at 0x" not in opened.page.content(), name
    assert violations(opened.page) == [], name
    assert opened.complaints == [], name
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.fixture
def walk(live: Runtime, tmp_path: Path, open_page: OpenPage) -> Iterator[Walk]:
    sink = start_mailsink(tmp_path / "sink")
    runtime = replace(live, settings=replace(live.settings, smtp_url=f"smtp://127.0.0.1:{sink.smtp_port}"))
    world = World(runtime)
    here = world.organization(name="Riverside career centre")
    client = world.client_person(here, name="Nora Quinn", given_name="Nora", family_name="Quinn")
    lena, admin = world.person(here, Role.COUNSELLOR, "Lena Moreau"), world.person(here, Role.ADMIN, "Ada Byrne")
    client_id = client.actor.client_id
    assert client_id is not None
    world.caseload(lena, [client_id])
    with runtime.database.unit_of_work(admin.actor) as uow:
        add_built_in(uow, "adaptability")
        store_result(uow, client_id, "interests", PUBLISHED)
        raw = default_content("en")
        raw["steps"]["self_assessment"]["instruments"] = ["octant-adaptability"]
    plan_id = world.plan(here, client_id, world.template(here, raw=raw))
    app = create_app(runtime)
    with serving(app) as address:
        site = Site(address, app, runtime, client, lena, admin)
        phone = site.open(open_page, client, "/my-plan", width=360, height=740)
        desk = site.open(open_page, lena, "/", width=1440)
        yield Walk(site, plan_id, tmp_path / "sink" / "messages", phone, desk)
    relay_of(runtime.settings.smtp_url).close()
    sink.stop()


@pytest.mark.timeout(600)
def test_j1_j2_all_eight_rooms_on_a_phone_and_the_counsellor_beside_them(walk: Walk, open_page: OpenPage) -> None:
    looked_at(walk.phone, "walk-plan-360", 360)
    _ambition(walk)
    _self_assessment(walk)
    _opportunities(walk)
    chosen = _career_choice(walk)
    _career_path(walk)
    _goals(walk)
    _action_plan(walk)
    _review(walk, open_page)
    said = _report(walk)
    for step, wanted in {
        1: ("get up again after an accident", "Seeing results"),
        2: (QUESTIONNAIRE, "I plan ahead"),
        3: ("The clinic in town is being enlarged", "Registered Nurses"),
        4: (chosen, "It is what I would do unpaid"),
        5: ("growing as an expert", "First post in a clinic"),
        6: ("Be taken for the course", "A letter of admission"),
        7: ("Write the application", "Ask for two letters"),
        8: ("Past reviews",),
    }.items():
        for words in wanted:
            assert packed(words) in said, (step, words)


def _ambition(walk: Walk) -> None:
    page = walk.page
    page.get_by_role("link", name="Begin").first.click()
    page.get_by_label("My ambition").fill(AMBITION)
    walk.next()
    page.get_by_label("Why it matters to me").fill("My father walked again because somebody knew how.")
    walk.next()
    page.get_by_label("Name").first.fill("My father's therapist")
    walk.next()
    # Three cards on the first pile by the Enter key.
    pile = page.get_by_role("button", name="very important", exact=True)
    for number in range(3):
        pile.press("Enter")
        expect(page.get_by_text(f"{29 - number} of 30 cards are left")).to_be_visible()
    walk.next()
    expect(page.locator(".ranking li")).to_have_count(3)
    walk.next()
    for number in range(1, 4):
        expect(page.get_by_text(f"Pair {number} of 3")).to_be_visible()
        page.locator(".pair-sides button").first.press("Enter")
    expect(page.get_by_text("All pairs are compared")).to_be_visible()
    walk.next()
    walk.next()
    walk.hand_in(1)
    walk.accept(1)


def _self_assessment(walk: Walk) -> None:
    page = walk.page
    page.get_by_role("link", name="Begin").first.click()
    page.get_by_role("link", name=f"Answer {QUESTIONNAIRE}").click()
    expect(page.get_by_role("button", name="Begin")).to_be_visible()
    press_button(page, "Begin")
    for number in range(1, 6):
        expect(page).to_have_title(re.compile(f"part {number} of 5"))
        answer_by_keyboard(page, [4, 3, 5, 4, 3][: page.locator(".questions fieldset").count()])
        press_button(page, "To the end" if number == 5 else "Next")
    expect(page.get_by_role("heading", name="All questions are answered")).to_be_visible()
    press_button(page, "Finish")
    expect(page).to_have_url(re.compile("/results/"))
    looked_at(walk.phone, "walk-result-360", 360)
    walk.step(2, 2)
    page.get_by_label("What fits me").fill("Future.")
    walk.next()
    walk.step(2, "check")
    walk.hand_in(2)
    # The counsellor sends it back, the client reads why and says more.
    desk = walk.desk.page
    desk.goto(f"{walk.site.address}/plans/{walk.plan_id}/steps/2")
    desk.get_by_text("Return", exact=True).first.click()
    desk.locator("#return-reason").fill("Say where you recognise it from.")
    desk.get_by_role("button", name="Return", exact=True).click()
    expect(desk.locator(".head").get_by_text("returned")).to_be_visible()
    page.goto(f"{walk.site.address}/my-plan")
    expect(page.get_by_text("Say where you recognise it from.").first).to_be_visible()
    page.get_by_role("link", name="Look at it").click()
    walk.step(2, 2)
    page.get_by_label("What fits me").fill("I plan ahead: I had my evening course paid for a year before it began.")
    walk.next()
    walk.step(2, "check")
    walk.hand_in(2)
    walk.accept(2)


def _opportunities(walk: Walk) -> None:
    page = walk.page
    walk.step(3)
    page.get_by_label("Search for an occupation").focus()
    page.keyboard.type("nusre")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add Registered Nurses").press("Enter")
    expect(page.get_by_role("link", name="Registered Nurses")).to_be_visible()
    page.get_by_label("My highest education so far").select_option(label="High school diploma")
    walk.next()
    for number, (text, kind, control, likelihood, impact) in enumerate(FACTORS):
        if number:
            page.get_by_role("button", name="Add a row").click()
            expect(page.locator("details.row-folded")).to_have_count(number)
        page.get_by_label("What is it?").last.fill(text)
        page.get_by_label("For your plan it is").last.select_option(kind)
        page.get_by_label("Can you control it?").last.select_option(control)
        page.get_by_label("How likely is it?").last.select_option(likelihood)
        page.get_by_label("How much would it matter?").last.select_option(impact)
    walk.next()
    expect(page.get_by_role("heading", name="Map of opportunities and threats")).to_be_visible()
    walk.next()
    walk.next()
    walk.hand_in(3)
    walk.accept(3)


def _career_choice(walk: Walk) -> str:
    """Three of the first matches, rated, one chosen; returns its title."""
    page = walk.page
    walk.step(4, 1)
    page.get_by_role("link", name="See the whole list").click()
    titles = [page.locator("li.match").nth(place).get_by_role("heading").inner_text() for place in range(3)]
    for place in range(3):
        page.locator("li.match").nth(place).get_by_role("button").click()
        expect(page.locator("li.match").nth(place).get_by_text("taken")).to_be_visible()
    looked_at(walk.phone, "walk-matches-360", 360)
    walk.step(4, 2)
    walk.next()
    walk.next()
    for place, title in enumerate(titles):
        row = page.locator("details.row-folded").filter(has_text=title).first
        row.locator("summary").click()
        for select in row.locator("select").all():
            select.select_option(str(5 - place))
    walk.next()
    walk.next()
    page.get_by_label("My first choice").select_option(label=titles[0])
    page.get_by_label("My runner-up").select_option(label=titles[1])
    walk.next()
    page.get_by_label("The reason for my choice").fill("It is what I would do unpaid.")
    walk.next()
    walk.hand_in(4)
    walk.accept(4)
    return titles[0]


def _career_path(walk: Walk) -> None:
    page = walk.page
    walk.step(5, 1)
    walk.next()
    for row in page.locator("details.row-folded").all():
        if row.get_attribute("open") is None:
            row.locator("summary").click()
        for select in row.locator(".ratings select").all():
            select.select_option("4")
    walk.next()
    walk.next()
    page.locator("#chosen").select_option(label="growing as an expert")
    page.get_by_label("Why this way").fill("I want to know it thoroughly before I teach it.")
    walk.next()
    page.get_by_label("I have no position yet").check()
    walk.next()
    for number, (stage, years) in enumerate((("First post in a clinic", 3), ("Teach at the college", 8))):
        if number:
            page.get_by_role("button", name="Add a row").click()
            expect(page.locator("details.row-folded")).to_have_count(number)
        page.get_by_label("Position or stage").last.fill(stage)
        page.get_by_label("By about").last.fill(_day(365 * years))
    walk.next()
    walk.hand_in(5)
    walk.accept(5)


def _goals(walk: Walk) -> None:
    page = walk.page
    walk.step(6, 1)
    for number, (text, horizon, measure, days) in enumerate(
        (
            ("Be taken for the course", "short", "A letter of admission", 200),
            ("Work on my own with patients", "medium", "A signed contract", 1400),
        )
    ):
        if number:
            page.get_by_role("button", name="Add a row").click()
            expect(page.locator("details.row-folded")).to_have_count(number)
        page.get_by_label("Goal", exact=True).last.fill(text)
        page.get_by_label("How far ahead?").last.select_option(horizon)
        page.get_by_label("How will I know that I reached it?").last.fill(measure)
        page.get_by_label("By", exact=True).last.fill(_day(days))
    walk.next()
    walk.hand_in(6)
    walk.accept(6)


def _action_plan(walk: Walk) -> None:
    page = walk.page
    walk.step(7, 1)
    for number, (text, kind, begin, end) in enumerate(
        (("Ask for two letters", "work", 5, 40), ("Write the application", "training", 41, 90))
    ):
        if number:
            page.get_by_role("button", name="Add a row").click()
            expect(page.locator("details.row-folded")).to_have_count(number)
        page.get_by_label("What will I do?").last.fill(text)
        page.get_by_label("Kind", exact=True).last.select_option(kind)
        page.get_by_label("For the goal").last.select_option(label="Be taken for the course")
        page.get_by_label("Start").last.fill(_day(begin))
        page.get_by_label("Done by").last.fill(_day(end))
        if number:
            page.get_by_text("What must be done before it?").last.click()
            page.get_by_label("Ask for two letters", exact=True).last.check()
    walk.next()
    page.get_by_label("How many hours a week have I").fill("6")
    walk.next()
    expect(page.get_by_text("All is done on")).to_be_visible()
    walk.hand_in(7)
    walk.accept(7)
    with walk.site.runtime.database.unit_of_work(walk.site.admin.actor) as uow:
        first, second = view_plan(uow, walk.plan_id).content(StepKey.ACTION_PLAN)["actions"]
    assert second["after"] == [first["id"]]


def _review(walk: Walk, open_page: OpenPage) -> None:
    """A prompt that is due leaves as a mail; its link opens the check-in in a browser that is not signed in."""
    runtime, organization = walk.site.runtime, walk.site.client.actor.organization_id
    with runtime.database.unit_of_work(walk.site.admin.actor) as uow:
        cadence = OnDates((uow.now.date() - timedelta(days=1), uow.now.date() + timedelta(days=180)))
        policy = ReviewPolicy(cadence=cadence, quiet_hours=None, weekdays=tuple(range(7)))
        set_policy(uow, SetPolicy(scope="plan", subject_id=walk.plan_id, policy=policy))
    until = runtime.clock() + timedelta(seconds=60)
    composition.prompt_organization(runtime, organization, until=until)
    [mail] = walk.mails.glob("*.eml")
    body = BytesParser(policy=email_policy.default).parsebytes(mail.read_bytes()).get_body(("plain",))
    assert body is not None
    address = re.search(r"/check-in/[A-Za-z0-9_-]{64}", body.get_content())
    assert address is not None
    opened = open_page(walk.site.address + address[0], width=360, height=740)
    page = opened.page
    page.get_by_role("button", name="Begin").press("Enter")
    # `all()` does not wait for the page that is being turned to.
    expect(page.get_by_role("button", name="Send my answers")).to_be_visible()
    for question in page.locator("fieldset:has(.choices-cards)").all():
        question.locator("label").first.click()
    page.locator("#confidence-8").press("Space")
    looked_at(opened, "walk-8-360", 360)
    page.get_by_role("button", name="Send my answers").press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Check-in")
    walk.desk.page.goto(f"{walk.site.address}/plans/{walk.plan_id}/steps/8")
    looked_at(walk.desk, "walk-8-1440", 1440)


def _report(walk: Walk) -> str:
    """The words of the client's report, without blanks."""
    answer = walk.desk.page.request.get(f"{walk.site.address}/clients/{walk.site.client.actor.client_id}/report.pdf")
    assert answer.status == 200
    return "".join(packed(page.extract_text()) for page in PdfReader(io.BytesIO(answer.body())).pages)


def _day(ahead: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=ahead)).isoformat()
