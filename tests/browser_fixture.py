"""Headless Chromium for tests: fixtures `chromium` (one a session) and `open_page` (a new context a call).

`tests/conftest.py` hands both to every test. Where no Chromium is found the tests skip by name, unless
OCTANT_REQUIRE_BROWSER is set: then they fail, so that a continuous run cannot quietly lose them.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass
class Opened:
    """A page and what its console complained of: errors, refused styles and scripts, exceptions."""

    page: Page
    complaints: list[str] = field(default_factory=list)


OpenPage = Callable[..., Opened]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("OCTANT_REQUIRE_BROWSER"):
            pytest.fail("OCTANT_REQUIRE_BROWSER is set and no Chromium is installed")
        pytest.skip("no Chromium found: browser tests need one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """Return `open_(url, width=1440, height=900, scheme="light", script=True, **context options)`."""
    contexts: list[BrowserContext] = []

    def open_(
        url: str,
        *,
        width: int = 1440,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
        script: bool = True,
        **options: Any,
    ) -> Opened:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=script,
            **options,
        )
        contexts.append(context)
        opened = Opened(context.new_page())
        opened.page.on(
            "console",
            lambda message: opened.complaints.append(message.text) if message.type == "error" else None,
        )
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.goto(url)
        return opened

    yield open_
    for context in contexts:
        context.close()
