"""The phases of reports: one PDF for everyone in a cohort with an archive and a workbook, and cohorts in figures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.demo.build import Build
from app.demo.cohort import EVERYONE, FINAL_YEARS
from app.demo.people import PROGRAMMES
from app.features.cohorts.queries import list_cohorts
from app.features.jobs.models import StoredFile
from app.features.reports.cohort_picture import ORGANIZATION
from app.features.reports.cohort_service import report_figures
from app.features.reports.commands import CohortQuestion, ReportCohort, ReportFigures
from app.features.reports.naming import ARCHIVE_FILE, WORKBOOK_FILE
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


def write_figures(build: Build) -> dict[str, Any]:
    """Have cohorts written in figures: the final years beside the organization, a programme beside everybody."""
    admin, jobs = build.actor(), []
    with build.runtime.database.unit_of_work(admin) as uow:
        known = {line.cohort.name: line.cohort.id for line in list_cohorts(uow)}
        for name, against in ((FINAL_YEARS, ORGANIZATION), (PROGRAMMES[0], str(known[EVERYONE]))):
            # Who brings a roster of their own has no such years and programmes.
            question = CohortQuestion(known.get(name, known[EVERYONE]), against if name in known else "")
            jobs.append(report_figures(uow, ReportFigures(question, "en", f"demonstration-{name}")).id)
    for job_id in jobs:
        build.wait_for_job(job_id)
    return {"reports": len(jobs)}
