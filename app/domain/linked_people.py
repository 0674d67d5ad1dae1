"""People by their attributes as tables that share margins, and what is withheld of them while it is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """People by their attributes: a row for each combination that occurs, with how many people are so.

    `codes` numbers each attribute's values from 0; `sizes` says how many values each attribute has.
    """

    codes: Whole
    counts: Whole
    sizes: tuple[int, ...]

    @property
    def pairs(self) -> list[Pair]:
        """Every two attributes, each pair once."""
        return list(combinations(range(len(self.sizes)), 2))

    def by(self, attribute: int, numbers: Whole | None = None) -> Whole:
        """How many people (or the sum of `numbers`) each value of an attribute has."""
        return np.rint(self.sums(attribute, self.counts if numbers is None else numbers)).astype(np.int64)

    def by_two(self, pair: Pair, numbers: Whole | None = None) -> Whole:
        """The same for two attributes at once, as a table."""
        return np.rint(self.sums_by_two(pair, self.counts if numbers is None else numbers)).astype(np.int64)

    def sums(self, attribute: int, numbers: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Any numbers of the rows, added up for each value of an attribute."""
        return np.asarray(np.bincount(self.codes[:, attribute], numbers, self.sizes[attribute]), dtype=np.float64)

    def sums_by_two(self, pair: Pair, numbers: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The same for two attributes at once, as a table."""
        rows, columns = (self.sizes[attribute] for attribute in pair)
        place = self.codes[:, pair[0]] * columns + self.codes[:, pair[1]]
        found = np.bincount(place, numbers, rows * columns).reshape(rows, columns)
        return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Withheld:
    """What is withheld of one figure (True): everything, values of each attribute, and cells of each pair's table."""

    everything: bool
    values: tuple[Mask, ...]
    cells: dict[Pair, Mask]

    def of_pair(self, pair: Pair) -> Mask:
        """The cells of a pair's table that are withheld, those of withheld values among them."""
        rows, columns = (self.values[attribute] for attribute in pair)
        return self.cells[pair] | rows[:, None] | columns[None, :] | self.everything


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Attributes whose values are put together: any of them, as periods and cohorts are made of parts.

    `groups` says for each such attribute of which values the groups are made that are listed beside other attributes
    (a line each). Those in `give_way` are withheld as a whole where a sum that follows would otherwise be of few.
    """

    groups: Mapping[int, Whole] = field(default_factory=dict)
    give_way: frozenset[int] = frozenset()


# A rectangle of withheld cells round which people are known to be movable: two rows and two columns.
Rectangle = tuple[int, int, int, int]


@dataclass(slots=True, eq=False)
class Layer:
    """One figure while it is protected: people or yeses, after values are lumped together."""

    people: People
    # Which values of each attribute are withheld, and which number each has after those have become one.
    lumps: tuple[Mask, ...]
    lumped: tuple[Whole, ...]
    threshold: int
    tables: dict[Pair, Whole]
    yes: dict[Pair, Whole] | None = None
    hidden: dict[Pair, Mask] = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)
    # The rectangles that were found in each table, and the cells through which there is none.
    rectangles: dict[Pair, set[Rectangle]] = field(default_factory=dict)
    stuck: dict[Pair, Mask] = field(default_factory=dict)
    # The attributes by which nothing of it is shown.
    shut: set[int] = field(default_factory=set)
    # Worked out once: `groups` of each attribute, and of each table what `anybody_may_move` says.
    grouped: dict[int, Mask] = field(default_factory=dict)
    free: dict[Pair, bool] = field(default_factory=dict)
    # Kinds of people by attributes and value, as moves ask for them.
    occurring: dict[tuple[int, int, int], Mask] = field(default_factory=dict)

    def groups(self, attribute: int) -> Mask:
        """Which lumped values each group is made of that can be asked for: every value, and what is listed of sums."""
        if attribute not in self.grouped:
            self.grouped[attribute] = self._groups(attribute)
        return self.grouped[attribute]

    def _groups(self, attribute: int) -> Mask:
        size = self.people.sizes[attribute]
        alone = np.eye(size, dtype=bool)
        listed = self.sums.groups.get(attribute)
        if listed is None:
            return alone
        # A group with some of the withheld values only is known without them.
        inside = np.ones((len(listed), size), dtype=bool)
        for value, number in enumerate(self.lumped[attribute]):
            inside[:, number] &= listed[:, value] > 0
        return np.unique(np.concatenate([alone, inside[inside.any(axis=1)]]), axis=0)


def few(n: Whole, yes: Whole | None, threshold: int) -> Mask:
    """Where people are too few to be shown, or those who are so, or those who are not."""
    small = n < threshold
    return small if yes is None else np.asarray(small | (yes < threshold) | (n - yes < threshold), dtype=bool)


def can_move(layer: Layer, pair: Pair) -> tuple[Mask, Mask]:
    """Which cells can lose one and which can gain one, among those that anybody is in."""
    table = layer.tables[pair]
    if layer.yes is None:
        return table > 0, table > 0
    yes = layer.yes[pair]
    return yes > 0, table - yes > 0


def targets(layer: Layer, pair: Pair) -> Mask:
    """Withheld cells with people whose number does not follow from being alone in a line, as every reader may know."""
    there = layer.tables[pair] > 0
    alone = (there.sum(axis=1) == 1)[:, None] | (there.sum(axis=0) == 1)[None, :]
    return np.asarray(layer.hidden[pair] & there & ~alone, dtype=bool)
