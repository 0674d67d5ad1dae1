"""The organization through the API: settings, terms, members, invitations, audit, roster, instruments."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from flask import Flask

from app.composition import JOB_KINDS
from app.domain.access import Role
from app.features.jobs.runner import work
from tests.api.conftest import Caller, Callers
from tests.domain.instrument_maker import definition
from tests.factories import Person, World
from tests.identity.helpers import keep_post


@pytest.fixture
def organization(world: World) -> UUID:
    return world.organization(name="Harbour")


@pytest.fixture
def ada(world: World, organization: UUID) -> Person:
    return world.person(organization, Role.ADMIN, "Ada")


@pytest.fixture
def admin(calls: Callers, ada: Person) -> Caller:
    return calls(ada)


def run(world: World, organization: UUID) -> None:
    work(world.runtime, organization, JOB_KINDS, until=world.runtime.clock() + timedelta(minutes=1))


def test_settings_change_one_at_a_time(admin: Caller) -> None:
    before = admin.get("/organization").json
    changed = admin("PATCH", "/organization", {"small_cell_threshold": 12})
    assert changed.json == before | {"small_cell_threshold": 12}
    bad = admin("PATCH", "/organization", {"time_zone": "Mars/Olympus", "small_cell_threshold": 4})
    assert bad.status_code == 422
    assert admin("PATCH", "/organization", {"accent": "#ffffff"}).json["errors"][0]["field"] == "accent"


def test_terms_come_and_go(admin: Caller) -> None:
    autumn = {"name": "Autumn", "starts_on": "2026-09-01", "ends_on": "2026-12-18"}
    made = admin.post("/terms", autumn)
    assert made.status_code == 201
    path = f"/terms/{made.json['id']}"
    assert admin("PUT", path, autumn | {"ends_on": "2026-12-20"}).json["ends_on"] == "2026-12-20"
    assert admin("PUT", path, autumn | {"ends_on": "2026-08-01"}).status_code == 422
    assert admin.post("/terms", autumn).status_code == 422
    assert admin("DELETE", path).status_code == 204
    assert admin.get("/terms").json["items"] == []


def test_members_change_role_and_lose_their_sessions(
    world: World, app: Flask, organization: UUID, ada: Person, admin: Caller
) -> None:
    other = world.person(organization, Role.COUNSELLOR, "Bo")
    browser = world.browser(app, other)
    assert browser.get("/api/v1/me").status_code == 200
    path = f"/members/{other.actor.membership_id}"
    assert admin("PATCH", path, {"role": "analyst"}).json["role"] == "analyst"
    assert browser.get("/api/v1/me").status_code == 401
    assert admin("PATCH", path, {"active": False}).json["active"] is False
    listed = admin.get("/members", query_string={"active": "true"}).json["items"]
    assert [member["name"] for member in listed] == ["Ada"]
    last = admin("PATCH", f"/members/{ada.actor.membership_id}", {"active": False})
    assert last.status_code == 409


def test_an_invitation_is_mailed_once_and_taken_back(app: Flask, admin: Caller) -> None:
    post = keep_post(app)
    new = {"email": "New@Example.org", "name": "New", "role": "counsellor"}
    key = {"Idempotency-Key": "invite-1"}
    made = [admin.post("/invitations", new, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].data == made[1].data
    assert len(post.mails) == 1
    assert "token" not in made[0].text
    assert admin.post("/invitations", {"email": "x", "name": "X", "role": "admin"}).status_code == 422
    both = admin.post("/invitations", new | {"client_id": made[0].json["id"]})
    assert {problem["field"] for problem in both.json["errors"]} == {"email", "name", "role"}
    path = f"/invitations/{made[0].json['id']}"
    assert admin.post(f"{path}/resend").status_code == 200
    assert len(post.mails) == 2
    assert admin("DELETE", path).status_code == 204
    assert admin.get("/invitations").json["items"] == []


def test_the_ledger_is_read_in_pages_and_holds(admin: Caller) -> None:
    for number in range(5):
        admin.post("/cohorts", {"name": f"c{number}"})
    seen: list[tuple[int, int]] = []
    query: dict[str, str] = {"limit": "2", "action": "cohort."}
    while True:
        page = admin.get("/audit", query_string=query).json
        seen += [(entry["sequence"], entry["position"]) for entry in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 5
    assert admin.get("/audit/check").json == {"problems": []}


def test_a_roster_is_uploaded_checked_taken_and_undone(world: World, organization: UUID, admin: Caller) -> None:
    rows = b"id,given name,family name,email\r\nR1,Ada,Lovelace,ada@example.org\r\nR2,Bo,Berg,nonsense\r\n"
    made = admin("POST", "/roster-imports", data={"file": (BytesIO(rows), "people.csv")})
    assert made.status_code == 201, made.json
    path = f"/roster-imports/{made.json['id']}"
    assert made.json["mapping"] == {"external_id": 0, "given_name": 1, "family_name": 2, "email": 3}
    assert admin.post(f"{path}/confirm", {}).status_code == 409
    assert admin.post(f"{path}/check", {"mapping": {"external_id": "0"}}).status_code == 422
    assert admin.post(f"{path}/check", {"mapping": made.json["mapping"]}).status_code == 202
    run(world, organization)
    checked = admin.get(path).json
    assert (checked["state"], checked["counts"]["new"], checked["counts"]["bad"]) == ("checked", 1, 1)
    bad = admin.get(f"{path}/rows", query_string={"outcome": "bad"}).json["items"]
    assert [(row["line"], row["external_id"]) for row in bad] == [(3, "R2")]
    assert admin.post(f"{path}/confirm", {"yes": True}).status_code == 202
    run(world, organization)
    assert [client["external_id"] for client in admin.get("/clients").json["items"]] == ["R1"]
    assert admin.post(f"{path}/undo").status_code == 202
    run(world, organization)
    assert admin.get("/clients").json["items"] == []


def test_an_instrument_is_loaded_and_its_answers_scored(world: World, organization: UUID, admin: Caller) -> None:
    loaded = admin.post("/instruments", {"definition": definition()})
    assert loaded.status_code == 201, loaded.json
    assert admin.post("/instruments", {"definition": definition()}).json == loaded.json | {"new": False}
    path = f"/instruments/{loaded.json['instrument_id']}"
    assert admin.get(f"{path}/versions/1").json["definition"]["title"] == "A made-up questionnaire"
    client = world.clients(organization, 1, external_id="P1")[0]
    job = admin("POST", f"{path}/answers", data={"file": (BytesIO(b"id,a1,b1,a2\r\nP1,5,3,1\r\n"), "answers.csv")})
    assert job.status_code == 202, job.json
    run(world, organization)
    assert admin.get(f"/jobs/{job.json['id']}").json["state"] == "done"
    taken = admin.get("/assessments", query_string={"client": str(client)}).json["items"]
    assert [(one["source"], one["answered"]) for one in taken] == [("import", [2, 1])]
    assert taken[0]["scores"][1] == 3.0
    bad = admin("POST", f"{path}/answers", data={"file": (BytesIO(b"who,what\r\n1,2\r\n"), "answers.csv")})
    assert bad.status_code == 422
