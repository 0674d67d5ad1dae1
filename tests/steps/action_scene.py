"""A plan whose step 7 is written: actions in every state, in an order, one late, months too full."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.steps import StepKey
from app.features.plans import service
from app.features.plans.commands import SaveContent
from app.features.plans.queries import view_plan
from app.features.steps.registry import ROOMS
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.plans.scenes import Scene, make_scene


def actions_from(today: date) -> list[dict[str, Any]]:
    """Five actions around a day: done, begun and late, waiting for it, with too little time, given up."""

    def on(days: int) -> str:
        return (today + timedelta(days=days)).isoformat()

    return [
        {"id": "a1", "text": "Find a supervisor", "kind": "work", "goal": "g1", "start_on": on(-60), "due_on": on(-30),
         "status": "done"},
        {"id": "a2", "text": "Course in statistics", "kind": "training", "goal": "g1", "start_on": on(-40),
         "due_on": on(-5), "status": "begun", "hours_week": 6},
        {"id": "a3", "text": "Write the thesis", "kind": "education", "goal": "g1", "start_on": on(-3),
         "due_on": on(80), "after": ["a2"], "hours_week": 14},
        {"id": "a4", "text": "Two weeks in the planning office", "kind": "job_rotation", "start_on": on(20),
         "due_on": on(34), "after": ["a3"], "evidence": "A letter", "evidence_link": "https://example.org/letter"},
        {"id": "a5", "text": "Evening class in drawing", "kind": "training", "status": "dropped",
         "dropped_why": "No time"},
    ]  # fmt: skip


def write_actions(runtime: Runtime, scene: Scene, today: date, **more: Any) -> dict[str, Any]:
    """Save them as the client does; returns the content as it is stored."""
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        over = view_plan(uow, scene.plan_id).version(StepKey.ACTION_PLAN)
        content = {"hours_a_week": 10, "actions": actions_from(today)} | more
        command = SaveContent(plan_id=scene.plan_id, step=StepKey.ACTION_PLAN, content=content, over=over)
        return service.save_content(uow, command, ROOMS[StepKey.ACTION_PLAN]).content


@pytest.fixture
def scene(world: World, clock: Clock, runtime: Runtime) -> Scene:
    """A plan with these actions."""
    found = make_scene(world, clock=clock)
    write_actions(runtime, found, clock.now.date())
    return found


@pytest.fixture
def client(world: World, app: Flask, scene: Scene) -> FlaskClient:
    """The client's browser."""
    app.config["WTF_CSRF_ENABLED"] = False
    return world.browser(app, scene.client)
