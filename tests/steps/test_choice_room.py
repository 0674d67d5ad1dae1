"""Step 4 with its pages and JSON: the list, the reasons, the shortlist, the matrix by buttons, what counsellors say."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain import matching
from app.domain.access import Role
from app.domain.errors import Forbidden, NotFound
from app.domain.steps import StepKey
from app.factory import create_app
from app.features.audit.models import AuditEntry
from app.features.occupations import queries as catalogue
from app.features.plans import service as plans
from app.features.plans.commands import SaveContent
from app.features.plans.queries import view_plan
from app.features.steps.career_choice.matches import read_matches
from app.features.steps.career_choice.service import ROOM, Recommend, recommend, withdraw_recommendation
from app.infra.runtime import Runtime
from tests.factories import World
from tests.overview.test_caseload import statements
from tests.plans.page_forms import fields_of
from tests.plans.scenes import Scene, make_scene
from tests.steps.choosing import PUBLISHED, store_result

VALUES = dict(
    zip(
        ("achievement", "conditions", "recognition", "relationships", "support", "independence"),
        (6.0, 3.0, 4.0, 5.0, 2.0, 6.0),
        strict=True,
    )
)
FORM = 'method="post" action="/my-plan/steps/'


@pytest.fixture
def scene(world: World) -> Scene:
    """Step 4 given back to the client, who has interests with a known error."""
    return _scene(world)


def _scene(world: World, *, error: bool = True) -> Scene:
    scene = make_scene(world)
    assert scene.client.actor.client_id is not None
    with world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        store_result(uow, scene.client.actor.client_id, "interests", PUBLISHED, error=error, days_ago=3)
        plans.return_step(uow, scene.plan_id, StepKey.CAREER_CHOICE, "Look at the matches.")
    return scene


@pytest.fixture
def client(world: World, app: Flask, scene: Scene) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return world.browser(app, scene.client)


@pytest.fixture
def counsellor(world: World, app: Flask, scene: Scene) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return world.browser(app, scene.counsellor)


def stored(runtime: Runtime, scene: Scene) -> dict[str, Any]:
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        return dict(view_plan(uow, scene.plan_id).content(StepKey.CAREER_CHOICE))


def press(client: FlaskClient, act: str, part: int | None = None, **more: str) -> str:
    page = client.get("/my-plan/steps/4" + (f"?part={part}" if part else "")).text
    answer = client.post("/my-plan/steps/4", data=fields_of(page, FORM) | {"act": act} | more)
    assert answer.status_code == 302, answer.text
    return client.get(answer.location).text


def test_the_list_names_its_source_and_ranks_by_correlation(
    client: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    page = client.get("/my-plan/matches").text
    assert "A questionnaire about interests" in page
    assert "4 Sept 2026" in page
    assert "release 30.1" in page
    assert "This is the starter catalogue" in page
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        found = read_matches(uow, view_plan(uow, scene.plan_id))
        release = catalogue.current_release(uow)
        assert release is not None
        profiles = catalogue.interest_matrix(uow, release)
    # The plain correlation, by another way.
    plain_r = np.corrcoef(np.vstack([list(PUBLISHED.values()), profiles.matrix]))[0, 1:]
    order = np.argsort(-plain_r, kind="stable")
    assert found.codes() == [profiles.codes[n] for n in order]
    best = found.match(profiles.codes[order[0]])
    assert best is not None
    assert best.r == pytest.approx(plain_r.max())
    assert (best.rank, best.of, best.band, best.reach) == (1, len(profiles.codes), 20, 1)
    assert page.index(profiles.titles[order[0]]) < page.index(profiles.titles[order[1]])
    # Nothing is known of the other columns, and nothing is made up.
    assert (best.values_r, best.coverage, best.education, best.outlook) == (None, None, None, None)
    assert page.count("not known") >= 4 * 20


def test_stability_is_that_of_the_domain_and_kept(runtime: Runtime, scene: Scene) -> None:
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        found = read_matches(uow, view_plan(uow, scene.plan_id))
        again = read_matches(uow, view_plan(uow, scene.plan_id))
    assert found.ranked is not None
    assert found.ranked.stability is not None
    assert found.profiles is not None
    assert again.ranked is found.ranked
    error = 8 * np.sqrt(1 - 0.85)
    expected = matching.stability(
        list(PUBLISHED.values()), [error] * 6, matching.standardised(found.profiles.matrix), draws=500
    )
    assert expected is not None
    assert found.ranked.stability.shares[0] == pytest.approx(expected.shares[0])


def test_without_a_known_error_how_steady_it_is_stays_unknown(world: World, app: Flask) -> None:
    scene = _scene(world, error=False)
    page = world.browser(app, scene.client).get("/my-plan/matches").text
    assert "no known reliability yet" in page
    assert "how steady: not known" in page
    assert "of the draws" not in page


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (dict.fromkeys("RIASEC", 20.0), "came out the same"),
        (dict.fromkeys("RIASE", 20.0) | {"C": None}, "too few answers"),
    ],
)
def test_a_profile_without_shape_is_told_and_not_ranked(
    client: FlaskClient, runtime: Runtime, scene: Scene, scores: dict[str, float | None], said: str
) -> None:
    assert scene.client.actor.client_id is not None
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        store_result(uow, scene.client.actor.client_id, "interests", scores)
    for path in ("/my-plan/matches", "/my-plan/steps/4"):
        page = client.get(path).text
        assert said in page
        assert 'class="matches"' not in page
    flat = client.get("/my-plan/matches").text
    assert ("Sort the cards" in flat) == (said == "came out the same")
    api = client.get(f"/api/v1/plans/{scene.plan_id}/matches").get_json()
    assert api["items"] == []
    assert api["why_not"] == ("flat" if said == "came out the same" else "incomplete")


def test_filters_families_and_pages_partition_the_list(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        found = read_matches(uow, view_plan(uow, scene.plan_id))
    every = found.codes()
    assert sorted(code for family, *_ in found.families for code in found.codes(family=family)) == sorted(every)
    zones = [found.codes(zone=zone) for zone in (1, 2, 3, 4, 5)]
    assert sum(len(codes) for codes in zones) == len(every)
    assert sum(family[2] for family in found.families) == 20
    assert sum(family[3] for family in found.families) == 50
    last = client.get("/my-plan/matches?page=999999&family=zz&zone=9").text
    assert f"of {len(every)}" in last
    grouped = client.get("/my-plan/matches?by=family").text
    assert grouped.count('class="match-family"') >= 1
    none = client.get("/my-plan/matches?growing=1").text
    assert "No rated occupation passes these filters" in none


def test_the_json_pages_through_the_whole_list_once(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    seen, cursor = [], ""
    while True:
        answer = client.get(f"/api/v1/plans/{scene.plan_id}/matches?limit=40{cursor}").get_json()
        seen += answer["items"]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert [row["rank"] for row in seen] == list(range(1, len(seen) + 1))
    assert len(seen) == seen[0]["of"]
    assert (answer["release"], answer["why_not"]) == ("starter-30.1", None)
    assert len(seen[0]["stays"]) == 2
    one = client.get(f"/api/v1/plans/{scene.plan_id}/matches/{seen[0]['code']}").get_json()
    assert [bar["person"] for bar in one["interests"]] == list(PUBLISHED.values())
    assert one["match"]["rank"] == 1
    assert one["values"] is None
    assert client.get(f"/api/v1/plans/{scene.plan_id}/matches/99-9999.00").status_code == 404
    few = client.get(f"/api/v1/plans/{scene.plan_id}/matches?family=29&zone=5").get_json()
    assert {row["family"] for row in few["items"]} == {"29"}


def test_the_reasons_show_both_profiles(client: FlaskClient, counsellor: FlaskClient, scene: Scene) -> None:
    for browser, path in ((client, "/my-plan"), (counsellor, f"/plans/{scene.plan_id}")):
        page = browser.get(f"{path}/matches/29-1141.00").text
        assert "Registered Nurses" in page
        assert "own scores 27.0, occupation" in page
        assert page.count('class="twin-wide"') == 7
        assert "Not known: there is no result of a values questionnaire" in page
        assert browser.get(f"{path}/matches/99-9999.00").status_code == 404


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


def test_a_counsellors_word_is_seen_kept_and_withdrawn(
    client: FlaskClient, counsellor: FlaskClient, runtime: Runtime, scene: Scene
) -> None:
    version = client.get(f"/api/v1/plans/{scene.plan_id}/steps/4/content").get_json()["version"]
    where = f"/plans/{scene.plan_id}/recommendations"
    typed = {"occupation": "registered nurses", "why": "You calm everybody.", "kind": "decided"}
    assert counsellor.post(where, data=typed).status_code == 302
    row = stored(runtime, scene)["recommendations"][0]
    assert (row["name"], row["code"], row["kind"], row["by_name"], row["on"]) == (
        "Registered Nurses", "29-1141.00", "decided", "Lena Moreau", "2026-09-07",
    )  # fmt: skip
    for path in ("/my-plan/steps/4", "/my-plan/steps/4?part=1"):
        page = client.get(path).text
        for said in ("Registered Nurses", "You calm everybody.", "Lena Moreau", "7 Sept 2026", "held as decided"):
            assert said in page
    # The client's choice is as it was, and what the client was typing is not disturbed.
    content = client.get(f"/api/v1/plans/{scene.plan_id}/steps/4/content").get_json()
    assert (content["version"], content["content"]["chosen"]) == (version, "o1")
    press(client, "x")
    assert stored(runtime, scene)["recommendations"] == [row]
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        actions = set(uow.session.scalars(select(AuditEntry.action)))
    assert "choice.recommended" in actions
    assert "Lena Moreau recommended another occupation" in counsellor.get(f"/plans/{scene.plan_id}/steps/4").text
    assert counsellor.post(f"{where}/{row['id']}/withdraw").status_code == 302
    assert stored(runtime, scene)["recommendations"][0]["withdrawn_on"] == "2026-09-07"
    assert "You calm everybody." not in client.get("/my-plan/steps/4?part=1").text
    assert counsellor.post(f"{where}/{row['id']}/withdraw").status_code == 404
    assert counsellor.post(where, data={"occupation": "", "why": "kept text"}).status_code == 422
    assert "kept text" in counsellor.post(where, data={"occupation": "", "why": "kept text"}).text


def test_t2_only_who_works_on_the_plan_recommends(
    client: FlaskClient, world: World, runtime: Runtime, scene: Scene
) -> None:
    command = Recommend(scene.plan_id, "Potter", "Your hands.")
    with pytest.raises(Forbidden), runtime.database.unit_of_work(scene.client.actor) as uow:
        recommend(uow, command)
    with pytest.raises(Forbidden), runtime.database.unit_of_work(scene.client.actor) as uow:
        withdraw_recommendation(uow, scene.plan_id, "x")
    other = world.person(scene.organization, Role.COUNSELLOR)
    stranger = world.person(world.organization(), Role.ADMIN)
    for person in (other, stranger):
        with pytest.raises(NotFound), runtime.database.unit_of_work(person.actor) as uow:
            recommend(uow, command)
    assert client.post(f"/plans/{scene.plan_id}/recommendations", data={}).status_code == 403
    forged = stored(runtime, scene) | {
        "recommendations": [{"id": "x", "kind": "decided", "name": "Mine", "reason": "!", "by": "", "by_name": "Boss"}]
    }
    version = client.get(f"/api/v1/plans/{scene.plan_id}/steps/4/content").get_json()["version"]
    answer = client.put(
        f"/api/v1/plans/{scene.plan_id}/steps/4/content", json={"content": forged}, headers={"If-Match": f'"{version}"'}
    )
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["content"]["recommendations"] == []


def test_a_word_before_anything_is_written_disturbs_nothing(world: World, app: Flask, runtime: Runtime) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization = world.organization()
    me = world.client_person(organization)
    assert me.actor.client_id is not None
    plan = world.plan(organization, me.actor.client_id)
    admin = world.person(organization, Role.ADMIN)
    api = f"/api/v1/plans/{plan}/recommendations"
    made = world.browser(app, admin).post(api, json={"occupation": "Potter", "reason": "Your hands."})
    assert (made.status_code, made.get_json()["code"]) == (201, None)
    browser = world.browser(app, me)
    assert "Your hands." in browser.get("/my-plan/steps/4").text
    sent = fields_of(browser.get("/my-plan/steps/4").text, FORM)
    assert sent["over"] == "0"
    assert sum(value == "My personality" for value in sent.values()) == 1
    assert browser.post("/my-plan/steps/4", data=sent | {"do": "save"}).status_code == 302
    listed = browser.get(api).get_json()["items"]
    assert [row["name"] for row in listed] == ["Potter"]
    assert world.browser(app, admin).delete(f"{api}/{listed[0]['id']}").status_code == 204
    assert world.browser(app, admin).delete(f"{api}/{uuid4().hex[:8]}").status_code == 404


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


@pytest.fixture
def whole(catalogue_world: World) -> tuple[World, Scene]:
    """The whole catalogue, with interests, values, skills and education of the client."""
    scene = _scene(catalogue_world)
    me = scene.client.actor.client_id
    assert me is not None
    with catalogue_world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        release = catalogue.current_release(uow)
        assert release is not None
        store_result(uow, me, "values", VALUES, limits=(1, 7))
        store_result(uow, me, "skills", dict.fromkeys(sorted(release.figures["skills"]), 3.0), limits=(0, 7))
    return catalogue_world, scene


@pytest.mark.data
def test_the_publishers_person_on_the_whole_catalogue(whole: tuple[World, Scene]) -> None:
    world, scene = whole
    app = create_app(world.runtime)
    browser = world.browser(app, scene.client)
    page = browser.get("/my-plan/matches").text
    assert page.index("Skincare Specialists") < page.index("Dancers")
    assert "against 923 rated occupations of release 30.1" in page
    with world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        found = read_matches(uow, view_plan(uow, scene.plan_id))
    first = found.match(found.codes()[0])
    assert first is not None
    assert (round(first.r, 3), first.of, first.values_of) == (0.786, 923, 874)
    assert first.coverage is not None
    assert first.outlook is not None
    assert first.stays is not None
    assert 0 < first.stays[0] <= first.stays[1] <= 1
    # Growing ones only: each has the mark, none is lost.
    growing = found.codes(growing=True)
    assert growing == [code for code in found.codes() if (o := found.outlooks.get(code)) and o.growing]
    assert len(growing) > 100
    # Never ranked, still found, with what is known of it.
    unrated = browser.get("/my-plan/matches/55-3016.00").text
    assert "never ranked" in unrated
    assert found.match("55-3016.00") is None
    why = browser.get("/my-plan/matches/39-5094.00").text
    for said in ("Gaps, the weightiest first", "Related occupations, to look wider", "Growth, openings, pay"):
        assert said in why
    # What was taken with the starter is told to be of another release.
    with world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        starter = catalogue.find_release(uow, "starter-30.1")
        old = read_matches(uow, view_plan(uow, scene.plan_id), release=starter)
    assert old.ranked is not None
    assert len(old.ranked.order) < 200
    taken = stored(world.runtime, scene)
    taken["options"] += [{"id": "s1", "name": "Nurse", "code": "29-1141.00", "release": "starter-30.1", "ratings": {}}]
    with world.runtime.database.unit_of_work(scene.client.actor) as uow:
        view = view_plan(uow, scene.plan_id)
        over = view.version(StepKey.CAREER_CHOICE)
        saving = SaveContent(plan_id=scene.plan_id, step=StepKey.CAREER_CHOICE, content=taken, over=over)
        plans.save_content(uow, saving, ROOM)
    assert "other release" in browser.get("/my-plan/steps/4").text
    assert "against 923" in browser.get("/my-plan/matches/29-1141.00?then=1").text, "without a saved match it is of now"
