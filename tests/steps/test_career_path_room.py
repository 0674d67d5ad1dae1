"""Step 5 as a room: ways compared, facts and orientations beside them, few queries, the report."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pypdf
from flask import Flask
from flask.testing import FlaskClient

from app.features.occupations.releases import current_release
from app.features.occupations.stages import stages_of
from app.features.reports.service import write_client_report
from app.features.steps.career_path.facts import facts_of
from tests.factories import World
from tests.infra.test_pdf import check_accessible, packed
from tests.overview.test_caseload import statements
from tests.plans.scenes import Scene
from tests.steps.path_scene import CRITERIA, WAYS, at, client, press, save, scene, site, stored, take_paths
from tests.steps.small_catalogue import CHIEF, CLERK, EXPERT, HELPER, PLANNER, small_database, small_world

__all__ = ["client", "scene", "site", "small_database", "small_world"]
MOST_STATEMENTS = 10


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
