"""The figures of classes as a reader may have them: what is withheld here is withheld on the page, in sheets and JSON.

Readers who may not see the people get what the one layer answers by class, and nothing beside it: no kind of
employment, no salary, and not who became known too late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.outcomes import EMPLOYED, EMPLOYMENTS, STATUSES, destinations_of
from app.domain.suppression import Percentage
from app.features.figures.definitions import GRADUATES, UNKNOWN
from app.features.figures.kinds import CLASS
from app.features.figures.layer import Number, Question, ask_offered, withholds
from app.features.outcomes.queries import ClassCounts, Salaries, count_classes
from app.infra.db.open import UnitOfWork

# The kinds of employment of the sheet; the last is for those of whom it was not said.
KINDS: tuple[str | None, ...] = (*EMPLOYMENTS, None)
_WITHHELD = Percentage("withheld", None)
_FIGURES = (GRADUATES, "known", "placed", "outcome")


@dataclass(frozen=True, slots=True)
class ShownClass:
    """A class, or one group of it: counts that are None are withheld.

    `people` has a count for each status and for "unknown"; `kinds` for each status and kind of employment.
    The career outcomes rate is None where it is undefined: nobody was placed or still seeks. `basis` is of how many it
    is, `late` how many became known after the collection had closed.
    """

    class_year: int
    group: str
    graduates: int | None
    people: Mapping[str, int | None]
    kinds: Mapping[tuple[str, str | None], int | None]
    known: int | None
    knowledge: Percentage
    basis: int | None
    outcomes: Percentage | None
    late: int | None
    salaries: Salaries | None
    # Whether salaries are withheld, rather than not known.
    salaries_withheld: bool = False


def tell_classes(
    uow: UnitOfWork, *, withhold: bool = False, class_year: int | None = None, by: str | None = None
) -> list[ShownClass]:
    """Each class, the last first, or one; for those who may see small groups also one by an attribute (its key).

    Others, and who asks for it by `withhold`, get the classes with small groups withheld.
    """
    if not withholds(uow, withhold):
        return [_whole(one) for one in count_classes(uow, class_year=class_year, by=by)]
    questions = [Question(figure, CLASS) for figure in _FIGURES]
    found: dict[int, dict[tuple[str, str], Number]] = {}
    for answer in ask_offered(uow, questions, withhold=True):
        for number in answer.numbers:
            found.setdefault(number.first, {})[answer.figure.key, number.part] = number
    return [
        _shown(year, numbers) for year, numbers in sorted(found.items(), reverse=True) if class_year in {None, year}
    ]


def _shown(class_year: int, numbers: Mapping[tuple[str, str], Number]) -> ShownClass:
    """A class as the layer answers it."""
    known, placed = numbers["known", "all"], numbers["placed", "all"]
    return ShownClass(
        class_year=class_year,
        group="",
        graduates=numbers[GRADUATES, "all"].people,
        people={part: numbers["outcome", part].number for part in (*STATUSES, UNKNOWN)},
        kinds=dict.fromkeys((status, kind) for status in EMPLOYED for kind in KINDS),
        known=known.number,
        knowledge=_rate(known) or _WITHHELD,
        basis=placed.people,
        outcomes=_rate(placed),
        late=None,
        salaries=None,
        salaries_withheld=True,
    )


def _rate(number: Number) -> Percentage | None:
    """A share as it may be shown; None where it is of nobody."""
    if number.number is None or number.people is None:
        return _WITHHELD
    if number.bound == "at_most":
        return Percentage("at_most", number.percent)
    if number.bound == "at_least":
        return Percentage("at_least", number.percent)
    return Percentage("exact", 100 * number.number / number.people) if number.people else None


def _people(one: ClassCounts) -> dict[str, int]:
    counts = {status: one.of(status) for status in STATUSES}
    return counts | {UNKNOWN: one.graduates - sum(counts.values())}


def _kinds(one: ClassCounts) -> dict[tuple[str, str | None], int]:
    return {(status, kind): one.counts.get((status, kind), 0) for status in EMPLOYED for kind in KINDS}


def _whole(one: ClassCounts) -> ShownClass:
    people = _people(one)
    rates = destinations_of(one.graduates, people)
    knowledge, outcomes = rates.knowledge_rate, rates.career_outcomes_rate
    return ShownClass(
        class_year=one.class_year,
        group=one.group,
        graduates=one.graduates,
        people=people,
        kinds=_kinds(one),
        known=rates.known,
        knowledge=_WITHHELD if knowledge is None else Percentage("exact", 100 * knowledge),
        basis=rates.placed + rates.still_seeking,
        outcomes=None if outcomes is None else Percentage("exact", 100 * outcomes),
        late=one.late,
        salaries=one.salaries,
    )
