"""An analyst who takes everything on offer and tries to solve what was withheld, by linear programming.

It knows what is published and nothing else: every figure by every attribute and every pair, that people are whole
numbers from 0 up, that every table is a sum over one table of all attributes, who is in which cohorts at all, and what
the definitions say (of one step: who completed it is not overdue, not returned, did not drop back and stalls elsewhere;
who answered in time answered, and who answered was due; what is measured of people adds up to mean times number).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

OF_STEP = ("completed", "overdue", "returned", "reopened", "stalled")
# Each is out of the people of the one before.
CHAINS = (("due", "answered", "in_time"), ("rated", "attained"), ("measured", "beyond"))
# Whose people another figure is out of, of which runs of periods are told; all others are out of the whole.
OVER = {
    "answered": "due",
    "in_time": "answered",
    "attained": "rated",
    "beyond": "measured",
    "low": "scored",
    "high": "scored",
}
_SEEKS, _PLACED = ("known", "reached"), ("known", "reached", "placed")
# What is so of a graduate of each status, beside being of it.
DESTINATIONS = {
    "unknown": ((),),
    "not_seeking": (("known",),),
    "seeking_employment": (_SEEKS,),
    "seeking_education": (_SEEKS,),
    "service": (_PLACED,),
    "military": (_PLACED,),
    "continuing_education": (_PLACED,),
    "employed_part_time": tuple((*_PLACED, "employed", *m) for m in ((), ("working",), ("working", "matched"))),
    "employed_full_time": tuple(
        (*_PLACED, "employed", "full_time", *paid, *m)
        for paid in ((), ("paid",))
        for m in ((), ("working",), ("working", "matched"))
    ),
}
DAYS = ("@started", "@reviewed")
Place = tuple[tuple[str, Any], ...]
Part = tuple[str, str]
Outcomes = list[tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class Published:
    """What was exported of people with a plan, or of graduates (`whole`): values, and numbers, None where withheld.

    `values` are those of each attribute, `numbers` stand by (figure, part) and place.
    `sums` are of what is measured: by (figure, part) the figure whose people it is of, and mean times number by place.
    """

    values: dict[str, list[Any]]
    numbers: dict[Part, dict[Place, int | None]]
    sums: dict[Part, tuple[Part, dict[Place, float | None]]]
    whole: Part = ("people", "all")
    # The organization's terms: name, first and last day.
    terms: tuple[tuple[str, date, date], ...] = ()

    def withheld(self) -> int:
        """How many numbers are withheld."""
        return sum(number is None for numbers in self.numbers.values() for number in numbers.values())


def place_of(first: str | None, value: Any, second: str | None, other: Any) -> Place:
    """A group by attribute and value, whichever attribute was asked for first."""
    return tuple(sorted(((key, v) for key, v in ((first, value), (second, other)) if key is not None), key=str))


def attack(published: Published, steps: str = "12345678") -> Iterator[tuple[Part, Place, float]]:
    """Every withheld number of these steps and of the whole that has one possible value: figure, group and number.

    Of nobody nobody is so, what nobody is so of is published as that, and of those who are published to be nobody there
    are no parts: none of these is a secret.
    """
    joint = _Joint(published)
    for outcomes in _systems(published, steps):
        yield from _solve(joint, published, outcomes)
    for part, (of, sums) in published.sums.items():
        if of[0] != "completed" or of[1] in steps:
            yield from _solve_sums(joint, part, published.numbers[of], sums)


def attack_sums(published: Published, exact: Published, steps: str = "12345678") -> Iterator[tuple[Part, Place, str]]:
    """Every run of periods, beside nothing and beside each value, that is of few people and has one possible number.

    `exact` says which are of few: fewer people than ten, or of a figure so few who are so, or who are not.
    """
    joint = _Joint(published)
    for outcomes in _systems(published, steps):
        yield from _solve_runs(joint, published, exact, outcomes)


def _systems(published: Published, steps: str) -> Iterator[Outcomes]:
    """What can be so of one person at once, of figures that have to do with each other."""
    if published.whole[0] == "graduates":
        yield [
            (("outcome", status), *((key, "all") for key in also))
            for status, each in DESTINATIONS.items()
            for also in each
        ]
        return
    for step in steps:
        # Who completed the step is nothing else of it.
        others = [tuple((f, step) for f in some) for n in range(5) for some in itertools.combinations(OF_STEP[1:], n)]
        yield [((OF_STEP[0], step),), *others]
    done = set(OF_STEP) | {"people"}
    for chain in CHAINS:
        done |= set(chain)
        for part in sorted({key[1] for key in published.numbers if key[0] == chain[0]}):
            known = [(key, part) for key in chain if (key, part) in published.numbers]
            yield [tuple(known[:n]) for n in range(len(known) + 1)]
    done |= {"scored", "low", "high"}
    for part in sorted({key[1] for key in published.numbers if key[0] == "scored"}):
        # Nobody's score is low and high.
        scored = ("scored", part)
        yield [(), (scored,), (scored, ("low", part)), (scored, ("high", part))]
    whys = [key for key in published.numbers if key[0] == "changed"]
    yield [some for n in range(len(whys) + 1) for some in itertools.combinations(whys, n)]
    for alone in sorted({key for key in published.numbers if key[0] not in done | {"changed"}}):
        yield [(alone,), ()]


def _day_of(key: str) -> str:
    return next((day for day in DAYS if key.startswith(day)), key)


class _Joint:
    """The joint table of all attributes: its cells, and which of them a group is made of."""

    def __init__(self, published: Published) -> None:
        self._published = published
        # Kinds of periods of the same day follow from it: they are one attribute.
        self._keys = list(dict.fromkeys(_day_of(key) for key in published.values))
        codes = [self._codes(key) for key in self._keys]
        self.size = math.prod(len(each) for each in codes)
        self._table = list(itertools.product(*codes))
        self._inside: dict[Place, np.ndarray] = {}

    def _codes(self, key: str) -> list[Any]:
        if key in DAYS:
            return self._days(key)
        values = self._published.values[key]
        if key != "@cohort":
            return values
        # Somebody is in any of the cohorts, or in none.
        named = [value for value in values if value is not None]
        return [some for n in range(len(named) + 1) for some in itertools.combinations(named, n)]

    def _days(self, key: str) -> list[dict[str, Any]]:
        """What days are in, by kind of period; days that are in the same ones are one code."""
        offered = {kind: values for kind, values in self._published.values.items() if _day_of(kind) == key}
        known: dict[str, dict[str, Any]] = {}
        for day in (date(2024, 1, 1) + timedelta(days=n) for n in range(365 * 4)):
            terms = [name for name, first, last in self._published.terms if first <= day <= last]
            told = {
                key: f"{day.year}-Q{(day.month + 2) // 3}",
                f"{key}_month": f"{day:%Y-%m}",
                f"{key}_year": f"{day.year}",
                f"{key}_term": terms[0] if terms else None,
            }
            mine = {kind: told[kind] for kind in offered}
            if all(value in offered[kind] for kind, value in mine.items()):
                known[str(mine)] = mine
        if any(None in values for kind, values in offered.items() if not kind.endswith("_term")):
            known["none"] = dict.fromkeys(offered)
        return list(known.values())

    def inside(self, place: Place) -> np.ndarray:
        if place not in self._inside:
            self._inside[place] = self._cells_of(place)
        return self._inside[place]

    def _cells_of(self, place: Place) -> np.ndarray:
        found = np.ones(self.size, dtype=bool)
        for key, value in place:
            at = self._keys.index(_day_of(key))
            if _day_of(key) in DAYS:
                found &= np.array([cell[at][key] == value for cell in self._table])
            elif key != "@cohort":
                found &= np.array([cell[at] == value for cell in self._table])
            else:
                found &= np.array([value in cell[at] if value else not cell[at] for cell in self._table])
        return found

    def empty(self) -> np.ndarray:
        """Cells that nobody is in, as every reader sees."""
        found = np.zeros(self.size, dtype=bool)
        for place, number in self._published.numbers[self._published.whole].items():
            if number == 0:
                found |= self.inside(place)
        return found


def _solve(joint: _Joint, published: Published, outcomes: Outcomes) -> Iterator[tuple[Part, Place, float]]:
    whole = published.whole
    people = published.numbers[whole]
    empty = joint.empty()
    parts = [whole, *sorted({part for outcome in outcomes for part in outcome})]
    rows, right, secret = [], [], []
    for part in parts:
        counted = [part == whole or part in outcome for outcome in outcomes]
        for place, number in published.numbers[part].items():
            where = joint.inside(place) & ~empty
            row = np.concatenate([where & yes for yes in counted]).astype(float)
            if number is not None:
                rows.append(row)
                right.append(number)
            elif row.any() and people[place] != 0 and published.numbers[part][()] != 0:
                secret.append((part, place, row))
    left = csr_array(np.array(rows))
    # Ways in which everything published may have come about: where two of them differ in a number it is not solved.
    ways: list[np.ndarray] = []
    for part, place, row in secret:
        told = [float(row @ way) for way in ways]
        if told and math.floor(max(told) + 1e-6) > math.ceil(min(told) - 1e-6):
            continue
        least, most = (linprog(sign * row, A_eq=left, b_eq=right, bounds=(0, None)) for sign in (1, -1))
        assert least.status == 0, (least.message, part, place)
        ways += [end.x for end in (least, most) if end.status == 0]
        if most.status == 0 and math.floor(-most.fun + 1e-6) <= math.ceil(least.fun - 1e-6):
            yield part, place, round(least.fun)


def _runs(published: Published) -> Iterator[tuple[str, list[Any]]]:
    """Every run of periods of one kind."""
    for kind, values in published.values.items():
        if _day_of(kind) in DAYS:
            told = [value for value in values if value is not None]
            for first, last in itertools.combinations_with_replacement(range(len(told)), 2):
                yield kind, told[first : last + 1]


def _over(published: Published, part: Part) -> Part:
    return (OVER[part[0]], part[1]) if part[0] in OVER else published.whole


def _few_runs(
    joint: _Joint, published: Published, exact: Published, part: Part
) -> Iterator[tuple[Place, np.ndarray, list[str]]]:
    """Runs of few by what they are beside, each set of cells once, and of what they are few: people, so or not so."""
    seen: set[bytes] = set()
    beside = [(), *(((key, v),) for key, values in published.values.items() for v in values)]
    for kind, values in _runs(published):
        for other in beside:
            if other and _day_of(other[0][0]) == _day_of(kind):
                continue
            places = [tuple(sorted(((kind, value), *other), key=str)) for value in values]
            over = _over(published, part)
            n, so = (sum(exact.numbers[one][place] or 0 for place in places) for one in (over, part))
            few = [name for name, number in (("so", so), ("not so", n - so)) if number < 10 and n]
            where = np.any([joint.inside(place) for place in places], axis=0)
            if (0 < n < 10 if part == published.whole else few) and where.tobytes() not in seen:
                seen.add(where.tobytes())
                yield places[0] + ((kind, values[-1]),), where, ["people"] if part == published.whole else few


def _solve_runs(
    joint: _Joint, published: Published, exact: Published, outcomes: Outcomes
) -> Iterator[tuple[Part, Place, str]]:
    whole = published.whole
    possible = ~joint.empty()
    parts = [whole, *sorted({part for outcome in outcomes for part in outcome})]
    left, right = _equations(joint, published, outcomes)
    rng = np.random.default_rng(1)
    points = []
    for _ in range(24):
        found = linprog(rng.normal(size=left.shape[1]), A_eq=left, b_eq=right, bounds=(0, None))
        points += [found.x] if found.status == 0 else []
    for part in parts:
        if not exact.numbers[part][()]:
            continue
        over = _over(published, part)
        so = np.array([part == whole or part in outcome for outcome in outcomes])
        not_so = ~so & np.array([over == whole or over in outcome for outcome in outcomes])
        for place, where, few in _few_runs(joint, published, exact, part):
            for what in few:
                counted = so if what != "not so" else not_so
                row = np.concatenate([where & possible & yes for yes in counted]).astype(float)
                told = [float(row @ point) for point in points]
                if told and math.floor(max(told) + 1e-6) > math.ceil(min(told) - 1e-6):
                    # Two ways in which everything published may have come about differ in it.
                    continue
                least, most = (linprog(sign * row, A_eq=left, b_eq=right, bounds=(0, None)) for sign in (1, -1))
                assert least.status == 0, (least.message, part, place)
                if most.status == 0 and math.floor(-most.fun + 1e-6) <= math.ceil(least.fun - 1e-6):
                    yield part, place, f"{round(least.fun)} {what}"


def _equations(joint: _Joint, published: Published, outcomes: Outcomes) -> tuple[csr_array, list[int]]:
    """What is published of a system, over its joint cells."""
    whole, possible = published.whole, ~joint.empty()
    rows, right = [], []
    for part in [whole, *sorted({part for outcome in outcomes for part in outcome})]:
        counted = [part == whole or part in outcome for outcome in outcomes]
        for place, number in published.numbers[part].items():
            if number is not None:
                where = joint.inside(place) & possible
                rows.append(np.concatenate([where & yes for yes in counted]).astype(float))
                right.append(number)
    return csr_array(np.array(rows)), right


def _solve_sums(
    joint: _Joint, part: Part, numbers: dict[Place, int | None], sums: dict[Place, float | None]
) -> Iterator[tuple[Part, Place, float]]:
    """The same of sums: they may be any numbers, those of days none below 0."""
    possible = ~joint.empty()
    known = {place: number for place, number in sums.items() if number is not None}
    if not known:
        return
    left = csr_array(np.array([(joint.inside(place) & possible).astype(float) for place in known]))
    bounds = (0 if part[0] == "days" else None, None)
    # As above; clearly different, so that no rounding of a way counts.
    ways: list[np.ndarray] = []
    for place, number in sums.items():
        if number is None and numbers[place] is None:
            row = (joint.inside(place) & possible).astype(float)
            told = [float(row @ way) for way in ways]
            if told and max(told) - min(told) > 1e-2:
                continue
            ends = [linprog(sign * row, A_eq=left, b_eq=list(known.values()), bounds=bounds) for sign in (1, -1)]
            ways += [end.x for end in ends if end.status == 0]
            if all(end.status == 0 for end in ends) and -ends[1].fun - ends[0].fun < 1e-4:
                yield part, place, ends[0].fun
