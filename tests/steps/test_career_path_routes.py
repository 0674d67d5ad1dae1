"""Step 5: routes are found, taken and become milestones; where there is none it is said why."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.domain.steps import StepKey
from app.features.steps.career_path.finder import find_routes
from app.features.steps.registry import ROOMS
from tests.factories import World
from tests.plans.scenes import Scene
from tests.steps.path_scene import CRITERIA, KEY, RELEASE, WAYS, at, client, press, save, scene, site, stored
from tests.steps.small_catalogue import (
    ALONE,
    CHIEF,
    CLERK,
    HELPER,
    ISLAND,
    PLANNER,
    SKILLS,
    small_database,
    small_world,
)

__all__ = ["client", "scene", "site", "small_database", "small_world"]


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
