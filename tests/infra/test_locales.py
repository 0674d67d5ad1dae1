"""Days are written as the organization's region writes them."""

from __future__ import annotations

import pytest
from flask import Flask

from app.domain.access import Role
from app.infra.locales import regional
from tests.factories import World


@pytest.mark.parametrize(
    ("locale", "zone", "expected"),
    [
        ("en", "Europe/Dublin", "en_IE"),
        ("en", "America/New_York", "en_US"),
        ("en", "Asia/Kolkata", "en_IN"),
        # Nobody has described English for there: day before month, as most of the world has it.
        ("en", "Asia/Shanghai", "en_001"),
        ("zh_Hans_CN", "Europe/Dublin", "zh_Hans_CN"),
        ("en_GB", "America/New_York", "en_GB"),
        ("en", "UTC", "en"),
        ("en", None, "en"),
        ("en", "Nowhere/At all", "en"),
        # Names that no language has: from rosters of before, and from those who try.
        ("xx", "Europe/Dublin", "en_IE"),
        ("../../etc", "Europe/Dublin", "en_IE"),
    ],
)
def test_a_language_gets_the_region_of_the_zone(locale: str, zone: str | None, expected: str) -> None:
    assert regional(locale, zone) == expected


@pytest.mark.parametrize(
    ("zone", "day", "lang"),
    [("Europe/Dublin", "7 Sept 2026", "en-IE"), ("America/New_York", "Sep 7, 2026", "en-US")],
)
def test_pages_write_days_as_the_organization_does(app: Flask, world: World, zone: str, day: str, lang: str) -> None:
    here = world.organization(time_zone=zone)
    lena = world.person(here, Role.COUNSELLOR)
    (client,) = world.clients(here, 1)
    world.caseload(lena, [client])
    world.plan(here, client)
    page = world.browser(app, lena).get(f"/clients/{client}").text
    assert day in page
    assert f'<html lang="{lang}"' in page
