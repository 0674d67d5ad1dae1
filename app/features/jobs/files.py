"""Files that jobs make: each is offered once it is whole."""

from __future__ import annotations

from uuid import UUID

from app.features.jobs.models import Job, StoredFile
from app.infra.db.open import UnitOfWork
from app.infra.storage import Stored


def offer_file(
    uow: UnitOfWork,
    job: Job,
    stored: Stored,
    *,
    kind: str,
    name: str,
    media_type: str,
    owner: UUID | None,
    whole: bool = False,
) -> StoredFile:
    """Offer a file that a job made; `owner` is the member for whom it was made, and `whole` says that it tells of the
    whole organization."""
    file = StoredFile(
        kind=kind,
        name=name,
        media_type=media_type,
        size=stored.size,
        sha256=stored.sha256,
        location=stored.location,
        job_id=job.id,
        created_by=owner,
        whole=whole,
        created_at=uow.now,
    )
    uow.session.add(file)
    uow.session.flush()
    return file
