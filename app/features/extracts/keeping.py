"""Deletes the files of own reports when the organization's days of keeping reports are over; their runs stay."""

from __future__ import annotations

from uuid import UUID

from app.domain import access
from app.features.audit.service import record
from app.features.extracts.models import ExtractRun
from app.features.extracts.service import FILE
from app.features.organizations.old_files import delete_withdrawn, withdraw_old
from app.infra.runtime import Runtime


def forget_old(runtime: Runtime, organization_id: UUID) -> int:
    """Delete the files that are too old; returns how many. Harmless to repeat."""
    actor = access.system(organization_id)
    with runtime.database.unit_of_work(actor) as uow:
        withdrawn, days = withdraw_old(uow, FILE)
        if withdrawn:
            record(uow, "extract.expired", "organization", organization_id, files=withdrawn, days=days)
    with runtime.database.unit_of_work(actor) as uow:
        return delete_withdrawn(uow, runtime.storage, FILE, ExtractRun.file_id)
