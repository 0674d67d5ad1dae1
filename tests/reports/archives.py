"""What the tests of archives share: reports that are quickly made, and what a job has made of them."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import openpyxl
from sqlalchemy import select

from app.composition import JOB_KINDS
from app.domain import access
from app.features.audit.models import AuditEntry
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.runner import work
from app.features.reports import service
from app.features.reports.commands import ReportCohort
from app.features.reports.models import ReportPart
from app.features.reports.naming import CLIENT_FILE
from app.infra.runtime import Runtime
from tests.factories import Person
from tests.reports.maker import cohort_of


def small(runtime: Runtime) -> Runtime:
    """The same installation with parts of a MiB: some thirty of the reports of these tests."""
    return replace(runtime, settings=replace(runtime.settings, archive_part_mib=1))


def pretend(
    runtime: Runtime, person: Person, clients: list[UUID], sizes: list[int], *, cohort: UUID | None = None
) -> UUID:
    """A running job whose items have come to their end with files of these sizes, as a worker would leave them."""
    organization = person.actor.organization_id
    job_id = ask(runtime, person, cohort or cohort_of(runtime, organization, clients))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        job = uow.session.scalars(select(Job).where(Job.id == job_id)).one()
        job.state, job.started_at = "running", uow.now
        items = uow.session.scalars(select(JobItem).where(JobItem.job_id == job_id).order_by(JobItem.position)).all()
        for item, size in zip(items, sizes, strict=True):
            data = random.Random(size).randbytes(size)
            stored = runtime.storage.keep(organization, ".pdf", data, folder=f"reports-{job_id}")
            item.state = "done"
            item.result = {
                "location": stored.location,
                "size": size,
                "sha256": stored.sha256.hex(),
                "name": f"{size}.pdf",
                "pages": 2,
            }
            uow.session.add(
                StoredFile(
                    kind=CLIENT_FILE,
                    name=f"{size}.pdf",
                    media_type="application/pdf",
                    size=size,
                    sha256=stored.sha256,
                    location=stored.location,
                    job_id=job_id,
                    client_id=item.subject_id,
                    created_by=person.actor.membership_id,
                )
            )
    return job_id


def ask(runtime: Runtime, person: Person, cohort: UUID, key: str | None = None) -> UUID:
    with runtime.database.unit_of_work(person.actor) as uow:
        return service.report_cohort(uow, ReportCohort(cohort_id=cohort, idempotency_key=key)).id


def run(runtime: Runtime, organization: UUID, times: int = 20) -> None:
    for _ in range(times):
        if not work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(seconds=60)):
            return


def files(runtime: Runtime, organization: UUID, job_id: UUID, kind: str) -> list[StoredFile]:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return list(
            uow.session.scalars(
                select(StoredFile)
                .outerjoin(ReportPart, ReportPart.file_id == StoredFile.id)
                .where(StoredFile.job_id == job_id, StoredFile.kind == kind)
                .order_by(ReportPart.number)
            )
        )


def content(runtime: Runtime, file: StoredFile) -> bytes:
    """A listed file's bytes: it is there, whole, and has the digest that is listed (J13)."""
    data = runtime.storage.path(file.location).read_bytes()
    assert (len(data), hashlib.sha256(data).digest()) == (file.size, file.sha256)
    return data


def packed(runtime: Runtime, parts: list[StoredFile]) -> dict[str, bytes]:
    """What the parts hold together; every one opens, and no name is in two of them."""
    found: dict[str, bytes] = {}
    for part in parts:
        with zipfile.ZipFile(io.BytesIO(content(runtime, part))) as opened:
            assert opened.testzip() is None
            for info in opened.infolist():
                assert info.filename not in found
                assert (info.compress_type, info.date_time) == (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))
                found[info.filename] = opened.read(info)
    return found


def index_of(data: bytes) -> list[tuple[object, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(min_row=2, values_only=True))


def state_of(runtime: Runtime, organization: UUID, job_id: UUID) -> Job:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return uow.session.scalars(select(Job).where(Job.id == job_id)).one()


def actions(runtime: Runtime, organization: UUID) -> list[str]:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return list(uow.session.scalars(select(AuditEntry.action)))


KIB = 1 << 10
