"""What may open a review beside the calendar: the kinds, their numbers, and the rules that look at one thing.

Finding is done in sets, by the database, over what plans hold (`app.features.triggers.sources`); what it cannot say in
a statement is here: which letters of an interest profile changed, when goal attainment was low twice, which figures of
an occupation moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.matching import Floats, standardised
from app.domain.profiles import AREAS, complete
from app.domain.saying import later
from app.domain.scoring import Direction, reliable_change

Reach = Literal["any", "chosen"]
Moved = Literal["gone", "zone", "interests", "outlook", "pay"]


class Trigger(StrEnum):
    """What may open a review beside the calendar."""

    GOAL_MISSED = "goal_missed"
    STEP_OVERDUE = "step_overdue"
    ASSESSMENT_OLD = "assessment_old"
    INTERESTS_CHANGED = "interests_changed"
    MATCH_LEFT_BAND = "match_left_band"
    ATTAINMENT_LOW = "attainment_low"
    CONFIDENCE_DOWN = "confidence_down"
    FACTOR_CHANGED = "factor_changed"
    CATALOGUE_MOVED = "catalogue_moved"
    EXTERNAL_EVENT = "external_event"


# Which comes first where more wait than may open in a day: what asks for a decision before what has only grown old.
SEVERITY: Final[Mapping[Trigger, int]] = MappingProxyType(
    {
        Trigger.EXTERNAL_EVENT: 90,
        Trigger.ATTAINMENT_LOW: 80,
        Trigger.CONFIDENCE_DOWN: 75,
        Trigger.GOAL_MISSED: 70,
        Trigger.FACTOR_CHANGED: 65,
        Trigger.MATCH_LEFT_BAND: 60,
        Trigger.INTERESTS_CHANGED: 55,
        Trigger.CATALOGUE_MOVED: 50,
        Trigger.STEP_OVERDUE: 40,
        Trigger.ASSESSMENT_OLD: 20,
    }
)


@dataclass(frozen=True, slots=True)
class Number:
    """The number of a rule: its standard, and between which it may lie."""

    standard: int
    least: int
    most: int


# Days overdue; months old (interests are retested after six at the earliest); T; points of ten; percent of pay.
NUMBERS: Final[Mapping[Trigger, Number]] = MappingProxyType(
    {
        Trigger.STEP_OVERDUE: Number(14, 1, 365),
        Trigger.ASSESSMENT_OLD: Number(12, 6, 60),
        Trigger.ATTAINMENT_LOW: Number(40, 30, 49),
        Trigger.CONFIDENCE_DOWN: Number(3, 1, 10),
        Trigger.CATALOGUE_MOVED: Number(10, 1, 100),
    }
)
# An event is recorded and opened by a person; the others are looked for by a rule that is on or off.
RULED: Final = tuple(kind for kind in Trigger if kind is not Trigger.EXTERNAL_EVENT)
# How many reviews may be opened in a day, unless the organization says otherwise, and between which that may lie.
A_DAY: Final = Number(25, 1, 10_000)
# Who has just checked in is left alone for so many days; what was found waits meanwhile.
REST_DAYS: Final = 14
# From so many changes between check-ins on, an organization's own spread says how large a drop must be.
LEAST_CHANGES: Final = 100
# An occupation's profile of interests moved where it correlates less than this with the one before. Between two
# releases profiles hardly move (mean correlation .998) while their letters flip at the edges (SCIENCE 1).
LEAST_LIKENESS: Final = 0.9
# Points of growth over a projection's ten years.
LEAST_GROWTH: Final = 3.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as an organization has it: on or off, its number where it has one, and which references count.

    `reach` says of a release of the catalogue whether any occupation the plan names counts, or only the one chosen.
    """

    kind: Trigger
    active: bool = False
    number: int | None = None
    reach: Reach = "any"


def standard_rule(kind: Trigger) -> Rule:
    """The rule before an organization has set it: off, so that nothing opens before somebody has seen what would."""
    return Rule(kind, number=NUMBERS[kind].standard if kind in NUMBERS else None)


def check_rule(rule: Rule) -> Rule:
    """The rule with its number, the standard where none is given. Raises InvalidInput for one out of its bounds."""
    bounds = NUMBERS.get(rule.kind)
    if rule.kind not in RULED or rule.reach not in ("any", "chosen"):
        raise InvalidInput([FieldProblem("kind", later("There is no such rule."))])
    if bounds is None:
        return Rule(rule.kind, rule.active, None, rule.reach)
    number = bounds.standard if rule.number is None else rule.number
    return Rule(rule.kind, rule.active, within(number, bounds, "number"), rule.reach)


def within(number: int, bounds: Number, field: str) -> int:
    """The number; raises InvalidInput naming the field where it lies outside its bounds."""
    if not bounds.least <= number <= bounds.most:
        sentence = later("Give a whole number from %(least)s to %(most)s.", least=bounds.least, most=bounds.most)
        raise InvalidInput([FieldProblem(field, sentence)])
    return number


def changed_letters(
    before: Sequence[float | None], after: Sequence[float | None], errors: Sequence[float | None]
) -> dict[str, Direction]:
    """First or second letters of an interest profile (R I A S E C) that changed reliably, and in which direction.

    A letter counts that is among the two highest of either taking, equals with the second included. `errors` are the
    standard errors of measurement in the scores' units; a letter whose error is not known has no verdict. Empty where
    a score is missing.
    """
    former, latter = complete(before), complete(after)
    if former is None or latter is None:
        return {}
    found: dict[str, Direction] = {}
    for place, letter in enumerate(AREAS):
        if not any(profile[place] >= sorted(profile)[-2] for profile in (former, latter)):
            continue
        error = errors[place]
        # An error is the same with reliability 0, as in the profile of a result.
        direction = reliable_change(former[place], latter[place], error or 0.0, 0.0).direction
        if direction in (Direction.HIGHER, Direction.LOWER):
            found[letter] = direction
    return found


def low_since(course: Sequence[tuple[date, float, int]], below: float) -> tuple[date, float] | None:
    """When goal attainment had been below a mark twice in a row, with T of that day; None where it is not so now.

    `course` is that of `app.domain.goals.attainment_over_time`. The day is the second of the present run of low ones,
    so that a third says nothing new.
    """
    run: list[tuple[date, float, int]] = []
    for day in course:
        run = [*run, day] if day[1] < below else []
    return (run[1][0], run[1][1]) if len(run) > 1 else None


def ranks_of(correlations: Floats, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """For each person the rank of one occupation (`rows`) among all: 1 for the best, 0 where it is undefined.

    `correlations` are people x occupations. The same as `app.domain.matching.ranks` says of each, without ordering all.
    """
    people = np.arange(len(correlations))
    own = correlations[people, rows][:, None]
    columns = np.arange(correlations.shape[1])
    # Comparisons with NaN are false: what has no correlation stands before nothing.
    ahead = (correlations > own).sum(axis=1) + ((correlations == own) & (columns < rows[:, None])).sum(axis=1)
    found: npt.NDArray[np.int64] = np.where(np.isnan(own[:, 0]), 0, ahead + 1)
    return found


@dataclass(frozen=True, slots=True)
class Figures:
    """What a release says of an occupation, as far as a trigger looks at it; None where it does not say.

    `interests` are six scores of 1 to 7, `growth` percent over the projection, `pay` the median of a year.
    """

    zone: int | None = None
    interests: Sequence[float] | None = None
    growth: float | None = None
    pay: float | None = None


def moved(before: Figures, after: Figures | None, percent: int) -> tuple[Moved, ...]:
    """What moved between two releases; nothing where one of the two does not say.

    `after` is None where the later release has the occupation no longer. Pay moved by at least `percent` of what it
    was, growth by at least `LEAST_GROWTH` points; interests are less alike than `LEAST_LIKENESS`; the zone is another.
    """
    if after is None:
        return ("gone",)
    found: list[Moved] = []
    if before.zone is not None and after.zone is not None and before.zone != after.zone:
        found.append("zone")
    if before.interests is not None and after.interests is not None:
        former, latter = standardised(np.array([before.interests, after.interests], dtype=np.float64))
        if float(former @ latter) < LEAST_LIKENESS:
            found.append("interests")
    if before.growth is not None and after.growth is not None and abs(after.growth - before.growth) >= LEAST_GROWTH:
        found.append("outlook")
    if before.pay and after.pay is not None and abs(after.pay - before.pay) * 100 >= percent * before.pay:
        found.append("pay")
    return tuple(found)
