"""Archives of reports when the disk is full, the storage is gone, or the worker is killed."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.features.extracts.models import ExtractRun
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.runner import retry_job
from app.features.reports.cohort_service import report_figures
from app.features.reports.commands import CohortQuestion, ReportFigures
from app.features.reports.naming import ARCHIVE_FILE, CLIENT_FILE, INDEX_FILE
from app.infra.runtime import Runtime
from app.infra.storage import Storage, StorageTrouble
from tests.extracts.scene import ask as own_report
from tests.extracts.scene import definition
from tests.factories import Person, World
from tests.harness import Clock
from tests.identity.helpers import send
from tests.reports.archives import (
    KIB,
    actions,
    ask,
    content,
    files,
    index_of,
    packed,
    pretend,
    run,
    small,
    state_of,
)
from tests.reports.maker import cohort_of

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """The system refuses to let any file of this process grow further, as a disk that is full does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_while_the_archive_grows_is_said_and_nothing_half_is_offered(
    runtime: Runtime, world: World, admin: Person, app: Flask, clock: Clock
) -> None:
    organization = admin.actor.organization_id
    job_id = pretend(runtime, admin, world.clients(organization, 60), [10 * KIB + n for n in range(60)])
    with no_file_longer_than(300 * KIB):
        for _ in range(4):
            run(runtime, organization)
            clock.now += timedelta(minutes=2)
    job = state_of(runtime, organization, job_id)
    assert (job.state, job.error) == ("failed", "There is no room left where files are kept. Tell your administrator.")
    assert files(runtime, organization, job_id, ARCHIVE_FILE) == []
    assert files(runtime, organization, job_id, INDEX_FILE) == []
    browser = world.browser(app, admin)
    page = browser.get(f"/jobs/{job_id}").text
    assert "There is no room left" in page
    assert ".zip" not in page
    # Room again: the same job is finished, and no report is written a second time.
    before = {file.id for file in files(runtime, organization, job_id, CLIENT_FILE)}
    assert send(browser, f"/jobs/{job_id}/retry", f"/jobs/{job_id}").location.endswith(str(job_id))
    run(runtime, organization)
    assert state_of(runtime, organization, job_id).state == "done"
    assert len(packed(runtime, files(runtime, organization, job_id, ARCHIVE_FILE))) == 61
    assert {file.id for file in files(runtime, organization, job_id, CLIENT_FILE)} == before


def test_a_full_disk_keeps_the_parts_that_are_whole(
    runtime: Runtime, world: World, admin: Person, clock: Clock
) -> None:
    organization, short = admin.actor.organization_id, small(runtime)
    job_id = pretend(short, admin, world.clients(organization, 60), [30 * KIB] * 40 + [1500 * KIB] + [30 * KIB] * 19)
    with no_file_longer_than(1100 * KIB):
        for _ in range(4):
            run(short, organization)
            clock.now += timedelta(minutes=2)
    assert state_of(runtime, organization, job_id).state == "failed"
    offered = files(runtime, organization, job_id, ARCHIVE_FILE)
    assert len(offered) == 2
    assert len(packed(runtime, offered)) == 40


def test_a_report_that_finds_no_room_says_so(runtime: Runtime, world: World, admin: Person, clock: Clock) -> None:
    organization = admin.actor.organization_id
    job_id = ask(runtime, admin, cohort_of(runtime, organization, world.clients(organization, 2)))
    # A report is longer, what is logged of it is not.
    with no_file_longer_than(12 * KIB):
        for _ in range(5):
            run(runtime, organization)
            clock.now += timedelta(minutes=1)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        reasons = {(item.state, str(item.reason)) for item in uow.session.scalars(select(JobItem))}
    assert reasons == {("failed", "There is no room left where files are kept. Tell your administrator.")}
    assert files(runtime, organization, job_id, CLIENT_FILE) == []


@pytest.mark.parametrize("how", ["gone", "no folder"])
def test_a_storage_that_is_gone_ends_the_job_and_costs_no_report(
    app: Flask, world: World, admin: Person, clock: Clock, how: str
) -> None:
    runtime = world.runtime
    organization = admin.actor.organization_id
    job_id = pretend(runtime, admin, world.clients(organization, 5), [KIB + n for n in range(5)])
    kept = runtime.storage.root
    aside = kept.with_name("aside")
    kept.rename(aside)
    if how == "no folder":
        kept.write_text("not a folder")
    browser = world.browser(app, admin)
    (first, *_) = files(runtime, organization, job_id, CLIENT_FILE)
    lost = browser.get(f"/files/{first.id}", follow_redirects=True)
    assert (lost.status_code, "not where files are kept" in lost.text) == (404, True)
    assert "file.downloaded" not in actions(runtime, organization)
    for _ in range(4):
        run(runtime, organization)
        clock.now += timedelta(minutes=2)
    job = state_of(runtime, organization, job_id)
    assert job.state == "failed"
    assert str(job.error).startswith("The place where files are kept cannot be reached.")
    assert len(files(runtime, organization, job_id, CLIENT_FILE)) == 5
    if kept.is_dir():
        shutil.rmtree(kept)
    kept.unlink(missing_ok=True)
    aside.rename(kept)
    assert retry_job(runtime, admin.actor, JOB_KINDS, job_id) == job_id
    run(runtime, organization)
    assert len(packed(runtime, files(runtime, organization, job_id, ARCHIVE_FILE))) == 6


def test_a_report_whose_file_is_lost_or_changed_is_listed_and_written_anew(
    runtime: Runtime, world: World, admin: Person
) -> None:
    organization = admin.actor.organization_id
    job_id = pretend(runtime, admin, world.clients(organization, 5), [KIB + n for n in range(5)])
    lost, changed, *_ = files(runtime, organization, job_id, CLIENT_FILE)
    runtime.storage.delete(lost.location)
    runtime.storage.path(changed.location).write_bytes(b"x" * changed.size)
    run(runtime, organization)
    held = packed(runtime, files(runtime, organization, job_id, ARCHIVE_FILE))
    assert len(held) == 4
    failed = [line for line in index_of(held["index.xlsx"]) if line[6] == "failed"]
    assert len(failed) == 2
    assert all("no longer where it was kept" in str(line[7]) for line in failed)
    again = retry_job(runtime, admin.actor, JOB_KINDS, job_id)
    run(runtime, organization)
    assert len(packed(runtime, files(runtime, organization, again, ARCHIVE_FILE))) == 3


@pytest.mark.parametrize("what", ["figures", "own report"])
def test_files_of_figures_and_own_reports_say_that_there_is_no_place_and_offer_nothing(
    runtime: Runtime, world: World, admin: Person, clock: Clock, what: str
) -> None:
    organization = admin.actor.organization_id
    world.clients(organization, 3)
    if what == "figures":
        cohort = cohort_of(runtime, organization, world.clients(organization, 3))
        with runtime.database.unit_of_work(admin.actor) as uow:
            job_id = report_figures(uow, ReportFigures(CohortQuestion(cohort), "en", "once")).id
    else:
        asked = own_report(runtime, admin, definition("clients", ["client.external_id"]))
        with runtime.database.unit_of_work(admin.actor) as uow:
            job_id = uow.session.scalars(select(ExtractRun.job_id).where(ExtractRun.id == asked)).one()
    runtime.storage.root.parent.mkdir(parents=True, exist_ok=True)
    runtime.storage.root.write_text("not a folder")
    for _ in range(5):
        run(runtime, organization)
        clock.now += timedelta(minutes=1)
    with runtime.database.unit_of_work(admin.actor) as uow:
        (item,) = uow.session.scalars(select(JobItem).where(JobItem.job_id == job_id))
        assert uow.session.scalars(select(StoredFile)).all() == []
    assert item.state == "failed"
    assert str(item.reason) == "The place where files are kept cannot be reached. Tell your administrator."


_WORKER = """
import os, sys
from dataclasses import replace
from datetime import timedelta
from uuid import UUID
from app.composition import JOB_KINDS
from app.config import load
from app.features.jobs.runner import work
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime
runtime = make_runtime(load(os.environ), doorbell=SilentDoorbell())
print("ready", flush=True)
work(runtime, UUID(sys.argv[1]), JOB_KINDS, until=runtime.clock() + timedelta(seconds=60))
"""
LONG = os.environ.get("OCTANT_TEST_LONG") == "1"


@pytest.mark.fault
@pytest.mark.timeout(5400 if LONG else 900)
def test_j13_killed_at_any_moment_nothing_is_half_offered_and_nothing_is_done_twice(live: Runtime) -> None:
    """J13: 0 files visible that are not complete, in kills of the worker while reports and parts are written.

    The long form has 5,000 reports and 200 kills, the short one 300 and 5.
    """
    reports, kills = (5_000, 200) if LONG else (300, 5)
    chance = random.Random(13)
    settings = replace(live.settings, archive_part_mib=1, lease_seconds=5)
    short = replace(live, settings=settings)
    world = World(live)
    admin = world.person(world.organization(), Role.ADMIN)
    organization = admin.actor.organization_id
    clients = world.clients(organization, reports)
    job_id = ask(live, admin, cohort_of(live, organization, clients))
    made: dict[UUID, bytes] = {}
    checked: set[UUID] = set()

    def look() -> None:
        """Whatever is listed is whole; what was done once stays as it is, to the byte."""
        with live.database.unit_of_work(access.system(organization)) as uow:
            listed = list(uow.session.scalars(select(StoredFile)))
        for file in listed:
            if file.id not in checked:
                content(live, file)
                checked.add(file.id)
            if file.client_id is not None:
                assert made.setdefault(file.client_id, file.sha256) == file.sha256
        by_client = [file.client_id for file in listed if file.client_id is not None]
        assert len(by_client) == len(set(by_client))

    met = 0
    for _ in range(kills * 4):
        worker = subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(organization)],
            cwd=ROOT,
            env={**os.environ, **settings.environ()},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        if met < kills:
            time.sleep(chance.uniform(0.1, 1.2))
            met += worker.poll() is None
        else:
            worker.wait(120)
        worker.kill()
        worker.wait()
        worker.stdout.close()
        look()
        with live.database.unit_of_work(access.system(organization)) as uow:
            # The lease of a dead worker runs out; how often one item may be met is not this test's matter.
            uow.session.execute(update(JobItem).where(JobItem.state == "leased").values(state="pending", attempts=0))
            uow.session.execute(update(Job).values(lease_until=None, lease_token=None, attempts=0, not_before=uow.now))
        if state_of(live, organization, job_id).state == "done":
            break
    assert met >= (3 if not LONG else 100)
    assert state_of(live, organization, job_id).state == "done"
    assert set(made) == set(clients)
    parts = files(live, organization, job_id, ARCHIVE_FILE)
    assert len(parts) > 1
    held = packed(short, parts)
    assert len(held) == reports + 1
    assert len(index_of(held["index.xlsx"])) == reports


def test_storage_says_what_is_wrong(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "kept")
    organization = UUID(int=1)
    with no_file_longer_than(10), pytest.raises(StorageTrouble) as told:
        storage.keep(organization, ".pdf", b"x" * 100)
    assert told.value.errno == errno.EFBIG
    assert list((tmp_path / "kept").rglob("*.*")) == []
