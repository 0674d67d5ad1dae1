"""A real worker process: it hears, it works, and it notes that it does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text

from app.config import Settings
from app.domain import access
from app.domain.access import Role
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.features.extracts.models import ExtractRun
from app.features.jobs.models import Job, JobItem
from app.infra import processes
from app.infra.runtime import Runtime, make_runtime
from tests.extracts.scene import ask, definition
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


@contextmanager
def _running(settings: Settings, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of one process that logs into `tmp_path`; ended at the end, with what it started."""
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "run", "worker", "--concurrency", "1"],
            env={k: v for k, v in os.environ.items() if not k.startswith("OCTANT_")} | settings.environ(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def worker(live: Runtime, tmp_path: Path) -> Iterator[tuple[Runtime, Path, subprocess.Popen[bytes]]]:
    heartbeat = tmp_path / "heartbeat"
    settings = replace(live.settings, heartbeat_file=str(heartbeat), log_format="json")
    runtime = make_runtime(settings)
    with _running(settings, tmp_path) as process:
        yield runtime, heartbeat, process
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
        job = assign(
            uow,
            Assign(template_id=template, version=1, started_on=date(2026, 9, 7), client_ids=clients),
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


def test_a_worker_that_no_longer_hears_ends_itself_with_its_pool(live: Runtime, tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    settings = replace(live.settings, heartbeat_file=str(heartbeat), log_format="json", lease_seconds=6)
    with _running(settings, tmp_path) as process:
        _wait(heartbeat.exists)
        # As a clock leaves it that was ahead and is set right: the worker counts its own seconds.
        later = time.time() + 3600
        os.utime(heartbeat, (later, later))
        # While it hears it stays, longer than it may be deaf.
        time.sleep(14)
        assert process.poll() is None
        pool = processes.descendants(process.pid)
        for child in pool:
            os.kill(child, signal.SIGSTOP)
        assert process.wait(40) == processes.EXIT_DEAF
        assert processes.wait_until_gone(pool, 5) == set()
        (told,) = _told(tmp_path, "worker_deaf")
        assert told["seconds"] > 12


def test_a_file_that_takes_longer_than_a_lease_is_made_once(live: Runtime, tmp_path: Path) -> None:
    settings = replace(live.settings, heartbeat_file=str(tmp_path / "heartbeat"), log_format="json", lease_seconds=6)
    runtime = make_runtime(settings)
    world = World(runtime)
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    world.clients(organization, 100)
    # Ten seconds of real reading, a tenth of one for each person.
    with psycopg.connect(settings.owner_database_url, autocommit=True) as owner:
        owner.execute("CREATE POLICY slow ON clients AS RESTRICTIVE USING (pg_sleep(0.1) IS NOT NULL)")
    with _running(settings, tmp_path):
        ask(runtime, admin, definition("clients", ["client.external_id"]))
        _wait(lambda: bool(_told(tmp_path, "job_ended")), 60)
    (ended,) = _told(tmp_path, "job_ended")
    assert (ended["state"], _told(tmp_path, "job_items_failed")) == ("done", [])
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        item = uow.session.scalars(select(JobItem)).one()
        seconds = uow.session.scalars(select(Job.finished_at - Job.started_at)).one()
        assert (item.state, item.attempts) == ("done", 1)
        # Else this would say nothing.
        assert seconds is not None
        assert seconds.total_seconds() > settings.lease_seconds
        assert uow.session.scalars(select(ExtractRun.row_count)).one() == 100
    runtime.database.dispose()
