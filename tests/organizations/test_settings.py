"""Settings, terms, the accent and tokens."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.domain.access import Role
from app.domain.contrast import DARK_GROUNDS, LIGHT_GROUNDS, can_be_accent, contrast, dark_tones, light_tones
from app.features.organizations.service import organization_of
from app.features.organizations.settings import terms_of
from app.features.organizations.tokens import find_bearer
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.identity.helpers import send

GOOD = {
    "name": "Alder",
    "time_zone": "Asia/Shanghai",
    "locale": "en",
    "client_word": "student",
    "counsellor_word": "coach",
    "own_accent": "y",
    "accent": "#7a1f5c",
    "shares_caseloads": "y",
    "small_cell_threshold": "12",
    "contact_cap": "3",
    "reports_kept_days": "14",
}


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


def test_settings_are_written_noted_and_show_at_once(app: Flask, runtime: Runtime, world: World, admin: Person) -> None:
    browser = world.browser(app, admin)
    assert send(browser, "/settings", **GOOD).status_code == 302
    with runtime.database.unit_of_work(admin.actor) as uow:
        organization = organization_of(uow)
    assert (organization.name, organization.time_zone, organization.small_cell_threshold) == (
        "Alder",
        "Asia/Shanghai",
        12,
    )
    assert (organization.client_word, organization.accent, organization.shares_caseloads) == (
        "student",
        "#7a1f5c",
        True,
    )
    page = browser.get("/settings").text
    assert "– Alder</title>" in page
    assert '<link rel="stylesheet" href="/accent/7a1f5c.css">' in page
    assert "settings.changed" in browser.get("/audit").text


@pytest.mark.parametrize(
    "case",
    [
        ({"accent": "#ffee00"}, "too light to be read on white"),
        ({"accent": "red"}, "# and six digits"),
        ({"small_cell_threshold": "4"}, "from 5 to 30"),
        ({"small_cell_threshold": "31"}, "from 5 to 30"),
        ({"small_cell_threshold": "many"}, "Not a valid"),
        ({"name": " "}, "Give the organization a name"),
        ({"time_zone": "Mars/Olympus"}, "Not a valid choice"),
        ({"client_word": "subject"}, "Not a valid choice"),
    ],
)
def test_bad_settings_name_the_field_and_change_nothing(
    world: World, runtime: Runtime, app: Flask, case: tuple[dict[str, str], str]
) -> None:
    entry, sentence = case
    admin = world.person(world.organization(), Role.ADMIN)
    answer = send(world.browser(app, admin), "/settings", **GOOD | entry)
    assert answer.status_code == 422
    assert sentence in answer.text
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert organization_of(uow).time_zone == "Europe/Dublin"


def test_terms_are_added_changed_and_removed(app: Flask, runtime: Runtime, world: World, admin: Person) -> None:
    browser = world.browser(app, admin)
    term = {"name": "Autumn", "starts_on": "2026-09-01", "ends_on": "2026-12-18"}
    assert send(browser, "/settings/terms", "/settings", **term).status_code == 302
    assert send(browser, "/settings/terms", "/settings", **term).status_code == 422
    backwards = send(browser, "/settings/terms", "/settings", **term | {"name": "B", "ends_on": "2026-08-01"})
    assert "ends before it starts" in backwards.text
    with runtime.database.unit_of_work(admin.actor) as uow:
        (saved,) = terms_of(uow)
    path = f"/settings/terms/{saved.id}"
    assert send(browser, path, "/settings", **term | {"ends_on": "2026-12-20"}).status_code == 302
    assert "2026-12-20" in browser.get("/settings").text
    assert send(browser, f"{path}/remove", "/settings").status_code == 302
    assert "2026-12-20" not in browser.get("/settings").text


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_an_accent_that_is_taken_can_be_read_everywhere(channels: tuple[int, int, int]) -> None:
    colour = "#" + "".join(f"{c:02x}" for c in channels)
    if not can_be_accent(colour):
        return
    day, night = light_tones(colour), dark_tones(colour)
    pairs = [(day.plain, g) for g in LIGHT_GROUNDS] + [(night.plain, g) for g in DARK_GROUNDS]
    pairs += [(day.plain, day.on), (night.plain, night.on), (day.strong, day.on), (night.strong, night.on)]
    pairs += [(day.plain, day.soft), (day.plain, day.faint), (night.plain, night.soft), (night.plain, night.faint)]
    poor = [(a, b, round(contrast(a, b), 2)) for a, b in pairs if contrast(a, b) < 4.5]
    assert poor == [], colour


def test_contrast_is_the_published_formula() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_a_token_is_shown_once_works_and_is_ended(app: Flask, runtime: Runtime, world: World, admin: Person) -> None:
    browser = world.browser(app, admin)
    answer = send(browser, "/profile/tokens", name="nightly", scopes=["read"], days="30")
    raw = re.search(r"oct_[0-9a-f]{32}_[\w-]{43}", answer.text)
    assert raw is not None
    assert find_bearer(runtime, raw[0]) is not None
    page = browser.get("/profile/tokens").text
    assert raw[0] not in page
    assert "nightly" in page
    ends = re.search(r'action="(/profile/tokens/[0-9a-f-]+/revoke)"', page)
    assert ends is not None
    send(browser, ends[1], "/profile/tokens")
    assert find_bearer(runtime, raw[0]) is None
    assert "nightly" not in browser.get("/profile/tokens").text
    assert send(browser, "/profile/tokens", name="x", days="30").status_code == 422


def test_a_name_stays_on_one_line_for_the_heads_of_mails(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    world.browser(app, admin).post("/settings", data=GOOD | {"name": "Alder\r\nBcc: all@example.org"})
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert organization_of(uow).name == "Alder Bcc: all@example.org"
