"""Pages of plans as client, counsellor, administrator and strangers."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.domain.access import Role
from app.domain.steps import StepKey
from app.features.plans.queries import view_plan
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.plans.page_forms import fields_of as form_fields
from tests.plans.scenes import Scene, make_scene


@pytest.fixture
def scene(world: World, clock: Clock) -> Scene:
    return make_scene(world, clock=clock)


@pytest.fixture
def site(app: Flask) -> Flask:
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def status_of(runtime: Runtime, scene: Scene, key: StepKey) -> str:
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        return view_plan(uow, scene.plan_id).step(key).status


def fields_of(page: str) -> dict[str, Any]:
    """What the step's form would send as it stands."""
    return form_fields(page, 'method="post" action="/my-plan/steps/')


def test_everybody_sees_what_is_theirs(world: World, site: Flask, scene: Scene) -> None:
    stranger = world.person(scene.organization, Role.COUNSELLOR)
    analyst = world.person(scene.organization, Role.ANALYST)
    foreign = world.person(world.organization(), Role.ADMIN)
    pages = [f"/plans/{scene.plan_id}", f"/plans/{scene.plan_id}/compare"]
    pages += [f"/plans/{scene.plan_id}/steps/{n}" for n in range(1, 9)]
    for person, expected in (
        (scene.counsellor, 200),
        (scene.admin, 200),
        (stranger, 404),
        (foreign, 404),
        (analyst, 403),
        (scene.client, 403),
    ):
        browser = world.browser(site, person)
        for page in pages:
            assert browser.get(page).status_code == expected, (person.actor.role, page)
    mine = ["/my-plan", *(f"/my-plan/steps/{n}" for n in range(1, 9))]
    for person, expected in ((scene.client, 200), (scene.counsellor, 403), (scene.admin, 403)):
        browser = world.browser(site, person)
        for page in mine:
            assert browser.get(page).status_code == expected, (person.actor.role, page)
    assert world.browser(site, scene.counsellor).get(f"/plans/{scene.plan_id}/steps/9").status_code == 404
    strange = world.browser(site, stranger)
    assert strange.post(f"/plans/{scene.plan_id}/steps/4/complete").status_code == 404
    assert strange.post(f"/plans/{scene.plan_id}/steps/4/comments", data={"body": "x"}).status_code == 404


def test_the_plan_tells_where_it_stands_and_what_changed(world: World, site: Flask, scene: Scene) -> None:
    page = world.browser(site, scene.counsellor).get(f"/plans/{scene.plan_id}").text
    assert "3 of 8 steps done. Step 4 waits for you." in page
    assert "What changed since revision 1" in page
    assert "Accept step 4" in page
    assert "Amara Okafor submitted step 4, Career choice" in page
    compared = world.browser(site, scene.counsellor).get(f"/plans/{scene.plan_id}/compare?before=1&after=2").text
    assert "First choice: Market research analyst" in compared
    assert "First talk of the autumn" in compared


def test_the_counsellor_accepts_returns_and_moves_the_due_day(
    world: World, runtime: Runtime, site: Flask, scene: Scene
) -> None:
    browser = world.browser(site, scene.counsellor)
    step = f"/plans/{scene.plan_id}/steps/4"
    refused = browser.post(f"{step}/return", data={"return-reason": " "})
    assert refused.status_code == 422
    assert "Write why the step is returned" in refused.text
    browser.post(f"{step}/return", data={"return-reason": "Compare one more option."})
    assert status_of(runtime, scene, StepKey.CAREER_CHOICE) == "returned"
    client = world.browser(site, scene.client)
    assert "Your counsellor wrote: Compare one more option." in client.get("/my-plan").text
    assert "Compare one more option." in client.get("/my-plan/steps/4").text
    browser.post(f"{step}/complete")
    assert status_of(runtime, scene, StepKey.CAREER_CHOICE) == "completed"
    browser.post(f"{step}/reopen")
    browser.post(f"{step}/skip", data={"skip-reason": "Decided already."})
    assert status_of(runtime, scene, StepKey.CAREER_CHOICE) == "skipped"
    browser.post(f"{step}/unskip")
    assert status_of(runtime, scene, StepKey.CAREER_CHOICE) == "not_started"
    browser.post(f"{step}/due", data={"due_on": "2027-01-31"})
    assert "31 January 2027" in browser.get(step).text
    wrong = browser.post(f"{step}/due", data={"due_on": "tomorrow"})
    assert wrong.status_code == 422


@pytest.mark.parametrize("key", [key for key in StepKey if key is not StepKey.REVIEW])
def test_a_form_sent_back_as_it_stands_changes_nothing(
    world: World, runtime: Runtime, site: Flask, scene: Scene, key: StepKey
) -> None:
    counsellor = world.browser(site, scene.counsellor)
    if status_of(runtime, scene, key) == "completed":
        counsellor.post(f"/plans/{scene.plan_id}/steps/{key.number}/reopen")
    client = world.browser(site, scene.client)
    if status_of(runtime, scene, key) == "submitted":
        client.post(f"/my-plan/steps/{key.number}/withdraw")
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        before = view_plan(uow, scene.plan_id).content(key)
    answer = client.post(
        f"/my-plan/steps/{key.number}", data=fields_of(client.get(f"/my-plan/steps/{key.number}").text)
    )
    assert answer.status_code == 302, answer.text
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        after = view_plan(uow, scene.plan_id).content(key)
    if before:
        assert after == before


def test_writing_adding_rows_and_handing_in(world: World, runtime: Runtime, site: Flask, scene: Scene) -> None:
    client = world.browser(site, scene.client)
    sent = fields_of(client.get("/my-plan/steps/7").text)
    sent |= {"actions-0-text": "Write chapter one", "actions-0-kind": "work", "actions-0-due_on": "2026-12-01"}
    sent |= {"actions-0-goal": "g1"}
    answer = client.post("/my-plan/steps/7", data=sent | {"do": "submit"}, follow_redirects=True)
    assert "not handed in yet" in answer.text
    assert "Actions so far: 1. Plan at least 2." in answer.text
    assert status_of(runtime, scene, StepKey.ACTION_PLAN) == "in_progress"
    sent = fields_of(answer.text)
    sent |= {"actions-1-text": "Ask Lena", "actions-1-kind": "training", "actions-1-due_on": "2026-12-08"}
    more = client.post("/my-plan/steps/7", data=sent | {"more": "actions"})
    assert more.location == "/my-plan/steps/7?more=actions#actions"
    page = client.get(more.location).text
    assert 'name="actions-4-text"' in page
    done = client.post("/my-plan/steps/7", data=fields_of(page) | {"do": "submit"}, follow_redirects=True)
    assert "Step 7 is handed in" in done.text
    assert status_of(runtime, scene, StepKey.ACTION_PLAN) == "submitted"
    client.post("/my-plan/steps/7/withdraw")
    assert status_of(runtime, scene, StepKey.ACTION_PLAN) == "in_progress"


def test_what_is_typed_is_saved_and_names_its_version(world: World, site: Flask, scene: Scene) -> None:
    client = world.browser(site, scene.client)
    sent = fields_of(client.get("/my-plan/steps/6").text)
    for turn in ("one", "two"):
        sent["goals-0-text"] = f"Goal {turn}"
        answer = client.post("/my-plan/steps/6", data=sent, headers={"X-Autosave": "1"})
        assert answer.status_code == 200
        sent["over"] = answer.headers["X-Version"]
    assert "Goal two" in client.get("/my-plan/steps/6").text


def test_two_windows_show_both_texts_and_keep_both(world: World, site: Flask, scene: Scene) -> None:
    client = world.browser(site, scene.client)
    first = fields_of(client.get("/my-plan/steps/6").text)
    second = dict(first)
    client.post("/my-plan/steps/6", data=first | {"goals-0-text": "From window one"})
    typed = client.post(
        "/my-plan/steps/6", data=second | {"goals-0-text": "From window two"}, headers={"X-Autosave": "1"}
    )
    assert typed.status_code == 409
    assert "another window" in typed.text
    answer = client.post("/my-plan/steps/6", data=second | {"goals-0-text": "From window two"})
    assert answer.status_code == 409
    assert "From window one" in answer.text
    assert 'value="From window two"' in answer.text
    again = client.post("/my-plan/steps/6", data=fields_of(answer.text))
    assert again.status_code == 302
    assert "From window two" in client.get("/my-plan/steps/6").text


def test_a_client_without_a_plan_is_told_so(world: World, site: Flask, scene: Scene) -> None:
    newcomer = world.client_person(scene.organization)
    browser = world.browser(site, newcomer)
    assert "You have no plan yet" in browser.get("/my-plan").text
    assert browser.get("/my-plan/steps/1").status_code == 404


def test_the_greeting_follows_the_reader_s_clock(world: World, site: Flask, scene: Scene, clock: Clock) -> None:
    # Dublin is an hour ahead of UTC in September.
    for hour, words in ((3, "Good evening"), (4, "Good morning"), (11, "Good afternoon"), (17, "Good evening")):
        clock.now = clock.now.replace(hour=hour, minute=0)
        assert f"{words}, Amara" in world.browser(site, scene.client).get("/my-plan").text


def test_comments_go_both_ways(world: World, site: Flask, scene: Scene) -> None:
    client, counsellor = world.browser(site, scene.client), world.browser(site, scene.counsellor)
    client.post("/my-plan/steps/6/comments", data={"body": "<b>Which</b> goal first?"})
    page = counsellor.get(f"/plans/{scene.plan_id}/steps/6").text
    assert "&lt;b&gt;Which&lt;/b&gt; goal first?" in page
    counsellor.post(f"/plans/{scene.plan_id}/steps/6/comments", data={"body": "The thesis."})
    assert "The thesis." in client.get("/my-plan").text
    assert client.post("/my-plan/steps/6/comments", data={"body": ""}).status_code == 422


def test_closing_a_revision_twice_closes_one(world: World, runtime: Runtime, site: Flask, scene: Scene) -> None:
    counsellor = world.browser(site, scene.counsellor)
    for _ in range(2):
        counsellor.post(f"/plans/{scene.plan_id}/freeze", data={"freeze-reason": "Second talk", "revision": "2"})
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        assert view_plan(uow, scene.plan_id).plan.revision == 3
    assert counsellor.post(f"/plans/{scene.plan_id}/freeze", data={"revision": "3"}).status_code == 422
