"""An installation served on this machine, for a browser: its pages as somebody sees them, and what axe says of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Page
from werkzeug.serving import make_server

from app.infra.runtime import Runtime
from tests.browser_fixture import Opened, OpenPage
from tests.factories import Person, World

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def serving(app: Flask, *, threaded: bool = True) -> Iterator[str]:
    """Serve an application until the block ends; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=threaded)
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


def violations(page: Page) -> list[str]:
    """What axe finds against the rules of WCAG 2.2 AA and its best practices, with the element and what to do."""
    found = Axe().run(page, options={"runOnly": TAGS}).response["violations"]
    return [f"{v['id']}: {n['html'][:160]} {n['failureSummary'][:200]}" for v in found for n in v["nodes"]]
