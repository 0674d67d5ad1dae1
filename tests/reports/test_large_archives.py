"""Archives at their real limit, of thousands of pages, and of people who leave while their report is written."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from sqlalchemy import delete, select, text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.features.clients.models import Client
from app.features.jobs.models import Job, JobItem
from app.features.jobs.runner import work
from app.features.jobs.service import Settled
from app.features.plans.models import StepContent
from app.features.reports import archive
from app.features.reports.models import ReportPart
from app.features.reports.naming import ARCHIVE_FILE, CLIENT_FILE, COHORT
from app.infra import zips
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.reports.archives import KIB, ask, content, files, index_of, packed, pretend, run, state_of
from tests.reports.maker import cohort_of, fill_plans

LONG = os.environ.get("OCTANT_TEST_LONG") == "1"
TWO_GIB = 2 << 30


def nearly_full(path: Path, most: int) -> tuple[int, int, int]:
    """A growing archive of that weight but for some KiB, whose entries are holes on the disk: size, weight, entries."""
    content = 64 << 20
    crc = zlib.crc32(bytes(content))
    size, weight, entries = 0, zips.weight("", 0), 0
    with path.open("wb") as handle:
        while True:
            name = f"reports/0{entries:04} filler.pdf"
            left = min(content, most - weight - zips.weight(name, 0) - 15 * KIB)
            if left <= 0:
                break
            handle.seek(size)
            head = zips.head(name, left, crc if left == content else zlib.crc32(bytes(left)))
            handle.write(head)
            size, weight, entries = size + len(head) + left, weight + zips.weight(name, left), entries + 1
        handle.truncate(size)
    return size, weight, entries


def test_a_part_is_full_at_two_gibibytes_and_opens(runtime: Runtime, world: World, admin: Person) -> None:
    organization = admin.actor.organization_id
    assert archive.most_bytes(runtime) == TWO_GIB
    job_id = pretend(runtime, admin, world.clients(organization, 3), [10 * KIB, 10 * KIB + 1, 10 * KIB + 2])
    location = runtime.storage.new_location(organization, ".zip", folder=f"reports-{job_id}")
    size, weight, entries = nearly_full(Path(f"{runtime.storage.path(location)}.part"), TWO_GIB)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.add(
            ReportPart(
                job_id=job_id,
                number=1,
                first_position=0,
                next_position=0,
                location=location,
                size=size,
                weight=weight,
                entries=entries,
            )
        )
    run(runtime, organization)
    assert state_of(runtime, organization, job_id).state == "done"
    first, second = files(runtime, organization, job_id, ARCHIVE_FILE)
    assert TWO_GIB - 16 * KIB < first.size <= TWO_GIB
    with zipfile.ZipFile(runtime.storage.path(first.location)) as opened:
        names = opened.namelist()
        assert len(names) == entries + 1
        # The last of them begins behind 2 GiB less a report; what a reader finds there is the report.
        assert len(opened.read(names[-1])) in (10 * KIB, 10 * KIB + 1, 10 * KIB + 2)
    # Behind the last entry: no sign of the form for larger archives, which old programs cannot read.
    with runtime.storage.path(first.location).open("rb") as handle:
        handle.seek(-22, os.SEEK_END)
        signature, *_, directory, begins, comment = struct.unpack("<4s4H2IH", handle.read())
        assert (signature, begins + directory + 22, comment) == (b"PK\x05\x06", first.size, 0)
    held = packed(runtime, [second])
    assert len(held) == 3
    assert len(index_of(held["index.xlsx"])) == 3


def test_an_entry_adds_to_an_archive_what_it_is_said_to(tmp_path: Path) -> None:
    entries = [(f"reports/{n} é張.pdf", bytes([n]) * n * 997) for n in range(40)]
    path = tmp_path / "some.zip"
    with path.open("w+b") as handle:
        for name, data in entries:
            handle.write(zips.entry(name, data))
        zips.write_directory(handle, handle.tell())
    # What ends the directory is counted with the first.
    assert path.stat().st_size == sum(zips.weight(name, len(data)) for name, data in entries) + 22
    assert zips.weight("", 0) >= 22


def _wordy(value: Any) -> Any:
    """The content with every text as long as a page."""
    long = "An answer that was thought about, and written down at length so that nothing is forgotten. " * 20
    if isinstance(value, dict):
        return {
            name: long if name in ("statement", "why", "fits") and each else _wordy(each)
            for name, each in value.items()
        }
    return [_wordy(each) for each in value] if isinstance(value, list) else value


@pytest.mark.fault
@pytest.mark.timeout(1800)
def test_a_cohort_of_ten_thousand_pages_is_packed_whole(live: Runtime) -> None:
    """The long form has 10,000 pages, the short one 300."""
    pages = 10_000 if LONG else 300
    world = World(live)
    admin = world.person(world.organization(), Role.ADMIN)
    organization = admin.actor.organization_id
    clients = world.clients(organization, pages // 4)
    fill_plans(live, world, organization, clients)
    with live.database.unit_of_work(access.system(organization)) as uow:
        for row in uow.session.scalars(select(StepContent).execution_options(yield_per=500)):
            row.content = _wordy(row.content)
    short = replace(live, settings=replace(live.settings, archive_part_mib=2))
    job_id = ask(live, admin, cohort_of(live, organization, clients))
    run(short, organization, times=200)
    job = state_of(live, organization, job_id)
    assert (job.state, job.error) == ("done", None)
    parts = files(live, organization, job_id, ARCHIVE_FILE)
    listed, found = 0, 0
    for part in parts:
        assert part.size <= 2 << 20
        with zipfile.ZipFile(live.storage.path(part.location)) as opened:
            assert opened.testzip() is None
            for name in opened.namelist():
                if name == "index.xlsx":
                    lines = index_of(opened.read(name))
                    listed = sum(int(str(line[4])) for line in lines)
                    continue
                with opened.open(name) as report, pikepdf.open(report) as pdf:
                    found += len(pdf.pages)
    assert len(lines) == len(clients)
    assert listed == found >= pages
    assert len(parts) > 1


def test_who_is_erased_while_their_report_is_typeset_is_in_no_part_and_costs_nobody_theirs(
    runtime: Runtime, world: World, admin: Person
) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 5)
    job_id = ask(runtime, admin, cohort_of(runtime, organization, clients))
    kind = JOB_KINDS[COHORT]
    assert kind.slow is not None
    act, typeset = kind.slow.act, []

    def erasing(runtime: Runtime, job: Job, loaded: Any) -> Mapping[UUID, Settled]:
        outcomes = act(runtime, job, loaded)
        typeset.extend(outcomes)
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            uow.session.execute(text("DELETE FROM cohort_members WHERE client_id = :c"), {"c": clients[2]})
            uow.session.execute(delete(Client).where(Client.id == clients[2]))
        return outcomes

    kinds = {**JOB_KINDS, COHORT: replace(kind, slow=replace(kind.slow, act=erasing))}
    for _ in range(10):
        if not work(runtime, organization, kinds, until=runtime.clock() + timedelta(seconds=60)):
            break
    assert sorted(typeset) == sorted(clients)
    assert state_of(runtime, organization, job_id).state == "done"
    kept = files(runtime, organization, job_id, CLIENT_FILE)
    assert {file.client_id for file in kept} == set(clients) - {clients[2]}
    held = packed(runtime, files(runtime, organization, job_id, ARCHIVE_FILE))
    assert len(held) == 5
    assert sorted(str(line[6]) for line in index_of(held["index.xlsx"])) == ["done"] * 4 + ["left out"]
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        (gone,) = uow.session.scalars(select(JobItem).where(JobItem.state != "done"))
    assert (gone.subject_id, gone.state) == (clients[2], "skipped")
    # Nothing of theirs is left where files are kept.
    assert set(runtime.storage.locations(organization, f"reports-{job_id}")) >= {file.location for file in kept}
    assert all(content(runtime, file) for file in kept)
    pdfs = [one for one in runtime.storage.locations(organization, f"reports-{job_id}") if one.endswith(".pdf")]
    assert len(pdfs) == 4
