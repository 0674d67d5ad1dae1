"""What the use cases of reports take."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.features.reports.parts import WHOLE, Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCohort:
    """Write a report for every member of a cohort the actor may see; the same key twice is one job.

    One that is `scheduled` has a job of its own, whatever its reader has asked for, paused or cancelled by hand.
    """

    cohort_id: UUID
    parts: Parts = WHOLE
    idempotency_key: str | None = None
    scheduled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSelected:
    """Write a report for everybody of a frozen selection; the same key twice is one job. `scheduled` as above."""

    selection_id: UUID
    parts: Parts = WHOLE
    idempotency_key: str | None = None
    scheduled: bool = False


@dataclass(frozen=True, slots=True)
class CohortQuestion:
    """A cohort in figures: beside what (empty: nothing; `term`, `organization`, or another cohort's id).

    `withhold` leaves out small groups also for who may see the people.
    """

    cohort_id: UUID
    against: str = ""
    withhold: bool = False


@dataclass(frozen=True, slots=True)
class ReportFigures:
    """Have a cohort's figures written as a PDF and a workbook, in a language. `scheduled` as above."""

    question: CohortQuestion
    locale: str
    idempotency_key: str | None = None
    scheduled: bool = False
