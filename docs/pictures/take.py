"""Takes the pictures of the README and the guide from a running demonstration.

make demo            # in one terminal; it prints the address, the password and the sign-ins
.venv/bin/python docs/pictures/take.py http://127.0.0.1:8000 <password> <client whose steps are all written>

The pages of steps 3 to 5 say more with a whole release of occupations: make demo ONET=... BLS=...
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
LARGEST = 200_000  # bytes; the README must open quickly
COUNSELLOR = "niamh@harbour.example.org"
WIDE, PHONE = (1200, 760), (360, 720)


@dataclass
class Camera:
    """A browser that signs in as whoever a picture is taken of."""

    browser: Browser
    address: str
    password: str

    @contextmanager
    def page(self, email: str, size: tuple[int, int]) -> Iterator[Page]:
        """A window of somebody who is signed in."""
        context = self.browser.new_context(viewport={"width": size[0], "height": size[1]}, device_scale_factor=1)
        page = context.new_page()
        page.goto(f"{self.address}/sign-in")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", self.password)
        page.press("input[name=password]", "Enter")
        page.wait_for_load_state("networkidle")
        yield page
        context.close()

    def open(self, page: Page, path: str, heading: str = "") -> None:
        """Open a page, and bring a heading of it to the top of the window."""
        page.goto(self.address + path)
        page.wait_for_load_state("networkidle")
        if heading:
            found = page.get_by_role("heading", name=heading).first
            found.evaluate("one => window.scrollTo(0, one.getBoundingClientRect().top + scrollY - 24)")

    def keep(self, page: Page, name: str) -> None:
        """Keep what is in the window, with 256 colours at most, which screens of text do not miss."""
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        path = HERE / f"{name}.png"
        shot.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
        size = path.stat().st_size
        if size > LARGEST:
            raise SystemExit(f"{path.name} has {size} bytes; at most {LARGEST} are wanted.")
        print(f"{path.name}: {size // 1024} KiB")  # noqa: T201 - it is a command


# Name, address, width and height of the window, and the heading that stands at its top ("": the page's own top).
STEPS = (
    ("step-1", "/my-plan/steps/1", (600, 1150), "What the order of values says"),
    ("step-2", "/my-plan/steps/2", (600, 800), ""),
    ("step-3", "/my-plan/steps/3", (360, 760), "Map of opportunities and threats"),
    ("step-4", "/my-plan/steps/4", (600, 1620), "Occupations that fit"),
    ("step-5", "/my-plan/steps/5", (600, 1640), "What the ways come to"),
    ("step-6", "/my-plan/steps/6", (600, 1120), "Goals over time"),
    ("step-7", "/my-plan/steps/7", (600, 900), "Actions over time"),
    ("what-rests-on-what", "/my-plan", (600, 640), "What rests on what"),
)


def take_all(camera: Camera, client: str) -> None:
    """Every picture: the counsellor's pages, the client's steps, a copy of the plan, and the check-in."""
    with camera.page(COUNSELLOR, WIDE) as page:
        camera.open(page, "/")
        camera.keep(page, "today")
        camera.open(page, "/caseload?sort=-progress")
        camera.keep(page, "caseload")
        camera.open(page, str(page.locator("main a[href*='/clients/']").first.get_attribute("href")))
        camera.open(page, str(page.locator("a[href*='/plans/']").first.get_attribute("href")).split("#")[0])
        camera.keep(page, "plan")
    for name, path, size, heading in STEPS:
        with camera.page(client, size) as page:
            camera.open(page, path, heading)
            camera.keep(page, name)
    with camera.page(client, (600, 1000)) as page:
        camera.open(page, "/my-plan")
        page.get_by_role("link", name="Try a change").click()
        page.locator("main a[href*='/try/']").first.click()
        page.wait_for_load_state("networkidle")
        camera.keep(page, "what-if")
    with camera.page(client, PHONE) as page:
        camera.open(page, "/my-plan")
        page.get_by_role("button", name="Check in now").click()
        page.wait_for_load_state("networkidle")
        camera.keep(page, "step-8")


def main(address: str, password: str, client: str) -> None:
    """Take each picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        take_all(Camera(browser, address, password), client)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3])
