"""Withholding small groups from many tables that share their margins, so that all of them together give none away.

People have attributes; every attribute alone and every two together make a table of people, and every yes-or-no figure
of them a table of yeses. A reader may open them all. Four decisions keep them safe together (ADR 0012):

- a value that too few people have is withheld in every table, with as many others as it takes for the withheld ones
  to be enough people together: they are one part, of which everything that follows is a figure of enough people. What
  is left of each attribute is published with its numbers, so tables have nothing in common but published margins,
  and linear algebra over all of them finds nothing that it does not find in one;
- within a table no withheld cell stands alone: it lies on a rectangle of withheld cells round which people can be
  moved, and what is withheld of each line is enough people;
- a reader may know which two values occur together at all (a programme has one faculty). So people must be movable
  round the rectangle without making a pair of values that never occurs; where another table would show the move,
  the cells that would show it are withheld too;
- where an attribute's values are put together, as months make years, people must be movable out of every sum of
  withheld cells that is of few (`app.domain.linked_sums`); an attribute of which that cannot be had gives way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from app.domain.linked_moves import NEVER, cost_of, join_all, witness_all
from app.domain.linked_people import Layer, Mask, Pair, People, Sums, Whole, Withheld, can_move, few, targets
from app.domain.linked_sums import all_links, told_of_few, with_few


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A figure that was taken in: who it is out of, its layer (None: it needs none), whether it is withheld as a whole.

    `so` and `not_so` are the layers that figures of those people stand below, the whole first; none where nobody is.
    """

    counts: Whole
    layer: Layer | None
    whole: bool
    so: list[Layer]
    not_so: list[Layer]


def protect(
    people: People,
    figures: Sequence[Whole],
    threshold: int,
    *,
    out_of: Sequence[int | None] = (),
    sums: Sums | None = None,
    complements: bool = True,
) -> tuple[Withheld, list[Withheld]]:
    """What to withhold of the numbers of people and of each figure; `figures` hold the yeses of each row of `people`.

    `out_of` names for each figure the earlier one whose people it is out of: `n` for those who are so, `~n` for those
    who are not (None, or nothing said: all people). Its noes are those people only, and what is withheld of figure `n`
    is withheld of it. Of the attributes in `sums` no numbers of few follow when values are put together.
    With `complements` off only what is small by itself is withheld, which gives it away: for tests of the attack.
    """
    total = int(people.counts.sum())
    base = layer_of_people(people, threshold, sums or Sums(), complements=complements)
    everything = 0 < total < threshold
    known: list[_Known] = []
    layers: list[tuple[Layer, list[Layer]]] = []
    parents = list(out_of) or [None] * len(figures)
    for yes, parent in zip(figures, parents, strict=True):
        if everything:
            break
        counts, above, whole = people.counts, [base], False
        if parent is not None:
            n = parent if parent >= 0 else ~parent
            counts = figures[n] if parent >= 0 else known[n].counts - figures[n]
            above, whole = known[n].so if parent >= 0 else known[n].not_so, known[n].whole
        layer = None
        if above and not whole:
            there = counts > 0
            those = People(people.codes[there], counts[there], people.sizes)
            layer, whole = _figure(those, above[-1], yes[there], complements)
        if layer is not None:
            layers.append((layer, above))
            known.append(_Known(counts, layer, whole, [*above, layer], [*above, layer]))
        else:
            # Where nobody is so, those who are not are all of them.
            known.append(_Known(counts, None, whole, [], above))
    again = not everything
    while again:
        _settle(base, complements)
        again = False
        for layer, whole_of in layers:
            _take_over(layer, whole_of[-1])
            # Where yeses cannot be protected while the numbers they are out of are shown, those go as well, from all.
            again |= _settle(layer, complements, whole_of)
    shown = _withheld(base, everything)
    nothing = Withheld(True, shown.values, shown.cells)
    if everything:
        return shown, [nothing] * len(figures)
    each: list[Withheld] = []
    for one, parent in zip(known, parents, strict=True):
        over = shown if parent is None else each[parent if parent >= 0 else ~parent]
        each.append(nothing if one.whole else over if one.layer is None else _withheld(one.layer, False, over.values))
    return shown, each


def layer_of_people(people: People, threshold: int, sums: Sums, *, complements: bool = True) -> Layer:
    """The numbers of people as they are before anything of a table is withheld: by values that are enough people."""
    return _layer(people, _lumps(people, None, threshold, complements), threshold, None, sums)


def told_by_whole_groups(layer: Layer, attribute: int) -> Iterator[Mask]:
    """Values of an attribute that together, beside another, are known to be few even if all its cells are withheld."""
    for pair, found in layer.tables.items():
        if attribute in pair:
            table = found if pair[0] == attribute else found.T
            groups = layer.groups(pair[1] if pair[0] == attribute else pair[0])
            groups = with_few(table, None, layer.threshold, groups)
            if len(groups):
                links = all_links(table > 0, table > 0, groups)
                for rows, _ in told_of_few(table, None, layer.threshold, groups, links):
                    yield rows[layer.lumped[attribute]]


def _figure(people: People, base: Layer, yes: Whole, complements: bool) -> tuple[Layer | None, bool]:
    """A figure's layer (None: nobody is so, which is published), and whether the figure is withheld as a whole.

    `people` are those it is out of, and `base` the layer that has their numbers.
    """
    total, number = int(people.counts.sum()), int(yes.sum())
    if number == 0:
        return None, False
    if number < base.threshold or total - number < base.threshold:
        return None, True
    # A value that is withheld already is one with the others that are.
    codes = np.stack([base.lumped[i][people.codes[:, i]] for i in range(len(base.lumps))], axis=1)
    lumped = People(codes, people.counts, base.people.sizes) if len(base.lumps) else people
    lumps = _lumps(lumped, yes, base.threshold, complements)
    of_values = [mask[numbers] for mask, numbers in zip(lumps, base.lumped, strict=True)]
    return _layer(people, of_values, base.threshold, yes, base.sums), False


def _lumps(people: People, yes: Whole | None, threshold: int, complements: bool) -> list[Mask]:
    """Which values of each attribute are withheld: those of too few people, and others until together they are enough.

    A value that only occurs with one value of another attribute is part of that: then what is withheld of the part
    has to be enough, or the other value is withheld too.
    """
    n = [people.by(i) for i in range(len(people.sizes))]
    y = [None if yes is None else people.by(i, yes) for i in range(len(people.sizes))]
    hidden = [np.asarray(few(n_i, y_i, threshold) & (n_i > 0), dtype=bool) for n_i, y_i in zip(n, y, strict=True)]
    parts = [list(_parts(people, i)) for i in range(len(people.sizes))]
    again = complements
    while again:
        again = False
        for i, of in enumerate(parts):
            for members, whole in of:
                some = members & hidden[i]
                if not some.any() or (whole is not None and hidden[whole[0]][whole[1]]):
                    continue
                if some.sum() > 1 and not _few_together(n[i], y[i], some, threshold):
                    continue
                free = np.flatnonzero(members & ~hidden[i] & (n[i] > 0))
                if free.size:
                    hidden[i][free[n[i][free].argmin()]] = True
                elif whole is not None:
                    hidden[whole[0]][whole[1]] = True
                else:
                    continue
                again = True
    return hidden


def _few_together(n: Whole, yes: Whole | None, some: Mask, threshold: int) -> bool:
    together = None if yes is None else yes[some].sum(keepdims=True)
    return bool(few(n[some].sum(keepdims=True), together, threshold)[0])


def _parts(people: People, attribute: int) -> Iterator[tuple[Mask, tuple[int, int] | None]]:
    """Values that sum to something published: all, and those that only occur with one value of another attribute."""
    yield np.ones(people.sizes[attribute], dtype=bool), None
    for pair in people.pairs:
        if attribute in pair:
            table = people.by_two(pair) > 0
            there = table if pair[0] == attribute else table.T
            other = pair[1] if pair[0] == attribute else pair[0]
            only = there.sum(axis=1) == 1
            if there.shape[1] > 1:
                for value in np.unique(there[only].argmax(axis=1)) if only.any() else ():
                    yield only & there[:, value], (other, int(value))


def _layer(people: People, lumps: Sequence[Mask], threshold: int, yes: Whole | None, sums: Sums) -> Layer:
    """Tables after each attribute's withheld values have become one, which has the last number."""
    lumped = []
    for hidden in lumps:
        numbers = np.cumsum(~hidden) - 1
        numbers[hidden] = int((~hidden).sum())
        lumped.append(numbers.astype(np.int64))
    codes = np.stack([lumped[i][people.codes[:, i]] for i in range(len(lumps))], axis=1) if lumps else people.codes
    sizes = tuple(int(numbers.max(initial=-1)) + 1 for numbers in lumped)
    made = People(codes, people.counts, sizes)
    tables = {pair: made.by_two(pair) for pair in made.pairs}
    yeses = None if yes is None else {pair: made.by_two(pair, yes) for pair in made.pairs}
    layer = Layer(made, tuple(lumps), tuple(lumped), threshold, tables, yeses, sums=sums)
    layer.hidden = {pair: np.zeros(table.shape, dtype=bool) for pair, table in tables.items()}
    return layer


def _take_over(layer: Layer, base: Layer) -> None:
    """Withhold of a figure whatever is withheld of the people it is out of."""
    layer.shut |= base.shut
    for pair, mask in base.hidden.items():
        rows, columns = np.nonzero(mask)
        # Where each lumped value of people went when the figure's values were lumped.
        to = [np.zeros(base.people.sizes[i], dtype=np.int64) for i in pair]
        for i, target in zip(pair, to, strict=True):
            target[base.lumped[i]] = layer.lumped[i]
        layer.hidden[pair][to[0][rows], to[1][columns]] = True


def _withheld(layer: Layer, everything: bool, more: Sequence[Mask] | None = None) -> Withheld:
    cells = {(i, j): mask[np.ix_(layer.lumped[i], layer.lumped[j])] for (i, j), mask in layer.hidden.items()}
    values = [mask | (number in layer.shut) for number, mask in enumerate(layer.lumps)]
    if more is not None:
        values = [mask | other for mask, other in zip(values, more, strict=True)]
    return Withheld(everything, tuple(values), cells)


def _settle(layer: Layer, complements: bool, above: Sequence[Layer] = ()) -> bool:
    """Withhold what is small in every pair's table, and what would give it away; says whether one `above` lost one."""
    for pair, table in layer.tables.items():
        layer.hidden[pair] |= _small(table, None if layer.yes is None else layer.yes[pair], layer.threshold)
    if not complements:
        return False
    lost = False
    waiting = list(layer.tables)
    done = dict.fromkeys(waiting, -1)
    while waiting:
        pair = waiting.pop()
        if layer.shut.intersection(pair):
            # Nothing of it is shown, nor what it would share with other tables.
            layer.hidden[pair][:] = True
            done[pair] = layer.hidden[pair].size
            continue
        if not _protect_table(layer, pair):
            layer.hidden[pair][:] = True
            for one in above:
                if not one.hidden[pair].all():
                    one.hidden[pair][:] = True
                    lost = True
        done[pair] = int(layer.hidden[pair].sum())
        for touched in chain(witness_all(layer, pair), join_all(layer, pair)):
            done[touched] = -1
        waiting += [other for other in done if done[other] != int(layer.hidden[other].sum()) and other not in waiting]
    return lost


def _small(table: Whole, yes: Whole | None, threshold: int) -> Mask:
    """Cells that must be withheld whatever else is shown."""
    there = table > 0
    if yes is not None:
        return np.asarray(there & ((yes < threshold) | (table - yes < threshold)), dtype=bool)
    hidden = there & (table < threshold)
    # Who all have one value of the other attribute: the table would tell it of each of them.
    if table.shape[1] > 1:
        hidden[there.sum(axis=1) == 1, :] = True
    if table.shape[0] > 1:
        hidden[:, there.sum(axis=0) == 1] = True
    return np.asarray(hidden, dtype=bool)


def _on_rectangle(hidden: Mask, down: Mask, up: Mask) -> Mask:
    """Which cells lie on a rectangle of withheld cells round which one can be moved."""
    u, v = (hidden & down).astype(np.int64), (hidden & up).astype(np.int64)

    def raised(gain: Whole, lose: Whole) -> Mask:
        both = gain * lose
        paths = lose @ gain.T @ lose
        # Without the paths that stay in the cell's own row or column.
        paths -= lose * both.sum(axis=1, keepdims=True) + lose * both.sum(axis=0, keepdims=True) - lose * both
        return np.asarray((gain > 0) & (paths > 0), dtype=bool)

    return raised(v, u) | raised(u, v)


def _protect_table(layer: Layer, pair: Pair) -> bool:
    """Withhold further cells of one table until none follows from it; False where withholding cells cannot do it."""
    hidden = layer.hidden[pair]
    down, up = can_move(layer, pair)
    table = layer.tables[pair]
    while True:
        _enough_in_lines(layer, pair)
        waiting = targets(layer, pair) & ~_on_rectangle(hidden, down, up)
        if not waiting.any():
            return True
        for row, column in sorted(zip(*np.nonzero(waiting), strict=True), key=lambda at: (int(table[at]), at)):
            cost = cost_of(table, hidden, (down, up), int(row), int(column))
            best = int(cost.argmin())
            if cost.flat[best] >= NEVER:
                return False
            other_row, other_column = divmod(best, table.shape[1])
            hidden[np.ix_([row, other_row], [column, other_column])] = True


def _enough_in_lines(layer: Layer, pair: Pair) -> None:
    """Withhold more of each row and column until what is withheld of it are two cells and enough people."""
    hidden, table, least = layer.hidden[pair], layer.tables[pair], layer.threshold
    yes = None if layer.yes is None else layer.yes[pair]
    again = True
    while again:
        again = False
        for axis in (0, 1):
            mask = hidden if axis == 0 else hidden.T
            n = table if axis == 0 else table.T
            y = None if yes is None else yes if axis == 0 else yes.T
            there = n > 0
            some = mask & there
            short = (some.sum(axis=1) < 2) | ((n * some).sum(axis=1) < least)
            if y is not None:
                short |= ((y * some).sum(axis=1) < least) | (((n - y) * some).sum(axis=1) < least)
            for line in np.flatnonzero(short & some.any(axis=1) & (there & ~mask).any(axis=1)):
                free = np.flatnonzero(there[line] & ~mask[line])
                mask[line, free[n[line, free].argmin()]] = True
                again = True
