"""Step 4: the list of matches and the reasons of one, as pages and JSON, up to the whole catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain import matching
from app.domain.steps import StepKey
from app.factory import create_app
from app.features.occupations import queries as catalogue
from app.features.occupations.releases import current_release, find_release
from app.features.plans import service as plans
from app.features.plans.commands import SaveContent
from app.features.plans.queries import view_plan
from app.features.steps.career_choice.matches import read_matches
from app.features.steps.career_choice.service import ROOM
from app.infra.runtime import Runtime
from tests.factories import World
from tests.plans.scenes import Scene
from tests.steps.choice_scene import VALUES, choice_scene, client, counsellor, scene, stored
from tests.steps.choosing import PUBLISHED, store_result

__all__ = ["client", "counsellor", "scene"]


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
        release = current_release(uow)
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
    scene = choice_scene(world, error=False)
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


@pytest.fixture
def whole(catalogue_world: World) -> tuple[World, Scene]:
    """The whole catalogue, with interests, values, skills and education of the client."""
    scene = choice_scene(catalogue_world)
    me = scene.client.actor.client_id
    assert me is not None
    with catalogue_world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        release = current_release(uow)
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
        starter = find_release(uow, "starter-30.1")
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
