"""Deletes what jobs of reports made when the organization's days of keeping it are over."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, select, update

from app.domain import access
from app.features.audit.service import record
from app.features.jobs.models import Job, StoredFile
from app.features.organizations.service import organization_of
from app.features.reports.models import ReportPart
from app.features.reports.naming import COHORT, FIGURES, folder_of
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# So many jobs in one sweep: a job may have many thousand files.
_JOBS = 5
_KINDS = (COHORT, FIGURES)


def forget_old(runtime: Runtime, organization_id: UUID) -> int:
    """Delete the files of jobs that ended too long ago; returns of how many jobs. Harmless to repeat.

    They are first offered no more, then deleted, then forgotten: at no moment is a file offered that is not there, and
    a worker that dies between leaves something that the next sweep ends.
    """
    actor = access.system(organization_id)
    with runtime.database.unit_of_work(actor) as uow:
        _withdraw(uow)
    with runtime.database.unit_of_work(actor) as uow:
        jobs = list(
            uow.session.scalars(
                select(Job.id)
                .where(
                    Job.kind.in_(_KINDS),
                    exists().where(
                        StoredFile.organization_id == Job.organization_id,
                        StoredFile.job_id == Job.id,
                        StoredFile.expires_at.is_not(None),
                    ),
                )
                .limit(_JOBS)
                .with_for_update(skip_locked=True)
            )
        )
        for job_id in jobs:
            for location in uow.session.scalars(select(StoredFile.location).where(StoredFile.job_id == job_id)):
                runtime.storage.delete(location)
            # With what attempts that were cut short left, and a part that never became whole.
            runtime.storage.delete_folder(organization_id, folder_of(job_id))
            uow.session.execute(delete(ReportPart).where(ReportPart.job_id == job_id))
            uow.session.execute(
                delete(StoredFile).where(StoredFile.job_id == job_id).execution_options(synchronize_session=False)
            )
    return len(jobs)


def kept_until(uow: UnitOfWork, job: Job) -> datetime | None:
    """When the files of an ended job are deleted; None while it has not ended."""
    return job.finished_at and job.finished_at + timedelta(days=organization_of(uow).reports_kept_days)


def _withdraw(uow: UnitOfWork) -> None:
    days = organization_of(uow).reports_kept_days
    of_job = (StoredFile.organization_id == Job.organization_id, StoredFile.job_id == Job.id)
    for job_id in uow.session.scalars(
        select(Job.id)
        .where(
            Job.kind.in_(_KINDS),
            Job.finished_at < uow.now - timedelta(days=days),
            exists().where(*of_job, StoredFile.expires_at.is_(None)),
        )
        .limit(_JOBS)
    ).all():
        withdrawn = uow.session.execute(
            update(StoredFile)
            .where(StoredFile.job_id == job_id, StoredFile.expires_at.is_(None))
            .values(expires_at=uow.now)
            .returning(StoredFile.id),
            execution_options={"synchronize_session": False},
        ).all()
        record(uow, "report.expired", "job", job_id, files=len(withdrawn), days=days)
