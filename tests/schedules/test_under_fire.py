"""Two workers at once, and workers killed at the worst moment: still one run, one file and one mail each."""

from __future__ import annotations

import multiprocessing
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.composition import JOB_KINDS
from app.config import Settings
from app.domain import access
from app.domain.access import Role
from app.features.jobs.models import Job
from app.features.jobs.runner import work
from app.features.schedules import runner
from app.features.schedules.making import make_due_runs
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from tests.factories import Person, World
from tests.schedules.scene import daily, rows, runs, schedule

pytestmark = pytest.mark.committed
_SCHEDULES, _READERS = 6, 3
_HANGS = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hanging' AND state LIKE 'idle in%'")


@pytest.fixture
def admin(live: Runtime) -> Person:
    world = World(live)
    return world.person(world.organization(), Role.ADMIN)


def overdue(live: Runtime, here: UUID) -> None:
    """All of the organization's schedules have been due for some days."""
    with live.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(
            text("UPDATE schedules SET since = :since, next_at = :since"), {"since": live.clock() - timedelta(days=5)}
        )


def many(live: Runtime, admin: Person, number: int) -> UUID:
    here = admin.actor.organization_id
    world = World(live)
    world.clients(here, 2)
    readers = [admin, *(world.person(here, Role.COUNSELLOR) for _ in range(_READERS - 1))]
    today = live.clock().date()
    for _ in range(number):
        schedule(live, admin, readers, recurrence=daily(starts_on=today - timedelta(days=30)))
    overdue(live, here)
    return here


def test_several_workers_at_once_make_each_run_once(live: Runtime, admin: Person) -> None:
    here = many(live, admin, _SCHEDULES)
    until = live.clock() + timedelta(minutes=2)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: make_due_runs(live, here, until=until), range(12)))
        list(pool.map(lambda _: work(live, here, JOB_KINDS, until=until), range(3)))
    work(live, here, JOB_KINDS, until=until)
    made = runs(live, here)
    assert len(made) == len({(run.schedule_id, run.membership_id) for run in made}) == _SCHEDULES * _READERS
    assert {run.state for run in made} == {"sent"}
    ((messages, keys),) = rows(live, here, "SELECT count(*), count(DISTINCT dedupe_key) FROM messages")
    assert messages == keys == len(made)


def _hang(settings: Settings, here: UUID) -> None:
    """Make what is due, and stand still before it is committed."""
    runtime = make_runtime(settings, doorbell=SilentDoorbell())
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.before_commit(lambda _: time.sleep(300))
        from app.features.schedules.making import _make  # the part of a worker that is killed
        from app.features.schedules.models import Schedule  # as above

        for one in uow.session.scalars(select(Schedule).with_for_update()).all():
            _make(uow, one)
        uow.session.flush()
        # Only now: between two statements it is idle as well.
        uow.session.execute(text("SELECT set_config('application_name', 'hanging', false)"))


def test_a_worker_killed_before_its_commit_leaves_nothing_behind(live: Runtime, admin: Person) -> None:
    here = many(live, admin, 1)
    process = multiprocessing.get_context("spawn").Process(target=_hang, args=(live.settings, here))
    process.start()
    deadline = time.monotonic() + 60
    with live.database.directory_session() as session:
        while not session.execute(_HANGS).scalar_one():
            session.rollback()
            assert process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.1)
    # While it holds the row, nobody else makes the same.
    assert not make_due_runs(live, here, until=live.clock() + timedelta(seconds=30))
    assert runs(live, here) == []
    assert process.pid is not None
    process.kill()
    process.join(10)
    assert process.exitcode == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while not runs(live, here):
        assert time.monotonic() < deadline
        make_due_runs(live, here, until=live.clock() + timedelta(seconds=30))
    assert len(runs(live, here)) == _READERS


def test_a_worker_killed_with_its_file_written_leaves_one_file_and_one_mail(live: Runtime, admin: Person) -> None:
    here = many(live, admin, 1)
    make_due_runs(live, here, until=live.clock() + timedelta(seconds=30))
    first = runs(live, here)[0]
    with live.database.unit_of_work(access.system(here)) as uow:
        job = uow.session.scalars(select(Job).where(Job.id == first.job_id)).one()
    assert runner._act(live, job, [first.id])[first.id].state == "done"
    work(live, here, JOB_KINDS, until=live.clock() + timedelta(minutes=1))
    assert {run.state for run in runs(live, here)} == {"sent"}
    for table in ("extract_runs", "stored_files", "messages"):
        assert rows(live, here, f"SELECT count(*) FROM {table}") == [(_READERS,)]
    kept = {row[0] for row in rows(live, here, "SELECT location FROM stored_files")}
    folder = live.storage.path(next(iter(kept))).parent.parent
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {location.split("/", 1)[1] for location in kept}
