"""Every page of the URL map, opened by every role in a real browser: it fits, no word breaks, axe is content (A1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from app.factory import create_app
from app.features.identity.models import User
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime
from app.infra.web.access import access_of
from tests.harness import Servers
from tests.look.everything import Everything, addresses, make_everything
from tests.served import WIDTHS, Served, faults_of, serving

# A busy machine takes many times the minute and a half of an idle one.
pytestmark = [pytest.mark.browser, pytest.mark.committed, pytest.mark.timeout(1200)]
ROLES = ("admin", "counsellor", "analyst", "client", "visitor")
# Addresses that answer a GET with a page to nobody's browser, each with the reason.
NO_PAGE = {
    "organizations.accent": "a stylesheet",
    "figures.export_aggregates": "a file",
    "figures.export": "a file",
    "reports.client_pdf": "a file",
    "reports.client_file": "a file",
    "reports.comparison_pdf": "a file",
    "reports.my_pdf": "a file",
    "reports.my_comparison_pdf": "a file",
    "roster.sheet": "a file",
    "classes.export": "a file",
    "outcomes.bad_rows": "a file",
    "outcomes.file_progress": "a part of outcomes.show_file",
    "templates.save_file": "a file",
    "audit.download": "a file",
    "jobs.download": "a file",
    "jobs.results": "a table",
    "jobs.take_file": "a file",
    "cohort_figures.take": "a file",
    "extracts.take": "a file",
    "figures.take_kept": "a file",
    "schedules.take": "a file",
    "actions.download": "a file",
    "actions.feed": "for calendar programs",
    "jobs.progress": "a part of jobs.show",
    "roster.progress": "a part of roster.show",
    "reviews.retake": "instruments.sitting within a check-in, only in the browser that opened its link",
    "reviews.finish_retake": "instruments.finish within a check-in, only in the browser that opened its link",
    "reviews.link_result": "reviews.own_result, only in the browser that opened the check-in's link",
    "reviews.done": "a thank-you, only in the browser that has just answered a check-in",
    "edits.form": "leads on to edits.new until people are chosen; looked at in tests/moves/test_browser.py",
    "reviews.choose_subject": "leads on to reviews.policy",
    "identity.enter_organization": "leads on to the first page of the organization",
    "health.healthz": "for machines",
    "health.readyz": "for machines",
    "health.metrics": "for machines",
}


@dataclass(frozen=True)
class Site(Served):
    """A served installation with one of everything."""

    everything: Everything
    pages: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def site(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name, folder = servers.clone(), tmp_path_factory.mktemp("everything")
    runtime = make_runtime(servers.settings(name, folder / "storage"), doorbell=SilentDoorbell())
    everything = make_everything(runtime, folder)
    app = create_app(runtime)
    with serving(app) as address:
        yield Site(address, app, runtime, everything, addresses(app, everything))
    runtime.database.dispose()
    servers.drop(name)


def opened(site: Site, chromium: Browser, role: str) -> Page:
    """A page of a browser that is signed in as the role."""
    context = chromium.new_context()
    person = site.everything.people[role]
    if person is not None:
        context.add_cookies([site.cookie(person)])
    return context.new_page()


@pytest.mark.parametrize("role", ROLES)
def test_a1_every_page_of_the_url_map(site: Site, chromium: Browser, role: str) -> None:
    page = opened(site, chromium, role)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    faults = []
    # Nothing moves while it is measured.
    page.emulate_media(reduced_motion="reduce")
    for endpoint, path in site.pages[role].items():
        page.goto(site.address + path)
        # The same page for another role differs in what fits and breaks, hardly in what axe asks.
        axe = all(endpoint not in site.pages[other] for other in ROLES[: ROLES.index(role)])
        faults += [f"{endpoint} {fault}" for fault in faults_of(page, f"{role}-{endpoint}", axe=axe)]
        faults += [f"{endpoint} console: {complaint}" for complaint in complaints]
        complaints.clear()
    page.context.close()
    assert not faults, "\n".join(faults)


def test_every_page_is_opened_by_somebody(site: Site) -> None:
    """So that a new page is looked at the day it is added, or says why not."""
    seen = {endpoint.split()[0] for pages in site.pages.values() for endpoint in pages}
    asked = {
        rule.endpoint
        for rule in site.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not rule.rule.startswith(("/api/", "/static"))
        and access_of(site.app, rule.endpoint)
    }
    assert asked - seen - set(NO_PAGE) == set()
    assert set(NO_PAGE) & seen == set()


def test_the_entries_that_do_not_fit_are_behind_one_word_and_reached_by_keyboard(site: Site, chromium: Browser) -> None:
    page = opened(site, chromium, "admin")
    page.set_viewport_size({"width": 1024, "height": 900})
    page.goto(site.address + "/audit")
    more = page.locator(".nav-more > summary")
    # It says where one is, since the entry itself is out of sight.
    assert more.inner_text().split("\n")[0].strip().startswith("Audit")
    assert not page.get_by_role("link", name="Settings").is_visible()
    more.focus()
    page.keyboard.press("Enter")
    link = page.locator(".nav-more").get_by_role("link", name="Settings")
    assert link.is_visible()
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings")
    page.context.close()


@pytest.mark.parametrize("role", ["admin", "counsellor"])
def test_the_header_of_a_phone_is_one_line_and_the_search_below(site: Site, chromium: Browser, role: str) -> None:
    page = opened(site, chromium, role)
    page.goto(site.address + "/")
    assert page.locator(".inbox-count").count() == 1
    for width in (320, 360):
        page.set_viewport_size({"width": width, "height": 900})
        tops = [page.locator(one).first.bounding_box() for one in (".top-inner .brand", ".inbox-count", ".avatar")]
        middles = [box["y"] + box["height"] / 2 for box in tops if box is not None]
        assert len(middles) == 3
        assert max(middles) - min(middles) < 12, (role, width, middles)
    page.context.close()


def test_the_header_fits_in_chinese_too(site: Site, chromium: Browser) -> None:
    page = opened(site, chromium, "admin")
    person = site.everything.people["admin"]
    assert person is not None
    with site.runtime.database.identity_session() as session:
        session.get_one(User, person.user_id).locale = "zh_Hans_CN"
    try:
        page.goto(site.address + "/caseload")
        assert page.locator("html").get_attribute("lang", timeout=1000).startswith("zh")  # type: ignore[union-attr] # it has one
        wide = {}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            wide[width] = page.evaluate("document.documentElement.scrollWidth")
        assert wide == {width: width for width in WIDTHS}
    finally:
        with site.runtime.database.identity_session() as session:
            session.get_one(User, person.user_id).locale = None
        page.context.close()
