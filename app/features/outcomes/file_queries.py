"""Reads of files of outcomes for pages and sheets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import NotFound
from app.domain.saying import from_data
from app.features.clients.roster_queries import Fault
from app.features.jobs.models import Job, StoredFile
from app.features.organizations.models import Membership
from app.features.outcomes.models import OutcomeImport, OutcomeRow
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One file as the list shows it."""

    taken: OutcomeImport
    file_name: str
    by: str


def list_imports(uow: UnitOfWork, *, limit: int = 50) -> list[ImportLine]:
    """The newest files of the organization."""
    rows = uow.session.execute(
        select(OutcomeImport, StoredFile.name, Membership.name)
        .join(StoredFile, StoredFile.id == OutcomeImport.file_id)
        .outerjoin(Membership, Membership.id == OutcomeImport.created_by)
        .order_by(OutcomeImport.created_at.desc(), OutcomeImport.id)
        .limit(limit)
    )
    return [ImportLine(taken, name, by or "") for taken, name, by in rows]


def get_import(uow: UnitOfWork, import_id: UUID) -> tuple[OutcomeImport, str]:
    """The import and the name of its file. Raises NotFound."""
    row = uow.session.execute(
        select(OutcomeImport, StoredFile.name)
        .join(StoredFile, StoredFile.id == OutcomeImport.file_id)
        .where(OutcomeImport.id == import_id)
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such import.")
    return row[0], row[1]


def job_of(uow: UnitOfWork, taken: OutcomeImport) -> Job | None:
    """The job the file is or was last worked on by; None before the first check."""
    job_id = taken.apply_job_id or taken.check_job_id
    return uow.session.scalars(select(Job).where(Job.id == job_id)).one_or_none() if job_id else None


def faults(uow: UnitOfWork, import_id: UUID, *, limit: int | None = None, offset: int = 0) -> Iterator[Fault]:
    """What is wrong with the bad rows, in the order of their lines; `limit` and `offset` count rows."""
    rows = uow.session.execute(
        select(OutcomeRow.line, OutcomeRow.external_id, OutcomeRow.problems)
        .where(OutcomeRow.import_id == import_id, OutcomeRow.verdict == "bad")
        .order_by(OutcomeRow.line)
        .limit(limit)
        .offset(offset)
    )
    for line, external_id, problems in rows:
        # A sentence with values has them behind it, so that it can be said in the reader's language.
        for column, reason, value, *data in problems:
            yield Fault(line, external_id, column, (data and from_data(data[0])) or reason, value)
