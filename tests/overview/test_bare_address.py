"""The bare address leads everybody to a page they may see."""

from __future__ import annotations

import pytest
from flask import Flask

from app.domain.access import Role
from tests.factories import World


@pytest.mark.parametrize(("role", "page"), [(Role.ANALYST, "/aggregates"), (Role.COUNSELLOR, "/")])
def test_who_may_not_see_today_is_led_on(world: World, app: Flask, role: Role, page: str) -> None:
    browser = world.browser(app, world.person(world.organization(), role))
    answer = browser.get("/", follow_redirects=True)
    assert (answer.status_code, answer.request.path) == (200, page)
