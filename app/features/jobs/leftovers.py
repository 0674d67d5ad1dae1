"""Files that attempts of a job wrote and nobody registered: cut short, cancelled meanwhile, or taken over."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from app.features.jobs.models import Job, StoredFile
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime


def clear(runtime: Runtime, uow: UnitOfWork, job: Job, folder: str) -> None:
    """Remove what earlier attempts left in a job's folder.

    What is registered stays: a worker that stood still for longer than its lease comes here after the one that took
    its work over has ended it.
    """
    kept = set(uow.session.scalars(select(StoredFile.location).where(StoredFile.job_id == job.id)))
    for location in runtime.storage.locations(job.organization_id, folder):
        if location not in kept:
            runtime.storage.delete(location)


def drop(runtime: Runtime, outcomes: Mapping[UUID, Settled]) -> None:
    """Remove the files of outcomes that are not kept; a result names its file's `location`, or has several `files`."""
    for outcome in outcomes.values():
        result = outcome.result or {}
        for written in (result, *result.get("files", {}).values()):
            if "location" in written:
                runtime.storage.delete(written["location"])
