"""Reads of roster imports for pages and sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.domain.errors import NotFound
from app.domain.saying import from_data
from app.features.clients.models import RosterImport, RosterRow
from app.features.jobs.models import Job, StoredFile
from app.features.organizations.models import Membership
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One import as the list shows it."""

    roster: RosterImport
    file_name: str
    by: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in one row of a file, or why a row was kept at undo."""

    line: int
    external_id: str
    column: str
    reason: str
    value: str


def list_imports(uow: UnitOfWork, *, limit: int = 50) -> list[ImportLine]:
    """The newest imports of the organization."""
    rows = uow.session.execute(
        select(RosterImport, StoredFile.name, Membership.name)
        .join(StoredFile, StoredFile.id == RosterImport.file_id)
        .outerjoin(Membership, Membership.id == RosterImport.created_by)
        .order_by(RosterImport.created_at.desc(), RosterImport.id)
        .limit(limit)
    )
    return [ImportLine(roster, file_name, by or "") for roster, file_name, by in rows]


def get_import(uow: UnitOfWork, import_id: UUID) -> tuple[RosterImport, str]:
    """The import and the name of its file. Raises NotFound."""
    row = uow.session.execute(
        select(RosterImport, StoredFile.name)
        .join(StoredFile, StoredFile.id == RosterImport.file_id)
        .where(RosterImport.id == import_id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such import.")
    return row[0], row[1]


def job_of(uow: UnitOfWork, roster: RosterImport) -> Job | None:
    """The job the import is or was last worked on by."""
    job_id = roster.apply_job_id or roster.check_job_id
    if job_id is None:
        return None
    return uow.session.scalars(select(Job).where(Job.id == job_id)).one_or_none()


def count_rows(uow: UnitOfWork, import_id: UUID, outcome: str) -> int:
    """How many rows ended so."""
    return uow.session.execute(
        select(func.count()).where(RosterRow.import_id == import_id, RosterRow.outcome == outcome)
    ).scalar_one()


def faults(uow: UnitOfWork, import_id: UUID, outcome: str, *, limit: int, offset: int = 0) -> list[Fault]:
    """What is wrong with the rows that ended so, in the order of their lines; `limit` and `offset` count rows."""
    rows = uow.session.scalars(_rows(import_id, outcome).limit(limit).offset(offset))
    return [fault for row in rows for fault in _faults_of(row.line, row.external_id, row.problems)]


def every_fault(uow: UnitOfWork, import_id: UUID, outcome: str) -> Iterator[Fault]:
    """As `faults`, for all rows, a thousand in memory at a time."""
    after = -(2**31)
    while True:
        statement = _rows(import_id, outcome).where(RosterRow.line > after).limit(1000)
        rows = uow.session.execute(
            statement.with_only_columns(RosterRow.line, RosterRow.external_id, RosterRow.problems)
        )
        found = rows.all()
        for line, external_id, problems in found:
            yield from _faults_of(line, external_id, problems)
        if len(found) < 1000:
            return
        after = found[-1][0]


def _rows(import_id: UUID, outcome: str):  # type: ignore[no-untyped-def] # a select; its type says less than its text
    return (
        select(RosterRow).where(RosterRow.import_id == import_id, RosterRow.outcome == outcome).order_by(RosterRow.line)
    )


def _faults_of(line: int, external_id: str, problems: Sequence[Sequence[Any]]) -> Iterator[Fault]:
    # A sentence with values has them behind it, so that it can be said in the reader's language.
    for column, reason, value, *data in problems:
        yield Fault(max(line, 0), external_id, column, (data and from_data(data[0])) or reason, value)
