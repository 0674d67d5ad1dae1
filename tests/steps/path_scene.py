"""Step 5 over a catalogue of a few occupations: what is stored and saved, and the browser of the client."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.scoring import score
from app.domain.steps import StepKey
from app.factory import create_app
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.queries import parsed
from app.features.instruments.service import load_definition
from app.features.plans.commands import SaveContent
from app.features.plans.queries import view_plan
from app.features.plans.service import save_content
from app.features.steps.registry import ROOMS
from tests.domain.instrument_maker import definition
from tests.factories import World
from tests.plans.page_forms import fields_of
from tests.plans.scenes import Scene, make_scene

KEY = StepKey.CAREER_PATH
RELEASE = "onet-90.1"
WAYS = [
    {"id": "p1", "kind": "technical", "name": "Depth", "ratings": {"c1": 5, "c2": 3}},
    {"id": "p2", "kind": "administration", "name": "Lead", "ratings": {"c1": 3, "c2": 4}},
]
CRITERIA = [{"id": "c1", "name": "Freedom", "weight": 6}, {"id": "c2", "name": "Income", "weight": 4}]


def at(code: str, name: str = "x") -> dict[str, Any]:
    return {"name": name, "code": code, "release": RELEASE}


@pytest.fixture
def scene(small_world: World) -> Scene:
    return make_scene(small_world)


@pytest.fixture
def site(small_world: World) -> Flask:
    app = create_app(small_world.runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def client(small_world: World, site: Flask, scene: Scene) -> FlaskClient:
    return small_world.browser(site, scene.client)


def stored(world: World, scene: Scene, key: StepKey = KEY) -> dict[str, Any]:
    with world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        return dict(view_plan(uow, scene.plan_id).content(key))


def save(world: World, scene: Scene, content: dict[str, Any], key: StepKey = KEY) -> None:
    with world.runtime.database.unit_of_work(scene.client.actor) as uow:
        over = view_plan(uow, scene.plan_id).version(key)
        command = SaveContent(plan_id=scene.plan_id, step=key, content=content, over=over)
        save_content(uow, command, ROOMS[key])


def press(client: FlaskClient, part: int, **typed: str) -> str:
    page = client.get(f"/my-plan/steps/5?part={part}").text
    sent = fields_of(page, 'method="post" action="/my-plan/steps/') | typed
    answer = client.post("/my-plan/steps/5", data=sent)
    assert answer.status_code == 302, answer.text
    return client.get(answer.location).text


def take_paths(world: World, scene: Scene) -> None:
    """An orientation questionnaire, answered; nothing is known of its errors, and one scale has too few answers."""
    raw = definition(id="our-paths", measures="paths", title="Orientation")
    raw["scales"][0]["min_answered"] = 1.0
    with world.runtime.database.unit_of_work(scene.admin.actor) as uow:
        loaded = load_definition(uow, LoadDefinition(raw=raw))
        asked = parsed("of this test", raw)
        responses = [5, 4, 0]
        table = score(asked, np.array([responses], dtype=np.int16))
        uow.session.add(
            Assessment(
                client_id=scene.client.actor.client_id,
                instrument_id=loaded.instrument_id,
                version=1,
                taken_at=uow.now,
                source="portal",
                source_key="test",
                responses=responses,
                scores=[None if np.isnan(value) else float(value) for value in table.scores[0]],
                answered=[int(value) for value in table.answered[0]],
            )
        )


def goals_and_actions(world: World, scene: Scene) -> None:
    goals = [("g1", "Publish", "p1"), ("g2", "Lead five", "p2"), ("g3", "Sleep well", None)]
    save(world, scene, {"goals": [{"id": i, "text": t, "path": p} for i, t, p in goals]}, StepKey.GOALS)
    actions = [{"id": "a1", "text": "Write daily", "kind": "work", "goal": "g1"}]
    save(world, scene, {"actions": actions}, StepKey.ACTION_PLAN)
