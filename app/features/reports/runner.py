"""Writes many reports as a job: one archive that grows meanwhile, and at the end its index and a workbook."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC
from typing import Any
from uuid import UUID, uuid4

import structlog
from flask_babel import lazy_gettext
from sqlalchemy import insert, select

from app.domain import access
from app.features.audit.service import record
from app.features.jobs.files import offer_file
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.leftovers import drop
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.service import Settled
from app.features.reports import archive
from app.features.reports.archive import GONE
from app.features.reports.bundle import write_workbook
from app.features.reports.document import TEMPLATE, Writer
from app.features.reports.keeping import kept_until
from app.features.reports.models import ReportPart
from app.features.reports.naming import (
    ARCHIVE_FILE,
    CLIENT_FILE,
    COHORT,
    INDEX_FILE,
    WORKBOOK_FILE,
    file_stem,
    folder_of,
)
from app.features.reports.origin import origin_of
from app.features.reports.parts import parts_kept
from app.features.reports.service import retry_failed
from app.features.reports.sources import Sources, load_sources
from app.infra.db.open import UnitOfWork
from app.infra.pdf.pages import count_pages
from app.infra.pdf.press import Printed, press
from app.infra.runtime import Runtime
from app.infra.sheets import XLSX
from app.infra.storage import Stored

_LOG = structlog.get_logger()
# The task ends at 55 s (workers/app.py); what is not begun by then is given back.
_LATEST_START = 30.0
# For so many seconds the archive grows after a batch, and in one go of the closing act.
_GROWS, _CLOSES = 5.0, 15.0


def _load(uow: UnitOfWork, _: Job, clients: Sequence[UUID]) -> tuple[Sequence[UUID], Sources]:
    return clients, load_sources(uow, clients)


def _act(runtime: Runtime, job: Job, loaded: tuple[Sequence[UUID], Sources]) -> Mapping[UUID, Settled]:
    wanted, sources = loaded
    found = {source.id: source for source in sources.clients}
    gone = Settled("skipped", GONE)
    outcomes: dict[UUID, Settled] = {client_id: gone for client_id in wanted if client_id not in found}
    begun = time.monotonic()
    writers: dict[str, Writer] = {}
    parts = parts_kept(job.params)

    def composed() -> Iterator[tuple[UUID, dict[str, Any]]]:
        for source in sources.clients:
            if time.monotonic() - begun > _LATEST_START:
                return
            locale = source.locale or sources.organization.locale
            try:
                writer = writers.setdefault(locale, Writer(sources, locale))
                document = writer.client(source, parts)
            except Exception:
                # One client's content must not cost the others their reports.
                _LOG.exception("report_not_composed", client_id=str(source.id))
                outcomes[source.id] = Settled(
                    "failed", "The report could not be put together. Tell your administrator."
                )
                continue
            yield source.id, document

    with ThreadPoolExecutor(4) as disk:
        # Waiting for the disk overlaps with typesetting.
        kept: dict[UUID, tuple[Future[Stored], Printed]] = {}
        for client_id, printed in press(1).print_each(TEMPLATE, composed()):
            if printed.problem is not None:
                _LOG.error("report_not_printed", client_id=str(client_id), problem=printed.problem)
                outcomes[client_id] = Settled("failed", "The report could not be printed. Tell your administrator.")
                continue
            stored = disk.submit(
                runtime.storage.keep, job.organization_id, ".pdf", printed.pdf, folder=folder_of(job.id)
            )
            kept[client_id] = stored, printed
        for client_id, (future, printed) in kept.items():
            file = future.result()
            source = found[client_id]
            outcomes[client_id] = Settled(
                "done",
                None,
                file.as_json()
                | {
                    "file": str(uuid4()),
                    "name": file_stem(f"{source.external_id} {source.name}") + ".pdf",
                    "pages": count_pages(printed.pdf),
                    "not_printed": len(printed.missing),
                    "data_at": sources.now.astimezone(UTC).isoformat(timespec="microseconds"),
                },
            )
    return outcomes


def _store(uow: UnitOfWork, job: Job, outcomes: Mapping[UUID, Settled]) -> None:
    rows = [
        {
            "organization_id": job.organization_id,
            "id": UUID(result["file"]),
            "kind": CLIENT_FILE,
            "name": result["name"],
            "media_type": "application/pdf",
            "size": result["size"],
            "sha256": bytes.fromhex(result["sha256"]),
            "location": result["location"],
            "job_id": job.id,
            "client_id": client_id,
            "created_by": job.created_by,
            "created_at": uow.now,
        }
        for client_id, outcome in outcomes.items()
        if (result := outcome.result) is not None
    ]
    if rows:
        uow.session.connection().execute(insert(StoredFile), rows)
        record(uow, "report.batch_made", "job", job.id, reports=len(rows))


def _grow(runtime: Runtime, organization_id: UUID, job_id: UUID) -> None:
    archive.grow(runtime, organization_id, job_id, seconds=_GROWS)


def _finish(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any] | None:
    """Finish the archive, then the workbook; what is there already is left as it is. None while more is to be done."""
    actor = access.system(organization_id)
    with runtime.database.unit_of_work(actor) as uow:
        job = uow.session.scalars(select(Job).where(Job.id == job_id)).one()
        _clean(runtime, uow, organization_id, job_id)
    if not job.total:
        return {"reports": 0}
    if not archive.grow(runtime, organization_id, job_id, seconds=_CLOSES, wait=True):
        return None
    if not archive.close(runtime, organization_id, job_id):
        return None
    with runtime.database.unit_of_work(actor) as uow:
        made = _bundle_of(uow, job_id)
        clients = list(
            uow.session.scalars(
                select(JobItem.subject_id)
                .where(JobItem.job_id == job_id, JobItem.state == "done")
                .order_by(JobItem.position)
            )
        )
        name = archive.stem_of(uow, job) + ".xlsx"
    if WORKBOOK_FILE in made or not clients:
        return made
    workbook = write_workbook(runtime, actor, clients, folder=folder_of(job_id))
    with runtime.database.unit_of_work(actor) as uow:
        # Two workers may end a job at the same time; the lock lets one register its file.
        uow.session.execute(select(Job.id).where(Job.id == job_id).with_for_update())
        made = _bundle_of(uow, job_id)
        if WORKBOOK_FILE not in made:
            offer_file(uow, job, workbook, kind=WORKBOOK_FILE, name=name, media_type=XLSX, owner=job.created_by)
            record(uow, "report.cohort_made", "job", job_id, reports=len(clients))
            return _bundle_of(uow, job_id)
    runtime.storage.delete(workbook.location)
    return made


def _bundle_of(uow: UnitOfWork, job_id: UUID) -> dict[str, Any]:
    """What a job's result says of its bundle: its first part, index and workbook, how many parts, and what of."""
    rows = uow.session.execute(
        select(StoredFile.kind, StoredFile.id)
        .outerjoin(ReportPart, ReportPart.file_id == StoredFile.id)
        .where(StoredFile.job_id == job_id, StoredFile.kind.in_((ARCHIVE_FILE, INDEX_FILE, WORKBOOK_FILE)))
        .order_by(ReportPart.number.desc())
    ).all()
    made: dict[str, Any] = {row.kind: str(row.id) for row in rows}
    return made | {"parts": sum(row.kind == ARCHIVE_FILE for row in rows), "origin": origin_of(uow, job_id)}


def _clean(runtime: Runtime, uow: UnitOfWork, organization_id: UUID, job_id: UUID) -> None:
    """Remove what attempts that were cut short left in the job's folder; no item is being worked on any more."""
    kept = set(uow.session.scalars(select(StoredFile.location).where(StoredFile.job_id == job_id)))
    growing = tuple(uow.session.scalars(select(ReportPart.location).where(ReportPart.job_id == job_id)))
    for location in runtime.storage.locations(organization_id, folder_of(job_id)):
        if location not in kept and not location.startswith(growing):
            runtime.storage.delete(location)


KIND = JobKind(
    name=COHORT,
    label=lazy_gettext("Write reports"),
    permission=access.Permission.REPORT_CLIENTS,
    # A second or two of typesetting: the reading is spread, a kill costs little, a page shows it moving.
    batch_size=50,
    slow=SlowWork(load=_load, act=_act, store=_store, drop=drop),
    grow=_grow,
    finish=_finish,
    long_finish=True,
    retry=retry_failed,
    kept_until=kept_until,
)
