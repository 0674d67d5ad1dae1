"""Filters in a real browser: sizes come by themselves and follow what is chosen; both work without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.factory import create_app
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter
from app.infra.runtime import Runtime
from tests.browser_fixture import OpenPage
from tests.factories import World
from tests.selections.scene import make_scene
from tests.served import Served, serving

pytestmark = [pytest.mark.browser, pytest.mark.committed]


def test_the_size_follows_the_conditions(live: Runtime, open_page: OpenPage) -> None:
    scene = make_scene(World(live), live)
    with live.database.unit_of_work(scene.counsellor.actor) as uow:
        late = {"all": [{"field": "@overdue", "is": "at_least", "values": [1]}]}
        kept = create_filter(uow, SaveFilter(name="Late", rule=late)).id
    app = create_app(live)
    with serving(app) as address:
        site = Served(address, app, live)
        opened = site.open(open_page, scene.counsellor, "/filters")
        page = opened.page
        expect(page.locator(f"#size-{kept}")).to_have_text("3 people in Late")
        page.goto(f"{address}/filters/{kept}")
        expect(page.locator("#live-size b")).to_have_text("3")
        page.get_by_label("Value of Number of steps overdue").fill("2")
        expect(page.locator("#live-size b")).to_have_text("2")
        page.get_by_label("Value of Number of steps overdue").fill("")
        expect(page.locator("#live-size b")).to_have_text("–")
        assert opened.complaints == []
        plain = site.open(open_page, scene.counsellor, "/filters", script=False).page
        plain.locator(f"#size-{kept}").click()
        expect(plain.locator(f"#size-{kept}")).to_have_text("3 people in Late")
