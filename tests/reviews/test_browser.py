"""From the mail in the sink through the check-in on a phone to the counsellor's decision and the new revision."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import policy as email_policy
from email.parser import BytesParser
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app import composition
from app.domain.cadence import OnDates, ReviewPolicy
from app.domain.steps import StepKey
from app.features.messaging.relay import relay_of
from app.features.plans.queries import view_plan
from app.features.plans.revisions import snapshot_of
from app.features.reviews.commands import SetPolicy
from app.features.reviews.settings import set_policy
from app.infra.mailsink.launch import start_mailsink
from tests.browser_fixture import Opened, OpenPage
from tests.instruments.test_browser import violations
from tests.plans.test_browser import Site, site

pytestmark = [pytest.mark.browser, pytest.mark.committed]
__all__ = ["site"]
WHY = "The county cut its budget for figures."


@pytest.fixture
def mailed(site: Site, tmp_path: Path) -> Iterator[str]:
    """The path of the check-in in the mail that the plan's client was sent."""
    sink = start_mailsink(tmp_path / "sink")
    runtime = replace(
        site.runtime, settings=replace(site.runtime.settings, smtp_url=f"smtp://127.0.0.1:{sink.smtp_port}")
    )
    with runtime.database.unit_of_work(site.scene.admin.actor) as uow:
        cadence = OnDates((uow.now.date() - timedelta(days=1), uow.now.date() + timedelta(days=180)))
        policy = ReviewPolicy(cadence=cadence, quiet_hours=None, weekdays=tuple(range(7)))
        set_policy(uow, SetPolicy(scope="plan", subject_id=site.scene.plan_id, policy=policy))
    until = runtime.clock() + timedelta(seconds=60)
    composition.prompt_organization(runtime, site.scene.organization, until=until)
    [mail] = (tmp_path / "sink" / "messages").glob("*.eml")
    body = BytesParser(policy=email_policy.default).parsebytes(mail.read_bytes()).get_body(("plain",))
    assert body is not None
    address = re.search(r"/check-in/[A-Za-z0-9_-]{64}", body.get_content())
    assert address is not None
    yield address[0]
    relay_of(runtime.settings.smtp_url).close()
    sink.stop()


def looked_at(opened: Opened, name: str, width: int) -> None:
    """axe finds nothing, nothing runs over the edge, the console is silent; a picture where somebody wants one."""
    if folder := os.environ.get("OCTANT_PICTURES"):
        opened.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    assert violations(opened.page) == [], name
    assert opened.complaints == [], name
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_from_the_mail_through_the_check_in_to_the_new_revision(site: Site, mailed: str, open_page: OpenPage) -> None:
    opened = open_page(site.address + mailed, width=360, height=740)
    phone = opened.page
    phone.get_by_role("button", name="Begin").press("Enter")
    # `all()` does not wait for the page that is being turned to.
    expect(phone.get_by_role("button", name="Send my answers")).to_be_visible()
    for question in phone.locator("fieldset:has(.choices-cards)").all():
        question.locator("label").first.click()
    phone.locator("#factor-f2").get_by_text("stronger").click()
    phone.get_by_label("Can you do something about it? Hiring freeze").select_option("no")
    phone.locator("#step-goals").get_by_text("rethink").click()
    phone.get_by_label("If something shall change: why?").fill(WHY)
    phone.locator("#confidence-4").press("Space")
    looked_at(opened, "check-in-360", 360)
    phone.get_by_role("button", name="Send my answers").press("Enter")
    expect(phone.get_by_text("Until then your plan stays as it is.")).to_be_visible()
    looked_at(opened, "check-in-thanks-360", 360)
    with site.runtime.database.unit_of_work(site.scene.admin.actor) as uow:
        assert view_plan(uow, site.scene.plan_id).plan.revision == 2

    at_desk = site.open(open_page, site.scene.counsellor, "/", width=1440)
    desk = at_desk.page
    row = desk.get_by_role("row").filter(has_text="Amara Okafor")
    expect(row.get_by_text("Check-in answered")).to_be_visible()
    desk.goto(f"{site.address}/plans/{site.scene.plan_id}")
    desk.get_by_role("link", name="Open the check-in").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Check-in of Amara Okafor")
    looked_at(at_desk, "answered-1440", 1440)
    step = desk.get_by_role("group", name="Step Goals: rethink")
    expect(step.get_by_label("Why it changed")).to_have_value(WHY)
    step.get_by_label("Why it changed").fill("")
    desk.get_by_role("button", name="Take the changes").press("Enter")
    expect(desk.get_by_text("One thing to mend")).to_be_visible()
    # The console says that the answer was 422.
    at_desk.complaints.clear()
    looked_at(at_desk, "answered-to-mend-1440", 1440)
    step.get_by_label("Why it changed").fill(WHY)
    desk.get_by_role("button", name="Take the changes").press("Enter")
    expect(desk.get_by_text("Revision 2 is closed and kept as it was; revision 3 is open.")).to_be_visible()
    expect(desk.get_by_role("cell", name=WHY)).to_be_visible()
    for fold in desk.locator("summary").filter(has_text="field").all():
        fold.click()
    looked_at(at_desk, "compared-1440", 1440)
    desk.get_by_role("link", name="Revision 2 as it was").click()
    expect(desk.get_by_text("as it was closed, checked")).to_be_visible()
    looked_at(at_desk, "revision-1440", 1440)

    mine = site.open(open_page, site.scene.client, "/my-plan", width=360)
    expect(mine.page.get_by_text("Your plan, revision 3")).to_be_visible()
    with site.runtime.database.unit_of_work(site.scene.admin.actor) as uow:
        view = view_plan(uow, site.scene.plan_id)
        freeze = view.content(StepKey.OPPORTUNITIES)["factors"][1]
        assert (view.plan.revision, view.step(StepKey.REVIEW).status) == (3, "completed")
        # Its impact was at its end already, so it became likelier.
        assert (freeze["likelihood"], freeze["impact"], freeze["history"][-1]["source"]) == (4, 5, "check-in")
        before = snapshot_of(uow, site.scene.plan_id, 2)["steps"]["opportunities"]["content"]["factors"][1]
        assert before["likelihood"] == 3
