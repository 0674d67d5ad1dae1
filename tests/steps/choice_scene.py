"""Step 4 given back to a client with interests, and the browsers of client and counsellor."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.steps import StepKey
from app.features.plans import service as plans
from app.features.plans.queries import view_plan
from app.infra.runtime import Runtime
from tests.factories import World
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
    return choice_scene(world)


def choice_scene(world: World, *, error: bool = True) -> Scene:
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
