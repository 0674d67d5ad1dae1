"""What a load balancer is told: alive, and ready only while the database answers; and the line of each request."""

from __future__ import annotations

from pathlib import Path

import structlog
from flask import Flask
from structlog.testing import capture_logs

from app.domain.access import Role
from app.factory import create_app
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime
from tests.factories import World
from tests.harness import Servers, replace

NOWHERE = "postgresql://octant_app:x@127.0.0.1:1/octant"


def test_ready_while_the_database_answers_and_503_when_it_does_not(
    app: Flask, servers: Servers, tmp_path: Path
) -> None:
    ready = app.test_client().get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"database": "ok", "broker": "ok"})
    away = replace(servers.settings("none", tmp_path), database_url=NOWHERE)
    browser = create_app(make_runtime(away, doorbell=SilentDoorbell())).test_client()
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"database": "away", "broker": "ok"})
    assert browser.get("/healthz").status_code == 200, "a slow database must not get the process killed"


def test_a_broker_that_is_away_is_told_and_not_required(servers: Servers, shared_database: str, tmp_path: Path) -> None:
    deaf = replace(servers.settings(shared_database, tmp_path), broker_url="redis://127.0.0.1:1/0")
    runtime = make_runtime(deaf, doorbell=SilentDoorbell())
    answer = create_app(runtime).test_client().get("/readyz")
    runtime.database.dispose()
    assert (answer.status_code, answer.json) == (200, {"database": "ok", "broker": "away"})


def test_each_request_leaves_one_line_with_its_id_and_without_what_a_link_holds(app: Flask, world: World) -> None:
    browser = world.browser(app, world.person(world.organization(), Role.ADMIN))
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        browser.get("/jobs", headers={"X-Request-Id": "given-by-the-proxy"})
        browser.get("/check-in/a-token-nobody-may-read")
        browser.get("/healthz")
    lines = [line for line in logged if line["event"] == "request"]
    assert [(line["rule"], line["status"]) for line in lines] == [("/jobs", 200), ("/check-in/<token>", 404)]
    assert lines[0]["request_id"] == "given-by-the-proxy"
    assert lines[0]["ms"] >= 0
    assert "a-token-nobody-may-read" not in str(logged)
