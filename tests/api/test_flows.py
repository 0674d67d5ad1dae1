"""The use cases through the API, end to end: people, a cohort, an assignment, a plan, its revisions, jobs and files."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.features.audit.models import AuditEntry
from app.features.clients.models import Client
from app.features.jobs.models import StoredFile
from app.features.jobs.runner import work
from app.features.organizations.service import find_actor
from tests.api.conftest import Caller, Callers
from tests.factories import Person, World


@pytest.fixture
def organization(world: World) -> UUID:
    return world.organization()


@pytest.fixture
def admin(world: World, calls: Callers, organization: UUID) -> Caller:
    return calls(world.person(organization, Role.ADMIN))


def run(world: World, organization: UUID) -> None:
    work(world.runtime, organization, JOB_KINDS, until=world.runtime.clock() + timedelta(minutes=1))


def test_a_client_is_added_found_changed(admin: Caller) -> None:
    assert admin.post("/attributes", {"label": "Year", "kind": "number"}).status_code == 201
    new = {"external_id": "S1", "given_name": "Zoë", "family_name": "Óg", "email": "z@example.org"}
    made = admin.post("/clients", new | {"attributes": {"year": 2}})
    assert made.status_code == 201, made.json
    client = made.json
    assert client["attributes"] == {"year": 2}
    assert client["active"] is True
    assert admin.get("/clients", query_string={"search": "og zoe"}).json["items"] == [client]
    assert admin.get("/clients", query_string={"search": "nobody"}).json["items"] == []
    assert admin.get("/clients", query_string={"active": "false"}).json["items"] == []
    changed = admin("PATCH", f"/clients/{client['id']}", {"email": None, "attributes": {"year": 3}})
    assert changed.status_code == 200
    assert (changed.json["email"], changed.json["attributes"], changed.json["given_name"]) == (None, {"year": 3}, "Zoë")
    again = admin.post("/clients", new)
    assert again.status_code == 422
    assert again.json["errors"][0]["field"] == "external_id"
    bad = admin.post("/clients", new | {"external_id": "S2", "email": "nonsense", "attributes": {"shoe": 1}})
    assert {problem["field"] for problem in bad.json["errors"]} == {"email", "attributes.shoe"}


def test_a_counsellor_sees_the_caseload_and_adds_nobody(
    world: World, calls: Callers, organization: UUID, admin: Caller
) -> None:
    counsellor = world.person(organization, Role.COUNSELLOR)
    mine, other = map(str, world.clients(organization, 2))
    put = admin.post(f"/counsellors/{counsellor.actor.membership_id}/caseload", {"client_ids": [mine]})
    assert put.json == {"changed": 1}
    caller = calls(counsellor)
    assert [client["id"] for client in caller.get("/clients").json["items"]] == [mine]
    assert caller.get(f"/clients/{mine}").status_code == 200
    assert caller.get(f"/clients/{other}").status_code == 404
    assert caller.get(f"/clients/{mine}/counsellors").json["items"][0]["kind"] == "primary"
    assert caller.post("/clients", {}).status_code == 403
    assert caller.post(f"/clients/{mine}/contacts").json["last_contact_at"] is not None


def test_lists_are_paged_in_order_without_gaps(world: World, organization: UUID, admin: Caller) -> None:
    # Equal names, so that the order rests on the id.
    world.clients(organization, 5, given_folded="a", family_folded="a")
    world.clients(organization, 6)
    seen: list[str] = []
    query: dict[str, str] = {"limit": "4"}
    while True:
        page = admin.get("/clients", query_string=query).json
        seen += [client["id"] for client in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(seen) == len(set(seen)) == 11


def published(admin: Caller) -> str:
    template = admin.post("/templates", {"name": "Eight steps"})
    assert template.status_code == 201, template.json
    number = admin.post(f"/templates/{template.json['id']}/publish").json
    assert (number["version"], number["state"]) == (1, "published")
    return str(template.json["id"])


def test_a_draft_is_saved_over_what_was_read(admin: Caller) -> None:
    template = published(admin)
    read = admin.get(f"/templates/{template}/versions/1")
    draft = {"name": "Eight steps", "content": read.json["content"] | {}}
    draft["content"]["steps"]["ambition"]["guidance"] = "Think big."
    path = f"/templates/{template}/draft"
    assert admin("PUT", path, draft).status_code == 428
    assert admin("PUT", path, draft, headers={"If-Match": '"0"'}).status_code == 412
    saved = admin("PUT", path, draft, headers={"If-Match": read.headers["ETag"]})
    assert saved.status_code == 200, saved.json
    assert (saved.json["version"], saved.json["state"]) == (2, "draft")
    assert admin("PUT", path, draft, headers={"If-Match": read.headers["ETag"]}).status_code == 412
    assert [v["version"] for v in admin.get(f"/templates/{template}/versions").json["items"]] == [2, 1]
    assert admin("DELETE", path).status_code == 204
    assert admin("DELETE", path).status_code == 409


def test_a_bad_recipe_names_each_place(admin: Caller) -> None:
    answer = admin.post("/templates", {"name": "Empty", "content": {"steps": []}})
    assert answer.status_code == 422
    assert answer.json["errors"]


def given_to_all(world: World, admin: Caller, organization: UUID, number: int = 3) -> tuple[dict[str, str], list[str]]:
    clients = [str(c) for c in world.clients(organization, number)]
    cohort = admin.post(
        "/cohorts", {"name": "All", "rule": {"all": [{"field": "@active", "is": "is", "values": [True]}]}}
    )
    assert cohort.status_code == 201, cohort.json
    given = {
        "template_id": published(admin),
        "version": 1,
        "started_on": "2026-09-07",
        "cohort_id": cohort.json["id"],
        "standing": True,
    }
    preview = admin.post("/assignments/preview", given)
    assert preview.json["new"] == number
    made = admin.post("/assignments", given)
    assert made.status_code == 202, made.json
    run(world, organization)
    return made.json, clients


def test_an_assignment_runs_is_counted_and_undone(world: World, organization: UUID, admin: Caller) -> None:
    assignment, clients = given_to_all(world, admin, organization)
    job = admin.get(f"/jobs/{assignment['job_id']}").json
    assert job["state"] == "done"
    assert (job["progress"]["total"], job["progress"]["done"], job["progress"]["left"]) == (3, 3, 0)
    items = admin.get(f"/jobs/{assignment['job_id']}/items", query_string={"state": "done"}).json["items"]
    assert {item["subject_id"] for item in items} == set(clients)
    assert len(admin.get("/plans", query_string={"cohort": assignment["cohort_id"]}).json["items"]) == 3
    assert admin.post(f"/jobs/{job['id']}/cancel").status_code == 409
    assert admin.post(f"/assignments/{assignment['id']}/end").json["state"] == "ended"
    assert admin.post(f"/jobs/{job['id']}/undo").status_code == 202
    run(world, organization)
    assert admin.get(f"/jobs/{job['id']}").json["state"] == "undone"
    assert admin.get("/plans").json["items"] == []


def test_who_waits_for_a_job_is_listed_like_those_who_were_reached(
    world: World, organization: UUID, admin: Caller
) -> None:
    clients = [str(c) for c in world.clients(organization, 5)]
    given = {"what": "action", "action": {"kind": "training", "text": "Read the guide"}, "client_ids": clients}
    job = admin.post("/assignments", given).json["job_id"]

    def listed(**which: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        while True:
            page = admin.get(f"/jobs/{job}/items", query_string={"limit": "2", **which}).json
            found += [(item["subject_id"], item["state"]) for item in page["items"]]
            if page["next"] is None:
                return found
            which["cursor"] = page["next"]

    waiting = listed()
    assert {client for client, _ in waiting} == set(clients)
    assert {state for _, state in waiting} == {"pending"}
    assert (listed(state="pending"), listed(state="done")) == (waiting, [])
    assert admin.get(f"/jobs/{job}").json["progress"]["left"] == 5
    assert admin.post(f"/jobs/{job}/cancel").status_code == 200
    assert listed() == [(client, "cancelled") for client, _ in waiting]
    assert admin.get(f"/jobs/{job}").json["progress"]["cancelled"] == 5


def test_a_target_is_one_of_two(admin: Caller) -> None:
    answer = admin.post("/assignments", {"template_id": published(admin), "version": 1, "started_on": "2026-09-07"})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "target"


def portal(world: World, organization: UUID, client_id: str) -> Person:
    """The client as a member who signs in."""
    person = world.person(organization, Role.CLIENT)
    with world.runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.scalars(
            select(Client).where(Client.id == UUID(client_id))
        ).one().membership_id = person.actor.membership_id
    found = find_actor(world.runtime, organization, person.user_id)
    assert found is not None
    return Person(found[0], person.user_id, person.email)


def test_a_client_writes_a_step_and_the_counsellor_returns_and_accepts_it(
    world: World, calls: Callers, organization: UUID, admin: Caller
) -> None:
    _, clients = given_to_all(world, admin, organization)
    client = calls.by_browser(portal(world, organization, clients[0]))
    plan = client.get("/plans").json["items"][0]
    assert plan["client_id"] == clients[0]
    assert len(client.get(f"/plans/{plan['id']}").json["steps"]) == 8
    step = f"/plans/{plan['id']}/steps/1"
    empty = client.get(f"{step}/content")
    assert (empty.headers["ETag"], empty.json["version"]) == ('"0"', 0)
    assert empty.json["missing"]
    words = {"content": empty.json["content"] | {"statement": "I want to build bridges. " * 10, "why": "They join."}}
    assert client("PUT", f"{step}/content", words).status_code == 428
    saved = client("PUT", f"{step}/content", words, headers={"If-Match": '"0"'})
    assert (saved.status_code, saved.headers["ETag"]) == (200, '"1"')
    other = {"content": words["content"] | {"why": "Other window."}}
    assert client("PUT", f"{step}/content", other, headers={"If-Match": '"0"'}).status_code == 412
    early = client.post(f"{step}/actions", {"action": "submit"})
    assert early.status_code == 422, "three ranked values are missing"
    words["content"]["values"] = [{"id": name.lower(), "name": name} for name in ("Autonomy", "Craft", "Service")]
    assert client("PUT", f"{step}/content", words, headers={"If-Match": '"1"'}).status_code == 200
    assert client.post(f"{step}/actions", {"action": "submit"}).json == {"status": "submitted"}
    assert client.post(f"{step}/actions", {"action": "complete"}).status_code == 403
    assert admin("PUT", f"{step}/content", other, headers={"If-Match": '"2"'}).status_code == 403
    assert admin.post(f"{step}/actions", {"action": "return"}).status_code == 422
    assert admin.post(f"{step}/actions", {"action": "return", "reason": "Say more."}).json == {"status": "returned"}
    assert client.post(f"{step}/comments", {"body": "I will."}).status_code == 201
    assert [c["body"] for c in admin.get(f"{step}/comments").json["items"]] == ["I will."]
    assert admin.post(f"{step}/actions", {"action": "complete"}).json == {"status": "completed"}
    assert admin("PUT", f"{step}/due", {"due_on": "2026-12-01"}).json["due_on"] == "2026-12-01"
    assert client("PUT", f"{step}/due", {"due_on": None}).status_code == 403
    events = {event["kind"] for event in client.get(f"/plans/{plan['id']}/events").json["items"]}
    assert events == {"started", "submitted", "returned", "commented", "completed", "due_changed"}
    differences = admin.get(f"/plans/{plan['id']}/differences", query_string={"before": "1", "after": "1"})
    assert differences.json == {"items": [], "next": None}
    # Another client's plan is not there for this client.
    others = [p["id"] for p in admin.get("/plans").json["items"] if p["id"] != plan["id"]]
    assert client.get(f"/plans/{others[0]}").status_code == 404


def test_a_file_is_listed_downloaded_and_audited(world: World, organization: UUID, admin: Caller) -> None:
    runtime = world.runtime
    with runtime.storage.writing(organization, ".csv") as pending:
        pending.handle.write(b"a,b\r\n")
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        stored = StoredFile(
            kind="report",
            name="résumé.csv",
            media_type="text/csv",
            size=pending.stored.size,
            sha256=pending.stored.sha256,
            location=pending.stored.location,
            created_at=uow.now,
        )
        uow.session.add(stored)
    listed = admin.get("/files").json["items"]
    assert [(file["name"], file["size"], len(file["sha256"])) for file in listed] == [("résumé.csv", 5, 64)]
    with admin.get(f"/files/{listed[0]['id']}/content") as answer:
        assert answer.data == b"a,b\r\n"
        assert answer.mimetype == "text/csv"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        actions = uow.session.scalars(select(AuditEntry.action).where(AuditEntry.subject_id == stored.id)).all()
    assert actions == ["file.downloaded"]
