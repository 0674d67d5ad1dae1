"""A cohort's reports as a job: one report each whatever happens, an archive, a workbook."""

from __future__ import annotations

import hashlib
import io
import random
import re
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import openpyxl
import pikepdf
import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import func, select, text, update

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.errors import NotFound
from app.features.clients.models import CaseloadEntry
from app.features.cohorts.models import Cohort
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.runner import work
from app.features.reports import runner as reports_runner
from app.features.reports import service
from app.features.reports.commands import ReportCohort
from app.features.reports.naming import ARCHIVE_FILE, CLIENT_FILE, COHORT, INDEX_FILE, WORKBOOK_FILE
from app.features.reports.origin import template_version
from app.features.reports.parts import PARTS
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.reports.maker import cohort_of, fill_plans

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", '=HYPERLINK("http://x","y")', "http://x.example"]


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


def ask(runtime: Runtime, person: Person, cohort: UUID, key: str = "k") -> UUID:
    with runtime.database.unit_of_work(person.actor) as uow:
        return service.report_cohort(uow, ReportCohort(cohort_id=cohort, idempotency_key=key)).id


def run(runtime: Runtime, organization: UUID) -> None:
    for _ in range(20):
        if not work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(seconds=60)):
            return


def files(runtime: Runtime, person: Person, kind: str) -> list[StoredFile]:
    with runtime.database.unit_of_work(person.actor) as uow:
        return list(uow.session.scalars(select(StoredFile).where(StoredFile.kind == kind)))


def content(runtime: Runtime, file: StoredFile) -> bytes:
    data = runtime.storage.path(file.location).read_bytes()
    assert hashlib.sha256(data).digest() == file.sha256
    assert len(data) == file.size
    return data


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_archive_and_the_workbook_hold_everyone_once(runtime: Runtime, world: World, admin: Person) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 7)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for client, name in zip(clients, FORMULAS, strict=True):
            uow.session.execute(text("UPDATE clients SET family_name = :n WHERE id = :i"), {"n": name, "i": client})
    fill_plans(runtime, world, organization, clients[:5])
    cohort = cohort_of(runtime, organization, clients)
    job_id = ask(runtime, admin, cohort)
    assert ask(runtime, admin, cohort) == job_id
    run(runtime, organization)
    with runtime.database.unit_of_work(admin.actor) as uow:
        job = uow.session.scalars(select(Job)).one()
    assert job.state == "done"
    (archive,) = files(runtime, admin, ARCHIVE_FILE)
    (workbook,) = files(runtime, admin, WORKBOOK_FILE)
    (index_file,) = files(runtime, admin, INDEX_FILE)
    origin = job.result.pop("origin")
    assert (origin["data_from"], origin["data_until"]) == (
        origin["data_until"],
        runtime.clock().isoformat(timespec="microseconds"),
    )
    assert (origin["template"], origin["rows"]) == (template_version(), 7)
    assert {file["sha256"] for file in origin["files"]} == {one.sha256.hex() for one in (archive, workbook, index_file)}
    assert job.result == {
        "cohort_archive": str(archive.id),
        "report_index": str(index_file.id),
        "cohort_workbook": str(workbook.id),
        "parts": 1,
    }
    with zipfile.ZipFile(io.BytesIO(content(runtime, archive))) as opened:
        assert opened.testzip() is None
        names = [name for name in opened.namelist() if name.startswith("reports/")]
        assert len(names) == len(set(names)) == 7
        assert all("/" not in name.removeprefix("reports/") for name in names)
        assert all(opened.read(name).startswith(b"%PDF-") for name in names)
        assert opened.read("index.xlsx") == content(runtime, index_file)
        index = openpyxl.load_workbook(io.BytesIO(opened.read("index.xlsx")))["Clients"]
        listed = {row[2]: (row[3], row[4], row[5]) for row in index.iter_rows(min_row=2, values_only=True)}
        # By the names under which they lie in the archive.
        assert listed == {
            name: (1, len(PdfReader(io.BytesIO(opened.read(name))).pages), sha256(opened.read(name))) for name in names
        }
    book = openpyxl.load_workbook(io.BytesIO(content(runtime, workbook)))
    assert book.sheetnames == ["Clients", "Scores", "Reviews"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert not sheet.merged_cells.ranges
        (table,) = sheet.tables.values()
        assert [column.name for column in table.tableColumns] == [cell.value for cell in sheet[1]]
        assert all(cell.data_type != "f" and cell.hyperlink is None for row in sheet for cell in row)
    people = list(book["Clients"].iter_rows(min_row=2, values_only=True))
    assert {row[1].split(" ", 1)[1] for row in people} == set(FORMULAS)
    assert sum(row[3] is not None for row in people) == 5


def test_a_counsellor_reports_on_their_own_clients_alone(runtime: Runtime, world: World, admin: Person) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 4)
    counsellor = world.person(organization, Role.COUNSELLOR)
    world.caseload(counsellor, clients[:1])
    cohort = cohort_of(runtime, organization, clients)
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        numbers = service.preview_cohort(uow, cohort)
    assert (numbers.reports, numbers.without_plan, numbers.not_yours) == (1, 1, 3)
    ask(runtime, counsellor, cohort)
    run(runtime, organization)
    assert [file.client_id for file in files(runtime, counsellor, CLIENT_FILE)] == clients[:1]
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        assert len(service.files_of_client(uow, clients[0])) == 1
        assert service.files_of_client(uow, clients[1]) == []
    stranger = world.person(world.organization(), Role.ADMIN)
    file = files(runtime, counsellor, CLIENT_FILE)[0]
    with runtime.database.unit_of_work(stranger.actor) as uow, pytest.raises(NotFound):
        service.take_file(uow, clients[0], file.id)


def test_t2_who_left_the_caseload_is_not_named_by_the_counsellors_old_jobs(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 2, family_name="Zanzibar-Marked")
    counsellor, successor = (world.person(organization, Role.COUNSELLOR) for _ in range(2))
    world.caseload(counsellor, clients)
    world.plan(organization, clients[0])
    job = ask(runtime, counsellor, cohort_of(runtime, organization, clients))
    run(runtime, organization)
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        # Both lines of the job carry a reason, as a failure would.
        uow.session.execute(update(JobItem).values(reason="Told"))
        (file,) = service.files_of_client(uow, clients[0])
    browser = world.browser(app, counsellor)
    assert browser.get(f"/jobs/{job}").text.count("Zanzibar-Marked") == 2
    assert browser.get(f"/files/{file.id}", buffered=True, follow_redirects=True).status_code == 200
    bundle = [
        *files(runtime, counsellor, ARCHIVE_FILE),
        *files(runtime, counsellor, WORKBOOK_FILE),
    ]
    links = [browser.get(f"/files/{one.id}").location for one in bundle]
    assert [browser.get(link, buffered=True).status_code for link in links] == [200, 200]
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(update(CaseloadEntry).values(membership_id=successor.actor.membership_id))
    # The archive holds the reports of both, the workbook names them.
    assert [browser.get(link).status_code for link in links] == [404, 404]
    for bundled in bundle:
        assert browser.get(f"/files/{bundled.id}").status_code == 404
        assert str(bundled.id) not in browser.get("/api/v1/files").text
        assert world.browser(app, admin).get(f"/files/{bundled.id}").status_code == 302
    page = browser.get(f"/jobs/{job}")
    assert page.status_code == 200
    assert "Told" in page.text
    assert "Zanzibar-Marked" not in page.text
    for address in (f"/files/{file.id}", f"/api/v1/files/{file.id}", f"/api/v1/files/{file.id}/content"):
        assert browser.get(address).status_code == 404
    assert str(file.id) not in browser.get("/api/v1/files").text
    assert world.browser(app, admin).get(f"/jobs/{job}").text.count("Zanzibar-Marked") == 2


def test_a_cohort_of_nobody_ends_without_files(runtime: Runtime, world: World, admin: Person) -> None:
    cohort = cohort_of(runtime, admin.actor.organization_id, [])
    ask(runtime, admin, cohort)
    run(runtime, admin.actor.organization_id)
    with runtime.database.unit_of_work(admin.actor) as uow:
        job = uow.session.scalars(select(Job)).one()
        assert (job.state, job.result) == ("done", {"reports": 0})
        assert uow.session.scalar(select(func.count()).select_from(StoredFile)) == 0


class Killed(BaseException):
    """Stands for a worker that ends at this point."""


@pytest.mark.parametrize("seed", range(6))
def test_j13_cut_short_anywhere_everyone_has_exactly_one_report(
    runtime: Runtime, world: World, admin: Person, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """J13: whatever write is the last before the end, every listed file is whole and no client has two or none."""
    organization = admin.actor.organization_id
    clients = world.clients(organization, 6)
    cohort = cohort_of(runtime, organization, clients)
    job_id = ask(runtime, admin, cohort)
    chance = random.Random(seed)
    original = {name: getattr(reports_runner, name) for name in ("_store", "write_workbook", "record")}

    def dangerous(name: str) -> Any:
        def call(*arguments: Any, **values: Any) -> Any:
            if chance.random() < 0.4:
                raise Killed(f"before {name}")
            result = original[name](*arguments, **values)
            if chance.random() < 0.4:
                raise Killed(f"after {name}")
            return result

        return call

    for name in original:
        monkeypatch.setattr(reports_runner, name, dangerous(name))
    kind = JOB_KINDS[COHORT]
    slow = kind.slow
    assert slow is not None
    object.__setattr__(slow, "store", reports_runner._store)
    killed = 0
    try:
        for _ in range(60):
            try:
                if not work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(seconds=60)):
                    break
            except Killed:
                killed += 1
            # The lease of a dead worker runs out; its attempt is not this test's matter.
            with runtime.database.unit_of_work(access.system(organization)) as uow:
                uow.session.execute(
                    update(JobItem).where(JobItem.state == "leased").values(state="pending", attempts=0)
                )
                uow.session.execute(
                    update(Job).values(lease_until=None, lease_token=None, attempts=0, not_before=uow.now)
                )
    finally:
        object.__setattr__(slow, "store", original["_store"])
    assert killed
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert uow.session.scalars(select(Job.state)).one() == "done"
        results = {i.subject_id: i.result for i in uow.session.scalars(select(JobItem)) if i.result}
    made = files(runtime, admin, CLIENT_FILE)
    assert sorted(file.client_id for file in made if file.client_id) == sorted(clients)
    assert {client: UUID(result["file"]) for client, result in results.items()} == {f.client_id: f.id for f in made}
    bundle = files(runtime, admin, ARCHIVE_FILE) + files(runtime, admin, WORKBOOK_FILE)
    bundle += files(runtime, admin, INDEX_FILE)
    assert len(bundle) == 3
    for file in made + bundle:
        content(runtime, file)
    # Nothing but the listed files is left in the job's folder.
    assert set(runtime.storage.locations(organization, f"reports-{job_id}")) == {
        file.location for file in made + bundle
    }


def test_a_cohort_of_another_organization_is_not_found(runtime: Runtime, world: World, admin: Person) -> None:
    cohort = cohort_of(runtime, admin.actor.organization_id, [])
    stranger = world.person(world.organization(), Role.ADMIN)
    with pytest.raises(NotFound):
        ask(runtime, stranger, cohort)
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert uow.session.scalar(select(func.count()).select_from(Cohort)) == 1


def test_the_parts_chosen_for_a_cohort_are_in_each_of_its_reports(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 2)
    fill_plans(runtime, world, organization, clients)
    cohort = cohort_of(runtime, organization, clients)
    browser = world.browser(app, admin)
    page = browser.get(f"/cohorts/{cohort}/reports")
    assert all(f'name="part" value="{part}"' in page.text for part in PARTS)
    key, token = (re.search(rf'name="{name}" value="([^"]+)"', page.text) for name in ("key", "csrf_token"))
    assert key
    assert token
    sent = {"csrf_token": token[1], "key": key[1], "part": ["goals", "dates"]}
    first, again = (browser.post(f"/cohorts/{cohort}/reports", data=sent) for _ in range(2))
    assert (first.status_code, first.location) == (302, again.location)
    # The same form sent again with another choice is not taken for the job that has begun.
    other = browser.post(f"/cohorts/{cohort}/reports", data=sent | {"part": ["story"]})
    assert other.status_code == 409
    run(runtime, organization)
    made = files(runtime, admin, CLIENT_FILE)
    assert len(made) == 2
    for file in made:
        with pikepdf.open(io.BytesIO(content(runtime, file))) as opened, opened.open_outline() as outline:
            assert [str(item.title) for item in outline.root[0].children] == ["Next dates", "6  Goals"]
    asked, headers = f"/api/v1/cohorts/{cohort}/reports", {"X-CSRFToken": token[1]}
    short = browser.post(asked, json={"form": "short"}, headers=headers)
    assert short.status_code == 202
    with runtime.database.unit_of_work(admin.actor) as uow:
        job = uow.session.scalars(select(Job).where(Job.id == UUID(short.json["id"]))).one()
        assert job.params["form"] == "short"
    assert browser.post(asked, json={"parts": ["notes"]}, headers=headers).status_code == 422
