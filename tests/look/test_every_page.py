"""Every page of the URL map, opened by every role in a real browser: it fits, no word breaks, axe is content (A1)."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from app.factory import create_app
from app.features.identity.models import User
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from app.infra.web.access import access_of
from tests.harness import Servers
from tests.look.everything import Everything, addresses, make_everything, session_token

# A busy machine takes many times the minute and a half of an idle one.
pytestmark = [pytest.mark.browser, pytest.mark.committed, pytest.mark.timeout(1200)]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ROLES = ("admin", "counsellor", "analyst", "client", "visitor")
WIDTHS = (320, 360, 768, 1024, 1440)
# The rest of axe's rules ask the same whatever the scheme and the width.
_OF_COLOUR_AND_SIZE = ["color-contrast", "target-size", "scrollable-region-focusable"]
# Addresses that answer a GET with a page to nobody's browser, each with the reason.
NO_PAGE = {
    "organizations.accent": "a stylesheet",
    "reports.export_aggregates": "a file",
    "reports.client_pdf": "a file",
    "reports.client_file": "a file",
    "reports.comparison_pdf": "a file",
    "reports.my_pdf": "a file",
    "roster.sheet": "a file",
    "audit.download": "a file",
    "jobs.download": "a file",
    "actions.download": "a file",
    "actions.feed": "for calendar programs",
    "jobs.progress": "a part of jobs.show",
    "roster.progress": "a part of roster.show",
    "reviews.retake": "instruments.sitting within a check-in, only in the browser that opened its link",
    "reviews.finish_retake": "instruments.finish within a check-in, only in the browser that opened its link",
    "reviews.done": "a thank-you, only in the browser that has just answered a check-in",
    "reviews.choose_subject": "leads on to reviews.policy",
    "identity.enter_organization": "leads on to the first page of the organization",
    "health.healthz": "for machines",
    "health.readyz": "for machines",
    "health.metrics": "for machines",
}

# Words of the page that stand on more than one line, with the element around them; words longer than any real one
# (an address, an id) may break, and so may scripts without spaces.
BROKEN_WORDS = r"""
() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const box = node.parentElement;
    if (!node.data.trim() || !box || box.closest("svg, script, option, .hide-visually, textarea")) continue;
    if (!box.checkVisibility()) continue;
    for (const word of node.data.matchAll(/[\p{Script=Latin}\p{N}]{2,20}/gu)) {
      const before = node.data[word.index - 1] ?? " ";
      const rest = node.data.slice(word.index + word[0].length);
      if (/[@._\/:]/.test(before) || /^(?:[@_\/:]|\.\w)/.test(rest)) continue;
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].filter((r) => r.width > 1).map((r) => Math.round(r.top)));
      if (lines.size > 1) found.push(`${word[0]} in ${box.tagName}.${box.className}`);
    }
  }
  return found;
}
"""


# Tables whose end is cut off: only a region that says so may scroll sideways.
CUT_OFF = """
() => [...document.querySelectorAll(".table-frame:not(.table-scroll), .card, .tile")]
  .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
  .map((box) => `${box.className}: ${box.innerText.slice(0, 60)}`)
"""


@dataclass(frozen=True)
class Site:
    """A served installation with one of everything."""

    address: str
    app: Flask
    runtime: Runtime
    everything: Everything
    pages: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def site(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name, folder = servers.clone(), tmp_path_factory.mktemp("everything")
    runtime = make_runtime(servers.settings(name, folder / "storage"), doorbell=SilentDoorbell())
    everything = make_everything(runtime, folder)
    app = create_app(runtime)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://localhost:{server.port}", app, runtime, everything, addresses(app, everything))
    server.shutdown()
    thread.join()
    server.server_close()
    runtime.database.dispose()
    servers.drop(name)


def opened(site: Site, chromium: Browser, role: str) -> Page:
    """A page of a browser that is signed in as the role."""
    context = chromium.new_context()
    person = site.everything.people[role]
    if person is not None:
        signer = SecureCookieSessionInterface().get_signing_serializer(site.app)
        assert signer is not None
        value = signer.dumps({"_user_id": session_token(site.runtime, person)})
        context.add_cookies([{"name": "octant", "value": value, "url": site.address}])  # type: ignore[list-item] # dumps gives text
    return context.new_page()


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    found = Axe().run(page, options={"runOnly": only, "resultTypes": ["violations"]}).response["violations"]
    return [f"axe {v['id']}: {n['html'][:120]} {n['failureSummary'][:160]}" for v in found for n in v["nodes"]]


def faults_of(page: Page, name: str, *, axe: bool) -> list[str]:
    """What is wrong with the page that is loaded, over all widths and both schemes; `axe` asks its rules too."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{wide} px wide at {width}")
        if width in (360, 768, 1440):
            found += [f"broken at {width}: {word}" for word in page.evaluate(BROKEN_WORDS)]
            found += [f"cut off at {width}: {box}" for box in page.evaluate(CUT_OFF)]
            if folder := os.environ.get("OCTANT_PICTURES"):
                page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)
    if not axe:
        return found
    found += violations(page)
    page.set_viewport_size({"width": 768, "height": 900})
    page.emulate_media(color_scheme="dark")
    # Colours have changed once a frame has been drawn with them.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))")
    found += violations(page, _OF_COLOUR_AND_SIZE)
    page.set_viewport_size({"width": 360, "height": 900})
    found += violations(page, _OF_COLOUR_AND_SIZE)
    page.emulate_media(color_scheme="light")
    return found


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
