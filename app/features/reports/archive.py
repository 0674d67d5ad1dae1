"""A job's archive: it grows while the job runs, in parts that are offered the moment they are whole.

What stands in it follows from the job's items alone, in their order: an item is taken in once every item before it has
come to its end. So the same reports give the same bytes, however many workers wrote them and wherever they stopped. A
piece is written and then noted in one transaction; what an attempt that was cut short wrote behind it is taken off.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, text

from app.domain import access
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.jobs.claims import settle_items
from app.features.jobs.files import offer_file
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.service import Settled
from app.features.reports.index import Written, write_index
from app.features.reports.models import ReportPart
from app.features.reports.naming import ARCHIVE_FILE, INDEX_FILE, file_stem, folder_of
from app.infra import zips
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from app.infra.sheets import XLSX
from app.infra.storage import Storage, Stored, Torn, told

_MEDIA_TYPES = {
    ARCHIVE_FILE: "application/zip",
    INDEX_FILE: XLSX,
}
# So many reports are taken in at once, and the archive grows a hundred times at most while its job runs: looking for
# what is ready reads all the job's items.
_AT_ONCE, _FEWEST, _GOES = 500, 50, 100
_PAUSE = 0.1
GONE = later("This person is no longer here.")
_LOST = later("The file of this report is no longer where it was kept, or was changed there.")


class _Step(Enum):
    NOTHING, DID, BUSY = range(3)


@dataclass(frozen=True, slots=True)
class _Ready:
    client_id: UUID
    position: int
    result: dict[str, Any]
    known: bool


def grow(runtime: Runtime, organization_id: UUID, job_id: UUID, *, seconds: float, wait: bool = False) -> bool:
    """Take into the archive what is ready, for a while. Returns whether nothing was left that could be taken in.

    Harmless to repeat, in any number of processes: one of them writes, the others leave it, or `wait` for their turn.
    Raises StorageTrouble; what was taken in before stays.
    """
    until = time.monotonic() + seconds
    while True:
        step = _grow_once(runtime, organization_id, job_id)
        if step is _Step.NOTHING:
            return True
        if time.monotonic() >= until or (step is _Step.BUSY and not wait):
            return False
        if step is _Step.BUSY:
            time.sleep(_PAUSE)


def close(runtime: Runtime, organization_id: UUID, job_id: UUID) -> bool:
    """Put the index behind the last report and offer the last part, and the index by itself.

    Returns False when there is more to take in first, or another process is at it. Harmless to repeat.
    """
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        if not _lock(uow, job_id):
            return False
        job = uow.session.scalars(select(Job).where(Job.id == job_id)).one()
        if uow.session.scalar(select(StoredFile.id).where(_of_job(job_id), StoredFile.kind == INDEX_FILE)):
            return True
        last = _last_part(uow, job_id)
        part = last if last is not None and last.file_id is None else None
        if part is not None and _without_the_gone(uow, runtime.storage, job, part):
            return False
        with told(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "index.xlsx"
            write_index(uow, path, _lines(uow, job_id))
            if last is not None:
                part = _room_for_index(uow, runtime, job, last, path.stat().st_size)
                try:
                    _append_index(runtime.storage, part, path)
                except Torn:
                    _begin_anew(runtime.storage, job, part)
                    return False
                _seal(uow, runtime.storage, job, part, only=part.number == 1)
            with runtime.storage.writing(organization_id, ".xlsx", folder=folder_of(job_id)) as pending:
                pending.handle.write(path.read_bytes())
        _offer(uow, job, pending.stored, INDEX_FILE, f"{stem_of(uow, job)} index.xlsx")
        return True


def stem_of(uow: UnitOfWork, job: Job) -> str:
    """What the files of a job are called, without their endings."""
    name = job.params.get("title") or uow.session.scalar(
        text("SELECT name FROM cohorts WHERE id = :id"), {"id": job.params.get("cohort")}
    )
    return file_stem(str(name or "Cohort"))


def _grow_once(runtime: Runtime, organization_id: UUID, job_id: UUID) -> _Step:
    storage = runtime.storage
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        if not _lock(uow, job_id):
            return _Step.BUSY
        job = uow.session.scalars(select(Job).where(Job.id == job_id)).one()
        if job.state not in ("running", "finishing"):
            return _Step.NOTHING
        last = _last_part(uow, job_id)
        begin = last.next_position if last is not None else 0
        end = uow.session.scalar(
            select(func.min(JobItem.position)).where(JobItem.job_id == job_id, JobItem.state.in_(("pending", "leased")))
        )
        if end is not None and end - begin < max(_FEWEST, job.total // _GOES):
            return _Step.NOTHING
        ready = _ready(uow, job_id, begin, end)
        if not ready:
            return _Step.NOTHING
        part = last if last is not None and last.file_id is None else _new_part(uow, storage, job, last)
        try:
            lost, full = _append(storage, part, ready, len(str(job.total)), most_bytes(runtime))
        except Torn:
            _begin_anew(storage, job, part)
            return _Step.DID
        _settle_lost(uow, storage, job, lost)
        if full and not _without_the_gone(uow, storage, job, part):
            _seal(uow, storage, job, part)
        return _Step.DID


def most_bytes(runtime: Runtime) -> int:
    """No part becomes larger than this, unless a single report is."""
    return min(runtime.settings.archive_part_mib << 20, zips.MOST_BYTES)


def _lock(uow: UnitOfWork, job_id: UUID) -> bool:
    # Held by the transaction: who dies lets go of it at once.
    statement = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:whose, 0))")
    return bool(uow.session.scalar(statement, {"whose": f"reports.archive {job_id}"}))


def _last_part(uow: UnitOfWork, job_id: UUID) -> ReportPart | None:
    return uow.session.scalars(
        select(ReportPart).where(ReportPart.job_id == job_id).order_by(ReportPart.number.desc()).limit(1)
    ).one_or_none()


def _known() -> ColumnElement[bool]:
    return exists().where(Client.organization_id == JobItem.organization_id, Client.id == JobItem.subject_id)


def _ready(uow: UnitOfWork, job_id: UUID, begin: int, end: int | None) -> list[_Ready]:
    statement = select(JobItem.subject_id, JobItem.position, JobItem.result, _known()).where(
        JobItem.job_id == job_id, JobItem.position >= begin, JobItem.state == "done"
    )
    if end is not None:
        statement = statement.where(JobItem.position < end)
    rows = uow.session.execute(statement.order_by(JobItem.position).limit(_AT_ONCE))
    return [_Ready(client_id, position, result or {}, known) for client_id, position, result, known in rows]


def _new_part(uow: UnitOfWork, storage: Storage, job: Job, last: ReportPart | None) -> ReportPart:
    begin = last.next_position if last is not None else 0
    part = ReportPart(job_id=job.id, number=last.number + 1 if last is not None else 1, first_position=begin)
    uow.session.add(part)
    _begin_anew(storage, job, part)
    uow.session.flush()
    return part


def _begin_anew(storage: Storage, job: Job, part: ReportPart) -> None:
    if part.location:
        storage.delete(part.location)
    part.location = storage.new_location(job.organization_id, ".zip", folder=folder_of(job.id))
    part.next_position, part.size, part.entries = part.first_position, 0, 0
    part.weight = zips.weight("", 0)


def _append(
    storage: Storage, part: ReportPart, ready: Sequence[_Ready], width: int, most: int
) -> tuple[dict[UUID, Settled], bool]:
    """Write reports behind the part while they fit.

    Returns those that there is no report of any more, and whether one did not fit.
    """
    lost: dict[UUID, Settled] = {}
    full = False
    with storage.growing(part.location, part.size) as handle:
        for one in ready:
            content = storage.content(one.result["location"]) if one.known and one.result else None
            if content is None or hashlib.sha256(content).hexdigest() != one.result["sha256"]:
                lost[one.client_id] = Settled("failed", _LOST) if one.known else Settled("skipped", GONE)
                part.next_position = one.position + 1
                continue
            # By its place in the index: no two names are alike, and they stand in its order.
            name = entry_name(one.position, width, one.result["name"])
            adds = zips.weight(name, len(content))
            if part.entries and (part.weight + adds > most or part.entries >= zips.MOST_ENTRIES):
                full = True
                break
            written = zips.entry(name, content)
            handle.write(written)
            part.size, part.weight, part.entries = part.size + len(written), part.weight + adds, part.entries + 1
            part.next_position = one.position + 1
    return lost, full


def entry_name(position: int, width: int, name: str) -> str:
    """Where a report lies in the archive, as the index names it too."""
    return f"reports/{position:0{width}d} {name}"


def _settle_lost(uow: UnitOfWork, storage: Storage, job: Job, lost: dict[UUID, Settled]) -> None:
    if not lost:
        return
    settle_items(uow, job, lost)
    theirs = (_of_job(job.id), StoredFile.client_id.in_(list(lost)))
    for location in uow.session.scalars(select(StoredFile.location).where(*theirs)):
        storage.delete(location)
    uow.session.execute(delete(StoredFile).where(*theirs).execution_options(synchronize_session=False))


def _without_the_gone(uow: UnitOfWork, storage: Storage, job: Job, part: ReportPart) -> bool:
    """Begin a part anew that holds a report of somebody who was erased meanwhile. Returns whether it did."""
    gone = uow.session.scalars(
        select(JobItem.subject_id).where(
            JobItem.job_id == job.id,
            JobItem.position >= part.first_position,
            JobItem.position < part.next_position,
            JobItem.state == "done",
            ~_known(),
        )
    ).all()
    if gone:
        _settle_lost(uow, storage, job, dict.fromkeys(gone, Settled("skipped", GONE)))
        _begin_anew(storage, job, part)
    return bool(gone)


def _room_for_index(uow: UnitOfWork, runtime: Runtime, job: Job, last: ReportPart, size: int) -> ReportPart:
    """The part the index goes into: the one that grows, or a new one where that is full."""
    if last.file_id is None:
        if not last.entries or last.weight + zips.weight("index.xlsx", size) <= most_bytes(runtime):
            return last
        _seal(uow, runtime.storage, job, last)
    return _new_part(uow, runtime.storage, job, last)


def _append_index(storage: Storage, part: ReportPart, path: Path) -> None:
    content = path.read_bytes()
    with storage.growing(part.location, part.size) as handle:
        written = zips.entry("index.xlsx", content)
        handle.write(written)
    part.size += len(written)


def _seal(uow: UnitOfWork, storage: Storage, job: Job, part: ReportPart, *, only: bool = False) -> None:
    """Make the part whole and offer it."""
    with storage.growing(part.location, part.size) as handle:
        zips.write_directory(handle, part.size)
    stored = storage.end_growing(part.location)
    stem = stem_of(uow, job)
    name = f"{stem}.zip" if only else f"{stem} {part.number}.zip"
    part.file_id = _offer(uow, job, stored, ARCHIVE_FILE, name)
    uow.session.flush()
    record(uow, "report.part_made", "job", job.id, number=part.number, reports=part.entries)


def _offer(uow: UnitOfWork, job: Job, stored: Stored, kind: str, name: str) -> UUID:
    media_type = _MEDIA_TYPES[kind]
    return offer_file(uow, job, stored, kind=kind, name=name, media_type=media_type, owner=job.created_by).id


def _of_job(job_id: UUID) -> ColumnElement[bool]:
    return StoredFile.job_id == job_id


def _lines(uow: UnitOfWork, job_id: UUID) -> Any:
    """Everybody of the job in order, read a few hundred at a time."""
    total = uow.session.scalar(select(Job.total).where(Job.id == job_id)) or 0
    part = (
        select(ReportPart.number)
        .where(
            ReportPart.job_id == job_id,
            ReportPart.first_position <= JobItem.position,
            JobItem.position < ReportPart.next_position,
        )
        .scalar_subquery()
    )
    rows = uow.session.execute(
        select(
            Client.external_id,
            Client.given_name,
            Client.family_name,
            JobItem.position,
            JobItem.state,
            JobItem.reason,
            JobItem.result,
            part,
        )
        .select_from(JobItem)
        .outerjoin(Client, (Client.organization_id == JobItem.organization_id) & (Client.id == JobItem.subject_id))
        .where(JobItem.job_id == job_id)
        .order_by(JobItem.position, JobItem.subject_id)
        .execution_options(yield_per=500)
    )
    for external_id, given, family, position, state, reason, result, number in rows:
        if external_id is None:
            yield Written("", "", "", None, None, "", "skipped", GONE, None, None)
        elif state == "done" and result:
            name = entry_name(position, len(str(total)), result["name"])
            yield Written(
                external_id,
                f"{given} {family}",
                name,
                number,
                result.get("pages"),
                result["sha256"],
                state,
                "",
                result["size"],
                result.get("not_printed", 0),
            )
        else:
            yield Written(external_id, f"{given} {family}", "", None, None, "", state, reason or "", None, None)
