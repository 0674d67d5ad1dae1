"""What a schedule can write: each kind with its forms, what its readers must be allowed, and how it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.access import Permission
from app.features.extracts.commands import FORMS as EXTRACT_FORMS
from app.features.figures.exports import FORMS as FIGURE_FORMS
from app.features.figures.layer import Question
from app.features.reports.commands import CohortQuestion
from app.features.reports.parts import WHOLE, Parts
from app.features.schedules.models import Schedule

EXTRACT, FIGURES, AGGREGATES, COHORT, CLIENTS = "extract", "figures", "aggregates", "cohort", "clients"
# A PDF and a workbook together, as a cohort's own page has them made; an archive with its index, and a workbook.
BOTH, ZIP, PDF = "both", "zip", "pdf"


@dataclass(frozen=True, slots=True)
class Sort:
    """A kind of report: which forms it has, and what who gets it must be allowed."""

    forms: tuple[str, ...]
    needs: Permission


SORTS: Mapping[str, Sort] = {
    EXTRACT: Sort(EXTRACT_FORMS, Permission.OWN_REPORTS),
    FIGURES: Sort(FIGURE_FORMS, Permission.READ_AGGREGATES),
    AGGREGATES: Sort((*FIGURE_FORMS, PDF), Permission.READ_AGGREGATES),
    COHORT: Sort((BOTH,), Permission.READ_AGGREGATES),
    CLIENTS: Sort((ZIP,), Permission.REPORT_CLIENTS),
}
WHATS = tuple(SORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a schedule writes, as its row keeps it; `what` says which of the others count."""

    what: str
    extract_id: UUID | None = None
    cohort_id: UUID | None = None
    filter_id: UUID | None = None
    question: Mapping[str, Any] | None = None

    @property
    def sort(self) -> Sort:
        """Its kind."""
        return SORTS[self.what]


def extract(extract_id: UUID) -> Content:
    """An own report."""
    return Content(what=EXTRACT, extract_id=extract_id)


def figures(question: Question) -> Content:
    """One figure, by what the question asks."""
    return Content(what=FIGURES, question=question.as_asked())


def aggregates(*, withhold: bool = False) -> Content:
    """All figures of the screen of aggregates."""
    return Content(what=AGGREGATES, question=_small(withhold))


def cohort(question: CohortQuestion) -> Content:
    """A cohort in figures, beside what the question names."""
    beside = {"against": question.against} if question.against else {}
    return Content(what=COHORT, cohort_id=question.cohort_id, question=beside | _small(question.withhold))


def clients_of_cohort(cohort_id: UUID, parts: Parts = WHOLE) -> Content:
    """Reports of a cohort's people."""
    return Content(what=CLIENTS, cohort_id=cohort_id, question=parts.as_json())


def clients_of_filter(filter_id: UUID, parts: Parts = WHOLE) -> Content:
    """Reports of the people whom a saved filter selects by then."""
    return Content(what=CLIENTS, filter_id=filter_id, question=parts.as_json())


def content_of(schedule: Schedule) -> Content:
    """What a kept schedule writes."""
    return Content(
        what=schedule.what,
        extract_id=schedule.extract_id,
        cohort_id=schedule.cohort_id,
        filter_id=schedule.filter_id,
        question=schedule.question,
    )


def withheld(content: Content) -> bool:
    """Whether small groups are to be withheld from everybody."""
    return (content.question or {}).get("small") == "withheld"


def cohort_question(content: Content) -> CohortQuestion:
    """What is asked of a cohort."""
    assert content.cohort_id is not None
    return CohortQuestion(content.cohort_id, (content.question or {}).get("against", ""), withheld(content))


def _small(withhold: bool) -> dict[str, Any]:
    return {"small": "withheld"} if withhold else {}
