"""Closing a revision, copying a template, built-in questionnaires, and the check-in by its link's token."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.reviews.messages import LINK_PURPOSE
from app.infra.links import make_token
from app.infra.runtime import Runtime
from tests.api.conftest import Caller, Callers
from tests.factories import World
from tests.one_of_everything import Filled, fill

GOALS = '{"goals": [{"id": "g1", "horizon": "short", "text": "Find a placement", "measure": "signed", "levels": {}}]}'
FACTORS = '{"factors": [{"id": "f1", "text": "New campus", "kind": "opportunity", "controllable": "no"}]}'


def test_a_revision_is_closed_once_with_its_reason(world: World, calls: Callers) -> None:
    organization = world.organization()
    counsellor = world.person(organization, Role.COUNSELLOR)
    client = world.clients(organization, 1)[0]
    world.caseload(counsellor, [client])
    plan = world.plan(organization, client)
    caller = calls(counsellor)
    path = f"/plans/{plan}/revisions"
    assert caller.post(path, {"revision": 1, "reason": " "}).status_code == 422
    made = caller.post(path, {"revision": 1, "reason": "The first year is over."})
    assert (made.status_code, made.json["revision"], made.json["reason"]) == (201, 1, "The first year is over.")
    again = caller.post(path, {"revision": 1, "reason": "Sent twice."})
    assert again.json["checksum"] == made.json["checksum"]
    assert caller.get(f"/plans/{plan}").json["revision"] == 2
    assert caller.post(path, {"revision": 7, "reason": "Not open."}).status_code == 409
    assert [row["revision"] for row in caller.get(path).json["items"]] == [1]
    assert (
        calls(world.person(organization, Role.COUNSELLOR)).post(path, {"revision": 2, "reason": "x"}).status_code == 404
    )


def test_a_template_is_copied_as_a_draft_under_another_name(world: World, calls: Callers) -> None:
    organization = world.organization()
    caller = calls(world.person(organization, Role.ADMIN))
    template = world.template(organization)
    path = f"/templates/{template}/duplicate"
    made = caller.post(path, {"name": "A copy"})
    assert (made.status_code, made.json["name"]) == (201, "A copy")
    read = [caller.get(f"/templates/{i}/versions/1").json for i in (template, made.json["id"])]
    assert read[0]["content"] == read[1]["content"]
    assert caller.get(f"/templates/{made.json['id']}/versions").json["items"][0]["state"] == "draft"
    refused = caller.post(path, {"name": "A copy"})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "name")
    assert calls(world.person(organization, Role.COUNSELLOR)).post(path, {"name": "Mine"}).status_code == 403


def test_built_in_questionnaires_are_listed_added_withdrawn_and_offered(world: World, calls: Callers) -> None:
    caller = calls(world.person(world.organization(), Role.ADMIN))
    listed = caller.get("/instruments/built-in").json["items"]
    assert listed
    assert not any(row["added"] for row in listed)
    name = listed[0]["name"]
    made = caller.post(f"/instruments/built-in/{name}")
    assert (made.status_code, made.json["new"]) == (201, True)
    assert caller.post(f"/instruments/built-in/{name}").json["new"] is False
    assert [row["name"] for row in caller.get("/instruments/built-in").json["items"] if row["added"]] == [name]
    assert caller.post("/instruments/built-in/nothing-of-this-name").status_code == 404
    path = f"/instruments/{made.json['instrument_id']}"
    assert caller.post(f"{path}/withdraw").json["active"] is False
    assert caller.get(path).json["active"] is False
    assert caller.post(f"{path}/offer").json["active"] is True


@pytest.fixture
def filled(world: World, runtime: Runtime) -> Filled:
    """An organization whose one review waits for its answer, with a goal and a factor to be asked about."""
    made = fill(world)
    with runtime.database.unit_of_work(access.system(made.organization)) as uow:
        for step, content in ((6, GOALS), (3, FACTORS)):
            values = {"p": made.places["plan_id"], "s": step, "c": content}
            uow.session.execute(
                text("UPDATE plan_steps SET status = 'completed' WHERE plan_id = :p AND step = :s"), values
            )
            uow.session.execute(
                text("INSERT INTO step_contents (plan_id, step, content) VALUES (:p, :s, CAST(:c AS jsonb))"), values
            )
    return made


def path_of(runtime: Runtime, organization: UUID, link: UUID) -> str:
    return f"/check-ins/{make_token(runtime.settings, LINK_PURPOSE, organization, link)}"


def test_a_check_in_is_opened_kept_and_answered_by_its_links_token(
    app: Flask, runtime: Runtime, filled: Filled
) -> None:
    nobody = Caller(app.test_client())
    path = path_of(runtime, filled.organization, filled.rows["review_links"][-1])
    assert nobody.get(path).json["state"] == "ready"
    assert nobody.get(path).json["state"] == "ready", "looking changes nothing"
    opened = nobody.post(f"{path}/open")
    assert opened.status_code == 201
    assert [row["text"] for row in opened.json["goals"]] == ["Find a placement"]
    ticket = opened.json["ticket"]
    assert nobody.post(f"{path}/open").status_code == 410, "S7: once"
    assert nobody.put(f"{path}/answers", {"ticket": "another browser's"}).status_code == 410
    some = {"ticket": ticket, "goals": {"g1": 1}}
    kept = nobody.put(f"{path}/answers", some)
    assert (kept.status_code, kept.json["answers"]["goals"]) == (200, {"g1": 1})
    wrong = nobody.put(f"{path}/answers", some | {"goals": {"g1": 9, "other": 1}, "steps": {"goals": "perhaps"}})
    assert wrong.status_code == 422
    assert [row["field"] for row in wrong.json["errors"]] == ["goals.g1", "goals.other", "steps.goals"]
    missing = nobody.post(f"{path}/answers", some)
    assert missing.status_code == 422
    assert "confidence" in [row["field"] for row in missing.json["errors"]]
    whole = some | {
        "factors": {"f1": "stronger"},
        "new_factors": [{"text": "A new professor", "kind": "opportunity", "controllable": "no"}],
        "confidence": 7,
        "steps": dict.fromkeys(opened.json["steps"], "keep") | {"goals": "adjust"},
        "words": "All is well.",
    }
    done = nobody.post(f"{path}/answers", whole)
    assert (done.status_code, done.json["outcome"], done.json["steps"]) == (200, "revise", ["goals"])
    assert done.json["result"]["confidence"] == {"now": 7, "before": None}
    assert done.json["result"]["reopens"][0]["step"] == "goals"
    assert nobody.get(path).json["state"] == "answered"
    assert nobody.post(f"{path}/answers", whole).status_code == 410
    with runtime.database.unit_of_work(access.system(filled.organization)) as uow:
        stored = uow.session.execute(text("SELECT answers, outcome FROM reviews")).one()
    assert stored.outcome == "revise"
    assert stored.answers["new_factors"] == whole["new_factors"]


def test_a_check_in_by_another_token_opens_nothing(app: Flask, runtime: Runtime, world: World, filled: Filled) -> None:
    nobody = Caller(app.test_client())
    link = filled.rows["review_links"][-1]
    good = path_of(runtime, filled.organization, link)
    for path in (good[:-1] + ("A" if good[-1] != "A" else "B"), path_of(runtime, world.organization(), link)):
        assert nobody.get(path).status_code == 404
        assert nobody.post(f"{path}/open").status_code == 404
        assert nobody.put(f"{path}/answers", {"ticket": "x"}).status_code == 404
    with runtime.database.unit_of_work(access.system(filled.organization)) as uow:
        uow.session.execute(text("UPDATE review_links SET expires_at = :now"), {"now": uow.now})
    assert nobody.get(good).json["state"] == "expired"
    assert nobody.post(f"{good}/open").status_code == 410
