"""Pages of plans in a real browser: saved while typing, at three widths, light and dark, by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.domain.steps import StepKey
from app.factory import create_app
from app.features.plans.models import StepContent
from app.infra.runtime import Runtime
from tests.browser_fixture import OpenPage
from tests.factories import Person, World
from tests.plans.scenes import Scene, make_scene
from tests.served import Served, faults_of, serving

pytestmark = [pytest.mark.browser, pytest.mark.committed]


@dataclass(frozen=True)
class Site(Served):
    """A served installation with a scene in it."""

    scene: Scene


@pytest.fixture
def site(live: Runtime) -> Iterator[Site]:
    scene = make_scene(World(live))
    app = create_app(live)
    with serving(app) as address:
        yield Site(address, app, live, scene)


def test_what_is_typed_is_saved_again_and_again(site: Site, open_page: OpenPage) -> None:
    opened = site.open(open_page, site.scene.client, "/my-plan/steps/1", width=360)
    site_client, page = site.scene.client, opened.page
    assert site_client.actor.client_id
    page.goto(f"{site.address}/my-plan/steps/6?mode=whole")
    goal = page.get_by_label("Goal", exact=True).first
    for words in ("Write the thesis", "Write and defend the thesis"):
        goal.fill(words)
        with page.expect_response(lambda answer: answer.request.method == "POST") as saved:
            pass
        assert saved.value.status == 200
        expect(page.locator("[data-saved]")).to_have_text("Saved")
    with site.runtime.database.unit_of_work(site.scene.admin.actor) as uow:
        row = uow.session.scalars(select(StepContent).where(StepContent.step == StepKey.GOALS.number)).one()
        assert row.content["goals"][0]["text"] == "Write and defend the thesis"
        assert row.version == 3
    goal.press("Enter")
    expect(page.get_by_role("status").first).to_be_visible()
    assert opened.complaints == []


def _pages(scene: Scene) -> list[tuple[Person, str]]:
    plan, template = f"/plans/{scene.plan_id}", f"/templates/{scene.template_id}"
    return [
        *((scene.counsellor, path) for path in (plan, f"{plan}/steps/4", f"{plan}/compare")),
        *((scene.client, path) for path in ("/my-plan", *(f"/my-plan/steps/{n}" for n in (4, 5, 6, 7)))),
        *((scene.admin, path) for path in ("/templates", template, f"{template}/edit")),
    ]


def test_pages_fit_and_axe_finds_nothing(site: Site, open_page: OpenPage) -> None:
    found = []
    for person, path in _pages(site.scene):
        opened = site.open(open_page, person, path)
        faults = faults_of(opened.page, f"plans-{path.strip('/').replace('/', '-')}")
        found += [f"{path} {fault}" for fault in faults + opened.complaints]
        opened.page.context.close()
    assert found == []


def test_the_dial_leads_to_a_step_by_keyboard_alone(site: Site, open_page: OpenPage) -> None:
    page = site.open(open_page, site.scene.counsellor, f"/plans/{site.scene.plan_id}").page
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href') || ''").endswith("/steps/4"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Career choice")
