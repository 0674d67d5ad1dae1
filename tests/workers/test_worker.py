"""A real worker process: it hears, it works, and it notes that it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.assignments.commands import AssignTemplate
from app.features.assignments.service import assign_template
from app.infra.runtime import Runtime, make_runtime
from tests.factories import World
from tests.harness import replace

pytestmark = pytest.mark.fault


def _wait(done: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def _told(folder: Path, event: str) -> list[dict[str, Any]]:
    """The lines of this event in the worker's log."""
    written = (folder / "log").read_text("utf-8").splitlines()
    return [line for raw in written if raw.startswith("{") and (line := json.loads(raw)).get("event") == event]


@pytest.fixture
def worker(live: Runtime, tmp_path: Path) -> Iterator[tuple[Runtime, Path, subprocess.Popen[bytes]]]:
    heartbeat = tmp_path / "heartbeat"
    settings = replace(live.settings, heartbeat_file=str(heartbeat), log_format="json")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "run", "worker", "--concurrency", "1"],
            env={k: v for k, v in os.environ.items() if not k.startswith("OCTANT_")} | settings.environ(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    runtime = make_runtime(settings)
    yield runtime, heartbeat, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    runtime.database.dispose()


def test_a_ring_is_heard_and_the_job_done(
    worker: tuple[Runtime, Path, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    runtime, heartbeat, process = worker
    world = World(runtime)
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    clients = tuple(world.clients(organization, 20))
    template = world.template(organization)
    with runtime.database.unit_of_work(admin, request_id="asked-by-this-request") as uow:
        job = assign_template(
            uow,
            AssignTemplate(template_id=template, version=1, started_on=date(2026, 9, 7), client_ids=clients),
        ).id

    def number(statement: str) -> int:
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            return int(uow.session.execute(text(statement)).scalar_one())

    _wait(lambda: number("SELECT count(*) FROM plans") == 20)
    _wait(lambda: number("SELECT count(*) FROM jobs WHERE state = 'done'") == 1)
    _wait(lambda: len(_told(tmp_path, "job_ended")) == 1)
    # What the worker wrote of this job is found by the request that asked for it, as the runbook says.
    (started,), (ended,) = _told(tmp_path, "job_started"), _told(tmp_path, "job_ended")
    for line in (started, ended):
        assert (line["request_id"], line["job_id"]) == ("asked-by-this-request", str(job))
        assert line["kind"] == "assignments.assign"
    assert (started["items"], ended["state"]) == (20, "done")
    _wait(heartbeat.exists)
    assert process.poll() is None
    # J9: a deployment asks it to end, and it does within the time a deployment gives it.
    process.terminate()
    assert process.wait(30) == 0
