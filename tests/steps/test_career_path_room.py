"""Step 5 in the browser's eyes: comparing, routes and milestones by buttons, the switch with its preview, JSON."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.scoring import score
from app.domain.steps import StepKey
from app.factory import create_app
from app.features.audit.models import AuditEntry
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.queries import parsed
from app.features.instruments.service import load_definition
from app.features.occupations.queries import current_release
from app.features.occupations.stages import stages_of
from app.features.plans.commands import SaveContent
from app.features.plans.queries import events_of, view_plan
from app.features.plans.service import save_content
from app.features.reports.service import write_client_report
from app.features.steps.career_path.facts import facts_of
from app.features.steps.career_path.finder import find_routes
from app.features.steps.registry import ROOMS
from tests.api.conftest import Callers
from tests.domain.instrument_maker import definition
from tests.factories import World
from tests.infra.test_pdf import check_accessible, packed
from tests.overview.test_caseload import statements
from tests.plans.page_forms import fields_of
from tests.plans.scenes import Scene, make_scene
from tests.steps.small_catalogue import (
    ALONE,
    CHIEF,
    CLERK,
    EXPERT,
    HELPER,
    ISLAND,
    PLANNER,
    SKILLS,
    small_database,
    small_world,
)

__all__ = ["small_database", "small_world"]
KEY = StepKey.CAREER_PATH
RELEASE = "onet-90.1"
WAYS = [
    {"id": "p1", "kind": "technical", "name": "Depth", "ratings": {"c1": 5, "c2": 3}},
    {"id": "p2", "kind": "administration", "name": "Lead", "ratings": {"c1": 3, "c2": 4}},
]
CRITERIA = [{"id": "c1", "name": "Freedom", "weight": 6}, {"id": "c2", "name": "Income", "weight": 4}]
MOST_STATEMENTS = 10


def at(code: str, name: str = "x") -> dict[str, Any]:
    return {"name": name, "code": code, "release": RELEASE}


@pytest.fixture
def scene(small_world: World) -> Scene:
    return make_scene(small_world)


@pytest.fixture
def site(small_world: World) -> Flask:
    app = create_app(small_world.runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def client(small_world: World, site: Flask, scene: Scene) -> FlaskClient:
    return small_world.browser(site, scene.client)


def stored(world: World, scene: Scene, key: StepKey = KEY) -> dict[str, Any]:
    with world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        return dict(view_plan(uow, scene.plan_id).content(key))


def save(world: World, scene: Scene, content: dict[str, Any], key: StepKey = KEY) -> None:
    with world.runtime.database.unit_of_work(scene.client.actor) as uow:
        over = view_plan(uow, scene.plan_id).version(key)
        command = SaveContent(plan_id=scene.plan_id, step=key, content=content, over=over)
        save_content(uow, command, ROOMS[key])


def press(client: FlaskClient, part: int, **typed: str) -> str:
    page = client.get(f"/my-plan/steps/5?part={part}").text
    sent = fields_of(page, 'method="post" action="/my-plan/steps/') | typed
    answer = client.post("/my-plan/steps/5", data=sent)
    assert answer.status_code == 302, answer.text
    return client.get(answer.location).text


def test_three_ways_and_criteria_are_offered_and_compared(
    client: FlaskClient, small_world: World, scene: Scene
) -> None:
    client.get("/my-plan/steps/5?mode=guided")
    page = press(client, 1, do="next")
    kept = stored(small_world, scene)
    assert [row["id"] for row in kept["criteria"]] == [f"usual{n}" for n in range(1, 6)]
    assert kept["paths"] == []
    for kind in ("leading people and projects", "growing as an expert", "building something of my own"):
        assert f"<summary>{kind}</summary>" in page
    rated = {f"paths-{way}-rating_usual{n}": str(5 - way) for way in range(3) for n in range(1, 6)}
    page = press(client, 2, **rated, do="next")
    kept = stored(small_world, scene)
    assert [row["kind"] for row in kept["paths"]] == ["administration", "technical", "entrepreneurship"]
    assert kept["paths"][1]["ratings"] == {f"usual{n}": 4 for n in range(1, 6)}
    assert "“leading people and projects” leads" in page
    assert "is never better than" in page


def test_criteria_are_compared_two_at_a_time_with_reasons(
    client: FlaskClient, small_world: World, scene: Scene
) -> None:
    save(small_world, scene, {"criteria": CRITERIA, "paths": WAYS})
    page = press(client, 1, weighting="pairs", more="pairs")
    assert "0 of 1 are compared" in page
    page = press(client, 1, **{"pairs-0-times": "3", "pairs-0-why": "I want to breathe"}, do="next")
    (pair,) = stored(small_world, scene)["pairs"]
    assert (pair["times"], pair["why"]) == (3, "I want to breathe")
    page = client.get("/my-plan/steps/5?part=3").text
    assert "consistency ratio is 0.00" in page
    # What was compared stays while weights are given directly, and comes back.
    press(client, 1, weighting="direct", do="next")
    assert stored(small_world, scene)["pairs"] == [pair]
    assert "I want to breathe" in press(client, 1, weighting="pairs", more="pairs")


def test_a_route_is_found_taken_and_becomes_milestones(client: FlaskClient, small_world: World, scene: Scene) -> None:
    client.get("/my-plan/steps/5?mode=guided")
    save(small_world, scene, {"criteria": CRITERIA, "paths": WAYS, "chosen": "p1"})
    # Step 4's choice is in own words: told, with what to do.
    page = client.get("/my-plan/steps/5?part=5").text
    assert "“Market research analyst” is written in your own words" in page
    page = press(client, 5, act="route/find", ask="town planer by figurs")
    assert "Town Planners by Figures" in page
    # Taking one of what was found ends the search.
    page = press(client, 5, act=f"route/target:{PLANNER}", ask="town planer by figurs")
    assert "Say where you stand" in page
    assert "Back to the routes" not in page
    page = press(client, 5, act=f"route/start:{HELPER}")
    assert "Route 1" in page
    assert "Route 2" in page
    assert "Preparation: one job zone up" in page
    kept = stored(small_world, scene)
    assert kept["target"] == at(PLANNER, "Town Planners by Figures") | {"none": False}
    codes = f"{HELPER},{CLERK},{PLANNER}"
    assert f'value="route/take:{codes}"' in page
    page = press(client, 5, act=f"route/take:{codes}")
    assert "The route I take" in page
    kept = stored(small_world, scene)
    assert [stage["code"] for stage in kept["routes"][0]["stages"]] == codes.split(",")
    assert [(row["code"], row["path"], row["release"]) for row in kept["milestones"]] == [
        (CLERK, "p1", RELEASE),
        (PLANNER, "p1", RELEASE),
    ]
    # A dated milestone keeps its occupation, and the form does not lose the route.
    press(client, 6, **{"milestones-1-due_on": "2031-01-01"}, do="next")
    after = stored(small_world, scene)
    assert after["milestones"][1] == kept["milestones"][1] | {"due_on": "2031-01-01"}
    assert after["routes"] == kept["routes"]
    # A target typed over is in own words again; the kept route says that it leads elsewhere.
    press(client, 5, **{"target-name": "Mayor"}, do="next")
    assert stored(small_world, scene)["target"] == {"name": "Mayor", "code": None, "release": None, "none": False}
    press(client, 5, act="route/notarget")
    assert stored(small_world, scene)["target"] is None
    press(client, 5, act=f"route/target:{CHIEF}")
    assert "This route leads to “Town Planners by Figures”" in client.get("/my-plan/steps/5?part=5").text
    press(client, 5, act="route/drop")
    after = stored(small_world, scene)
    assert after["routes"] == []
    assert len(after["milestones"]) == 2


def test_a_button_of_an_old_page_changes_nothing(client: FlaskClient, small_world: World, scene: Scene) -> None:
    whole = {"criteria": CRITERIA, "paths": WAYS, "chosen": "p1", "weighting": "direct"}
    save(small_world, scene, whole | {"start": at(HELPER), "target": at(PLANNER)})
    before = stored(small_world, scene)
    acts = ("route/take:nonsense", f"route/take:{HELPER},{PLANNER}", "route/target:99-9999.99", "route/milestones")
    for act in (*acts, "route/drop", "route/x:y", "route"):
        press(client, 5, act=act)
    assert stored(small_world, scene) == before


@pytest.mark.parametrize(
    "case",
    [
        (None, at(PLANNER), None, "no_start"),
        ({"name": "Baker"}, at(PLANNER), None, "start_words"),
        (at(ALONE), at(PLANNER), None, "start_alone"),
        (at(PLANNER), at(PLANNER), None, "same"),
        (at(HELPER), at(ISLAND), None, "too_far"),
        (at(HELPER), at(ALONE), None, "target_alone"),
        (at(HELPER), at(PLANNER) | {"release": "onet-1.0"}, None, "target_gone"),
        (at(HELPER), at("99-9999.00"), None, "target_gone"),
        (at(HELPER), {"name": "Mayor"}, None, "target_words"),
        ({"name": "Student", "none": True}, at(PLANNER), 6, "direct"),
        (at(HELPER), at(PLANNER), 4, None),
        ({"none": True}, at(PLANNER), 2, None),
        ({"none": True}, at(CHIEF), 12, None),
    ],
)
def test_where_there_is_no_route_it_is_said_why(
    small_world: World, scene: Scene, case: tuple[Any, Any, int | None, str | None]
) -> None:
    start, target, education, why = case
    content = ROOMS[KEY].read({"start": start, "target": target})
    contents: dict[StepKey, Any] = {StepKey.OPPORTUNITIES: {"education": education}}
    with small_world.runtime.database.unit_of_work(scene.client.actor) as uow:
        found = find_routes(uow, content, contents, None)
    assert found.why == why
    assert bool(found.routes) == (why is None)
    for stages in found.routes:
        assert stages[-1]["code"] == target["code"]
        assert all(stage["release"] == RELEASE for stage in stages)
        if start and start.get("none"):
            # Whoever has no position begins in one that can be had, never in management.
            assert stages[0]["lack"] is not None
            assert not stages[0]["code"].startswith("11-")
        else:
            assert (stages[0]["code"], stages[0]["lack"]) == (start["code"], None)
    assert found.share == (90.0 if why == "direct" else None)


def test_what_a_hop_lacks_counts_education_zones_and_own_skills(small_world: World, scene: Scene) -> None:
    content = ROOMS[KEY].read({"start": at(CLERK), "target": at(PLANNER)})
    contents: dict[StepKey, Any] = {StepKey.OPPORTUNITIES: {"education": 5}}
    with small_world.runtime.database.unit_of_work(scene.client.actor) as uow:
        (stages, *_) = find_routes(uow, content, contents, None).routes
        (rated, *_) = find_routes(uow, content, contents, {"2.A.1.e": 4.8, "2.A.1.a": 0}).routes
    lack = stages[-1]["lack"]
    assert (lack["zones"], lack["asking_at_most"], lack["education_steps"]) == (2, 20.0, 1)
    assert lack["skills"] == [
        {"name": SKILLS["2.A.1.e"], "required": 5.0, "own": 2.0},
        {"name": SKILLS["2.A.1.a"], "required": 4.0, "own": 3.0},
    ]
    # An own rating counts where it is above what the position before asked.
    assert [one["name"] for one in rated[-1]["lack"]["skills"]] == [SKILLS["2.A.1.a"]]


def test_facts_of_each_way_and_what_is_not_known(small_world: World, scene: Scene, client: FlaskClient) -> None:
    with small_world.runtime.database.unit_of_work(scene.client.actor) as uow:
        release = current_release(uow)
        assert release is not None
        stages = stages_of(uow, release)
    facts = facts_of(stages, PLANNER, None)
    assert facts is not None
    assert [(one.code, one.up, one.direct) for one in facts.management] == [(CHIEF, 1, True)]
    assert [(one.code, one.up, one.direct) for one in facts.technical] == [(EXPERT, 1, True)]
    assert facts_of(stages, "99-9999.00", None) is None
    of_expert = facts_of(stages, EXPERT, None)
    assert of_expert is not None
    # The expert is related to the planner alone; management is near by way of the family.
    assert [(one.code, one.up, one.direct) for one in of_expert.management] == [(CHIEF, 0, False)]
    assert of_expert.technical == ()
    ways = [{"id": kind, "kind": kind} for kind in ("administration", "technical", "entrepreneurship")]
    save(small_world, scene, {"paths": ways, "target": at(PLANNER)})
    page = client.get("/my-plan/steps/5?part=2").text
    assert "12.5% of those who work as “Town planners” are self-employed" in page
    assert "Projections 2030-40" in page
    save(small_world, scene, {"paths": ways, "target": at(CHIEF)})
    page = client.get("/my-plan/steps/5?part=2").text
    assert "The share of self-employed for “Managers of Planning”: not known." in page
    assert "5 years or more" in page


def take_paths(world: World, scene: Scene) -> None:
    """An orientation questionnaire, answered; nothing is known of its errors, and one scale has too few answers."""
    raw = definition(id="our-paths", measures="paths", title="Orientation")
    raw["scales"][0]["min_answered"] = 1.0
    with world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        loaded = load_definition(uow, LoadDefinition(raw=raw))
        asked = parsed("of this test", raw)
        responses = [5, 4, 0]
        table = score(asked, np.array([responses], dtype=np.int16))
        uow.session.add(
            Assessment(
                client_id=scene.client.actor.client_id,
                instrument_id=loaded.instrument_id,
                version=1,
                taken_at=uow.now,
                source="portal",
                source_key="test",
                responses=responses,
                scores=[None if np.isnan(value) else float(value) for value in table.scores[0]],
                answered=[int(value) for value in table.answered[0]],
            )
        )


def test_orientations_stand_beside_with_what_is_not_known(
    client: FlaskClient, small_world: World, scene: Scene, site: Flask
) -> None:
    assert "No questionnaire on paths is answered yet" in client.get("/my-plan/steps/5?part=3").text
    take_paths(small_world, scene)
    for page in (
        client.get("/my-plan/steps/5?part=3").text,
        small_world.browser(site, scene.counsellor).get(f"/plans/{scene.plan_id}/steps/5").text,
    ):
        assert "Humming" in page
        assert "not yet known" in page
        assert "too few answers" in page


def goals_and_actions(world: World, scene: Scene) -> None:
    goals = [("g1", "Publish", "p1"), ("g2", "Lead five", "p2"), ("g3", "Sleep well", None)]
    save(world, scene, {"goals": [{"id": i, "text": t, "path": p} for i, t, p in goals]}, StepKey.GOALS)
    actions = [{"id": "a1", "text": "Write daily", "kind": "work", "goal": "g1"}]
    save(world, scene, {"actions": actions}, StepKey.ACTION_PLAN)


def test_a_switch_is_previewed_taken_and_taken_back(
    client: FlaskClient, small_world: World, scene: Scene, site: Flask
) -> None:
    milestones = [{"id": "m1", "text": "Trainee", "path": "p1"}]
    whole = {"criteria": CRITERIA, "weighting": "direct", "paths": WAYS, "chosen": "p1", "milestones": milestones}
    save(small_world, scene, whole)
    goals_and_actions(small_world, scene)
    before = [json.dumps(stored(small_world, scene, key)) for key in (KEY, StepKey.GOALS, StepKey.ACTION_PLAN)]
    # The form itself does not switch: what it would change is not told there.
    page = client.get("/my-plan/steps/5?part=4").text
    assert 'name="chosen"' not in page
    press(client, 4, chosen="p2", do="next")
    assert stored(small_world, scene)["chosen"] == "p1"
    assert "Take this way instead" in page

    page = client.get("/my-plan/ways/p2").text
    goals, actions = page[page.index('<h2 id="fate-1"') :].split('<h2 id="fate-2"')[:2]
    stay, rest = goals.split("Are set aside")
    gone, back = rest.split("Come back")
    assert ("Sleep well" in stay, "Publish" in gone, "Lead five" in back) == (True, True, True)
    assert "Write daily" in actions
    assert "“Write daily” stays, but the goal it serves, “Publish”, is set aside." in page
    # Looking changes nothing.
    assert json.dumps(stored(small_world, scene)) == before[0]

    sent = fields_of(page, 'action="/my-plan/ways/p2"')
    assert client.post("/my-plan/ways/p2", data=sent, follow_redirects=True).status_code == 200
    assert stored(small_world, scene)["chosen"] == "p2"
    assert [json.dumps(stored(small_world, scene, key)) for key in (StepKey.GOALS, StepKey.ACTION_PLAN)] == before[1:]
    page = client.get("/my-plan/steps/6?mode=whole", follow_redirects=True).text
    assert "1 goal set aside" in page
    client.get("/my-plan/steps/5?mode=guided")
    # Sent twice, or from a preview of an older version: told, and nothing lost.
    assert client.post("/my-plan/ways/p2", data=sent).status_code == 302
    assert client.post("/my-plan/ways/p1", data=sent).status_code == 409
    back_again = fields_of(client.get("/my-plan/ways/p1").text, 'action="/my-plan/ways/p1"')
    client.post("/my-plan/ways/p1", data=back_again)
    assert [json.dumps(stored(small_world, scene, key)) for key in (KEY, StepKey.GOALS, StepKey.ACTION_PLAN)] == before
    with small_world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        kinds = [event.kind for event, _ in events_of(uow, scene.plan_id, step=KEY)]
        entries = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "path.switched")).all()
    assert kinds.count("path_switched") == 2
    assert sorted((entry.detail["before"], entry.detail["after"]) for entry in entries) == [("p1", "p2"), ("p2", "p1")]
    page = small_world.browser(site, scene.counsellor).get(f"/plans/{scene.plan_id}/steps/5").text
    assert "took another way in step 5" in page


def test_a_switch_of_a_step_handed_in_is_refused(client: FlaskClient, small_world: World, scene: Scene) -> None:
    milestones = [{"id": "m1", "text": "One"}, {"id": "m2", "text": "Two"}]
    whole = {"criteria": CRITERIA, "paths": WAYS, "chosen": "p1", "reason": "So.", "milestones": milestones}
    save(small_world, scene, whole)
    sent = fields_of(client.get("/my-plan/ways/p2").text, 'action="/my-plan/ways/p2"')
    page = client.get("/my-plan/steps/5?part=check").text
    handed = client.post(
        "/my-plan/steps/5", data=fields_of(page, 'method="post" action="/my-plan/steps/') | {"do": "submit"}
    )
    assert handed.location == "/my-plan"
    assert "The step is handed in or accepted" in client.get("/my-plan/ways/p2").text
    assert client.post("/my-plan/ways/p2", data=sent).status_code == 409
    assert stored(small_world, scene)["chosen"] == "p1"
    for address in ("/my-plan/ways/none", "/my-plan/ways/" + "x" * 500):
        assert client.get(address).status_code == 404
    assert client.post("/my-plan/ways/p2", data={}).status_code == 422


def test_json_of_routes_and_of_the_switch(small_world: World, scene: Scene, site: Flask) -> None:
    ways = {"paths": WAYS, "chosen": "p1", "start": at(HELPER, "Figures Helpers"), "target": at(PLANNER)}
    save(small_world, scene, ways)
    goals_and_actions(small_world, scene)
    calls = Callers(site, small_world)
    own, theirs = calls.by_browser(scene.client), calls(scene.counsellor)
    for caller in (own, theirs):
        found = caller.get(f"/plans/{scene.plan_id}/routes").json
        assert [stage["code"] for stage in found["routes"][0]] == [HELPER, "15-2041.01", PLANNER]
        assert (found["why"], found["release"], found["start"]["code"], found["kept"]) == (None, RELEASE, HELPER, None)
    preview = own.get(f"/plans/{scene.plan_id}/ways/p2")
    assert [row["id"] for row in preview.json["goals"]["aside"]] == ["g1"]
    assert preview.json["orphans"] == [{"action": "a1", "goal": "g1"}]
    where = f"/plans/{scene.plan_id}/ways/p2"
    assert own.post(where).status_code == 428
    assert own.post(where, headers={"If-Match": '"99"'}).status_code == 412
    assert theirs.post(where, headers={"If-Match": preview.headers["ETag"]}).status_code == 403
    taken = own.post(where, headers={"If-Match": preview.headers["ETag"]})
    assert taken.json["chosen"] == stored(small_world, scene)["chosen"] == "p2"
    assert own.get(f"/plans/{scene.plan_id}/ways/none").status_code == 404
    stranger = calls.by_browser(small_world.client_person(small_world.organization()))
    for path in ("routes", "ways/p1"):
        assert stranger.get(f"/plans/{scene.plan_id}/{path}").status_code == 404
    save(small_world, scene, ways | {"start": None})
    found = own.get(f"/plans/{scene.plan_id}/routes").json
    assert (found["routes"], found["why"]) == ([], "no_start")
    assert "press “I stand here now”" in found["sentence"]


def test_the_pages_take_few_queries(client: FlaskClient, small_world: World, scene: Scene, site: Flask) -> None:
    take_paths(small_world, scene)
    routes = {"start": at(HELPER), "target": at(PLANNER)}
    save(small_world, scene, {"criteria": CRITERIA, "paths": WAYS, "chosen": "p1"} | routes)
    counsellor = small_world.browser(site, scene.counsellor)
    whole = small_world.browser(site, scene.client)
    whole.get("/my-plan/steps/5?mode=whole")
    for browser, address in (
        (client, "/my-plan/steps/5?part=5&ask=planners"),
        (whole, "/my-plan/steps/5"),
        (client, "/my-plan/ways/p2"),
        (counsellor, f"/plans/{scene.plan_id}/steps/5"),
    ):
        # A release of the catalogue is read once in a process.
        assert browser.get(address).status_code == 200
        with statements() as seen:
            browser.get(address)
        # Naming the organization to the database is no question.
        asked = [one for one in seen if "set_config" not in one]
        assert len(asked) <= MOST_STATEMENTS, (address, asked)


def test_a5_the_report_has_the_way_the_route_as_a_picture_and_the_comparison(
    client: FlaskClient, small_world: World, scene: Scene
) -> None:
    client.get("/my-plan/steps/5?mode=guided")
    routes = {"start": at(HELPER, "Figures Helpers"), "target": at(PLANNER, "Town Planners by Figures")}
    save(small_world, scene, {"criteria": CRITERIA, "paths": WAYS, "chosen": "p1", "reason": "So."} | routes)
    press(client, 5, act=f"route/take:{HELPER},{CLERK},{PLANNER}")
    assert scene.client.actor.client_id is not None
    report = write_client_report(small_world.runtime, scene.admin.actor, scene.client.actor.client_id)
    check_accessible(report.pdf, lang="en-IE", title="Career plan of Amara Okafor")
    if folder := os.environ.get("OCTANT_PICTURES"):
        (Path(folder) / "step-5.pdf").write_bytes(report.pdf)
    said = "".join(packed(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(report.pdf)).pages)
    for wanted in (
        "Thewayichoose",
        "Therouteitake",
        "OfficeClerksofFigures:Preparation",
        "Howthewayscompare",
        "Istandhere",
        "4.20",
    ):
        assert wanted.casefold() in said.casefold(), wanted
