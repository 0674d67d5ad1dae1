"""Step 5: another way is taken with its preview, by page and by JSON."""

from __future__ import annotations

import json

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.steps import StepKey
from app.features.audit.models import AuditEntry
from app.features.plans.queries import events_of
from tests.api.conftest import Callers
from tests.factories import World
from tests.plans.page_forms import fields_of
from tests.plans.scenes import Scene
from tests.steps.path_scene import (
    CRITERIA,
    KEY,
    RELEASE,
    WAYS,
    at,
    client,
    goals_and_actions,
    press,
    save,
    scene,
    site,
    stored,
)
from tests.steps.small_catalogue import HELPER, PLANNER, small_database, small_world

__all__ = ["client", "scene", "site", "small_database", "small_world"]


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
