"""Routes from where a client stands to a target occupation, through related occupations and job zones.

A route is a chain of occupations in which each is related to the next. Relations are few (20 an occupation) and
listed from one side only; moving along one counts in both directions, against its direction a little more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from app.domain.matching import LEAST_IMPORTANCE, education_gap

Floats = npt.NDArray[np.float64]
MOST_HOPS: Final = 6
MOST_ROUTES: Final = 3
# What makes a hop dear, in hops: Octant's own choice. A zone more than one up is a stage left out; far down is a
# step back; a distant or reversed relation is less of a bridge than a close one.
_SKIPPED_ZONE: Final = 1.5
_ZONE_DOWN: Final = 0.5
_LAST_RANK: Final = 0.5
_REVERSED: Final = 0.25
# Levels of 0 to 7 differ by less than this between raters.
_LEAST_STEP: Final = 0.5
_MOST_SKILLS: Final = 5


@dataclass(frozen=True)
class Network:
    """Occupations and the hops between them, as arrays over `codes`; made by `network`, read-only.

    Hops are sorted by where they lead; `starts` is where each target's hops begin. `zones` is NaN where not known.
    """

    codes: tuple[str, ...]
    zones: Floats
    sources: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    costs: Floats
    starts: npt.NDArray[np.int64]
    reached: npt.NDArray[np.int64]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each code."""
        return {code: row for row, code in enumerate(self.codes)}

    def into(self, row: int) -> slice:
        """Which hops lead to a row; they lie side by side."""
        first, last = np.searchsorted(self.targets, (row, row + 1))
        return slice(int(first), int(last))


def network(relations: Mapping[str, Sequence[tuple[str, int]]], zones: Mapping[str, int | None]) -> Network:
    """The network of `relations` (code to related codes with their rank, 1 the closest) with job zones 1 to 5.

    Relations of an occupation to itself are left out.
    """
    codes = tuple(sorted(set(relations) | {other for each in relations.values() for other, _ in each}))
    row_of = {code: row for row, code in enumerate(codes)}
    zone_of = np.array([np.nan if zones.get(code) is None else zones[code] for code in codes], dtype=np.float64)
    last = max((rank for each in relations.values() for _, rank in each), default=1)
    cheapest: dict[tuple[int, int], float] = {}
    for code, each in relations.items():
        for other, rank in each:
            here, there = row_of[code], row_of[other]
            if here == there:
                continue
            near = _LAST_RANK * (rank - 1) / max(1, last - 1)
            for pair, cost in (((here, there), near), ((there, here), near + _REVERSED)):
                cheapest[pair] = min(cost, cheapest.get(pair, np.inf))
    pairs = sorted(cheapest, key=lambda pair: (pair[1], pair[0]))
    sources, targets = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    up = np.nan_to_num(zone_of[targets] - zone_of[sources]) if pairs else np.zeros(0)
    zone_cost = np.where(up > 1, (up - 1) * _SKIPPED_ZONE, np.where(up < 0, -up * _ZONE_DOWN, 0.0))
    costs = 1.0 + np.array([cheapest[pair] for pair in pairs], dtype=np.float64) + zone_cost
    reached, starts = np.unique(targets, return_index=True)
    return Network(codes, zone_of, sources, targets, costs, starts, reached)


@dataclass(frozen=True, slots=True)
class Route:
    """Codes from the first position to the target, and what the hops cost together (a plain hop costs 1)."""

    codes: tuple[str, ...]
    cost: float


def routes(
    net: Network, starts: Iterable[str], target: str, *, most: int = MOST_ROUTES, hops: int = MOST_HOPS
) -> list[Route]:
    """Up to `most` different routes of at most `hops` hops, the cheapest first; empty where there is none.

    Different routes share nothing but their ends: after each one its stages in between are closed (a route of one
    hop closes only that hop), and with several possible starts its start too. A start that is the target gives no
    route: there is nowhere to go. Codes the network does not have are passed over.
    """
    goal = net.row_of.get(target)
    begin = {net.row_of[code] for code in starts if code in net.row_of}
    if goal is None or not begin or goal in begin:
        return []
    several = len(begin) > 1
    costs = net.costs.copy()
    found: list[Route] = []
    while len(found) < most and begin:
        path = _cheapest(net, costs, begin, goal, hops)
        if path is None:
            break
        rows, cost = path
        found.append(Route(tuple(net.codes[row] for row in rows), cost))
        if several:
            begin.discard(rows[0])
        elif len(rows) == 2:
            there = net.into(goal)
            costs[there][net.sources[there] == rows[0]] = np.inf
        # A stage of one route is no stage of another.
        for row in rows[:-1]:
            costs[net.into(row)] = np.inf
    return found


def _cheapest(net: Network, costs: Floats, begin: set[int], goal: int, hops: int) -> tuple[list[int], float] | None:
    """Rows from a start to the goal and their cost: all hops are relaxed at once, as often as hops are allowed."""
    reach = np.full(len(net.codes), np.inf)
    reach[list(begin)] = 0.0
    rounds = [reach]
    for _ in range(hops):
        best = reach.copy()
        here = np.minimum.reduceat(reach[net.sources] + costs, net.starts) if len(net.starts) else np.zeros(0)
        best[net.reached] = np.minimum(best[net.reached], here)
        if np.array_equal(best, reach):
            break
        reach = best
        rounds.append(reach)
    if not np.isfinite(reach[goal]):
        return None
    rows = [goal]
    at = goal
    for number in range(len(rounds) - 1, 0, -1):
        before = rounds[number - 1]
        if before[at] == rounds[number][at]:
            continue
        into = net.into(at)
        at = int(net.sources[into][np.argmin(before[net.sources[into]] + costs[into])])
        rows.append(at)
    return rows[::-1], float(reach[goal])


@dataclass(frozen=True, slots=True)
class Position:
    """What is known of a stage: job zone 1 to 5, required education by category, skills as (importance, level)."""

    zone: int | None
    education: Sequence[float] | None
    skills: Mapping[str, tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True)
class SkillStep:
    """A skill the next stage asks for at a higher level (0 to 7) than what one has."""

    element: str
    required: float
    own: float


@dataclass(frozen=True, slots=True)
class Lacks:
    """What one hop lacks. `zones` is how many job zones it goes up (None: not known, at most 0: none).

    `asking_at_most` is the percent of the next stage's jobs that ask for at most the client's education, and
    `education_steps` how many levels its typical job asks above it; None where not known. `skills` are the important
    ones with a higher level, the widest first; None where one side has no skills to compare.
    """

    zones: int | None
    asking_at_most: float | None
    education_steps: int | None
    skills: tuple[SkillStep, ...] | None


def lacks(here: Position | None, there: Position, education: int | None, own: Mapping[str, float] | None) -> Lacks:
    """What is missing to go from `here` (None: no position yet) to `there`.

    `education` is the client's level, 1 to 12, and `own` the client's rating of skills, 0 to 7, both None when not
    known. A skill one has is the higher of one's own rating and what the position before already asked. Differences
    below half a level are no lack. Octant's own measure (SCIENCE 5, step 5).
    """
    zones = None
    if here is not None and here.zone is not None and there.zone is not None:
        zones = max(0, there.zone - here.zone)
    gap = education_gap(there.education, education)
    had = dict(own or {})
    for element, (_, level) in (here.skills if here is not None else {}).items():
        if level is not None:
            had[element] = max(level, had.get(element, 0.0))
    skills = None
    if had and any(level is not None for _, level in there.skills.values()):
        steps = [
            (importance * (level - had[element]), SkillStep(element, level, had[element]))
            for element, (importance, level) in there.skills.items()
            if importance is not None and importance >= LEAST_IMPORTANCE
            if level is not None and element in had and level - had[element] >= _LEAST_STEP
        ]
        steps.sort(key=lambda step: (-step[0], step[1].element))
        skills = tuple(step for _, step in steps[:_MOST_SKILLS])
    return Lacks(zones, gap.asking_at_most if gap else None, gap.steps if gap else None, skills)
