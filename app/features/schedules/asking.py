"""Reports that are written by jobs of their own: asked for as their reader would, by the same use cases."""

from __future__ import annotations

from sqlalchemy import select

from app.features.jobs.models import Job
from app.features.reports.cohort_service import report_figures
from app.features.reports.commands import ReportCohort, ReportFigures, ReportSelected
from app.features.reports.naming import COHORT as REPORT
from app.features.reports.parts import parts_kept
from app.features.reports.service import report_cohort, report_selected
from app.features.schedules.contents import COHORT, Content, cohort_question
from app.features.selections.commands import Target
from app.features.selections.service import choose
from app.infra.db.open import UnitOfWork


def ask_for(uow: UnitOfWork, content: Content, *, locale: str, key: str) -> Job:
    """Have a cohort's figures or reports of clients written for the actor, who then owns the job.

    The same key finds the job made before. Raises as those use cases.
    """
    if content.what == COHORT:
        return report_figures(uow, ReportFigures(cohort_question(content), locale, key, scheduled=True))
    asked = select(Job).where(Job.kind == REPORT, Job.idempotency_key == key)
    before = uow.session.scalars(asked.where(Job.created_by == uow.actor.membership_id)).one_or_none()
    if before is not None:
        # A filter may select others by now than when it was asked.
        return before
    parts = parts_kept(content.question or {})
    if content.cohort_id is not None:
        asked_of = ReportCohort(cohort_id=content.cohort_id, parts=parts, idempotency_key=key, scheduled=True)
        return report_cohort(uow, asked_of)
    selection = choose(uow, Target(filter_id=content.filter_id))
    return report_selected(
        uow, ReportSelected(selection_id=selection.id, parts=parts, idempotency_key=key, scheduled=True)
    )
