"""Goals: how far ahead they lie, whether they are well put, how far they are reached, and the tree they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite, sqrt
from typing import Final

from app.domain.circles import below, circles

# The nearest first; each lies further ahead than the one before.
HORIZONS: Final = ("short", "medium", "long", "life")
SMART: Final = ("specific", "measurable", "attainable", "relevant", "timed")
# What much less than expected to much more than expected is worth; 0 is what was expected.
LEVELS: Final = (-2, -1, 0, 1, 2)
# How strongly goals of one person go together, as Kiresuk and Sherman assume.
RHO: Final = 0.30
_YEARS: Final = (1, 5, 10)


def horizon_of(due_on: date | None, today: date) -> str:
    """The horizon a day lies in, seen from today: short under 1 year, medium to 5, long to 10 years, life beyond.

    A year ends on the same day of a later year; 29 February counts to 28 February. A goal without a day is for life;
    a day in the past is short.
    """
    if due_on is None:
        return "life"
    ahead = zip(HORIZONS, _YEARS, strict=False)
    return next((horizon for horizon, years in ahead if due_on < _years_later(today, years)), "life")


@dataclass(frozen=True, slots=True)
class SmartCheck:
    """The five questions about one goal: which hold, which do not, and which are not answered with a reason yet.

    SMART is a checklist, not a measure: there is no score.
    """

    holds: tuple[str, ...]
    fails: tuple[str, ...]
    unanswered: tuple[str, ...]


def check_smart(answers: Mapping[str, tuple[bool | None, str]]) -> SmartCheck:
    """Sort the five criteria by their answer (yes or no, and why); one without answer or without reason is open."""
    holds: list[str] = []
    fails: list[str] = []
    unanswered: list[str] = []
    for criterion in SMART:
        yes, why = answers.get(criterion, (None, ""))
        if yes is None or not why.strip():
            unanswered.append(criterion)
        else:
            (holds if yes else fails).append(criterion)
    return SmartCheck(tuple(holds), tuple(fails), tuple(unanswered))


def attainment(levels: Sequence[int | None], weights: Sequence[float], rho: float = RHO) -> float | None:
    """Goal attainment T of several goals, 50 when all are reached as expected; 10 points are one level of one goal.

    T = 50 + 10 sum(w x) / sqrt((1 - rho) sum(w^2) + rho (sum w)^2), over the goals that have a level x (-2..2);
    weights w are not negative and rho lies in 0..1. One goal gives 30 to 70 whatever its weight; the range widens
    with the number of goals. None when no goal has a level, or all that have one weigh nothing. Raises ValueError
    for lists of different lengths and values out of range.

    Source: Kiresuk and Sherman 1968, rho = .30.
    """
    if len(levels) != len(weights):
        raise ValueError(f"{len(levels)} levels need as many weights, got {len(weights)}")
    if any(level is not None and level not in LEVELS for level in levels):
        raise ValueError("a level is a whole number from -2 to 2")
    if any(not isfinite(weight) or weight < 0 for weight in weights):
        raise ValueError("a weight is not negative")
    if not 0 <= rho <= 1:
        raise ValueError("rho lies between 0 and 1")
    rated = [(weight, level) for level, weight in zip(levels, weights, strict=True) if level is not None]
    most = max((weight for weight, _ in rated), default=0)
    if most == 0:
        return None
    # Only the ratio of weights counts; by the largest, neither tiny nor huge ones leave the floating range.
    scaled = [(weight / most, level) for weight, level in rated]
    together = sum(weight for weight, _ in scaled)
    spread = sqrt((1 - rho) * sum(weight * weight for weight, _ in scaled) + rho * together * together)
    return 50 + 10 * sum(weight * level for weight, level in scaled) / spread


@dataclass(frozen=True, slots=True)
class Rating:
    """A level (-2..2) that was said of a goal on a day."""

    goal: str
    on: date
    level: int


def attainment_over_time(
    ratings: Sequence[Rating], weights: Mapping[str, float], rho: float = RHO
) -> list[tuple[date, float, int]]:
    """On each day something was rated: T over the latest levels of all goals rated so far, and how many those are.

    Ratings of goals that have no weight here are left out; of two on one day the later in the list counts. A day on
    which T is undefined is left out.
    """
    found: list[tuple[date, float, int]] = []
    levels: dict[str, int] = {}
    days = sorted({rating.on for rating in ratings})
    for day in days:
        levels |= {rating.goal: rating.level for rating in ratings if rating.on == day and rating.goal in weights}
        value = attainment(list(levels.values()), [weights[goal] for goal in levels], rho)
        if value is not None:
            found.append((day, value, len(levels)))
    return found


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal of the tree: the larger goal it serves, its horizon, and whether it is still pursued."""

    id: str
    parent: str | None = None
    horizon: str | None = None
    live: bool = True


@dataclass(frozen=True, slots=True)
class TreeCheck:
    """What is wrong or missing in a goal tree.

    `circles`: goals that serve each other in a circle, each circle once. `longer`: (goal, parent) where the goal lies
    further ahead than the one it serves. `childless`: live goals beyond the short horizon without any live goal below.
    `empty`: horizons without a live goal.
    """

    circles: tuple[tuple[str, ...], ...]
    longer: tuple[tuple[str, str], ...]
    childless: tuple[str, ...]
    empty: tuple[str, ...]


def check_tree(goals: Sequence[Goal]) -> TreeCheck:
    """Look for circles, children further ahead than their parent, parents without a live child, empty horizons.

    A parent that is no goal of the sequence counts as none. Goals without a horizon are neither too far ahead nor
    missed below.
    """
    known = {goal.id: goal for goal in goals}
    longer = [
        (goal.id, parent.id)
        for goal in goals
        if (parent := known.get(goal.parent or "")) is not None
        and goal.horizon in HORIZONS
        and parent.horizon in HORIZONS
        and HORIZONS.index(goal.horizon) > HORIZONS.index(parent.horizon)
    ]
    served = {goal.parent for goal in goals if goal.live and goal.parent != goal.id}
    childless = [goal.id for goal in goals if goal.live and goal.horizon in HORIZONS[1:] and goal.id not in served]
    held = {goal.horizon for goal in goals if goal.live}
    return TreeCheck(
        circles=tuple(circles({goal.id: [goal.parent] if goal.parent in known else [] for goal in goals})),
        longer=tuple(longer),
        childless=tuple(childless),
        empty=tuple(horizon for horizon in HORIZONS if horizon not in held),
    )


def tree_order(goals: Sequence[Goal]) -> list[tuple[str, int]]:
    """Every goal once with its depth (0 at the top), parents before children, otherwise as given.

    Goals of a circle have no top; the first of each circle is shown as one.
    """
    known = {goal.id for goal in goals}
    children: dict[str | None, list[str]] = {}
    for goal in goals:
        children.setdefault(goal.parent if goal.parent in known else None, []).append(goal.id)
    found: dict[str, int] = {}
    tops = [*children.get(None, ()), *(goal.id for goal in goals)]
    for top in tops:
        waiting = [(top, 0)]
        while waiting:
            name, depth = waiting.pop()
            if name not in found:
                found[name] = depth
                waiting += [(child, depth + 1) for child in reversed(children.get(name, ()))]
    return list(found.items())


@dataclass(frozen=True, slots=True)
class Share:
    """Actions done of actions planned for a goal and all goals below it."""

    done: int
    planned: int

    @property
    def value(self) -> float | None:
        """The share from 0 to 1; None where nothing is planned."""
        return self.done / self.planned if self.planned else None


def roll_up(goals: Sequence[Goal], actions: Sequence[tuple[str, bool]]) -> dict[str, Share]:
    """Per goal the actions of it and of all goals below it: how many there are and how many are done.

    `actions` are (goal, done); those of unknown goals are left out. Each action counts once per goal, also where
    goals serve each other in a circle.
    """
    children: dict[str, list[str]] = {goal.id: [] for goal in goals}
    for goal in goals:
        if goal.parent in children:
            children[goal.parent].append(goal.id)
    found = {}
    for goal in goals:
        counted = {goal.id} | below(children, [goal.id])
        done = [is_done for name, is_done in actions if name in counted]
        found[goal.id] = Share(sum(done), len(done))
    return found


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
