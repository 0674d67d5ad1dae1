"""Parts of time made coarser until no sum of them tells of few, whatever else is withheld.

How many began before a programme was closed, less those of programmes that only existed then, are those of all others:
such a sum follows from numbers of whole groups, by whoever knows which pairs never occur. No withholding in tables
helps, so days are told apart less finely, or not at all (docs/adr/0012-figures.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.domain.linked_people import Mask, People, Sums, Whole
from app.domain.linked_tables import layer_of_people, told_by_whole_groups
from app.features.figures.kinds import View


def without_few(people: People, views: Sequence[View], threshold: int) -> tuple[People, tuple[View, ...]]:
    """People by coarser parts of time, where it takes that, and their views; none of a day that has one part left."""
    found = tuple(views)
    while (told := _told(people, found, threshold)) is not None:
        people, found = _merged(people, found, *told)
    single = {one.code for one in found if one.of_day and people.sizes[one.code] < 2}
    kept = [code for code in range(len(people.sizes)) if code not in single]
    place = {code: number for number, code in enumerate(kept)}
    sizes = tuple(people.sizes[code] for code in kept)
    left = tuple(replace(one, code=place[one.code]) for one in found if one.code in place)
    return People(people.codes[:, kept], people.counts, sizes), left


def sums_of(views: Sequence[View]) -> Sums:
    """What is put together of each attribute: the groups by which can be asked, where they are not its values."""
    lines: dict[int, list[Whole]] = {}
    for one in views:
        if one.union is not None:
            lines.setdefault(one.code, []).append(one.union[~one.split])
    groups = {code: np.concatenate(each) for code, each in lines.items()}
    return Sums(groups, frozenset(one.code for one in views if one.of_day))


def _told(people: People, views: Sequence[View], threshold: int) -> tuple[int, Mask] | None:
    """A day, and parts of it that are known to be few; some are left beside them."""
    sums = sums_of(views)
    layer = layer_of_people(people, threshold, sums)
    for code in sorted(sums.give_way):
        for rows in told_by_whole_groups(layer, code):
            if not rows.all():
                return code, rows
    return None


def _merged(people: People, views: Sequence[View], code: int, rows: Mask) -> tuple[People, tuple[View, ...]]:
    """Put one of these parts and the nearest other one together."""
    mine, others = np.flatnonzero(rows), np.flatnonzero(~rows)
    apart = np.abs(mine[:, None] - others[None, :])
    one, other = np.unravel_index(int(apart.argmin()), apart.shape)
    stays, goes = sorted((int(mine[one]), int(others[other])))
    size = people.sizes[code]
    number = np.array([stays if n == goes else n - (n > goes) for n in range(size)], dtype=np.int64)
    codes = people.codes.copy()
    codes[:, code] = number[codes[:, code]]
    sizes = tuple(size - 1 if n == code else one for n, one in enumerate(people.sizes))
    merged = tuple(_of_merged(view, stays, goes) if view.code == code else view for view in views)
    return People(codes, people.counts, sizes), merged


def _of_merged(view: View, stays: int, goes: int) -> View:
    lines = view.lines
    union = np.delete(lines, goes, axis=1)
    union[:, stays] = np.maximum(lines[:, stays], lines[:, goes])
    return replace(view, union=union, withheld=view.split | (lines[:, stays] != lines[:, goes]))
