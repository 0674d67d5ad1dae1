"""Labels, filters, lists and queues through the API."""

from __future__ import annotations

import pytest

from app.domain.access import Role
from app.infra.runtime import Runtime
from tests.api.conftest import Caller, Callers
from tests.factories import World
from tests.selections.scene import Scene, make_scene

LATE = {"all": [{"field": "@overdue", "is": "at_least", "values": [1]}]}


@pytest.fixture
def scene(world: World, runtime: Runtime) -> Scene:
    return make_scene(world, runtime)


@pytest.fixture
def lena(calls: Callers, scene: Scene) -> Caller:
    return calls(scene.counsellor)


def test_a_filter_is_kept_counted_and_used(world: World, calls: Callers, scene: Scene, lena: Caller) -> None:
    made = lena.post("/filters", {"name": "Late", "rule": LATE})
    assert (made.status_code, made.json["shared"]) == (201, False)
    here = f"/filters/{made.json['id']}"
    assert lena.get(f"{here}/size").json == {"clients": 3}
    assert lena.post("/filters/size", {"rule": LATE}).json == {"clients": 3}
    found = {item["id"] for item in lena.get(f"{here}/members").json["items"]}
    assert found == {str(scene.ids[name]) for name in ("late", "very_late", "gone")}
    changed = lena("PATCH", here, {"shared": True})
    assert (changed.json["name"], changed.json["rule"], changed.json["shared"]) == ("Late", LATE, True)
    other = calls(world.person(scene.admin.actor.organization_id, Role.COUNSELLOR))
    assert [item["id"] for item in other.get("/filters").json["items"]] == [made.json["id"]]
    assert other.get(f"{here}/size").json == {"clients": 0}
    assert other("PATCH", here, {"name": "Mine"}).status_code == 403
    preview = lena.post("/prompts/preview", {"filter_id": made.json["id"]}).json
    assert preview["asked"] == 2
    asked = lena.post("/prompts", {"selection_id": preview["selection_id"]})
    assert asked.json == {"asked": 2}
    reports = lena.post("/reports/preview", {"filter_id": made.json["id"]}).json
    assert (reports["reports"], reports["not_yours"]) == (2, 1)
    assert lena.post("/reports", {"selection_id": reports["selection_id"]}).status_code == 202
    assert (
        lena.post("/reports", {"selection_id": reports["selection_id"], "filter_id": made.json["id"]}).status_code
        == 422
    )
    assert lena("DELETE", here).status_code == 204
    assert lena.get(here).status_code == 404
    bad = lena.post("/filters", {"name": "x", "rule": {"all": [{"field": "@nothing", "is": "is", "values": [1]}]}})
    assert (bad.status_code, bad.json["errors"][0]["field"]) == (422, "conditions.0")


def test_labels_are_made_put_on_and_taken_off(scene: Scene, lena: Caller, calls: Callers) -> None:
    made = lena.post("/labels", {"name": "Call back", "tone": "bad"}).json
    assert made == {"id": made["id"], "name": "Call back", "tone": "bad", "shared": False}
    who = {"client_ids": [str(scene.ids["late"]), str(scene.ids["done"])]}
    here = f"/labels/{made['id']}"
    assert [lena.post(f"{here}/put", who).json["changed"] for _ in range(2)] == [2, 0]
    on = lena.get(f"/clients/{scene.ids['late']}/labels").json["items"]
    assert [label["name"] for label in on] == ["Call back", "Scholarship"]
    assert [lena.post(f"{here}/take", who).json["changed"] for _ in range(2)] == [2, 0]
    assert lena("PATCH", here, {"name": "Call soon"}).json["tone"] == "bad"
    assert lena.post("/labels", {"name": "For all", "shared": True}).status_code == 403
    admin = calls(scene.admin, "read", "plans", "clients")
    assert admin.get("/labels").json["items"] == [
        label for label in lena.get("/labels").json["items"] if label["shared"]
    ]
    assert admin.post(f"{here}/put", who).status_code == 404
    assert lena("DELETE", here).status_code == 204


def test_a_list_becomes_a_selection(scene: Scene, lena: Caller) -> None:
    late = lena.get(f"/clients/{scene.ids['late']}").json["external_id"]
    made = lena.post("/selections", {"listed": [late, "", "nobody@example.org"]}).json
    assert (made["clients"], made["origin"], made["unknown"]) == (1, "list", [[3, "nobody@example.org"]])
    assert lena.post("/selections", {"listed": ["nobody"]}).status_code == 422


def test_queues_are_counted_and_listed(scene: Scene, lena: Caller) -> None:
    me = str(scene.counsellor.actor.membership_id)
    read = lena.get("/queues", query_string={"counsellor": me}).json
    counts = {name: read["counts"][name] for name in ("overdue", "waiting", "silent", "never_met")}
    assert counts == {"overdue": 2, "waiting": 2, "silent": 1, "never_met": 1}
    assert [(one["clients"], one["weekly_minutes"]) for one in read["capacity"]] == [(10, None)]
    listed = lena.get("/queues/overdue", query_string={"limit": 1}).json
    rest = lena.get("/queues/overdue", query_string={"limit": 1, "cursor": listed["next"]}).json
    found = {item["id"] for item in (*listed["items"], *rest["items"])}
    assert (found, rest["next"]) == ({str(scene.ids["late"]), str(scene.ids["very_late"])}, None)
    assert lena.get("/queues/silent", query_string={"weeks": 10}).json["items"] == []
    assert lena.get("/queues/nothing").status_code == 404
