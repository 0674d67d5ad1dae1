"""Tables of two attributes within parts of time, beside all tables of two attributes: what of them can be shown too.

Such a table has numbers of three attributes, and shares tables of two, of which cells are withheld already. Four
decisions keep them safe together (docs/adr/0015-two-attributes-and-a-period.md):

- a cell is only shown where the tables of two show the two values beside each other and each beside the part of time.
  What is moved to keep those safe is moved round a rectangle, and a rectangle that changes such a cell changes one of
  these three as well; so it changes no cell that is shown here;
- a cell of few is withheld, one of nobody with it unless two of its values never occur together: then what is shown is
  of enough people, and nobody learns which three never do;
- a cell that is withheld for that lies on a cube of withheld ones, two values of each attribute and two parts of time,
  round which people can be moved. Then no table of two changes, and of three only those that are named here;
- parts between which people can be moved beside two values are told together only, and are enough people. Whatever sum
  of parts follows is made of such sets, and so is every period that is shown.

Where that cannot be had, parts of time are merged, the nearest first; with one part left the table is not offered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.linked_levels import Cube, Key, Level, by_block, folded
from app.domain.linked_people import Mask, Pair, Whole, few
from app.domain.linked_rests import Rests
from app.domain.told_sums import told_of_cells

# Of a table with smaller groups than these most would be withheld: so many of its people are in cells of enough.
_SHARE = 0.75
# More cells of few are too many groups for a table; opposite corners that are tried for a cell.
_MOST_SECRETS, _CORNERS = 4000, 40
_NEVER = np.iinfo(np.int64).max // 8
# A figure and a part of it.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """What is shown of two attributes within parts of time, of one figure.

    `blocks` says which block each part of the day is in. `sets` has a number for every two values and block; blocks
    with the same one are told together. `hidden` are the cells that are withheld by themselves. The last two go by the
    values of the level, `lumped` says which number a value has there.
    """

    level: Level
    key: Key
    blocks: Whole
    sets: Whole
    hidden: Mask
    needs: Mapping[Pair, Sequence[Cube]]

    def is_told(self, periods: Whole) -> bool:
        """Whether parts of time (a line of 0 and 1 for each part of the day) are some of the blocks, and not all."""
        blocks = self.blocks[self.level.lumped[self.key[2]]]
        inside = self._inside(periods)
        return not inside.all() and not inside[blocks[periods == 0]].any()

    def _inside(self, periods: Whole) -> Mask:
        """Which blocks have one of these parts of time."""
        inside = np.zeros(self.hidden.shape[2], dtype=bool)
        inside[self.blocks[self.level.lumped[self.key[2]]][periods > 0]] = True
        return inside

    def shown(self, periods: Whole) -> Mask:
        """Whether each two values are shown within parts of time (a line of 0 and 1 for each part of the day)."""
        inside = self._inside(periods)
        n, yes = (None if one is None else one @ inside for one in self.numbers())
        assert n is not None
        if not self.is_told(periods):
            return np.zeros(n.shape, dtype=bool)
        torn = np.zeros(n.shape, dtype=bool)
        for block in np.flatnonzero(inside):
            torn |= ((self.sets == self.sets[:, :, block, None]) & ~inside).any(axis=2)
        known = ~_not_known(self.level, self.key, inside[self.blocks].astype(np.int64))[:, :, 1]
        shown = known & ~torn
        # A sum in which something is withheld is of enough.
        shown &= ~few(n, yes, self.level.threshold) | ~(self.hidden & inside).any(axis=2)
        return np.asarray(shown, dtype=bool)

    def numbers(self) -> tuple[Whole, Whole | None]:
        """People, and those of them who are so (None: of people themselves), by two values and block."""
        return by_block(self.level, self.key, self.blocks)


class Triples:
    """Tables of two attributes within a day's parts, of figures and those they are out of, worked out when asked for.

    `levels` have all people first, and each comes after the one that it is out of (`out_of`, None: of none). `periods`
    are lines over the parts of the `day` as people have them, in the order in which they should be told.
    """

    def __init__(
        self,
        levels: Mapping[Name, Level],
        out_of: Mapping[Name, Name | None],
        day: int,
        periods: Sequence[Whole],
    ) -> None:
        self._levels, self._out_of, self._day, self._periods = levels, out_of, day, periods
        self._done: dict[tuple[Name, Pair], Within | None] = {}
        sizes = next(iter(levels.values())).people.sizes
        order = sorted(range(len(sizes)), key=lambda at: (sizes[at], at))
        self._rank = {at: number for number, at in enumerate(order)}

    def within(self, name: Name, pair: Pair) -> Within | None:
        """What is shown of a figure by two attributes, the first one first; None where that is not offered."""
        if (name, pair) not in self._done:
            self._done[name, pair] = self._work_out(name, pair)
        return self._done[name, pair]

    def _work_out(self, name: Name, pair: Pair) -> Within | None:
        level, key, above = self._levels[name], (*pair, self._day), self._out_of[name]
        parent = None if above is None else self.within(above, pair)
        if above is not None and parent is None:
            return None
        needed = [cube for other in self._before(level, pair) for cube in self._needs_of(name, other, pair)]
        least = np.arange(level.people.sizes[self._day]) if parent is None else _taken_over(parent, level, self._day)
        blocks = self._first_blocks(level, key, least)
        while blocks.max(initial=0) > 0:
            found = _Table(level, key, blocks, self._rank, apart=self._apart(level, blocks)).settle(parent, needed)
            if isinstance(found, Within):
                return found
            blocks = _merged(blocks, found)
        return None

    def _before(self, level: Level, pair: Pair) -> Iterator[Pair]:
        """Tables whose moves may change this one: by attributes that tell less, whose values do not meet all of it."""

        def coarser(at: int, other: int) -> list[int]:
            return [
                one
                for one in range(len(self._rank))
                if self._rank[one] < self._rank[at]
                and one not in {other, self._day}
                and (level.by_two(one, at)[0] == 0).any()
            ]

        one, other = pair
        for first in (*coarser(one, other), one):
            for second in (*coarser(other, one), other):
                if first != second and {first, second} != {one, other}:
                    yield (min(first, second), max(first, second))

    def _needs_of(self, name: Name, other: Pair, pair: Pair) -> Sequence[Cube]:
        found = self.within(name, other)
        return () if found is None else found.needs.get(pair, ())

    def _apart(self, level: Level, blocks: Whole) -> Whole:
        """For each two blocks how many periods have one of them and not the other."""
        number = int(blocks.max(initial=-1)) + 1
        of_people, apart = blocks[level.lumped[self._day]], np.zeros((number, number), dtype=np.int64)
        for line in self._periods:
            inside = np.bincount(of_people[line > 0], minlength=number) > 0
            if not inside[of_people[line == 0]].any():
                apart += inside[:, None] != inside[None, :]
        return apart

    def _first_blocks(self, level: Level, key: Key, least: Whole) -> Whole:
        """Parts of time put together as far as it takes for most people to be in cells of enough.

        Not finer than the blocks in `least`, and two at least.
        """
        blocks = np.zeros(level.people.sizes[self._day], dtype=np.int64)
        for line in self._periods:
            inside = np.zeros(len(blocks), dtype=np.int64)
            inside[least[level.lumped[self._day][line > 0]]] = 1
            if inside[least[level.lumped[self._day][line == 0]]].any():
                continue
            finer = np.unique(blocks * 2 + inside[least], return_inverse=True)[1].astype(np.int64)
            n, yes = by_block(level, key, finer)
            enough = n[~few(n, yes, level.threshold)].sum()
            if enough >= _SHARE * n.sum() or not blocks.any():
                blocks = finer
        return _in_order(blocks)


def _in_order(blocks: Whole) -> Whole:
    """Blocks numbered by their first part."""
    _, first, inverse = np.unique(blocks, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _taken_over(parent: Within, level: Level, day: int) -> Whole:
    """The blocks of the people a figure is out of, where what is one value of the figure is in one block."""
    blocks = parent.blocks[parent.level.lumped[day]]
    for number in range(level.people.sizes[day]):
        among = np.unique(blocks[level.lumped[day] == number])
        blocks[np.isin(blocks, among)] = among.min()
    found = np.zeros(level.people.sizes[day], dtype=np.int64)
    found[level.lumped[day]] = blocks
    return _in_order(found)


def _merged(blocks: Whole, stuck: int) -> Whole:
    other = stuck - 1 if stuck else 1
    return _in_order(np.where(blocks == stuck, other, blocks))


class _Table:
    """One table while it is protected; cells are by two values and block."""

    def __init__(self, level: Level, key: Key, blocks: Whole, rank: Mapping[int, int], *, apart: Whole) -> None:
        self._level, self._key, self._blocks, self._rank = level, key, blocks, rank
        # What it is worth that no period tells two blocks apart that are told together.
        self._price = apart * level.threshold
        self._n, self._yes = by_block(level, key, blocks)
        self._lose, self._gain = level.moves(key)
        self._there = _may_be(level, key, blocks)
        small = self._few(self._n, self._yes)
        self._elsewhere = _not_known(level, key, blocks)
        self._hidden = self._elsewhere | (small & self._there)
        self._needs: dict[Pair, list[Cube]] = {}
        self._rests = Rests.of(level, key)
        # Sets of blocks between which people can be moved; and those that are told together for another reason.
        self._linked = np.broadcast_to(np.arange(self._n.shape[2]), self._n.shape).copy()
        self._together = self._linked.copy()

    def _take_over(self, parent: Within) -> None:
        """What is withheld, and told together, of those a figure is out of is so of the figure."""
        day = self._key[2]
        to = [np.zeros(size, dtype=np.int64) for size in parent.hidden.shape]
        for at, target in zip(self._key[:2], to, strict=False):
            target[parent.level.lumped[at]] = self._level.lumped[at]
        to[2][parent.blocks[parent.level.lumped[day]]] = self._blocks[self._level.lumped[day]]
        a, b, e = np.nonzero(parent.hidden)
        self._hidden[to[0][a], to[1][b], to[2][e]] = True
        for a, b, e in np.argwhere(parent.sets != np.arange(parent.sets.shape[2])):
            other = int(parent.sets[a, b, e])
            _join(self._together[to[0][a], to[1][b]], int(to[2][e]), int(to[2][other]))

    def settle(self, parent: Within | None, needed: Sequence[Cube]) -> Within | int:
        """Withhold what it takes; a block of which that cannot be had is returned instead.

        `parent` is what is shown of those it is out of; `needed` are cubes that moves of other tables change.
        """
        if parent is not None:
            self._take_over(parent)
            self._elsewhere = self._hidden.copy()
        for cube in needed:
            if self._blocks[cube[4]] != self._blocks[cube[5]]:
                self._withhold(cube)
        if (self._hidden & self._there).sum() > _MOST_SECRETS:
            return int(self._n.sum(axis=(0, 1)).argmin())
        while True:
            self._enough_in_lines()
            secrets = self._secrets()
            if not len(secrets):
                break
            for a, b, block in secrets:
                if not self._is_secret(a, b, block):
                    continue
                if not self._bridge(a, b, block):
                    return block
        for a, b in np.argwhere((self._linked != np.arange(self._n.shape[2])).any(axis=2)):
            for block, first in enumerate(self._linked[a, b]):
                _join(self._together[a, b], block, int(first))
        return Within(self._level, self._key, self._blocks, self._together, self._hidden, self._needs)

    def _enough_in_lines(self) -> None:
        """What is withheld of the values of one attribute is two cells and enough people, as their sum may follow."""
        again = True
        while again:
            again = False
            for axis in (0, 1):
                gone = self._hidden & self._there
                some = gone & (self._n > 0)
                so = None if self._yes is None else (self._yes * some).sum(axis=axis)
                short = few((self._n * some).sum(axis=axis), so, self._level.threshold) | (some.sum(axis=axis) < 2)
                free = np.where(~self._hidden & (self._n > 0), self._n, _NEVER)
                least = free.argmin(axis=axis)
                for line, block in np.argwhere(short & gone.any(axis=axis) & (free.min(axis=axis) < _NEVER)):
                    value = int(least[line, block])
                    self._hidden[(value, line, block) if axis == 0 else (line, value, block)] = True
                    again = True

    def _sums(self, numbers: Whole) -> Whole:
        """Numbers of cells, added up over the set of linked blocks each is in."""
        added = np.zeros_like(numbers)
        for block in range(numbers.shape[2]):
            added[:, :, block] = (numbers * (self._linked == self._linked[:, :, block, None])).sum(axis=2)
        return added

    def _few(self, n: Whole, yes: Whole | None) -> Mask:
        """Which numbers of people, or of those who are so of some people, are of few."""
        t = self._level.threshold
        return np.asarray(n < t if yes is None else (n > 0) & few(n, yes, t), dtype=bool)

    def _secrets(self) -> list[tuple[int, int, int]]:
        """Withheld cells that are not linked to enough people, or to none though nothing else withholds them.

        Not where that is all there is beside both values.
        """
        n, yes = self._sums(self._n), None if self._yes is None else self._sums(self._yes)
        alone = (self._linked[:, :, :, None] == self._linked[:, :, None, :]).sum(axis=3) == 1
        waiting = (self._few(n, yes) | (alone & ~self._elsewhere)) & self._hidden & self._there & ~self._whole()
        found = np.argwhere(waiting)
        order = np.lexsort((found[:, 2], found[:, 1], found[:, 0], n[waiting]))
        return [(int(a), int(b), int(block)) for a, b, block in found[order]]

    def _whole(self) -> Mask:
        """Cells whose set has every block in which the two values may be."""
        outside = np.zeros(self._n.shape, dtype=bool)
        for block in range(self._n.shape[2]):
            outside[:, :, block] = (self._there & (self._linked != self._linked[:, :, block, None])).any(axis=2)
        return ~outside

    def _is_secret(self, a: int, b: int, block: int) -> bool:
        same = self._linked[a, b] == self._linked[a, b, block]
        n = self._n[a, b] @ same
        yes = None if self._yes is None else self._yes[a, b] @ same
        alone = same.sum() == 1 and not self._elsewhere[a, b, block]
        return bool(self._few(n, yes) or alone) and bool((self._there[a, b] & ~same).any())

    def _bridge(self, a: int, b: int, block: int) -> bool:
        """Withhold the cheapest cube through a cell that leads out of its set."""
        same = self._linked[a, b] == self._linked[a, b, block]
        for corner in self._corners(a, b, block, same):
            a2, b2, _ = corner
            for d, d2, up in self._parts(a, b, block, corner):
                needs = self._rests.find((a, a2), (b, b2), (d, d2), up, self._rank)
                if needs is None:
                    continue
                for pair, cube in needs:
                    self._needs.setdefault(pair, []).append(cube)
                self._withhold((a, a2, b, b2, d, d2))
                return True
        return False

    def _corners(self, a: int, b: int, block: int, same: Mask) -> Iterator[tuple[int, int, int]]:
        """Opposite corners of cubes, those first that take fewest people from the table."""
        price = np.where(self._hidden, 0, self._n + 1)
        cost = (
            price
            + price[:, b, block, None, None]
            + price[a, :, block][None, :, None]
            + price[:, :, block, None]
            + price[a, b, None, None, :]
            + price[:, b, :][:, None, :]
            + price[a, :, :][None, :, :]
            + self._price[block]
        )
        here, there = self._squares(a, b)
        fold = folded(self._blocks)
        up, down = (one @ fold > 0 for one in (here, there))
        possible = (up[:, :, block, None] & down) | (down[:, :, block, None] & up)
        possible[a], possible[:, b], possible[:, :, same] = False, False, False
        cost = np.where(possible, cost, _NEVER)
        for place in np.argsort(cost, axis=None, kind="stable")[:_CORNERS]:
            if cost.flat[place] >= _NEVER:
                return
            a2, b2, block2 = np.unravel_index(int(place), cost.shape)
            yield int(a2), int(b2), int(block2)

    def _squares(self, a: int, b: int) -> tuple[Whole, Whole]:
        """In which parts of time a cell and the one across can gain while the two others lose, and the other way."""
        found = []
        for one, other in ((self._gain, self._lose), (self._lose, self._gain)):
            square = one[a, b][None, None, :] & one & other[:, b][:, None, :] & other[a, :][None, :, :]
            found.append(square.astype(np.int64))
        return found[0], found[1]

    def _parts(self, a: int, b: int, block: int, corner: tuple[int, int, int]) -> Iterator[tuple[int, int, bool]]:
        """A part of time of each block between which people can be moved, and whether the cell gains in the first."""
        a2, b2, block2 = corner
        up, down = (one[a2, b2] > 0 for one in self._squares(a, b))
        for first, second, gains in ((up, down, True), (down, up, False)):
            for d in np.flatnonzero(first & (self._blocks == block))[:3]:
                for d2 in np.flatnonzero(second & (self._blocks == block2))[:3]:
                    yield int(d), int(d2), gains

    def _withhold(self, cube: Cube) -> None:
        a, a2, b, b2, d, d2 = cube
        block, block2 = int(self._blocks[d]), int(self._blocks[d2])
        self._hidden[np.ix_([a, a2], [b, b2], [block, block2])] = True
        for one in (a, a2):
            for other in (b, b2):
                _join(self._linked[one, other], block, block2)


def _join(labels: Whole, one: int, other: int) -> None:
    """Put two sets of a line of labels together, in place."""
    first, second = sorted((int(labels[one]), int(labels[other])))
    labels[labels == second] = first


def _may_be(level: Level, key: Key, blocks: Whole) -> Mask:
    """Cells in which somebody may be as far as tables of two attributes say."""
    one, other, day = key
    fold = folded(blocks)
    first, second = (level.by_two(at, day)[0] @ fold > 0 for at in (one, other))
    both = level.by_two(one, other)[0] > 0
    return np.asarray(both[:, :, None] & first[:, None, :] & second[None, :, :], dtype=bool)


def _not_known(level: Level, key: Key, blocks: Whole) -> Mask:
    """Cells of which tables of two withhold two of the three values beside each other."""
    one, other, day = key
    fold = folded(blocks)

    def withheld(at: int) -> Mask:
        hidden, (n, yes) = level.withheld_of(at, day), level.by_two(at, day)
        nothing = [np.zeros(size, dtype=bool) for size in hidden.shape]
        told = told_of_cells(hidden, (nothing[0], nothing[1]), np.eye(len(hidden), dtype=np.int64), fold.T)
        told &= ~few(n @ fold, None if yes is None else yes @ fold, level.threshold)
        return np.asarray((hidden @ fold > 0) & ~told, dtype=bool)

    first, second = withheld(one), withheld(other)
    return np.asarray(level.withheld_of(one, other)[:, :, None] | first[:, None, :] | second[None, :, :], dtype=bool)
