"""An installation served on this machine, for a browser: its pages as somebody sees them, and what axe says of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Page
from werkzeug.serving import make_server

from app.infra.runtime import Runtime
from tests.browser_fixture import Opened, OpenPage
from tests.factories import Person, World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

WIDTHS = (320, 360, 768, 1024, 1440)
# The rest of axe's rules ask the same whatever the scheme and the width.
_OF_COLOUR_AND_SIZE = ["color-contrast", "target-size", "scrollable-region-focusable"]

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


def _closing(app: WSGIApplication) -> WSGIApplication:
    """The application with bodies that close themselves.

    Werkzeug's server reads what a browser still sends before it closes a body; a browser that has left by then makes
    that read fail, and the body's file stays open.
    """

    def closing_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        body = app(environ, start_response)
        try:
            yield from body
        finally:
            if close := getattr(body, "close", None):
                close()

    return closing_body


@contextmanager
def serving(app: WSGIApplication, *, threaded: bool = True) -> Iterator[str]:
    """Serve an application until the block ends; gives its address."""
    server = make_server("127.0.0.1", 0, _closing(app), threaded=threaded)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Served:
    """A served installation; tests add the people and things they have put into it."""

    address: str
    app: Flask
    runtime: Runtime

    def cookie(self, person: Person) -> Any:
        """The cookie of a browser that is signed in as a person."""
        signer = SecureCookieSessionInterface().get_signing_serializer(self.app)
        assert signer is not None
        token = World(self.runtime).session_token(person)
        return {"name": "octant", "value": signer.dumps({"_user_id": token}), "url": self.address}

    def open(self, open_page: OpenPage, person: Person, path: str, **options: object) -> Opened:
        """Open a page as a person, in a new context."""
        opened = open_page("about:blank", **options)
        opened.page.context.add_cookies([self.cookie(person)])
        opened.page.goto(self.address + path)
        return opened


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe finds, with the element and what to do: by `rules`, else by WCAG 2.2 AA and its best practices."""
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    found = Axe().run(page, options={"runOnly": only, "resultTypes": ["violations"]}).response["violations"]
    return [f"axe {v['id']}: {n['html'][:120]} {n['failureSummary'][:160]}" for v in found for n in v["nodes"]]


def faults_of(page: Page, name: str, *, axe: bool = True) -> list[str]:
    """What is wrong with the page that is loaded, over all widths and both schemes; `axe` asks its rules too."""
    found = []
    # Nothing moves while it is measured: a colour on its way to another is neither.
    page.emulate_media(reduced_motion="reduce")
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
