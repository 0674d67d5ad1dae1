"""A figure by all attributes at once, as it is after tables of two attributes were settled, for tables of three."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from app.domain.linked_people import Mask, Pair, People, Whole, Withheld

# Two attributes and a day.
Key = tuple[int, int, int]
# Two values of each attribute and two parts of time, in this order.
Cube = tuple[int, int, int, int, int, int]


@dataclass(slots=True, eq=False)
class Level:
    """People, or those of a figure, after what is withheld of each attribute has become one value.

    `people` are those the figure is out of and `yes` how many of each kind of them are so (None: the people
    themselves); `lumped` says which number each value of an attribute has now, `hidden` what is withheld of tables.
    """

    people: People
    yes: Whole | None
    lumped: tuple[Whole, ...]
    hidden: Mapping[Pair, Mask]
    threshold: int
    _tables: dict[Pair, tuple[Whole, Whole | None]] = field(default_factory=dict)
    _triples: dict[Key, tuple[Whole, Whole | None]] = field(default_factory=dict)

    def by_two(self, one: int, other: int) -> tuple[Whole, Whole | None]:
        """How many people have each two values, and how many of them are so (None: of people themselves)."""
        pair = (min(one, other), max(one, other))
        if pair not in self._tables:
            yes = None if self.yes is None else self.people.by_two(pair, self.yes)
            self._tables[pair] = self.people.by_two(pair), yes
        n, yes = self._tables[pair]
        return (n, yes) if one < other else (n.T, None if yes is None else yes.T)

    def by_three(self, one: int, other: int, third: int) -> tuple[Whole, Whole | None]:
        """How many people have each three values, and how many of them are so (None: of people themselves)."""
        key = one, other, third
        if key not in self._triples:
            codes, sizes = self.people.codes, [self.people.sizes[at] for at in key]
            place = (codes[:, one] * sizes[1] + codes[:, other]) * sizes[2] + codes[:, third]

            def added(numbers: Whole) -> Whole:
                found = np.bincount(place, numbers, sizes[0] * sizes[1] * sizes[2])
                return np.rint(found).astype(np.int64).reshape(sizes)

            self._triples[key] = added(self.people.counts), None if self.yes is None else added(self.yes)
        return self._triples[key]

    def withheld_of(self, one: int, other: int) -> Mask:
        """What is withheld of the table of two attributes."""
        return self.hidden[one, other] if one < other else self.hidden[other, one].T

    def moves(self, key: Key) -> tuple[Mask, Mask]:
        """Which cells of three attributes can lose one, and which can gain one without making a new pair of values."""
        n, yes = self.by_three(*key)
        if yes is not None:
            return yes > 0, n - yes > 0
        one, other, third = key
        pairs = [self.by_two(*two)[0] > 0 for two in ((one, other), (one, third), (other, third))]
        return n > 0, pairs[0][:, :, None] & pairs[1][:, None, :] & pairs[2][None, :, :]


def level_of(people: People, counts: Whole, yes: Whole | None, withheld: Withheld, threshold: int) -> Level:
    """A figure as `linked_tables.protect` left it; `counts` are those of each kind of `people` that it is out of."""
    lumped = []
    for hidden in withheld.values:
        numbers = np.cumsum(~hidden) - 1
        numbers[hidden] = int((~hidden).sum())
        lumped.append(numbers.astype(np.int64))
    there = counts > 0
    codes = np.stack([numbers[people.codes[there, n]] for n, numbers in enumerate(lumped)], axis=1)
    sizes = tuple(int(numbers.max(initial=-1)) + 1 for numbers in lumped)
    cells = {}
    for (one, other), mask in withheld.cells.items():
        rows, columns = np.nonzero(mask)
        cells[one, other] = np.zeros((sizes[one], sizes[other]), dtype=bool)
        cells[one, other][lumped[one][rows], lumped[other][columns]] = True
    made = People(codes, counts[there], sizes)
    return Level(made, None if yes is None else yes[there], tuple(lumped), cells, threshold)


def by_block(level: Level, key: Key, blocks: Whole) -> tuple[Whole, Whole | None]:
    """People, and those of them who are so (None: of people themselves), by two values and block of the day's parts."""
    fold = folded(blocks)
    n, yes = level.by_three(*key)
    return n @ fold, None if yes is None else yes @ fold


def folded(blocks: Whole) -> Whole:
    """Of which parts of a day each block is made: a column for each."""
    return np.asarray(blocks[:, None] == np.arange(int(blocks.max(initial=-1)) + 1), dtype=np.int64)
