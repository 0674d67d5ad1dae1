"""What workers do with a roster: find its records, check them piece by piece, take them, give them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from flask_babel import lazy_gettext
from sqlalchemy import delete, func, insert, select, text, update

from app.domain import access
from app.domain.attributes import Attribute
from app.domain.errors import InvalidInput
from app.domain.folding import fold
from app.domain.saying import as_data, later
from app.features.audit.service import record
from app.features.clients import roster_reader as reader
from app.features.clients import roster_sql as sql
from app.features.clients.models import AttributeDefinition, RosterChunk, RosterImport, RosterRow
from app.features.clients.roster_check import BadRow, Cleaned, Reading, clean
from app.features.jobs.items import add_items
from app.features.jobs.kinds import JobKind, SlowWork
from app.features.jobs.models import Job, JobItem, StoredFile
from app.features.jobs.service import Settled, get_job
from app.features.organizations.models import Membership
from app.infra.db.open import Bell, UnitOfWork
from app.infra.runtime import Runtime

# Guard rails: a file that does more than this needs somebody's yes.
EMAILS_CHANGING = 0.10
DEACTIVATING = 0.50
_SENTENCES = {
    "same_id": later("The same number is also on line %(place)s. Keep the line that is right."),
    "same_email": later("The same e-mail is also on line %(place)s. Each person needs their own."),
    "taken_email": later("This e-mail belongs to the person with number %(place)s, who is not in this file."),
}
_KEPT = {
    "changed_since": later("Somebody changed this person after the import, so they were left as they are."),
    "in_use": later("This person already has work or was changed after the import, so they were kept."),
}


@dataclass(frozen=True, slots=True)
class _Task:
    """What one item needs: the piece to check, or (no piece) the file to look through."""

    import_id: UUID
    location: str
    source: reader.Source
    piece: reader.Piece | None
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class _Found(Settled):
    """The records of the file were found (or why it is refused)."""

    pieces: tuple[reader.Piece, ...] = ()
    text_location: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class _Checked(Settled):
    """A piece was checked."""

    cleaned: Cleaned = field(default_factory=lambda: Cleaned({}, 0))


def source_of(roster: RosterImport) -> reader.Source:
    """How the uploaded file is written."""
    return reader.Source(**roster.source)


def attributes_of(uow: UnitOfWork) -> list[Attribute]:
    """The attributes the organization defines, in its order."""
    rows = uow.session.scalars(select(AttributeDefinition).order_by(AttributeDefinition.position))
    return [Attribute(row.key, row.label, row.kind, tuple(row.choices or ())) for row in rows]  # type: ignore[arg-type] # checked by the table


def applying_of(roster: RosterImport) -> sql.Applying:
    """The statements of this import."""
    return sql.Applying(roster.id, roster.mapping)


def _load(uow: UnitOfWork, job: Job, subjects: Sequence[UUID]) -> dict[UUID, _Task]:
    import_id = UUID(job.params["import_id"])
    roster = uow.session.get_one(RosterImport, (job.organization_id, import_id))
    location = uow.session.get_one(StoredFile, (job.organization_id, roster.file_id)).location
    source = source_of(roster)
    if list(subjects) == [import_id]:
        return {import_id: _Task(import_id, location, source, None, None)}
    counsellors = uow.session.scalars(
        select(Membership).where(Membership.active, Membership.role.in_(("admin", "counsellor")))
    )
    reading = Reading(source.headers, roster.mapping, attributes_of(uow), {fold(m.email): m.id for m in counsellors})
    if roster.text_location:
        location, source = roster.text_location, reader.as_rewritten(source)
    chunks = uow.session.execute(
        select(
            RosterChunk.id,
            RosterChunk.byte_offset,
            RosterChunk.byte_length,
            RosterChunk.first_line,
            RosterChunk.row_count,
        ).where(RosterChunk.id.in_(subjects))
    )
    return {chunk_id: _Task(import_id, location, source, reader.Piece(*where), reading) for chunk_id, *where in chunks}


def _act(runtime: Runtime, job: Job, tasks: Mapping[UUID, _Task]) -> Mapping[UUID, Settled]:
    return {
        subject: _look_through(runtime, job, t) if t.piece is None else _check(runtime, t)
        for subject, t in tasks.items()
    }


def _check(runtime: Runtime, task: _Task) -> Settled:
    assert task.piece is not None
    assert task.reading is not None
    lines, rows = reader.read_piece(runtime.storage.path(task.location), task.source, task.piece)
    return _Checked(result={"people": task.piece.records}, cleaned=clean(lines, rows, task.reading))


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
        return _Found(state="failed", reason=invalid.problems[0].sentence, refusal=invalid.problems[0].sentence)


def _store(uow: UnitOfWork, job: Job, outcomes: Mapping[UUID, Settled]) -> None:
    import_id = UUID(job.params["import_id"])
    for subject, outcome in outcomes.items():
        if isinstance(outcome, _Checked):
            _store_checked(uow, import_id, subject, outcome.cleaned)
        elif isinstance(outcome, _Found):
            _store_found(uow, job, import_id, outcome)


def _store_checked(uow: UnitOfWork, import_id: UUID, chunk_id: UUID, cleaned: Cleaned) -> None:
    connection = uow.session.connection()
    connection.execute(update(RosterChunk).where(RosterChunk.id == chunk_id).values(**cleaned.packed))
    if cleaned.bad:
        connection.execute(insert(RosterRow), [_bad_row(import_id, chunk_id, bad) for bad in cleaned.bad])


def _bad_row(import_id: UUID, chunk_id: UUID, bad: BadRow) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "line": bad.line,
        "chunk_id": chunk_id,
        "external_id": bad.external_id,
        "outcome": "bad",
        "problems": [[*p, data] if (data := as_data(p[1])) else p for p in bad.problems],
    }


def _store_found(uow: UnitOfWork, job: Job, import_id: UUID, found: _Found) -> None:
    roster = uow.session.get_one(RosterImport, (job.organization_id, import_id))
    roster.text_location = found.text_location
    if found.refusal:
        roster.state, roster.refusal = "refused", found.refusal
        return
    ids = [uuid5(import_id, str(number)) for number in range(len(found.pieces))]
    if ids:
        uow.session.execute(
            insert(RosterChunk),
            [
                {
                    "id": chunk_id,
                    "organization_id": job.organization_id,
                    "import_id": import_id,
                    "number": number,
                    "byte_offset": piece.offset,
                    "byte_length": piece.length,
                    "first_line": piece.first_line,
                    "row_count": piece.records,
                }
                for number, (chunk_id, piece) in enumerate(zip(ids, found.pieces, strict=True))
            ],
        )
        found_job = get_job(uow, job.id)
        add_items(uow, found_job, ids)
        found_job.params = {**found_job.params, "people": sum(piece.records for piece in found.pieces)}


def _finish_check(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any]:
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        job = get_job(uow, job_id)
        roster = _locked(uow, job)
        location, roster.text_location = roster.text_location, None
        if roster.state == "checking":
            lost = uow.session.scalar(select(func.count()).where(JobItem.job_id == job_id, JobItem.state == "failed"))
            if lost:
                roster.state = "refused"
                roster.refusal = later("Part of the file could not be checked. Start the check again.")
            else:
                _compare(uow, roster)
        result = dict(roster.counts)
    # The rewritten text was needed for this check only; a file that is gone already does no harm.
    if location:
        runtime.storage.delete(location)
    return result


def _compare(uow: UnitOfWork, roster: RosterImport) -> None:
    headers = source_of(roster).headers
    applying = applying_of(roster)
    sql.mark_bad(uow, applying, {name: headers[index] for name, index in roster.mapping.items()}, _SENTENCES)
    counts = sql.count(uow, applying)
    if roster.deactivate_missing:
        last = uow.session.scalar(
            select(func.max(RosterChunk.number)).where(RosterChunk.import_id == roster.id, ~RosterChunk.missing)
        )
        sql.add_missing(uow, applying, first=(last or 0) + 1, size=reader.CHUNK_ROWS)
        counts["deactivating"] += counts["missing"]
    roster.counts, roster.guards = counts, guards_hit(counts)
    roster.state = "checked"
    record(uow, "roster.checked", "roster_import", roster.id, **counts)


def guards_hit(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The guard rails these counts hit: which one, how many, and of how many."""
    found: list[dict[str, Any]] = []
    if counts["emails_changing"] > EMAILS_CHANGING * counts["emails_known"]:
        found.append({"kind": "emails", "number": counts["emails_changing"], "of": counts["emails_known"]})
    if counts["deactivating"] > DEACTIVATING * counts["good"]:
        found.append({"kind": "deactivating", "number": counts["deactivating"], "of": counts["good"]})
    return found


def _locked(uow: UnitOfWork, job: Job) -> RosterImport:
    statement = select(RosterImport).where(RosterImport.id == UUID(job.params["import_id"])).with_for_update()
    return uow.session.scalars(statement).one()


def _apply(uow: UnitOfWork, job: Job, chunks: Sequence[UUID]) -> Mapping[UUID, Settled]:
    roster = uow.session.get_one(RosterImport, (job.organization_id, UUID(job.params["import_id"])))
    applying, outcomes, sums = applying_of(roster), {}, dict.fromkeys(("created", "updated", "deactivated"), 0)
    for chunk_id, (missing, people) in _kinds_of(uow, chunks).items():
        done = applying.take_missing(uow, chunk_id) if missing else applying.take(uow, chunk_id)
        outcomes[chunk_id] = Settled(result={**done, "people": people})
        for name, number in done.items():
            sums[name] += number
    record(uow, "roster.applied", "roster_import", roster.id, **sums)
    return outcomes


def _kinds_of(uow: UnitOfWork, chunks: Sequence[UUID]) -> dict[UUID, tuple[bool, int]]:
    """Of each chunk whether it names people whom the file does not, and how many rows it has."""
    rows = uow.session.execute(
        select(RosterChunk.id, RosterChunk.missing, RosterChunk.row_count)
        .where(RosterChunk.id.in_(chunks))
        .order_by(RosterChunk.number)
    )
    return {row.id: (row.missing, row.row_count) for row in rows}


def _finish_apply(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any]:
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        job = get_job(uow, job_id)
        roster = _locked(uow, job)
        roster.state = "applied"
        sums: dict[str, Any] = dict.fromkeys(("created", "updated", "deactivated"), 0)
        for result in uow.session.scalars(select(JobItem.result).where(JobItem.job_id == job_id)):
            for name in sums:
                sums[name] += (result or {}).get(name, 0)
        _wake_cohorts(uow)
        return sums


def _wake_cohorts(uow: UnitOfWork) -> None:
    # Cohorts stand above clients, so their rows are named, not their feature.
    uow.session.execute(text("UPDATE cohorts SET stale = true WHERE kind = 'rule'"))
    uow.ring(Bell.SWEEP)


def _undo(uow: UnitOfWork, job: Job, chunks: Sequence[UUID]) -> Mapping[UUID, Settled]:
    roster = _locked(uow, job)
    applying, outcomes = applying_of(roster), {}
    for chunk_id, (missing, _people) in _kinds_of(uow, chunks).items():
        kept = applying.give_back(uow, chunk_id, missing=missing, sentences=_KEPT)
        outcomes[chunk_id] = Settled(
            "undone", later("%(people)s people were kept; the import lists them.", people=kept) if kept else None
        )
    roster.state = "undone"
    _wake_cohorts(uow)
    record(uow, "roster.undone", "roster_import", roster.id, chunks=len(chunks))
    return outcomes


def forget(uow: UnitOfWork, import_id: UUID) -> None:
    """Remove what an earlier check of the import left, so that it can be checked again."""
    for rows in (RosterChunk, RosterRow):
        uow.session.execute(
            delete(rows).where(rows.import_id == import_id), execution_options={"synchronize_session": False}
        )


CHECK = JobKind(
    name="roster.check",
    label=lazy_gettext("Check a roster"),
    permission=access.Permission.IMPORT_ROSTER,
    # Four pieces of 5,000 rows a claim: memory stays flat, and the three transactions of a claim weigh little.
    batch_size=4,
    slow=SlowWork(load=_load, act=_act, store=_store),
    finish=_finish_check,
)
APPLY = JobKind(
    name="roster.apply",
    label=lazy_gettext("Import a roster"),
    permission=access.Permission.IMPORT_ROSTER,
    batch_size=2,
    batch=_apply,
    finish=_finish_apply,
    undo_batch=_undo,
)
