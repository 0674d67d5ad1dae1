"""Step 4 as a room: the shortlist with what was taken, the matrix by buttons, the search, few questions."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.domain.steps import StepKey
from app.features.plans import service as plans
from app.features.plans.queries import view_plan
from app.features.steps.career_choice.matches import read_matches
from app.infra.runtime import Runtime
from tests.overview.test_caseload import statements
from tests.plans.page_forms import fields_of
from tests.plans.scenes import Scene
from tests.steps.choice_scene import FORM, VALUES, client, counsellor, press, scene, stored
from tests.steps.choosing import PUBLISHED, store_result

__all__ = ["client", "counsellor", "scene"]


def test_taking_keeps_what_the_match_said(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    before = stored(runtime, scene)
    answer = client.post("/my-plan/shortlist", data={"code": "29-1141.00", "to": "list", "zone": "3", "page": "2"})
    assert answer.location == "/my-plan/matches?zone=3&page=2"
    now = stored(runtime, scene)
    assert now["options"][:-1] == before["options"]
    row = now["options"][-1]
    assert (row["name"], row["code"], row["release"]) == ("Registered Nurses", "29-1141.00", "starter-30.1")
    match = row["match"]
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        found = read_matches(uow, view_plan(uow, scene.plan_id))
    listed = found.match("29-1141.00")
    assert listed is not None
    assert found.result is not None
    assert (match["rank"], match["of"], match["taken_on"]) == (listed.rank, listed.of, "2026-09-07")
    assert match["r"] == pytest.approx(listed.r, abs=1e-6)
    assert match["assessment"] == str(found.result.assessment_id)
    assert match["person"] == list(PUBLISHED.values())
    # Once is enough, and saving the form does not lose it.
    client.post("/my-plan/shortlist", data={"code": "29-1141.00"})
    press(client, "options/none:x")
    assert stored(runtime, scene)["options"][-1]["match"] == match
    assert client.post("/my-plan/shortlist", data={"code": "99-9999.00"}).status_code == 404
    through_api = client.post(f"/api/v1/plans/{scene.plan_id}/shortlist", json={"code": "15-1252.00"})
    assert through_api.get_json()["content"]["options"][-1]["name"] == "Software Developers"


def test_an_old_match_is_read_again_and_what_differs_is_shown(
    client: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    client.post("/my-plan/shortlist", data={"code": "29-1141.00"})
    match = stored(runtime, scene)["options"][-1]["match"]
    page = client.get("/my-plan/matches/29-1141.00").text
    assert "Result and release are the same today" in page
    assert scene.client.actor.client_id is not None
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        store_result(
            uow,
            scene.client.actor.client_id,
            "interests",
            dict(zip("RIASEC", (2.0, 9.0, 4.0, 40.0, 30.0, 20.0), strict=True)),
        )
    now = client.get("/my-plan/matches/29-1141.00").text
    assert "The questionnaire was answered again since" in now
    assert f"Rank {match['rank']} of" not in now
    then = client.get("/my-plan/matches/29-1141.00?then=1").text
    assert f"Rank {match['rank']} of {match['of']}" in then
    assert "as it was when it was taken" in then
    assert "other result" in client.get("/my-plan/steps/4").text


def test_a_step_handed_in_takes_nothing(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        plans.complete_step(uow, scene.plan_id, StepKey.CAREER_CHOICE)
    before = stored(runtime, scene)
    assert client.post("/my-plan/shortlist", data={"code": "29-1141.00"}).status_code == 409
    assert stored(runtime, scene) == before
    assert ">Take<" not in client.get("/my-plan/matches").text


@pytest.mark.parametrize("mode", ["whole", "guided"])
def test_pairs_by_buttons_and_by_table(client: FlaskClient, runtime: Runtime, scene: Scene, mode: str) -> None:
    client.get(f"/my-plan/steps/4?mode={mode}")
    page = press(client, "pairs/say:c1:c2:3", part=3)
    assert "Pair 2 of 3" in page
    press(client, "pairs/say:c1:c3:5", part=3)
    page = press(client, "pairs/say:c2:c3:0.333333", part=3)
    assert "contradict each other too much" in page
    assert "Look at this pair again" in page
    press(client, "none", part=3, weighting="pairs")
    kept = stored(runtime, scene)
    assert kept["weighting"] == "pairs"
    assert {"first": "c2", "second": "c3", "times": 1 / 3, "why": ""} in kept["pairs"]
    assert "so they are not used as weights" in client.get("/my-plan/steps/4?part=5").text
    # By the table: the pair that contradicts said anew, with the reason.
    page = client.get("/my-plan/steps/4?part=3").text
    sent = fields_of(page, FORM) | {"do": "save"}
    entry = next(name for name, value in sent.items() if name.startswith("pairs-") and value == "0.333333")
    sent |= {entry: "3", entry.replace("times", "why"): "The work is what I do all day."}
    assert client.post("/my-plan/steps/4", data=sent).status_code == 302
    kept = stored(runtime, scene)
    assert {"first": "c2", "second": "c3", "times": 3, "why": "The work is what I do all day."} in kept["pairs"]
    assert len(kept["pairs"]) == 3
    page = client.get("/my-plan/steps/4?part=5").text
    assert "The weights come from comparing two criteria at a time. The comparisons agree" in page
    press(client, "pairs/ask:c1:c2", part=3)
    assert len(stored(runtime, scene)["pairs"]) == 2
    # Asked again, the reason is still there.
    press(client, "pairs/ask:c3:c2", part=3)
    assert [row["why"] for row in stored(runtime, scene)["pairs"] if not row["times"]] == [
        "The work is what I do all day."
    ]
    press(client, "pairs/again", part=3)
    assert stored(runtime, scene)["pairs"] == []


def test_a_suggested_rating_counts_only_when_it_is_taken(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    client.post("/my-plan/shortlist", data={"code": "29-1141.00"})
    option = stored(runtime, scene)["options"][-1]
    page = client.get("/my-plan/steps/4").text
    assert "Take the suggested" not in page, "criteria of before name no fact"
    sent = fields_of(page, FORM)
    place = next(name for name, value in sent.items() if name.startswith("criteria-") and value == "My interests")
    sent[place.replace("name", "fact")] = "interests"
    client.post("/my-plan/steps/4", data=sent | {"do": "save"})
    assert "Take the suggested" in client.get("/my-plan/steps/4").text
    assert stored(runtime, scene)["options"][-1]["ratings"] == {}
    press(client, f"option-{option['id']}/suggest:{option['id']}:c1")
    rating = stored(runtime, scene)["options"][-1]["ratings"]["c1"]
    rank = option["match"]["rank"]
    assert rating == (5 if rank <= 20 else 4 if rank <= 50 else 3 if rank <= option["match"]["of"] / 2 else 2)
    press(client, f"options/drop:{option['id']}")
    assert option["id"] not in [row["id"] for row in stored(runtime, scene)["options"]]


def test_a_weight_of_nothing_is_shown_and_kept(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    sent = fields_of(client.get("/my-plan/steps/4").text, FORM)
    place = next(name for name, value in sent.items() if name.startswith("criteria-") and value == "My interests")
    weight = place.replace("name", "weight")
    client.post("/my-plan/steps/4", data=sent | {weight: "0", "do": "save"})
    again = fields_of(client.get("/my-plan/steps/4").text, FORM)
    assert again[weight] == "0"
    client.post("/my-plan/steps/4", data=again | {"do": "save"})
    assert [row["weight"] for row in stored(runtime, scene)["criteria"] if row["name"] == "My interests"] == [0]


def test_a_button_of_an_old_page_changes_nothing(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    press(client, "x")
    before = stored(runtime, scene)
    for act in (
        "options/suggest:no:c1", "options/drop:no", "pairs/say:c1:zz:3", "pairs/say:c1:c2:99", "pairs/say:c1",
        "pairs/say:c1:c1:3",
        "pairs/say:c1:c2:4", "pairs/ask:x:y", "nonsense", "a/b:c:d:e:f",
    ):  # fmt: skip
        press(client, act)
        assert stored(runtime, scene) == before, act


def test_the_search_finds_and_takes_what_is_not_ranked(client: FlaskClient, scene: Scene) -> None:
    page = client.get("/my-plan/steps/4?ask=softwar+develpoer").text
    assert "Software Developers" in page
    assert 'value="15-1252.00"' in page
    assert "No occupation has a name like this" in client.get("/my-plan/steps/4?ask=qqxxzz").text


def own_statements(browser: FlaskClient, path: str) -> list[str]:
    """The statements of the page itself, those that find out who asks left out."""
    browser.get(path)
    with statements() as seen:
        assert browser.get(path).status_code == 200
    begins = max(n for n, said in enumerate(seen) if said.startswith("SELECT set_config"))
    return seen[begins + 1 :]


def test_every_page_of_the_step_asks_at_most_ten_questions(
    client: FlaskClient, counsellor: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    assert scene.client.actor.client_id is not None
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        store_result(uow, scene.client.actor.client_id, "values", VALUES, limits=(1, 7))
    client.post("/my-plan/shortlist", data={"code": "29-1141.00"})
    plan = f"/plans/{scene.plan_id}"
    counts = {
        path: len(own_statements(browser, path))
        for browser, paths in (
            (client, ("/my-plan/matches", "/my-plan/matches/29-1141.00", "/my-plan/matches/29-1141.00?then=1")),
            (client, ("/my-plan/steps/4", "/my-plan/steps/4?part=1", "/my-plan/steps/4?part=4")),
            (counsellor, (f"{plan}/steps/4", f"{plan}/matches", f"{plan}/matches/29-1141.00")),
        )
        for path in paths
    }
    assert min(counts.values()) >= 5
    assert {path: n for path, n in counts.items() if n > 10} == {}
