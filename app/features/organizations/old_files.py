"""Files that are kept for the organization's days of keeping reports, and then deleted.

They are first offered no more, then, in a transaction of its own, deleted and forgotten: so no file is offered that is
not there, and a worker that dies between leaves something that the next sweep ends.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.features.jobs.models import StoredFile
from app.features.organizations.service import organization_of
from app.infra.db.open import UnitOfWork
from app.infra.storage import Storage

# So many files in one sweep.
_FILES = 200


def withdraw_old(uow: UnitOfWork, kind: str) -> tuple[int, int]:
    """Offer files of a kind no more that are too old; returns how many, and how many days they are kept."""
    days = organization_of(uow).reports_kept_days
    old = select(StoredFile.id).where(
        StoredFile.kind == kind,
        StoredFile.expires_at.is_(None),
        StoredFile.created_at < uow.now - timedelta(days=days),
    )
    withdrawn = uow.session.scalars(old.limit(_FILES)).all()
    if withdrawn:
        uow.session.execute(
            update(StoredFile).where(StoredFile.id.in_(withdrawn)).values(expires_at=uow.now),
            execution_options={"synchronize_session": False},
        )
    return len(withdrawn), days


def delete_withdrawn(
    uow: UnitOfWork, storage: Storage, kind: str, kept_with: InstrumentedAttribute[UUID | None]
) -> int:
    """Delete files of a kind that are offered no more, and empty the column that names them; returns how many."""
    gone = uow.session.execute(
        select(StoredFile.id, StoredFile.location)
        .where(StoredFile.kind == kind, StoredFile.expires_at.is_not(None))
        .limit(_FILES)
        .with_for_update(skip_locked=True)
    ).all()
    for _, location in gone:
        storage.delete(location)
    ids = [file_id for file_id, _ in gone]
    if ids:
        uow.session.execute(update(kept_with.class_).where(kept_with.in_(ids)).values({kept_with: None}))
        uow.session.execute(
            delete(StoredFile).where(StoredFile.id.in_(ids)).execution_options(synchronize_session=False)
        )
    return len(gone)
