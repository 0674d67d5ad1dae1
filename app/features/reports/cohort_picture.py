"""A cohort in figures, beside another cohort, the same people at the end of last term, or the organization.

Every number comes through the layer of figures (`app.features.figures.groups`), as the reader may know it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.saying import later
from app.features.figures.counting import last_term
from app.features.figures.definitions import BEFORE, BY_KEY, PEOPLE
from app.features.figures.groups import ask_all, cohort_name
from app.features.figures.layer import Answer, Number, number_of
from app.features.organizations.queries import today_here
from app.features.reports.commands import CohortQuestion
from app.infra.db.open import UnitOfWork

NOTHING, TERM, ORGANIZATION, COHORT = "", "term", "organization", "cohort"


@dataclass(frozen=True, slots=True)
class Other:
    """What the cohort stands beside: how, its name (a cohort's or a term's) and the day the term ended."""

    kind: str = NOTHING
    name: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One part of a figure: of the cohort, and of what it stands beside (None: nothing, or no such figure there)."""

    part: str
    this: Number
    other: Number | None


@dataclass(frozen=True, slots=True)
class CohortPicture:
    """All figures of a cohort as of one moment; `threshold` is None where they are exact.

    Scales that nobody has a number on, here and beside, are left out.
    `whole` says whether they are of all its people, not of the reader's caseload alone.
    """

    name: str
    moment: datetime
    threshold: int | None
    whole: bool
    other: Other
    people: Line
    figures: tuple[tuple[Answer, tuple[Line, ...]], ...]

    @property
    def withheld(self) -> bool:
        """Whether any number is withheld."""
        lines = [self.people, *(line for _, every in self.figures for line in every)]
        numbers = [number for line in lines for number in (line.this, line.other) if number is not None]
        return any(number.number is None for number in numbers)


def read_picture(uow: UnitOfWork, question: CohortQuestion) -> CohortPicture:
    """The picture as the reader may see it.

    Raises NotFound for a cohort the reader may not ask for, or the end of a term where none has ended, InvalidInput for
    a comparison there is none of.
    """
    this = ask_all(uow, question.cohort_id, withhold=question.withhold)
    numbers, other = _beside(uow, question, this)
    by_key = {answer.figure.key: answer for answer in this}
    shown = [one for one in this if one.figure.key not in (PEOPLE, *BEFORE.values())]
    lines = [(answer, _lines(answer, numbers)) for answer in shown]
    return CohortPicture(
        name=cohort_name(uow, question.cohort_id, withhold=question.withhold),
        moment=this[0].moment,
        threshold=this[0].threshold,
        whole=uow.actor.may(Permission.READ_ALL_AGGREGATES),
        other=other,
        people=_lines(by_key[PEOPLE], numbers)[0],
        figures=tuple((answer, every) for answer, every in lines if not _empty(answer, every)),
    )


def _empty(answer: Answer, lines: tuple[Line, ...]) -> bool:
    """Whether nobody is known to have a number on any of these scales; what is withheld is not known."""
    if answer.figure.per != "scale":
        return False
    numbers = [number for line in lines for number in (line.this, line.other) if number is not None]
    # That none of many is in the lowest third says something; that none of none is does not.
    return all(one.number == 0 and (one.people == 0 or not answer.figure.of) for one in numbers)


def _beside(
    uow: UnitOfWork, question: CohortQuestion, this: tuple[Answer, ...]
) -> tuple[Mapping[tuple[str, str], Number], Other]:
    """Numbers by figure and part of what the cohort is compared with, and what that is."""
    if question.against == NOTHING:
        return {}, Other()
    if question.against == TERM:
        term = last_term(uow, today_here(uow))
        if term is None:
            raise NotFound("No term has ended yet, so there is nothing to compare with.")
        return _then(this), Other(TERM, term.name, term.ends_on)
    if question.against == ORGANIZATION:
        return _by_place(ask_all(uow, withhold=question.withhold)), Other(ORGANIZATION)
    try:
        cohort = UUID(question.against)
    except ValueError:
        said = later("Choose another cohort, `term` or `organization`.")
        raise InvalidInput([FieldProblem("against", said)]) from None
    if cohort == question.cohort_id:
        raise InvalidInput([FieldProblem("against", later("Choose another cohort than the same."))])
    answers = ask_all(uow, cohort, withhold=question.withhold)
    return _by_place(answers), Other(COHORT, cohort_name(uow, cohort, withhold=question.withhold))


def _then(this: tuple[Answer, ...]) -> dict[tuple[str, str], Number]:
    """What the cohort's own figures say of the end of last term, as shares of the same people."""
    now = _by_place(this)
    people = now[PEOPLE, "all"].people
    threshold = this[0].threshold
    return {
        (key, part): number_of(BY_KEY[key], part, (None, None), (people, now[before, part].number), threshold)
        for key, before in BEFORE.items()
        for part in BY_KEY[key].parts
    }


def _by_place(answers: tuple[Answer, ...]) -> dict[tuple[str, str], Number]:
    return {(answer.figure.key, number.part): number for answer in answers for number in answer.numbers}


def _lines(answer: Answer, numbers: Mapping[tuple[str, str], Number]) -> tuple[Line, ...]:
    return tuple(Line(one.part, one, numbers.get((answer.figure.key, one.part))) for one in answer.numbers)
