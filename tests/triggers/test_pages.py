"""The pages and the JSON of triggers: for administrators; why a review was opened, for whoever sees the plan."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from app.domain.access import Role
from app.domain.triggers import RULED, Trigger
from app.features.triggers import events
from app.features.triggers.commands import RecordEvent
from tests.factories import World
from tests.triggers.scenes import Centre, make_centre

TODAY = date(2026, 9, 7)


@pytest.fixture
def app(app: Flask) -> Flask:
    """As everywhere, without the forms' tokens: what their check does is tested elsewhere."""
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def late(world: World, plans: int = 2) -> Centre:
    return make_centre(world, plans, statuses="nccccccc", due_on=TODAY - timedelta(days=30))


def freeze(**values: Any) -> dict[str, Any]:
    return {"title": "A freeze", "words": "Nobody is hired.", "happened_on": "2026-09-01", "families": ["15"]} | values


def test_a_rule_shows_whom_it_would_ask_before_it_is_saved(world: World, app: Flask) -> None:
    centre = late(world)
    browser = world.browser(app, centre.admin)
    page = browser.get("/triggers/rules/step_overdue").text
    assert "<b>2</b>" in page
    assert "Step 1, Ambition, was due on 8 August 2026." in page
    tried = browser.post("/triggers/rules/step_overdue", data={"act": "try", "number": "31", "active": "y"})
    assert "It holds for no plan now." in tried.text
    assert centre.rows("SELECT 1 FROM trigger_rules") == []
    saved = browser.post("/triggers/rules/step_overdue", data={"act": "save", "number": "20", "active": "y"})
    assert saved.status_code == 302
    [row] = centre.rows("SELECT active, number FROM trigger_rules")
    assert (row.active, row.number) == (True, 20)
    assert "Days overdue: 20" in browser.get("/triggers").text


@pytest.mark.parametrize("number", ["0", "366", "many", ""])
def test_a_number_out_of_bounds_is_said_beside_its_field(world: World, app: Flask, number: str) -> None:
    centre = late(world)
    answer = world.browser(app, centre.admin).post(
        "/triggers/rules/step_overdue", data={"act": "save", "number": number, "active": "y"}
    )
    # Nothing typed is the standard.
    assert answer.status_code == (422 if number else 302)
    assert ("field-error" in answer.text) is bool(number)


def test_the_days_number_and_looking_now(world: World, app: Flask) -> None:
    centre = late(world)
    browser = world.browser(app, centre.admin)
    assert browser.post("/triggers/limit", data={"a_day": "0"}).status_code == 422
    assert browser.post("/triggers/limit", data={"a_day": "1"}).status_code == 302
    centre.switch_on(Trigger.STEP_OVERDUE, 14)
    assert browser.post("/triggers/look").status_code == 302
    centre.look()
    page = browser.get("/triggers").text
    assert "Waiting, in the order they open" in page
    assert "Opened in the last 30 days" in page
    assert page.count("Step 1, Ambition, was due on") == 2


def test_an_event_from_the_form_to_the_reviews_and_back(world: World, app: Flask) -> None:
    centre = late(world)
    option = {"id": "o1", "name": "Statistician", "code": "15-2041.00"}
    centre.write(centre.plans[0], 4, {"chosen": "o1", "options": [option]})
    browser = world.browser(app, centre.admin)
    assert "No event is recorded" in browser.get("/events").text
    refused = browser.post("/events/new", data=freeze(families=[], occupations="15-2041.00, 99-0000.00"))
    assert refused.status_code == 422
    assert "99-0000.00" in refused.text
    made = browser.post("/events/new", data=freeze(families=[], occupations="15-2041.00", reach="chosen"))
    assert made.status_code == 302
    page = browser.get(made.location).text
    assert "Nobody is hired." in page
    [name] = centre.rows("SELECT given_name FROM clients WHERE id = :id", id=centre.clients[0])
    assert name.given_name in page
    assert centre.rows("SELECT 1 FROM reviews") == []
    assert browser.post(f"{made.location}/open").status_code == 302
    assert len(centre.rows("SELECT 1 FROM reviews WHERE state = 'open'")) == 1
    assert "A freeze" in browser.get("/events").text
    assert "A freeze (1 September 2026): Nobody is hired." in browser.get(f"/clients/{centre.clients[0]}").text
    assert browser.post(f"{made.location}/withdraw").status_code == 302
    assert "withdrawn" in browser.get("/events").text
    assert "Nobody is hired." not in browser.get(f"/clients/{centre.clients[0]}").text


def test_the_client_reads_why_on_my_plan(world: World, app: Flask) -> None:
    centre = make_centre(world, 0)
    client = world.client_person(centre.organization)
    assert client.actor.client_id is not None
    [plan] = world.plans(centre.organization, [client.actor.client_id])
    browser = world.browser(app, client)
    assert "Why now" not in browser.get("/my-plan").text
    centre.write(plan, 5, {"chosen": "p1", "paths": [{"id": "p1", "kind": "technical"}]})
    command = RecordEvent(title="New law", words="Read it.", happened_on=TODAY, paths=("technical",))
    with world.runtime.database.unit_of_work(centre.admin.actor) as uow:
        events.open_event(uow, events.record_event(uow, command).id)
    page = browser.get("/my-plan").text
    assert "Why now" in page
    assert "Something changed that your plan rests on: New law (7 September 2026). Read it." in page


@pytest.mark.parametrize("role", [Role.COUNSELLOR, Role.ANALYST, Role.CLIENT])
@pytest.mark.parametrize("path", ["/triggers", "/triggers/rules/goal_missed", "/events", "/events/new"])
def test_only_administrators_see_them(world: World, app: Flask, role: Role, path: str) -> None:
    centre = make_centre(world, 0)
    assert world.browser(app, world.person(centre.organization, role)).get(path).status_code == 403


@pytest.mark.parametrize("kind", RULED)
def test_every_rule_has_a_page_and_a_dry_run(world: World, app: Flask, kind: Trigger) -> None:
    centre = late(world)
    browser = world.browser(app, centre.admin)
    assert browser.get(f"/triggers/rules/{kind}").status_code == 200
    answer = browser.get(f"/api/v1/trigger-rules/{kind}/dry-run")
    assert answer.status_code == 200
    expected = 2 if kind is Trigger.STEP_OVERDUE else 0
    assert (answer.json["plans"], answer.json["new"], len(answer.json["items"])) == (expected, expected, expected)


def test_the_dry_run_as_json_is_paged_by_name(world: World, app: Flask) -> None:
    centre = late(world, 5)
    browser = world.browser(app, centre.admin)
    names, cursor = [], ""
    for _ in range(3):
        page = browser.get(f"/api/v1/trigger-rules/step_overdue/dry-run?limit=2{cursor}").json
        assert page["plans"] == 5
        names += [item["name"] for item in page["items"]]
        cursor = f"&cursor={page['next']}"
    assert page["next"] is None
    [rows] = [centre.rows("SELECT given_name || ' ' || family_name AS name FROM clients ORDER BY family_folded")]
    assert names == [row.name for row in rows]
    assert browser.get("/api/v1/trigger-rules/step_overdue/dry-run?number=31").json["plans"] == 0
    assert browser.get("/api/v1/trigger-rules/step_overdue/dry-run?number=999").status_code == 422


def test_rules_findings_and_events_as_json(world: World, app: Flask) -> None:
    centre = late(world)
    browser = world.browser(app, centre.admin)
    api = "/api/v1"
    assert browser.put(f"{api}/trigger-rules/step_overdue", json={"active": True, "number": 0}).status_code == 422
    answer = browser.put(f"{api}/trigger-rules/step_overdue", json={"active": True})
    assert answer.json == {
        "kind": "step_overdue",
        "active": True,
        "number": 14,
        "reach": "any",
        "waiting": 0,
        "reviews": 0,
    }
    assert browser.put(f"{api}/trigger-settings", json={"a_day": 1}).json["a_day"] == 1
    assert browser.post(f"{api}/trigger-looks").status_code == 202
    centre.look()
    waiting = browser.get(f"{api}/trigger-findings?state=waiting").json["items"]
    reviewed = browser.get(f"{api}/trigger-findings?state=reviewed").json["items"]
    assert [len(waiting), len(reviewed)] == [1, 1]
    assert {waiting[0]["plan_id"], reviewed[0]["plan_id"]} == {str(plan) for plan in centre.plans}
    [line] = [row for row in browser.get(f"{api}/trigger-rules").json["items"] if row["kind"] == "step_overdue"]
    assert (line["waiting"], line["reviews"]) == (1, 1)
    made = browser.post(f"{api}/external-events", json=freeze())
    assert made.status_code == 201
    path = f"{api}/external-events/{made.json['id']}"
    assert browser.get(f"{path}/dry-run").json["plans"] == 0
    assert browser.post(f"{path}/open").json == {"found": 0, "opened": 0}
    assert browser.post(f"{path}/withdraw").json == {"waited": 0, "taken_back": 0, "stay": 0}
    assert browser.post(f"{path}/open").status_code == 409
    assert browser.get(path).json["withdrawn_at"] is not None
    assert browser.post(f"{api}/external-events", json=freeze(families=["99"])).status_code == 422


def test_a_counsellor_reads_the_reasons_of_their_own_people_alone(world: World, app: Flask) -> None:
    centre = late(world)
    counsellor = world.person(centre.organization, Role.COUNSELLOR)
    world.caseload(counsellor, centre.clients[:1])
    centre.switch_on(Trigger.STEP_OVERDUE, 14)
    centre.look()
    items = world.browser(app, counsellor).get("/api/v1/trigger-findings").json["items"]
    assert [item["plan_id"] for item in items] == [str(centre.plans[0])]
