"""Aggregates: what everybody asks first of the organization, or of a caseload, on one screen.

Every number of it is an answer of the one layer, so that it is withheld here wherever it is withheld elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.features.figures.definitions import PEOPLE
from app.features.figures.kinds import COHORT, COUNSELLOR, REVIEWED
from app.features.figures.layer import Answer, Question, ask_offered
from app.infra.db.open import UnitOfWork

_NUMBERS = (Question(PEOPLE), Question("finished"), Question("late"), Question("answered"), Question("matched"))
_BY_GROUPS = (
    Question("completed"),
    Question("completed", COHORT),
    Question("overdue"),
    Question("stalled"),
    Question(PEOPLE, COUNSELLOR),
    Question("answered", REVIEWED),
    Question("changed"),
    Question("changed", COHORT),
)


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Answers with one number each, and answers with many: those by an attribute only where it is offered."""

    numbers: Sequence[Answer]
    groups: Sequence[Answer]


def read_aggregates(uow: UnitOfWork, *, withhold: bool) -> Aggregates:
    """All of it, of one moment, as the reader may know it."""
    answers = ask_offered(uow, [*_NUMBERS, *_BY_GROUPS], withhold=withhold)
    return Aggregates(answers[: len(_NUMBERS)], answers[len(_NUMBERS) :])
