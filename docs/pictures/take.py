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
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
LARGEST = 200_000  # bytes; the README must open quickly
COUNSELLOR = "niamh@harbour.example.org"
ADMIN = "admin@harbour.example.org"
WIDE, HALF, PHONE = (1200, 760), (1000, 760), (360, 720)


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

    def press(self, page: Page, name: str, role: Literal["button", "link"] = "button") -> None:
        """Press the button or follow the link of this name."""
        page.get_by_role(role, name=name, exact=True).first.click()
        page.wait_for_load_state("networkidle")

    def keep(self, page: Page, name: str) -> None:
        """Keep what is in the window."""
        _save(page.screenshot(), name)

    def keep_page(self, page: Page, name: str, most: int, heading: str = "") -> None:
        """Keep a page without what stands above and below every page, `most` pixels of it, from a heading on."""
        main = page.locator("main")
        main.evaluate("one => { one.style.padding = '1rem'; one.style.minHeight = 0 }")
        start = 0
        if heading:
            found = main.get_by_role("heading", name=heading).first
            start = found.evaluate("one => one.getBoundingClientRect().top - one.closest('main').offsetTop - 16")
        _save(main.screenshot(), name, (int(start), int(start) + most))


def _save(shot: bytes, name: str, part: tuple[int, int] | None = None) -> None:
    """Keep a picture, or lines of it, with 256 colours at most, which screens of text do not miss."""
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    if part is not None:
        image = image.crop((0, part[0], image.width, min(part[1], image.height)))
    path = HERE / f"{name}.png"
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
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


def take_cohort_work(camera: Camera) -> None:
    """Work for many at once, up to each preview: nothing is started, so that the demonstration stays as it is."""
    with camera.page(ADMIN, HALF) as page:
        # An administrator works in more than one organization.
        if page.get_by_role("button", name="Harbour University Careers").count():
            camera.press(page, "Harbour University Careers")
        camera.open(page, "/cohorts")
        camera.press(page, "Business", "link")
        address = page.url.removeprefix(camera.address)
        camera.press(page, "Assign…", "link")
        camera.press(page, "An action")
        page.get_by_label("Kind").select_option(index=1)
        page.get_by_label("What is to be done").fill("Talk to somebody who does the work")
        page.get_by_label("Or due after so many days").fill("14")
        page.get_by_label("Tell each by mail").check()
        page.get_by_label("Also for people who join this cohort later").check()
        camera.press(page, "Preview")
        camera.keep_page(page, "assign", 420)
        camera.open(page, "/jobs")
        page.locator("main tbody a", has_text="Assign").first.click()
        page.wait_for_load_state("networkidle")
        camera.keep_page(page, "job", 560)
        camera.open(page, address)
        camera.press(page, "Change many", "link")
        camera.press(page, "Change due days")
        for number in (1, 2, 3, 4, 5, 8):
            page.locator(f"input[name=steps][value='{number}']").uncheck()
        page.get_by_label("By this many working days").check()
        page.get_by_label("Working days", exact=True).fill("5")
        camera.press(page, "Preview")
        camera.keep_page(page, "bulk-edit", 560)
        take_people(camera, page)
        take_roll_out(camera, page)
        take_reports(camera, page)
    with camera.page(COUNSELLOR, HALF) as page:
        camera.open(page, "/queues?queue=waiting")
        camera.keep_page(page, "work-queues", 620)


def take_people(camera: Camera, page: Page) -> None:
    """A caseload handed over, cover, two records of one person, a saved filter."""
    camera.open(page, "/moves/new")
    camera.press(page, "Leila Haddad", "link")
    for name in ("Niamh Brennan", "Samuel Okonjo"):
        page.get_by_label(name).check()
    camera.press(page, "Preview")
    camera.keep_page(page, "move-a-caseload", 520)
    camera.open(page, "/covers")
    camera.keep_page(page, "cover", 440)
    camera.open(page, "/clients/duplicates")
    camera.keep_page(page, "likely-doubles", 590)
    camera.open(page, "/filters")
    camera.press(page, "Overdue and not met for two months", "link")
    camera.keep_page(page, "filter", 650)


def take_reports(camera: Camera, page: Page) -> None:
    """Figures, a cohort beside the organization, an own report, a schedule, a class of graduates, an archive."""
    camera.open(page, "/figures?by=programme")
    camera.keep_page(page, "figures", 760)
    camera.open(page, "/cohort-figures")
    chosen = page.locator("select#cohort option").nth(1).get_attribute("value")
    camera.open(page, f"/cohort-figures?cohort={chosen}&against=organization")
    camera.keep_page(page, "cohort-figures", 900)
    camera.open(page, "/own-reports")
    page.locator("main tbody a").first.click()
    page.wait_for_load_state("networkidle")
    camera.keep_page(page, "own-report", 900)
    camera.open(page, "/schedules")
    page.locator("main tbody a").first.click()
    page.wait_for_load_state("networkidle")
    camera.keep_page(page, "schedule", 620)
    camera.open(page, "/outcomes")
    camera.keep_page(page, "first-destinations", 720)
    camera.open(page, "/jobs")
    page.locator("main tbody a", has_text="Write reports").first.click()
    page.wait_for_load_state("networkidle")
    camera.keep_page(page, "bulk-reports", 620)


def take_roll_out(camera: Camera, page: Page) -> None:
    """A template's version rolled out: the stage that waits, and what the next would do."""
    camera.open(page, "/templates")
    camera.press(page, "Career plan in eight steps", "link")
    camera.press(page, "Roll-outs", "link")
    camera.press(page, "Version 3", "link")
    camera.keep_page(page, "roll-out", 640)
    camera.press(page, "Career plan in eight steps", "link")
    camera.press(page, "Roll out version 3", "link")
    camera.keep_page(page, "roll-out-preview", 700, "What it would do now")


def take_all(camera: Camera, client: str) -> None:
    """Every picture: the counsellor's pages, work for many, the client's steps, a copy of the plan, the check-in."""
    take_cohort_work(camera)
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
