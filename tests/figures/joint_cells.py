"""The attacker of what is decided in the domain: linear programming over the joint cells of all attributes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from app.domain.linked_people import People, Whole, Withheld

THRESHOLD = 10


class JointCells:
    """What is published of people and of one figure: by nothing, by each attribute and by each two.

    `knows_pairs`: the attacker knows which values never occur together, withheld ones too.
    """

    def __init__(self, people: People, so: Whole, base: Withheld, figure: Withheld, *, knows_pairs: bool) -> None:
        self.people, self.so = people, so
        cells = np.array(list(itertools.product(*(range(size) for size in people.sizes))))
        possible = np.ones(len(cells), dtype=bool)
        for pair in people.pairs:
            table = people.by_two(pair)
            open_to = table > 0 if knows_pairs else (table > 0) | base.of_pair(pair)
            possible &= open_to[cells[:, pair[0]], cells[:, pair[1]]]
        self.cells = cells[possible]
        self._rows: list[np.ndarray] = []
        self._right: list[int] = []
        everybody = np.ones(len(self.cells), dtype=bool)
        self.put(everybody, (int(people.counts.sum()), int(so.sum())), (base.everything, figure.everything))
        for i, size in enumerate(people.sizes):
            n, yes = people.by(i), people.by(i, so)
            for a in range(size):
                hides = [bool(one.values[i][a]) or one.everything for one in (base, figure)]
                self.put(self.cells[:, i] == a, (int(n[a]), int(yes[a])), (hides[0], hides[1]))
        for i, j in people.pairs:
            n, yes = people.by_two((i, j)), people.by_two((i, j), so)
            hidden = [one.of_pair((i, j)) for one in (base, figure)]
            for a, b in np.ndindex(n.shape):
                where = (self.cells[:, i] == a) & (self.cells[:, j] == b)
                self.put(where, (int(n[a, b]), int(yes[a, b])), (bool(hidden[0][a, b]), bool(hidden[1][a, b])))

    def put(self, where: np.ndarray, numbers: tuple[int, int], hides: tuple[bool, bool]) -> None:
        """People in some cells, and how many of them are so, are published unless they are withheld."""
        for both, number, hidden in zip((True, False), numbers, hides, strict=True):
            if not hidden:
                self._rows.append(np.concatenate([where & both, where]).astype(float))
                self._right.append(number)

    @cached_property
    def _points(self) -> np.ndarray:
        """Some ways in which what is published may have come about: a sum in which two of them differ is not solved."""
        rng = np.random.default_rng(1)
        found = [self._program(rng.normal(size=2 * len(self.cells))) for _ in range(24)]
        return np.array([one.x for one in found if one.status == 0])

    def _program(self, row: np.ndarray) -> object:
        return linprog(row, A_eq=csr_array(np.array(self._rows)), b_eq=self._right, bounds=(0, None))

    def solved(self, there: np.ndarray, where: np.ndarray) -> Iterator[str]:
        """Of which of some people there are few, but a single possible number: people, those who are so or are not.

        `there` says which rows of people they are, `where` which cells.
        """
        n, yes = int(self.people.counts[there].sum()), int(self.so[there].sum())
        off = np.zeros(len(self.cells), dtype=bool)
        for number, row, what in (
            (n, np.concatenate([where, where]), "people"),
            (yes, np.concatenate([off, where]), "so"),
            (n - yes, np.concatenate([where, off]), "not so"),
        ):
            few = 0 < number < THRESHOLD or (what != "people" and n > 0 and self.so.sum() > 0 and number < THRESHOLD)
            if few and self._one_value(row.astype(float)):
                yield f"{number} of {n} {what}"

    def _one_value(self, row: np.ndarray) -> bool:
        told = self._points @ row
        if len(told) and math.floor(told.max() + 1e-6) > math.ceil(told.min() - 1e-6):
            return False
        least, most = self._program(row), self._program(-row)
        assert least.status == 0, least.message
        return most.status == 0 and math.floor(-most.fun + 1e-6) <= math.ceil(least.fun - 1e-6)


def runs(parts: int) -> Iterator[np.ndarray]:
    """Every run of parts from one to another."""
    for first, last in itertools.combinations_with_replacement(range(parts), 2):
        yield np.array([first <= n <= last for n in range(parts)])
