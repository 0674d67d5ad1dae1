"""What else people are who are moved round a cube: all alike, or so that other tables change that are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.domain.linked_levels import Cube, Key, Level
from app.domain.linked_people import Mask, Pair, Whole

# Rests of people that are tried for each value.
_RESTS = 24


@dataclass(slots=True, eq=False)
class Rests:
    """What else people are, beside the two attributes and the day: whether all of a cube can be alike in it."""

    level: Level
    key: Key
    others: list[int]
    # A row for each combination that occurs, and which of them each kind of people has.
    rests: Whole
    of_kind: Whole
    _known: dict[tuple[int, int], Mask] = field(default_factory=dict)
    _real: dict[tuple[int, int], Mask] = field(default_factory=dict)

    @staticmethod
    def of(level: Level, key: Key) -> Rests:
        """The rests of the people of a level."""
        others = [at for at in range(len(level.people.sizes)) if at not in key]
        rests, of_kind = np.unique(level.people.codes[:, others], axis=0, return_inverse=True)
        return Rests(level, key, others, rests, of_kind.ravel())

    def _occurs(self, at: int, value: int) -> Mask:
        """With which rests a value occurs, as far as tables of two attributes say."""
        if (at, value) not in self._known:
            good = np.ones(len(self.rests), dtype=bool)
            for number, other in enumerate(self.others):
                good &= self.level.by_two(at, other)[0][value, self.rests[:, number]] > 0
            self._known[at, value] = good
        return self._known[at, value]

    def _has(self, at: int, value: int) -> Mask:
        """The rests of real people with a value."""
        if (at, value) not in self._real:
            mine = self.of_kind[self.level.people.codes[:, at] == value]
            self._real[at, value] = np.bincount(mine, minlength=len(self.rests)) > 0
        return self._real[at, value]

    def find(
        self, one: Pair, other: Pair, days: Pair, up: bool, rank: Mapping[int, int]
    ) -> list[tuple[Pair, Cube]] | None:
        """The cubes of other tables that change as well, none if people can be alike in all else; None if not at all.

        Otherwise those of each value of one attribute are alike, and differ from those of its other value in
        attributes that tell more: their tables within this day change in the same way.
        """
        if not self.others:
            return []
        first, second, day = self.key
        in_time = self._occurs(day, days[0]) & self._occurs(day, days[1])
        of_one = self._occurs(first, one[0]) & self._occurs(first, one[1])
        of_other = self._occurs(second, other[0]) & self._occurs(second, other[1])
        if (in_time & of_one & of_other).any():
            return []
        for at, values, beside, across, good in (
            (first, one, second, other, in_time & of_other),
            (second, other, first, one, in_time & of_one),
        ):
            finer = [
                number
                for number, more in enumerate(self.others)
                if rank[more] > rank[at] and (self.level.by_two(at, more)[0] == 0).any()
            ]
            alike = [number for number in range(len(self.others)) if number not in finer]
            mine, theirs = (np.flatnonzero(good & self._has(at, value))[:_RESTS] for value in values)
            for rest in mine if finer else ():
                for rest2 in theirs:
                    if (self.rests[rest, alike] == self.rests[rest2, alike]).all():
                        needs = self._needs((rest, rest2), finer, (beside, *across), days)
                        if self._movable(needs, up):
                            return needs
        return None

    def _needs(
        self, rests: Pair, finer: Sequence[int], beside: tuple[int, int, int], days: Pair
    ) -> list[tuple[Pair, Cube]]:
        """What two rests change where they differ; `beside` are the other attribute and its two values."""
        found: list[tuple[Pair, Cube]] = []
        at, b, b2 = beside
        for number in finer:
            (a, a2), more = (int(self.rests[rest, number]) for rest in rests), self.others[number]
            if a != a2:
                cube = (a, a2, b, b2, *days) if more < at else (b, b2, a, a2, *days)
                found.append(((min(more, at), max(more, at)), cube))
        return found

    def _movable(self, needs: Sequence[tuple[Pair, Cube]], up: bool) -> bool:
        """Whether the cells of these tables that would lose one have somebody."""
        for pair, (a, a2, b, b2, d, d2) in needs:
            lose, gain = self.level.moves((*pair, self.key[2]))
            for n, one in enumerate((a, a2)):
                for m, other in enumerate((b, b2)):
                    for k, part in enumerate((d, d2)):
                        gains = ((n + m + k) % 2 == 0) == up
                        if not (gain if gains else lose)[one, other, part]:
                            return False
        return True
