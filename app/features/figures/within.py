"""Figures by two attributes within a run of periods where small groups are withheld (docs/adr/0015)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from app.domain.linked_levels import Level, level_of
from app.domain.linked_people import Mask, Whole
from app.domain.linked_triples import Triples, Within
from app.domain.means import mean_interval
from app.features.figures.counting import part_of
from app.features.figures.definitions import BY_KEY, PEOPLE, Figure
from app.features.figures.graduates import Part
from app.features.figures.joint import Joint
from app.features.figures.kinds import Floats, View, kind_of
from app.features.figures.periods import KINDS

_EVERYBODY: Part = (PEOPLE, "all")
# A number of people, of those of them who are so (or a mean with its interval), of two values; None where withheld.
Cell = tuple[tuple[str, Any, Any], int | None, Any]


def chain_of(part: Part) -> list[Part]:
    """What a part of a figure is out of, all people first and itself last; a mean is out of those it is of."""
    found = [part]
    while found[0] != _EVERYBODY:
        figure = BY_KEY[found[0][0]]
        found.insert(0, (figure.of, part_of(figure, found[0][1])))
    return found


def needed_of(figure: Figure, parts: Sequence[str]) -> list[Part]:
    """Of which parts of figures it takes the numbers to answer."""
    return list(dict.fromkeys(one for part in parts for one in chain_of((figure.key, part))))


def cells_within(
    joint: Joint, figure: Figure, parts: Sequence[str], by: tuple[str, str], run: tuple[str, slice]
) -> list[Cell] | None:
    """The numbers by two attributes of whoever is in a run of values of a kind of period; None where not offered.

    It is offered where at least one number of people can be shown that is not of nobody.
    `by` are the attributes' keys, and `run` the kind's and which of its values.
    """
    views = {view.attribute.key: view for view in joint.views}
    first, second, kind = views[by[0]], views[by[1]], views[run[0]]
    if len({first.code, second.code, kind.code}) < 3 or kind.split[run[1]].any():
        return None
    line = (kind.lines[run[1]].sum(axis=0) > 0).astype(np.int64)
    table = _Table(joint, (first, second), kind, line)
    if not table.tells_of_people():
        return None
    return [cell for part in parts for cell in table.cells(figure, part)]


class _Table:
    """Two attributes within some parts of a day."""

    def __init__(self, joint: Joint, views: tuple[View, View], kind: View, line: Whole) -> None:
        self._joint, self._views, self._line = joint, views, line
        self._inside = line[joint.people.codes[:, kind.code]] > 0
        self._turned = views[0].code > views[1].code
        self._pair = (views[1].code, views[0].code) if self._turned else (views[0].code, views[1].code)
        levels, out_of = _levels(joint)
        self._triples = Triples(levels, out_of, kind.code, _periods(joint, kind.code))

    def within(self, part: Part) -> Within | None:
        """What is shown of a part of a figure."""
        if self._joint.withheld[part].everything:
            return None
        return self._triples.within(part, self._pair)

    def tells_of_people(self) -> bool:
        """Whether there are any two values with people who may be told of."""
        people, shown = self._added(self._joint.so[_EVERYBODY]), self._shown(_EVERYBODY)
        return bool((shown & (people > 0)).any())

    def cells(self, figure: Figure, part: str) -> Iterator[Cell]:
        """The numbers of a part of a figure, by the values of both attributes in their order."""
        of = figure.of, part_of(figure, part)
        people, shown = self._added(self._joint.so[of]), self._shown(of)
        numbers: Any
        if figure.mean:
            sums = self._joint.sums[figure.key, part]
            numbers = np.stack(mean_interval(people, *(self._added(one) for one in sums)), axis=-1)
            so_shown = shown
        else:
            numbers, so_shown = self._added(self._joint.so[figure.key, part]), shown & self._shown((figure.key, part))
        values = [view.attribute.values for view in self._views]
        for (row, one), (column, other) in product(enumerate(values[0]), enumerate(values[1])):
            n = round(people[row, column]) if shown[row, column] else None
            so: Any = None
            if so_shown[row, column]:
                found = numbers[row, column]
                so = _mean(found) if figure.mean else round(found)
            yield (part, one, other), n, so

    def _added(self, numbers: Whole | Floats) -> Floats:
        """Numbers of kinds of people within the time, by the values of both attributes."""
        table = self._joint.people.sums_by_two(self._pair, numbers * self._inside)
        return self._seen(table)

    def _seen(self, table: Any) -> Floats:
        first, second = (view.lines for view in self._views)
        return np.asarray(first @ (table.T if self._turned else table) @ second.T, dtype=np.float64)

    def _shown(self, part: Part) -> Mask:
        """What may be shown: sums of values that are shown each, and what nobody is of by two of the three alone."""
        first, second = (view.split for view in self._views)
        found = np.ones((len(first), len(second)), dtype=bool)
        for one in chain_of(part):
            if not self._joint.so[one].any():
                # What nobody is so of is published as that.
                continue
            within, withheld = self.within(one), self._joint.withheld[one]
            if within is None:
                return np.zeros_like(found)
            rows, columns = (within.level.lumped[code] for code in self._pair)
            shown = within.shown(self._line)[np.ix_(rows, columns)]
            shown &= ~withheld.values[self._pair[0]][:, None] & ~withheld.values[self._pair[1]][None, :]
            found &= self._seen((~shown).astype(np.int64)) < 0.5
        return np.asarray(found & ~first[:, None] & ~second[None, :], dtype=bool)


def _mean(found: Floats) -> list[float | None] | None:
    mean, low, high = (None if np.isnan(one) else float(one) for one in found)
    return None if mean is None else [mean, low, high]


def _levels(joint: Joint) -> tuple[dict[Part, Level], dict[Part, Part | None]]:
    """Every part of a figure that is not withheld as a whole, after what it is out of."""
    levels: dict[Part, Level] = {}
    out_of: dict[Part, Part | None] = {}
    for part in sorted(joint.so, key=lambda one: len(chain_of(one))):
        above = chain_of(part)[-2] if part != _EVERYBODY else None
        withheld = joint.withheld[part]
        counts, yes = (joint.so[part], None) if above is None else (joint.so[above], joint.so[part])
        if not withheld.everything:
            levels[part] = level_of(joint.people, counts, yes, withheld, joint.threshold)
            out_of[part] = above
    return levels, out_of


def _periods(joint: Joint, code: int) -> list[Whole]:
    """The periods of a day as lines over its parts: years first, then terms, quarters and months, the largest first."""
    sizes = joint.people.by(code)
    lines: list[tuple[int, int, int, Whole]] = []
    for view in joint.views:
        if view.code == code:
            place = KINDS.index(kind_of(view.attribute.key))
            for number, line in enumerate(view.lines):
                if view.attribute.values[number] is not None and not view.split[number]:
                    lines.append((place, -int(line @ sizes), number, line))
    return [line for *_, line in sorted(lines, key=lambda one: one[:3])]
