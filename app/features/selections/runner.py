"""What workers call of selections."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete

from app.domain import access
from app.features.selections.models import Selection
from app.infra.runtime import Runtime


def forget_old(runtime: Runtime, organization_id: UUID) -> None:
    """Delete selections that have expired; part of the sweep."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        uow.session.execute(delete(Selection).where(Selection.expires_at < uow.now))
