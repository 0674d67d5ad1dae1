"""JSON of step 7: the schedule, a slip, files, where an action stands, the calendar."""

from __future__ import annotations

import io

import pytest

from tests.api.conftest import Caller, Callers
from tests.factories import World
from tests.harness import Clock
from tests.plans.scenes import Scene, make_scene
from tests.steps.action_scene import write_actions
from tests.steps.files import PDF


@pytest.fixture
def scene(world: World, clock: Clock) -> Scene:
    found = make_scene(world, clock=clock)
    write_actions(world.runtime, found, clock.now.date())
    return found


@pytest.fixture
def counsellor(calls: Callers, scene: Scene) -> Caller:
    return calls(scene.counsellor, "plans")


@pytest.fixture
def client(calls: Callers, scene: Scene) -> Caller:
    return calls.by_browser(scene.client)


def test_the_schedule_is_told_with_critical_risks_and_load(counsellor: Caller, scene: Scene, clock: Clock) -> None:
    told = counsellor.get(f"/plans/{scene.plan_id}/schedule").json
    assert told["today"] == clock.now.date().isoformat()
    assert told["critical"] == ["a2", "a3", "a4"]
    assert {slot["action"] for slot in told["slots"]} == {"a1", "a2", "a3", "a4"}
    last = next(slot for slot in told["slots"] if slot["action"] == "a4")
    assert last["finish"] == told["end"]
    assert last["slack"] == 0
    assert {(risk["action"], risk["why"]) for risk in told["risks"]} >= {
        ("a2", "late"),
        ("a3", "waits"),
        ("a3", "overload"),
    }
    assert all(risk["sentence"] for risk in told["risks"])
    assert told["load"][-1]["available"] == pytest.approx(10 * 30 / 7, rel=0.05)
    assert told["uncounted"] == ["a4"]
    assert told["goals"] == [{"goal": "Finish the thesis", "done": 1, "planned": 3}]


def test_a_slip_is_told_and_a_done_action_cannot_slip(counsellor: Caller, scene: Scene) -> None:
    where = f"/plans/{scene.plan_id}/schedule/slip"
    told = counsellor.get(where, query_string={"action": "a3", "days": "5"}).json["moved"]
    assert [(one["action"], one["days"]) for one in told] == [("a3", 5), ("a4", 5)]
    assert counsellor.get(where, query_string={"action": "a1", "days": "5"}).status_code == 422
    assert counsellor.get(where, query_string={"action": "a3", "days": "0"}).status_code == 422
    assert counsellor.get(where).status_code == 422


def test_files_go_in_and_out_by_json(client: Caller, counsellor: Caller, scene: Scene) -> None:
    plan = f"/plans/{scene.plan_id}"
    sent = client("POST", f"{plan}/actions/a3/evidence", data={"file": (io.BytesIO(PDF), "proof.pdf")})
    assert sent.status_code == 201
    assert (sent.json["name"], sent.json["size"], sent.json["action"]) == ("proof.pdf", len(PDF), "a3")
    bad = client("POST", f"{plan}/actions/a3/evidence", data={"file": (io.BytesIO(b"MZ"), "proof.exe")})
    assert (bad.status_code, bad.json["errors"][0]["field"]) == (422, "file")
    listed = counsellor.get(f"{plan}/evidence", query_string={"action": "a3"}).json["items"]
    assert [one["id"] for one in listed] == [sent.json["id"]]
    assert counsellor.get(f"{plan}/evidence", query_string={"action": "a1"}).json["items"] == []
    file = f"{plan}/evidence/{sent.json['id']}"
    with counsellor.get(f"{file}/content") as answer:
        assert answer.data == PDF
    assert counsellor("DELETE", file).status_code == 403
    assert client("DELETE", file).json["removed_at"]
    assert counsellor.get(f"{file}/content").status_code == 404
    assert client.post(f"{file}/restore").json["removed_at"] is None
    assert (
        counsellor("POST", f"{plan}/actions/a3/evidence", data={"file": (io.BytesIO(PDF), "x.pdf")}).status_code == 403
    )


def test_where_an_action_stands_is_said_by_json(client: Caller, counsellor: Caller, scene: Scene, clock: Clock) -> None:
    where = f"/plans/{scene.plan_id}/actions/a3/status"
    told = client("PUT", where, {"status": "done", "evidence": "A letter"}).json
    assert told["action"]["done_on"] == clock.now.date().isoformat()
    assert told["version"] == 2
    assert client("PUT", where, {"status": "dropped"}).json["errors"][0]["field"] == "dropped_why"
    assert client("PUT", where, {"status": "done", "done_on": "2020-01-01"}).status_code == 422
    assert counsellor("PUT", where, {"status": "done"}).status_code == 403
    assert client("PUT", f"/plans/{scene.plan_id}/actions/x/status", {"status": "done"}).status_code == 404


def test_the_calendar_is_made_told_once_and_ended(client: Caller, counsellor: Caller, scene: Scene) -> None:
    where = f"/plans/{scene.plan_id}/calendar"
    assert counsellor.get(where).json == {"on": False, "made_at": None, "read_at": None}
    assert counsellor.post(where).status_code == 403
    made = client.post(where)
    assert made.status_code == 201
    path = "/calendar/" + made.json["address"].rpartition("/calendar/")[2]
    assert client.browser.get(path).mimetype == "text/calendar"
    told = counsellor.get(where).json
    assert told["on"] is True
    assert told["read_at"]
    assert "address" not in told
    assert counsellor("DELETE", where).status_code == 204
    assert client.browser.get(path).status_code == 404
