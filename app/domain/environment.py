"""Rules about an environment scan: what a factor weighs, and what the list of factors may have left out.

A factor is something that affects a plan (PRODUCT): an opportunity or threat around the person, a strength or weakness
of their own; controllable, partly or not; with likelihood and impact from 1 to 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

KINDS = ("opportunity", "threat", "strength", "weakness")
CONTROL = ("yes", "partly", "no")
STATES = ("holds", "came_true", "gone")
# Each area with the side of the environment it belongs to: how things are around the person, how they develop, and
# how the person stands to them. A scan that leaves one side out is lopsided.
AREAS = {
    "market": "around",
    "place": "around",
    "education": "around",
    "technology": "changing",
    "policy": "changing",
    "society": "changing",
    "family": "mine",
    "money": "mine",
    "health": "mine",
    "abilities": "mine",
}
SIDES = ("around", "changing", "mine")
# Octant's own marks, no findings: from this product of likelihood and impact (at most 25) a factor is heavy, and after
# this many months without a look it is old.
HEAVY = 12
OLD_AFTER_MONTHS = 12
# With fewer factors a scan has not begun to take shape, and what it lacks says nothing yet.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor as the rules see it; None: not said. `answered`: the person wrote what they do about it.

    `noted_on` is the day it was seen or read of, `looked_on` the last day anything was said of it.
    """

    id: str
    kind: str | None = None
    control: str | None = None
    area: str | None = None
    likelihood: int | None = None
    impact: int | None = None
    answered: bool = False
    noted_on: date | None = None
    looked_on: date | None = None

    @property
    def weight(self) -> int | None:
        """Likelihood times impact, 1 to 25; None while either is not said."""
        if self.likelihood is None or self.impact is None:
            return None
        return self.likelihood * self.impact


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a list of factors has and what it may have left out; the lists name factors by id in the order given.

    `kinds`, `control`, `areas` and `sides` count factors; `lacking_…` are those without any, empty for fewer than
    `FEWEST` factors. `one_sided` is "good" where nothing hinders, "bad" where nothing helps, None otherwise.
    """

    factors: int
    kinds: dict[str, int]
    control: dict[str, int]
    areas: dict[str, int]
    sides: dict[str, int]
    lacking_kinds: tuple[str, ...]
    lacking_control: tuple[str, ...]
    lacking_sides: tuple[str, ...]
    one_sided: str | None
    unanswered: tuple[str, ...]
    unplaced: tuple[str, ...]
    undated: tuple[str, ...]
    old: tuple[str, ...]


def cover(factors: Sequence[Factor], today: date | None, old_after: int = OLD_AFTER_MONTHS) -> Coverage:
    """Check a scan for what is missing or stale. Nothing is old without a `today`; an undated factor is not old."""
    kinds = {kind: sum(each.kind == kind for each in factors) for kind in KINDS}
    control = {how: sum(each.control == how for each in factors) for how in CONTROL}
    areas = {area: sum(each.area == area for each in factors) for area in AREAS}
    sides = {side: sum(count for area, count in areas.items() if AREAS[area] == side) for side in SIDES}
    begun = len(factors) >= FEWEST
    good, bad = kinds["opportunity"] + kinds["strength"], kinds["threat"] + kinds["weakness"]
    before = None if today is None else months_before(today, old_after)
    return Coverage(
        factors=len(factors),
        kinds=kinds,
        control=control,
        areas=areas,
        sides=sides,
        lacking_kinds=_none_of(kinds) if begun else (),
        lacking_control=_none_of(control) if begun else (),
        lacking_sides=_none_of(sides) if begun else (),
        one_sided="good" if begun and good and not bad else "bad" if begun and bad and not good else None,
        unanswered=tuple(each.id for each in heaviest(factors) if not each.answered),
        unplaced=tuple(each.id for each in factors if each.weight is None),
        undated=tuple(each.id for each in factors if each.noted_on is None),
        old=tuple(each.id for each in factors if before and _is_old(each, before)),
    )


def heaviest(factors: Sequence[Factor]) -> list[Factor]:
    """The factors that weigh at least `HEAVY`, the weightiest first; equal ones in the order given."""
    return [each for each in by_weight(factors) if (each.weight or 0) >= HEAVY]


def by_weight(factors: Sequence[Factor]) -> list[Factor]:
    """The factors, the weightiest first; equal ones in the order given, those without a weight last."""
    return sorted(factors, key=lambda each: -(each.weight or 0))


def months_before(day: date, months: int) -> date:
    """The day that many months earlier, or the last day of its month; the first day there is for one before it."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if years < 1:
        return date.min
    for last in (day.day, 30, 29, 28):
        try:
            return date(years, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")


def _none_of(counts: dict[str, int]) -> tuple[str, ...]:
    return tuple(name for name, count in counts.items() if not count)


def _is_old(factor: Factor, before: date) -> bool:
    seen = [day for day in (factor.noted_on, factor.looked_on) if day]
    return factor.noted_on is not None and max(seen) < before
