"""The guided way through a step: one part a screen, each saved by itself, the whole page kept as the other way."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.steps import StepKey
from app.features.plans.queries import view_plan
from app.infra.runtime import Runtime
from tests.factories import World
from tests.plans.page_forms import fields_of as form_fields
from tests.plans.scenes import Scene, make_scene


@pytest.fixture
def scene(world: World) -> Scene:
    return make_scene(world)


@pytest.fixture
def client(world: World, app: Flask, scene: Scene) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, scene.client)
    assert browser.get("/my-plan/steps/5?mode=guided").location == "/my-plan/steps/5"
    return browser


def fields_of(page: str) -> dict[str, Any]:
    return form_fields(page, 'method="post" action="/my-plan/steps/')


def content(runtime: Runtime, scene: Scene, key: StepKey) -> dict[str, Any]:
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        return dict(view_plan(uow, scene.plan_id).content(key))


def test_a_client_s_first_visit_is_guided_and_the_whole_page_is_remembered(
    world: World, app: Flask, scene: Scene
) -> None:
    browser = world.browser(app, scene.client)
    with browser.session_transaction() as cookie:
        del cookie["steps"]
    assert "1 of 7" in browser.get("/my-plan/steps/5").text
    browser.get("/my-plan/steps/5?mode=whole")
    page = browser.get("/my-plan/steps/7").text
    assert "Show one question at a time" in page
    assert "part" not in fields_of(page)
    browser.get("/my-plan/steps/5?mode=guided")
    assert "Show one question at a time" not in browser.get("/my-plan/steps/7").text


def test_each_screen_saves_its_own_part_and_leaves_the_others(
    client: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    page = client.get("/my-plan/steps/5?part=2").text
    sent = fields_of(page)
    assert "reason" not in sent
    sent |= {"paths-0-kind": "technical", "paths-0-name": "Statistics", "do": "next"}
    answer = client.post("/my-plan/steps/5", data=sent)
    assert answer.location == "/my-plan/steps/5?part=3"
    chosen = content(runtime, scene, StepKey.CAREER_PATH)["paths"][0]["id"]
    page = client.get("/my-plan/steps/5?part=4").text
    client.post("/my-plan/steps/5", data=fields_of(page) | {"chosen": chosen, "reason": "I like it.", "do": "next"})
    page = client.get("/my-plan/steps/5?part=5").text
    assert "5 of 7" in page
    back = client.post("/my-plan/steps/5", data=fields_of(page) | {"start-name": "Student", "do": "back"})
    assert back.location == "/my-plan/steps/5?part=4"
    kept = content(runtime, scene, StepKey.CAREER_PATH)
    assert (kept["chosen"], kept["reason"], kept["paths"][0]["name"]) == (chosen, "I like it.", "Statistics")
    assert kept["start"]["name"] == "Student"


def test_typing_is_saved_screen_by_screen(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    sent = fields_of(client.get("/my-plan/steps/5?part=4").text) | {"reason": "Because."}
    answer = client.post("/my-plan/steps/5", data=sent, headers={"X-Autosave": "1"})
    assert answer.status_code == 200
    sent |= {"reason": "Because I can.", "over": answer.headers["X-Version"], "do": "next"}
    assert client.post("/my-plan/steps/5", data=sent).location == "/my-plan/steps/5?part=5"
    assert content(runtime, scene, StepKey.CAREER_PATH)["reason"] == "Because I can."


def test_a_step_goes_on_where_nothing_is_written_and_ends_with_handing_in(
    client: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    # Step 6 has its goals already: all is written, so the last screen comes first.
    page = client.get("/my-plan/steps/6").text
    assert "Hand in" in page
    assert "Finish the thesis" in page
    refused = client.post("/my-plan/steps/6", data=fields_of(page) | {"do": "submit"}, follow_redirects=True).text
    assert "not handed in yet" in refused
    assert "Hand in" in refused
    assert "Hand in" not in client.get("/my-plan/steps/6?part=1").text
    assert content(runtime, scene, StepKey.GOALS)["goals"][0]["id"] == "g1"


def test_written_rows_are_folded_and_one_new_row_is_open(client: FlaskClient) -> None:
    sent = fields_of(client.get("/my-plan/steps/5?part=6").text)
    sent |= {"milestones-0-text": "Trainee", "more": "milestones"}
    page = client.post("/my-plan/steps/5", data=sent, follow_redirects=True).text
    assert "<summary>Trainee</summary>" in page
    assert 'name="milestones-1-text"' in page
    assert 'name="milestones-2-text"' not in page


def test_screens_beyond_either_end_are_the_nearest(client: FlaskClient) -> None:
    for asked, shown in (("0", "1 of 7"), ("99999999999999999999", "7 of 7"), ("check", "7 of 7"), ("-3", "1 of 7")):
        assert shown in client.get(f"/my-plan/steps/5?part={asked}").text, asked


def test_two_windows_on_different_screens_lose_nothing(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    one = fields_of(client.get("/my-plan/steps/5?part=4").text)
    two = fields_of(client.get("/my-plan/steps/5?part=6").text)
    client.post("/my-plan/steps/5", data=one | {"reason": "From window one", "do": "next"})
    answer = client.post("/my-plan/steps/5", data=two | {"milestones-0-text": "From window two", "do": "next"})
    assert answer.status_code == 409
    assert "From window one" in answer.text
    again = client.post("/my-plan/steps/5", data=fields_of(answer.text) | {"do": "save"})
    assert again.location == "/my-plan/steps/5?part=6"
    kept = content(runtime, scene, StepKey.CAREER_PATH)
    assert (kept["reason"], kept["milestones"][0]["text"]) == ("From window one", "From window two")


def test_what_cannot_be_saved_comes_back_on_its_screen(client: FlaskClient) -> None:
    sent = fields_of(client.get("/my-plan/steps/5?part=4").text) | {"reason": "x" * 20_001, "do": "next"}
    answer = client.post("/my-plan/steps/5", data=sent)
    assert answer.status_code == 422
    assert "4 of 7" in answer.text
    assert "Longer than maximum" in answer.text or "at most" in answer.text.lower()
