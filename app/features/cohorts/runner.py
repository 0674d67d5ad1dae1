"""What workers call to keep cohorts current."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.domain import access
from app.features.cohorts.models import Cohort
from app.features.cohorts.queries import get_cohort
from app.features.cohorts.service import refresh_cohort
from app.infra.runtime import Runtime


def refresh_stale_cohorts(runtime: Runtime, organization_id: UUID) -> int:
    """Apply the rule of every stale cohort anew, a transaction each. Returns how many; harmless to repeat."""
    actor = access.system(organization_id)
    with runtime.database.unit_of_work(actor) as uow:
        stale = uow.session.scalars(
            select(Cohort.id)
            .where(Cohort.stale, Cohort.kind == "rule", Cohort.archived_at.is_(None))
            .order_by(Cohort.id)
        ).all()
    for cohort_id in stale:
        with runtime.database.unit_of_work(actor) as uow:
            refresh_cohort(uow, get_cohort(uow, cohort_id))
    return len(stale)
