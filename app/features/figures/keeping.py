"""Deletes files of figures that jobs made, when the days of keeping reports are over; what is known of them stays.

What is known of files that were taken from a page goes with those days itself: each look at a page may leave one more.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from app.domain import access
from app.features.audit.service import record
from app.features.figures.exports import FILE
from app.features.figures.models import FigureExport
from app.features.organizations.old_files import delete_withdrawn, withdraw_old
from app.features.organizations.service import organization_of
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# So many in one sweep.
_AT_ONCE = 5000


def forget_old(runtime: Runtime, organization_id: UUID) -> int:
    """Delete the files that are too old; returns how many. Harmless to repeat."""
    actor = access.system(organization_id)
    with runtime.database.unit_of_work(actor) as uow:
        withdrawn, days = withdraw_old(uow, FILE)
        if withdrawn:
            record(uow, "figures.expired", "organization", organization_id, files=withdrawn, days=days)
    with runtime.database.unit_of_work(actor) as uow:
        _forget_taken(uow)
        return delete_withdrawn(uow, runtime.storage, FILE, FigureExport.file_id)


def _forget_taken(uow: UnitOfWork) -> None:
    """Forget files that were taken from a page too long ago; of those the audit ledger still knows."""
    before = uow.now - timedelta(days=organization_of(uow).reports_kept_days)
    old = select(FigureExport.id).where(FigureExport.job_id.is_(None), FigureExport.created_at < before)
    uow.session.execute(
        delete(FigureExport).where(FigureExport.id.in_(old.limit(_AT_ONCE))),
        execution_options={"synchronize_session": False},
    )
