"""The phase of reports: one PDF for everyone in the cohort, with an archive and a workbook."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.demo.build import Build
from app.features.jobs.models import StoredFile
from app.features.reports.commands import ReportCohort
from app.features.reports.runner import ARCHIVE_FILE, WORKBOOK_FILE
from app.features.reports.service import report_cohort


def report_everyone(build: Build) -> dict[str, Any]:
    """Start the cohort's report as an administrator would and wait for it; returns where its files are kept."""
    admin = build.actor()
    cohort_id = UUID(build.fact("assignment", "cohort"))
    with build.runtime.database.unit_of_work(admin) as uow:
        job = report_cohort(uow, ReportCohort(cohort_id=cohort_id, idempotency_key="demonstration"))
        job_id, reports = job.id, job.total
    build.wait_for_job(job_id)
    with build.runtime.database.unit_of_work(admin) as uow:
        files = {
            row.kind: row.location
            for row in uow.session.scalars(
                select(StoredFile).where(
                    StoredFile.job_id == job_id, StoredFile.kind.in_((ARCHIVE_FILE, WORKBOOK_FILE))
                )
            )
        }
    return {"reports": reports, "archive": files[ARCHIVE_FILE], "workbook": files[WORKBOOK_FILE]}
