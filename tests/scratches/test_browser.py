"""Marks and What-if in a real browser: by keyboard, without script, at three widths, and what axe says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app.domain.steps import StepAction, StepKey
from app.features.plans import service
from app.features.plans.commands import MoveStep, SaveContent
from app.features.plans.queries import view_plan
from app.features.scratches.commands import BeginScratch
from app.features.scratches.service import begin_scratch
from app.features.steps.registry import ROOMS
from tests.browser_fixture import OpenPage
from tests.factories import Person
from tests.plans.test_browser import Site, site
from tests.served import faults_of

pytestmark = [pytest.mark.browser, pytest.mark.committed]
__all__ = ["site"]

PATH = {
    "paths": [{"id": "p1", "kind": "technical"}, {"id": "p2", "kind": "administration"}],
    "chosen": "p1",
    "milestones": [{"id": "m1", "text": "Trainee in the planning office", "due_on": "2027-09-01"}],
}
ACTIONS = {
    "actions": [
        {"id": "a1", "text": "Statistics course", "start_on": "2027-02-01", "due_on": "2027-05-01", "goal": "g1"},
        {"id": "a2", "text": "Write a sample report", "start_on": "2027-05-02", "due_on": "2027-05-30", "goal": "g1"},
    ]
}
TRIED = (
    {"kind": "occupation", "option": "o2"},
    {"kind": "goal_day", "goal": "g1", "due_on": "2027-04-01"},
    {"kind": "action_days", "action": "a1", "due_on": "2026-09-01"},
)


def prepare(site: Site) -> UUID:
    """Steps 5 and 7 written, step 5 accepted, another occupation chosen since; returns a copy with changes on it."""
    scene, runtime = site.scene, site.runtime

    def act(person: Person, key: StepKey, action: StepAction) -> None:
        with runtime.database.unit_of_work(person.actor) as uow:
            service.move_step(uow, MoveStep(plan_id=scene.plan_id, step=key, action=action))

    def save(key: StepKey, **content: Any) -> None:
        with runtime.database.unit_of_work(scene.client.actor) as uow:
            view = view_plan(uow, scene.plan_id)
            typed = view.content(key) | content
            command = SaveContent(plan_id=scene.plan_id, step=key, content=typed, over=view.version(key))
            service.save_content(uow, command, ROOMS[key])

    save(StepKey.CAREER_PATH, **PATH)
    save(StepKey.ACTION_PLAN, **ACTIONS)
    act(scene.counsellor, StepKey.CAREER_PATH, StepAction.COMPLETE)
    act(scene.client, StepKey.CAREER_CHOICE, StepAction.WITHDRAW)
    save(StepKey.CAREER_CHOICE, chosen="o3")
    save(StepKey.GOALS, goals=[{"id": "g1", "text": "Finish the thesis", "due_on": "2027-06-01", "parent": "gone"}])
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        copy = begin_scratch(uow, BeginScratch(plan_id=scene.plan_id, title="Data science instead", changes=TRIED))
        copy.shared = True
        return copy.id


def pages(site: Site, scratch: UUID) -> list[tuple[Person, str]]:
    scene = site.scene
    plan = f"/plans/{scene.plan_id}"
    return [
        (scene.client, "/my-plan"),
        (scene.client, "/my-plan/steps/7?part=1"),
        (scene.client, f"{plan}/try"),
        (scene.client, f"{plan}/try/{scratch}"),
        (scene.counsellor, plan),
        (scene.counsellor, f"{plan}/steps/5"),
        (scene.counsellor, f"{plan}/try"),
        (scene.counsellor, f"{plan}/try/{scratch}"),
    ]


def test_pages_fit_and_axe_finds_nothing(site: Site, open_page: OpenPage) -> None:
    scratch, found = prepare(site), []
    for person, path in pages(site, scratch):
        opened = site.open(open_page, person, path)
        opened.page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        faults = faults_of(opened.page, f"what-if-{path.strip('/').replace('/', '-')}")
        found += [f"{path} {fault}" for fault in faults + opened.complaints]
        opened.page.context.close()
    assert found == []


def test_a_change_is_tried_by_keyboard_alone(site: Site, open_page: OpenPage) -> None:
    prepare(site)
    page = site.open(open_page, site.scene.client, "/my-plan", width=360).page
    tab_to(page, "Try a change")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Try a change")
    page.get_by_label("What do you want to try?").focus()
    page.keyboard.type("Fewer hours")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fewer hours")
    tab_to(page, "Another way")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    expect(page.get_by_text("leading people and projects").first).to_be_visible()


def test_still_right_works_without_script(site: Site, open_page: OpenPage) -> None:
    prepare(site)
    page = site.open(open_page, site.scene.client, "/my-plan", width=360, script=False).page
    before = page.get_by_role("button", name="Still right").count()
    # Steps 5 and 7; step 6 was written since.
    assert before == 2
    page.get_by_role("button", name="Still right").first.click()
    expect(page.get_by_text("Step 5 is still right.")).to_be_visible()
    page.goto(f"{site.address}/my-plan")
    assert page.get_by_role("button", name="Still right").count() == before - 1


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus says these words."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(document.activeElement.textContent || '').trim()").startswith(words):
            return
    raise AssertionError(f"no Tab leads to {words}")
