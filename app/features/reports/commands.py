"""What the use cases of reports take."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCohort:
    """Write a report for every member of a cohort the actor may see; the same key twice is one job."""

    cohort_id: UUID
    idempotency_key: str | None = None
