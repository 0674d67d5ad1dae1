"""`/readyz`: a load balancer takes a process out while its database is away, and not for the broker's sake."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask

from app.factory import create_app
from app.infra.db.open import Database
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime


def test_ready_while_the_database_answers(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"database": "ok", "broker": "ok"})


def test_not_ready_while_the_database_is_away(runtime: Runtime) -> None:
    nowhere = replace(
        runtime.settings,
        database_url="postgresql+psycopg://octant_app@127.0.0.1:1/nothing",
        identity_database_url="postgresql+psycopg://octant_identity@127.0.0.1:1/nothing",
    )
    away = replace(runtime, settings=nowhere, database=Database(nowhere, SilentDoorbell()))
    answer = create_app(away).test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"database": "away", "broker": "ok"})
    # The process itself is alive: nobody should kill it for the database.
    assert create_app(away).test_client().get("/healthz").status_code == 200


def test_ready_while_only_the_broker_is_away(runtime: Runtime) -> None:
    alone = replace(runtime, settings=replace(runtime.settings, broker_url="redis://127.0.0.1:1/0"))
    answer = create_app(alone).test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"database": "ok", "broker": "away"})
