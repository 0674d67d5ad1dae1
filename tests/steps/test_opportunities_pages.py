"""Step 3 on pages: looking occupations up, the guided way, the counsellor's view, JSON, revisions, the report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.domain import access
from app.domain.access import Role
from app.domain.steps import StepKey
from app.factory import create_app
from app.features.plans.queries import view_plan
from app.features.reports.document import documents
from app.features.reports.sources import load_sources
from app.infra.runtime import Runtime
from tests.factories import World
from tests.plans.page_forms import fields_of as form_fields
from tests.plans.scenes import Scene, make_scene

PAGE = "/my-plan/steps/3"
DEVELOPERS, NURSES = "15-1252.00", "29-1141.00"


def fields_of(page: str) -> dict[str, Any]:
    return form_fields(page, 'method="post" action="/my-plan/steps/')


def opened(world: World, app: Flask, scene: Scene) -> FlaskClient:
    """The client's browser, guided, with step 3 open again."""
    app.config["WTF_CSRF_ENABLED"] = False
    world.browser(app, scene.counsellor).post(f"/plans/{scene.plan_id}/steps/3/reopen")
    browser = world.browser(app, scene.client)
    browser.get(f"{PAGE}?mode=guided")
    return browser


@pytest.fixture
def scene(world: World) -> Scene:
    return make_scene(world)


@pytest.fixture
def client(world: World, app: Flask, scene: Scene) -> FlaskClient:
    return opened(world, app, scene)


def stored(runtime: Runtime, scene: Scene) -> dict[str, Any]:
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        return dict(view_plan(uow, scene.plan_id).content(StepKey.OPPORTUNITIES))


def send(client: FlaskClient, where: str = f"{PAGE}?part=1", **more: str) -> str:
    answer = client.post(PAGE, data=fields_of(client.get(where).text) | more)
    assert answer.status_code == 302, answer.text
    return client.get(answer.location).text


@pytest.mark.parametrize("mode", ["guided", "whole"])
def test_an_occupation_is_found_added_linked_and_taken_out(
    client: FlaskClient, runtime: Runtime, scene: Scene, mode: str
) -> None:
    client.get(f"{PAGE}?mode={mode}")
    page = send(client, ask="softwar develper", act="occupations/find")
    assert "Software Developers" in page
    assert f'value="occupations/add:{DEVELOPERS}"' in page
    assert stored(runtime, scene)["occupations"] == []
    page = send(client, f"{PAGE}?part=1&ask=softwar+develper", act=f"occupations/add:{DEVELOPERS}")
    # The search stays, so that more can be added; what is added says so.
    assert f'value="occupations/add:{DEVELOPERS}"' not in page
    (row,) = stored(runtime, scene)["occupations"]
    assert (row["code"], row["release"], row["name"]) == (DEVELOPERS, "starter-30.1", "Software Developers")
    assert f"/occupations/{DEVELOPERS}?release=starter-30.1" in page
    send(client, act=f"occupations/add:{DEVELOPERS}")
    assert len(stored(runtime, scene)["occupations"]) == 1
    assert [row["id"] for row in stored(runtime, scene)["factors"]] == ["f1", "f2", "f3", "f4"]
    # A factor may concern it.
    sent = fields_of(client.get(f"{PAGE}?part=2").text) | {"do": "save"}
    assert client.post(PAGE, data=sent | {"factors-0-occupation": f"{DEVELOPERS}|starter-30.1"}).status_code == 302
    assert stored(runtime, scene)["factors"][0]["occupation"] == {"code": DEVELOPERS, "release": "starter-30.1"}
    page = client.get(f"{PAGE}?part=2").text
    assert f'<option selected value="{DEVELOPERS}|starter-30.1">' in page
    # Taken out, the factor keeps what it concerns.
    send(client, act=f"occupations/remove:{row['id']}")
    content = stored(runtime, scene)
    assert content["occupations"] == []
    assert content["factors"][0]["occupation"]["code"] == DEVELOPERS
    assert f'<option selected value="{DEVELOPERS}|starter-30.1">' in client.get(f"{PAGE}?part=2").text


def test_enter_in_the_search_searches_and_goes_on_afterwards(client: FlaskClient) -> None:
    sent = fields_of(client.get(f"{PAGE}?part=1").text) | {"ask": "nurse", "do": "next"}
    answer = client.post(PAGE, data=sent)
    assert "ask=nurse" in answer.location
    assert "part=1" in answer.location
    again = fields_of(client.get(answer.location).text) | {"do": "next"}
    assert client.post(PAGE, data=again).location == f"{PAGE}?part=2"


def test_a_ninth_occupation_and_a_strange_button_change_nothing(
    client: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    codes = ["11-1021.00", "11-2021.00", "11-3021.00", "11-3031.00", DEVELOPERS, NURSES]
    for code in codes:
        send(client, act=f"occupations/add:{code}")
    found = client.get("/api/v1/occupations?search=teachers&limit=20").json["items"]
    more = [item["code"] for item in found if item["code"] not in codes][:3]
    for code in more[:2]:
        send(client, act=f"occupations/add:{code}")
    assert len(stored(runtime, scene)["occupations"]) == 8
    sent = fields_of(client.get(f"{PAGE}?part=1").text) | {"act": f"occupations/add:{more[2]}"}
    refused = client.post(PAGE, data=sent)
    assert refused.status_code == 422
    assert "take one out first" in refused.text
    before = stored(runtime, scene)
    for act in ("occupations/add:99-9999.00", "occupations/add:", "occupations/remove:none", "occupations/x:y"):
        send(client, act=act)
    assert stored(runtime, scene) == before


def test_the_guided_way_shows_one_new_factor_and_the_scan_at_a_glance(
    client: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    page = client.get(f"{PAGE}?part=2").text
    assert "2 of 5" in page
    assert "<summary>Hiring freeze in regional government</summary>" in page
    assert 'name="factors-4-text"' in page
    assert 'name="factors-5-text"' not in page
    sent = fields_of(page) | {
        "factors-4-text": "My aunt knows the office",
        "factors-4-kind": "opportunity",
        "factors-4-area": "family",
        "factors-4-controllable": "partly",
        "factors-4-likelihood": "4",
        "factors-4-impact": "4",
        "do": "next",
    }
    answer = client.post(PAGE, data=sent)
    assert answer.location == f"{PAGE}?part=3"
    page = client.get(answer.location).text
    assert "Map of opportunities and threats" in page
    assert "“My aunt knows the office” weighs heavily" in page
    factor = stored(runtime, scene)["factors"][-1]
    assert (factor["area"], factor["history"][0]["impact"]) == ("family", 4)
    # Hints stand apart from what is missing before handing in.
    last = client.get(f"{PAGE}?part=check").text
    assert "Worth a thought" in last
    assert "Before you hand it in" not in last


def test_education_survives_the_other_screens(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    send(client, education="6", do="next")
    send(client, f"{PAGE}?part=2", do="next")
    assert stored(runtime, scene)["education"] == 6
    client.get(f"{PAGE}?mode=whole")
    send(client, PAGE, do="save")
    content = stored(runtime, scene)
    assert content["education"] == 6
    assert len(content["factors"]) == 4


def test_revisions_say_which_factors_changed(client: FlaskClient, world: World, app: Flask, scene: Scene) -> None:
    sent = fields_of(client.get(f"{PAGE}?part=2").text)
    client.post(PAGE, data=sent | {"factors-1-likelihood": "5", "factors-3-text": "", "do": "save"})
    page = world.browser(app, scene.counsellor).get(f"/plans/{scene.plan_id}/compare?before=1&after=2").text
    assert "Factors since then" in page
    assert "likelihood: 3 → 5" in page


def test_json_gives_the_scan_to_those_who_may_see_the_plan(
    client: FlaskClient, world: World, app: Flask, scene: Scene
) -> None:
    send(client, act=f"occupations/add:{NURSES}")
    where = f"/api/v1/plans/{scene.plan_id}/steps/3/scan"
    for person in (scene.client, scene.counsellor, scene.admin):
        scan = world.browser(app, person).get(where).json
        assert [factor["number"] for factor in scan["factors"]] == [1, 2, 3, 4]
        assert scan["factors"][0]["weight"] == 20
        assert scan["factors"][3]["weight"] is None
        assert scan["coverage"]["lacking_sides"] == ["around", "changing", "mine"]
        (nurse,) = scan["occupations"]
        assert (nurse["release"], nurse["at_most"], nurse["outlook"]) == ("starter-30.1", None, None)
        assert "O*NET®" in scan["credit"][0]
    stranger = world.person(world.organization(), Role.ADMIN)
    assert world.browser(app, stranger).get(where).status_code == 404
    analyst = world.person(scene.organization, Role.ANALYST)
    assert world.browser(app, analyst).get(where).status_code == 403


def test_the_starter_says_what_it_lacks_beside_its_facts(
    client: FlaskClient, world: World, app: Flask, scene: Scene
) -> None:
    send(client, act=f"occupations/add:{NURSES}")
    page = client.get(f"{PAGE}?part=4").text
    assert "This is the starter catalogue, an excerpt without outlook, pay and education" in page
    assert "Not known of any of them: " in page
    counsellor = world.browser(app, scene.counsellor).get(f"/plans/{scene.plan_id}/steps/3").text
    assert "Occupations beside the factors" in counsellor
    assert "Registered Nurses" in counsellor
    assert "Map of opportunities and threats" in counsellor


@contextmanager
def counted() -> Iterator[list[str]]:
    said: list[str] = []

    def note(*given: Any) -> None:
        said.append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.data
def test_the_whole_catalogue_beside_the_factors_in_few_queries(catalogue_world: World) -> None:
    world = catalogue_world
    app = create_app(world.runtime)
    scene = make_scene(world)
    client = opened(world, app, scene)
    for code in (NURSES, "29-1022.00", "11-9199.00", DEVELOPERS):
        send(client, act=f"occupations/add:{code}")
    send(client, education="6", do="next")
    counsellor = world.browser(app, scene.counsellor)
    pages = {}
    for browser, where in (
        (client, f"{PAGE}?part=1&ask=nurse"),
        (client, f"{PAGE}?part=3"),
        (client, f"{PAGE}?part=4"),
        (counsellor, f"/plans/{scene.plan_id}/steps/3"),
    ):
        browser.get(where)
        with counted() as said:
            pages[where] = browser.get(where).text
        # Naming the organization to PostgreSQL is part of beginning a transaction; signing in is counted.
        asked = [sql for sql in said if sql.lstrip().startswith("SELECT") and "set_config" not in sql]
        assert len(asked) <= 10, asked
    for page in (pages[f"{PAGE}?part=4"], pages[f"/plans/{scene.plan_id}/steps/3"]):
        assert "percent of the jobs ask for at most your level" in page
        assert "&gt;=$239,200 dollars" in page
        assert "Employment Projections, 2024-34" in page
        assert "not known" in page
    # The report shows the same map and facts, whatever the number of clients.
    assert scene.client.actor.client_id is not None
    with world.runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        ((_, document),) = documents(load_sources(uow, [scene.client.actor.client_id]))
    (section,) = [each for each in document["sections"] if each["number"] == "3"]
    kinds = {block["heading"]: block["kind"] for block in section["blocks"]}
    assert kinds["Map of opportunities and threats"] == "picture"
    assert kinds["Education the jobs ask for"] == "picture"
    assert kinds["Occupations beside each other"] == "table"
    assert kinds["Occupations beside each other, 2"] == "table"


@pytest.mark.parametrize("nonsense", ["9" * 25, "\x00", "9999-12-31", "x" * 5000, "²", "29-1141.00|", "|"])
def test_nonsense_in_any_field_gets_a_sentence_and_loses_nothing(
    client: FlaskClient, runtime: Runtime, scene: Scene, nonsense: str
) -> None:
    send(client, act=f"occupations/add:{NURSES}")
    before = stored(runtime, scene)
    for part, wanted in (("1", ("education", "occupations-0-", "ask", "act", "find")), ("2", ("factors-0-",))):
        page = fields_of(client.get(f"{PAGE}?part={part}").text)
        for name in [each for each in page if each.startswith(wanted)]:
            answer = client.post(PAGE, data=page | {name: nonsense, "do": "save"})
            assert answer.status_code in (302, 409, 422), name
        client.get(f"{PAGE}?part={part}&ask={nonsense}&did={nonsense}")
    assert client.get(f"{PAGE}?part=check").status_code == 200
    assert [row["id"] for row in stored(runtime, scene)["factors"]][1:] == [row["id"] for row in before["factors"]][1:]
