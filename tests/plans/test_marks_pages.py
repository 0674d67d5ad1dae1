"""Marks, loose ends and the map on the pages of client and counsellor, and as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.domain.steps import StepAction, StepKey
from app.features.overview.commands import CaseloadFilter, Why
from app.features.overview.queries import CaseloadRow, caseload_page
from tests.factories import World
from tests.harness import Clock
from tests.plans.page_forms import fields_of
from tests.plans.test_marks import Desk, choice, goals

S = StepKey


@pytest.fixture
def desk(world: World, clock: Clock) -> Desk:
    desk = Desk(world, clock)
    desk.fill()
    for key in (S.CAREER_PATH, S.GOALS):
        desk.move(key, StepAction.COMPLETE)
    desk.save(S.CAREER_CHOICE, choice("o2"))
    return desk


def test_a_plan_says_why_each_step_is_worth_another_look(app: Flask, world: World, desk: Desk) -> None:
    for person, path in ((desk.client, "/my-plan"), (desk.counsellor, f"/plans/{desk.plan_id}")):
        page = world.browser(app, person).get(path).text
        assert page.count("which was “Market research analyst” and is now “Data scientist”.") == 3
        assert page.count(">Still right<") == 3
        assert "The map: what changes, and which steps rest on it" in page
        assert f"/plans/{desk.plan_id}/try" in page


def test_still_right_is_said_on_a_step_and_in_the_history(app: Flask, world: World, desk: Desk) -> None:
    client, counsellor = world.browser(app, desk.client), world.browser(app, desk.counsellor)
    page = client.get("/my-plan/steps/6").text
    assert "Worth another look" in page
    form = fields_of(page, 'action="/my-plan/steps/6/confirm"')
    assert client.post("/my-plan/steps/6/confirm", data=form).status_code == 302
    assert "Worth another look" not in client.get("/my-plan/steps/6").text
    here = f"/plans/{desk.plan_id}/steps/5"
    form = fields_of(counsellor.get(here).text, f'action="{here}/confirm"')
    assert counsellor.post(f"{here}/confirm", data=form).location == here
    history = counsellor.get(f"/plans/{desk.plan_id}").text
    assert "looked at step 6, Goals, again: it is still right" in history
    assert "Step 7, Action plan, is worth another look: the chosen occupation changed" in history
    assert desk.stale() == {S.ACTION_PLAN}


def test_more_than_was_read_cannot_be_confirmed(app: Flask, world: World, desk: Desk, clock: Clock) -> None:
    browser = world.browser(app, desk.client)
    form = fields_of(browser.get("/my-plan/steps/7").text, "steps/7/confirm")
    clock.now += timedelta(minutes=1)
    desk.save(S.GOALS, goals("Lead a team"))
    answer = browser.post("/my-plan/steps/7/confirm", data=form)
    assert answer.status_code == 409
    assert "More has changed since you opened this page" in answer.text
    assert S.ACTION_PLAN in desk.stale()


def test_lists_are_told_by_what_came_and_went(app: Flask, world: World, desk: Desk) -> None:
    desk.save(S.GOALS, goals("Lead a team"))
    page = world.browser(app, desk.client).get("/my-plan/steps/7").text
    assert "It rests on the goals, where this changed:" in page
    assert '<li class="went"><span><span class="hide-visually">gone:</span> Learn</span></li>' in page
    assert '<li class="came"><span><span class="hide-visually">new:</span> Lead a team</span></li>' in page


def test_results_values_ways_and_education_are_told_in_words(app: Flask, world: World, desk: Desk) -> None:
    desk.take("interests")
    desk.save(
        S.AMBITION, {"cards": [{"id": "variety", "pile": "very"}], "values": [{"id": "variety", "card": "variety"}]}
    )
    desk.save(S.OPPORTUNITIES, {"factors": [], "education": 8})
    desk.save(S.CAREER_PATH, {"paths": [{"id": "p2", "kind": "administration"}], "chosen": "p2"})
    page = world.browser(app, desk.client).get("/my-plan").text
    for said in (
        "the result on interests, which was none and is now that of “A made-up questionnaire” on 7 September 2026.",
        "Variety",
        "the level of education, which was “Bachelor&#39;s degree” and is now “Master&#39;s degree”.",
        "the chosen way, which was “growing as an expert” and is now “leading people and projects”.",
        "Hiring freeze",
    ):
        assert said in page, said


def test_loose_ends_stand_with_their_step(app: Flask, world: World, desk: Desk) -> None:
    desk.save(S.ACTION_PLAN, {"actions": [{"id": "a1", "text": "Course", "goal": "g9"}]})
    desk.save(S.GOALS, {"goals": [{"id": "g1", "text": "Teach", "parent": "g9", "path": "p7"}]})
    for person, path, step in (
        (desk.client, "/my-plan", "/my-plan/steps/7"),
        (desk.counsellor, f"/plans/{desk.plan_id}", f"/plans/{desk.plan_id}/steps/7"),
    ):
        page = world.browser(app, person).get(path).text
        said = "The action “Course” serves a goal that is gone. Choose another, or none."
        assert f'<li>{said} <a href="{step}">' in page
        assert "The goal “Teach” serves a larger goal that is gone" in page
        assert "The goal “Teach” belongs to a way that is gone" in page


def test_today_asks_to_look_again_at_what_was_accepted(world: World, desk: Desk) -> None:
    def row() -> CaseloadRow:
        with desk.runtime.database.unit_of_work(desk.counsellor.actor) as uow:
            [found] = caseload_page(uow, CaseloadFilter(), today=uow.now.date(), attributes=[]).rows
            return found

    assert row().why & Why.STALE
    assert row().stale_step == 5
    desk.confirm(S.CAREER_PATH)
    desk.confirm(S.GOALS)
    # Step 7 is marked too, and it is the client's: nobody has accepted it yet.
    assert not row().why & Why.STALE
    assert desk.stale() == {S.ACTION_PLAN}


def test_json_of_marks_map_and_orphans(app: Flask, world: World, desk: Desk) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    browser = world.browser(app, desk.counsellor)
    here = f"/api/v1/plans/{desk.plan_id}"
    body: dict[str, Any] = browser.get(f"{here}/staleness").get_json()
    assert [(one["step"], one["status"]) for one in body["stale"]] == [
        (5, "completed"),
        (6, "completed"),
        (7, "in_progress"),
    ]
    [mark] = body["stale"][0]["marks"]
    assert (mark["aspect"], mark["before"], mark["after"]) == (
        "occupation",
        "Market research analyst",
        "Data scientist",
    )
    lines = {line["aspect"]: line for line in body["map"]}
    assert lines["occupation"]["marks"] == [5, 6, 7]
    assert lines["goals"]["rests_on"] == ["path", "milestones"]
    assert lines["catalogue"]["step"] is None
    assert body["orphans"] == []
    refused = browser.post(f"{here}/steps/5/confirm", json={"seen": "something else"})
    assert refused.status_code == 409
    done = browser.post(f"{here}/steps/5/confirm", json={"seen": body["stale"][0]["seen"]})
    assert (done.status_code, done.get_json()) == (200, {"aspects": ["occupation"]})
    assert [one["step"] for one in browser.get(f"{here}/staleness").get_json()["stale"]] == [6, 7]
