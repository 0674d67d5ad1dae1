"""What workers do with a file of outcomes: find its records, read them piece by piece, take them, take them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from flask_babel import lazy_gettext
from sqlalchemy import delete, func, insert, select, update

from app.domain import access
from app.domain.errors import InvalidInput
from app.domain.saying import as_data, later
from app.features.audit.service import record
from app.features.clients import roster_reader as reader
from app.features.jobs.items import add_items
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.service import Settled, get_job, undone_by
from app.features.occupations.queries import all_facts
from app.features.occupations.releases import current_release
from app.features.organizations.queries import today_here
from app.features.outcomes import file_sql as sql
from app.features.outcomes.file_rows import Reading, Row, read_row
from app.features.outcomes.models import OutcomeImport, OutcomeRow
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime


@dataclass(frozen=True, slots=True)
class _Task:
    """What one item needs: the piece to read, or (no piece) the file to look through."""

    number: int
    location: str
    source: reader.Source
    piece: reader.Piece | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class _Found(Settled):
    """The records of the file were found, or why it is refused."""

    pieces: tuple[reader.Piece, ...] = ()
    text_location: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class _Read(Settled):
    """A piece was read."""

    number: int = 0
    rows: tuple[Row, ...] = ()


def source_of(taken: OutcomeImport) -> reader.Source:
    """How the uploaded file is written."""
    return reader.Source(**taken.source)


def piece_ids(taken: OutcomeImport) -> dict[UUID, int]:
    """The items of a job over the file's pieces, with the number of each."""
    return {uuid5(taken.id, str(number)): number for number in range(len(taken.pieces))}


def _import(uow: UnitOfWork, job: Job, *, lock: bool = False) -> OutcomeImport:
    statement = select(OutcomeImport).where(OutcomeImport.id == UUID(job.params["import_id"]))
    return uow.session.scalars(statement.with_for_update() if lock else statement).one()


def _load(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> dict[UUID, _Task]:
    taken = _import(uow, job)
    location = uow.session.get_one(StoredFile, (job.organization_id, taken.file_id)).location
    source = source_of(taken)
    reading = Reading(source.headers, taken.mapping, today_here(uow), _occupations(uow))
    if list(subjects) == [taken.id]:
        return {taken.id: _Task(0, location, source, None, reading)}
    if taken.text_location:
        location, source = taken.text_location, reader.as_rewritten(source)
    numbers = piece_ids(taken)
    return {
        subject: _Task(numbers[subject], location, source, reader.Piece(*taken.pieces[numbers[subject]]), reading)
        for subject in subjects
    }


def _occupations(uow: UnitOfWork) -> dict[str, tuple[str, str]]:
    release = current_release(uow)
    if release is None:
        return {}
    known = all_facts(uow, release)
    titles = {one.title.casefold(): (release.key, code) for code, one in known.items()}
    return titles | {code: (release.key, code) for code in known}


def _act(runtime: Runtime, job: Job, tasks: Mapping[UUID, _Task]) -> Mapping[UUID, Settled]:
    return {
        subject: _look_through(runtime, job, task) if task.piece is None else _read(runtime, task)
        for subject, task in tasks.items()
    }


def _read(runtime: Runtime, task: _Task) -> Settled:
    assert task.piece is not None
    lines, rows = reader.read_piece(runtime.storage.path(task.location), task.source, task.piece)
    read = tuple(read_row(line, cells, task.reading) for line, cells in zip(lines, rows, strict=True))
    return _Read(result={"people": len(read)}, number=task.number, rows=read)


def _look_through(runtime: Runtime, job: Job, task: _Task) -> Settled:
    path, source, location = runtime.storage.path(task.location), task.source, None
    try:
        if reader.needs_rewriting(source):
            with runtime.storage.writing(job.organization_id, ".csv") as pending:
                reader.rewrite(path, source, pending.handle)
            location, source = pending.stored.location, reader.as_rewritten(source)
            path = runtime.storage.path(location)
        return _Found(pieces=tuple(reader.pieces(path, source)), text_location=location)
    except InvalidInput as invalid:
        if location:
            runtime.storage.delete(location)
        sentence = invalid.problems[0].sentence
        return _Found(state="failed", reason=sentence, refusal=sentence)


def _store(uow: UnitOfWork, job: Job, settled: Mapping[UUID, Settled]) -> None:
    for one in settled.values():
        if isinstance(one, _Read):
            _store_read(uow, UUID(job.params["import_id"]), one)
        elif isinstance(one, _Found):
            _store_found(uow, job, one)


def _store_read(uow: UnitOfWork, import_id: UUID, read: _Read) -> None:
    if read.rows:
        uow.session.connection().execute(
            insert(OutcomeRow),
            [
                {
                    "organization_id": uow.actor.organization_id,
                    "import_id": import_id,
                    "line": row.line,
                    "piece": read.number,
                    "external_id": row.external_id,
                    "verdict": "bad" if row.problems else "good",
                    "problems": [[*p, data] if (data := as_data(p[1])) else p for p in row.problems],
                    "given": row.given,
                }
                for row in read.rows
            ],
        )


def _store_found(uow: UnitOfWork, job: Job, found: _Found) -> None:
    taken = _import(uow, job, lock=True)
    taken.text_location = found.text_location
    if found.refusal:
        taken.state, taken.refusal = "refused", found.refusal
        return
    taken.pieces = [[one.offset, one.length, one.first_line, one.records] for one in found.pieces]
    found_job = get_job(uow, job.id)
    add_items(uow, found_job, list(piece_ids(taken)))
    found_job.params = {**found_job.params, "people": sum(one.records for one in found.pieces)}


def _finish_check(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any]:
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        job = get_job(uow, job_id)
        taken = _import(uow, job, lock=True)
        location, taken.text_location = taken.text_location, None
        if taken.state == "checking":
            lost = uow.session.scalar(select(func.count()).where(JobItem.job_id == job_id, JobItem.state == "failed"))
            if lost:
                taken.state = "refused"
                taken.refusal = later("Part of the file could not be checked. Start the check again.")
            else:
                headers = source_of(taken).headers
                named = {name: headers[index] for name, index in taken.mapping.items()}
                taken.counts, taken.state = sql.compare(uow, taken.id, named), "checked"
                record(uow, "outcomes.checked", "outcome_import", taken.id, **taken.counts)
        result = dict(taken.counts)
    # The rewritten text was needed for this check only; a file that is gone already does no harm.
    if location:
        runtime.storage.delete(location)
    return result


def _apply(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
    taken = _import(uow, job)
    numbers, settled = piece_ids(taken), {}
    recorded = 0
    for subject in subjects:
        done = sql.take(uow, taken.id, numbers[subject], job.id, job.created_by)
        recorded += done["recorded"]
        settled[subject] = Settled(result={**done, "people": taken.pieces[numbers[subject]][3]})
    record(uow, "outcomes.applied", "outcome_import", taken.id, created=recorded)
    return settled


def _finish_apply(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any]:
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        taken = _import(uow, get_job(uow, job_id), lock=True)
        taken.state = "applied"
        # What the rows say is in the outcomes now, and goes with a client who is erased; here it would stay.
        uow.session.execute(
            update(OutcomeRow).where(OutcomeRow.import_id == taken.id).values(given={}),
            execution_options={"synchronize_session": False},
        )
        sums: dict[str, Any] = dict.fromkeys(("recorded", "graduations"), 0)
        for result in uow.session.scalars(select(JobItem.result).where(JobItem.job_id == job_id)):
            for name in sums:
                sums[name] += (result or {}).get(name, 0)
        return sums


def _undo(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> Mapping[UUID, Settled]:
    taken = _import(uow, job, lock=True)
    numbers = piece_ids(taken)
    for subject in subjects:
        sql.take_back(uow, taken.id, numbers[subject], job.id, undone_by(job))
    taken.state = "undone"
    record(uow, "outcomes.undone", "outcome_import", taken.id)
    return dict.fromkeys(subjects, Settled("undone"))


def forget(uow: UnitOfWork, import_id: UUID) -> None:
    """Remove what an earlier check of the file left, so that it can be checked again."""
    uow.session.execute(
        delete(OutcomeRow).where(OutcomeRow.import_id == import_id), execution_options={"synchronize_session": False}
    )


CHECK = JobKind(
    name="outcomes.check",
    label=lazy_gettext("Check a file of outcomes"),
    permission=access.Permission.IMPORT_ROSTER,
    batch_size=2,
    slow=SlowWork(load=_load, act=_act, store=_store),
    finish=_finish_check,
)
APPLY = JobKind(
    name="outcomes.apply",
    label=lazy_gettext("Take a file of outcomes"),
    permission=access.Permission.IMPORT_ROSTER,
    batch_size=2,
    batch=_apply,
    finish=_finish_apply,
    undo_batch=_undo,
)
KINDS = (CHECK, APPLY)
