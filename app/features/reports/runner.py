"""Writes a cohort's reports as a job, and at its end one archive and one workbook."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import structlog
from flask_babel import lazy_gettext
from sqlalchemy import insert, select, text

from app.domain import access
from app.features.audit.service import record
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.service import Settled
from app.features.reports.bundle import write_archive, write_workbook
from app.features.reports.document import TEMPLATE, Writer
from app.features.reports.service import CLIENT_FILE, COHORT, safe_name
from app.features.reports.sources import Sources, load_sources
from app.infra.db.open import UnitOfWork
from app.infra.pdf.press import Printed, press
from app.infra.runtime import Runtime
from app.infra.storage import Stored

_LOG = structlog.get_logger()
ARCHIVE_FILE, WORKBOOK_FILE = "cohort_archive", "cohort_workbook"
# The task ends at 55 s (workers/app.py); what is not begun by then is given back.
_LATEST_START = 30.0
_FOLDER = "reports-{}"


def _load(uow: UnitOfWork, _: Job, clients: Sequence[UUID]) -> tuple[Sequence[UUID], Sources]:
    return clients, load_sources(uow, clients)


def _act(runtime: Runtime, job: Job, loaded: tuple[Sequence[UUID], Sources]) -> Mapping[UUID, Settled]:
    wanted, sources = loaded
    found = {source.id: source for source in sources.clients}
    gone = Settled("skipped", "This person is no longer here.")
    outcomes: dict[UUID, Settled] = {client_id: gone for client_id in wanted if client_id not in found}
    begun = time.monotonic()
    writers: dict[str, Writer] = {}

    def composed() -> Iterator[tuple[UUID, dict[str, Any]]]:
        for source in sources.clients:
            if time.monotonic() - begun > _LATEST_START:
                return
            locale = source.locale or sources.organization.locale
            try:
                writer = writers.setdefault(locale, Writer(sources, locale))
                document = writer.client(source)
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
                runtime.storage.keep, job.organization_id, ".pdf", printed.pdf, folder=_FOLDER.format(job.id)
            )
            kept[client_id] = stored, printed
        for client_id, (future, printed) in kept.items():
            file = future.result()
            source = found[client_id]
            outcomes[client_id] = Settled(
                "done",
                None,
                {
                    "file": str(uuid4()),
                    "location": file.location,
                    "size": file.size,
                    "sha256": file.sha256.hex(),
                    "name": safe_name(f"{source.external_id} {source.name}") + ".pdf",
                    "not_printed": len(printed.missing),
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


def _finish(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any]:
    """Build the archive and the workbook and register both at once; what is there already is left as it is."""
    actor = access.system(organization_id)
    with runtime.database.unit_of_work(actor) as uow:
        job = uow.session.scalars(select(Job).where(Job.id == job_id)).one()
        made = _bundle_of(uow, job_id)
        if made:
            return made
        items = [
            (subject, result)
            for subject, result in uow.session.execute(
                select(JobItem.subject_id, JobItem.result)
                .where(JobItem.job_id == job_id, JobItem.state == "done")
                .order_by(JobItem.position)
            )
            if result
        ]
        name = uow.session.scalar(text("SELECT name FROM cohorts WHERE id = :id"), {"id": job.params["cohort"]})
        _clean(runtime, uow, organization_id, job_id)
    if not items:
        return {"reports": 0}
    stem = safe_name(str(name or "Cohort"))
    archive = write_archive(runtime.storage, organization_id, items)
    workbook = write_workbook(runtime, actor, [client_id for client_id, _ in items])
    with runtime.database.unit_of_work(actor) as uow:
        # Two workers may end a job at the same time; the lock lets one register its files.
        uow.session.execute(select(Job.id).where(Job.id == job_id).with_for_update())
        made = _bundle_of(uow, job_id)
        if not made:
            for kind, stored, ending, media_type in (
                (ARCHIVE_FILE, archive, ".zip", "application/zip"),
                (
                    WORKBOOK_FILE,
                    workbook,
                    ".xlsx",
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                ),
            ):
                uow.session.add(
                    StoredFile(
                        kind=kind,
                        name=stem + ending,
                        media_type=media_type,
                        size=stored.size,
                        sha256=stored.sha256,
                        location=stored.location,
                        job_id=job_id,
                        created_by=job.created_by,
                        created_at=uow.now,
                    )
                )
            uow.session.flush()
            record(uow, "report.cohort_made", "job", job_id, reports=len(items))
            return _bundle_of(uow, job_id)
    for stored in (archive, workbook):
        runtime.storage.delete(stored.location)
    return made


def _bundle_of(uow: UnitOfWork, job_id: UUID) -> dict[str, Any]:
    """What a job's result says of its bundle; empty while it has none."""
    rows = uow.session.execute(
        select(StoredFile.kind, StoredFile.id).where(
            StoredFile.job_id == job_id, StoredFile.kind.in_((ARCHIVE_FILE, WORKBOOK_FILE))
        )
    ).all()
    return {row.kind: str(row.id) for row in rows}


def _clean(runtime: Runtime, uow: UnitOfWork, organization_id: UUID, job_id: UUID) -> None:
    """Remove what attempts that were cut short left in the job's folder; no item is being worked on any more."""
    kept = set(uow.session.scalars(select(StoredFile.location).where(StoredFile.job_id == job_id)))
    for location in runtime.storage.locations(organization_id, _FOLDER.format(job_id)):
        if location not in kept:
            runtime.storage.delete(location)


KIND = JobKind(
    name=COHORT,
    label=lazy_gettext("Write reports"),
    # A second or two of typesetting: the reading is spread, a kill costs little, a page shows it moving.
    batch_size=50,
    slow=SlowWork(load=_load, act=_act, store=_store),
    finish=_finish,
)
