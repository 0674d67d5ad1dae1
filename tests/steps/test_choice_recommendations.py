"""Step 4: what counsellors recommend, who may, and that it disturbs nobody who types."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.access import Role
from app.domain.errors import Forbidden, NotFound
from app.features.audit.models import AuditEntry
from app.features.steps.career_choice.service import Recommend, recommend, withdraw_recommendation
from app.infra.runtime import Runtime
from tests.factories import World
from tests.plans.page_forms import fields_of
from tests.plans.scenes import Scene
from tests.steps.choice_scene import FORM, client, counsellor, press, scene, stored

__all__ = ["client", "counsellor", "scene"]


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
