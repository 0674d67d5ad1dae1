"""Sums of withheld cells of a table: which of them follow from what is published, and are of few people.

Values of an attribute (the table's rows) are put together, beside a group of values of the other (columns). Two rows
are linked for a group where people can be moved between them inside of it and back outside of it. A set of rows that
tells linked ones apart has a sum that the move changes; so whatever sum follows is made of whole sets of linked rows,
and where each of these is enough people, none is of few, however rows are put together.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from app.domain.linked_people import Mask, Rectangle, Whole, few


def with_few(table: Whole, yes: Whole | None, threshold: int, groups: Mask) -> Mask:
    """Those of the groups beside which there is a row of few; only their rows need links."""
    inside = groups.astype(np.int64).T
    n, so = table @ inside, None if yes is None else yes @ inside
    return np.asarray(groups[((n > 0) & few(n, so, threshold)).any(axis=0) & ~groups.all(axis=1)], dtype=bool)


def all_links(down: Mask, up: Mask, groups: Mask) -> Mask:
    """Which rows are linked for each group by any rectangle of cells that can lose one and cells that can gain one."""
    lose, gain = down.astype(np.float32), up.astype(np.float32)
    inside = (lose[None] * groups[:, None, :]) @ gain.T
    outside = (gain @ lose.T)[None] - inside.transpose(0, 2, 1)
    found = (inside > 0.5) & (outside > 0.5)
    return np.asarray(found | found.transpose(0, 2, 1), dtype=bool)


def known_links(rectangles: Collection[Rectangle], rows: int, groups: Mask) -> Mask:
    """The same by certain rectangles only."""
    found = np.zeros((len(groups), rows, rows), dtype=bool)
    if rectangles:
        r, r2, c, c2 = np.array(sorted(rectangles)).T
        crossing, which = np.nonzero(groups[:, c] != groups[:, c2])
        found[crossing, r[which], r2[which]] = found[crossing, r2[which], r[which]] = True
    return found


def told_of_few(table: Whole, yes: Whole | None, threshold: int, groups: Mask, links: Mask) -> list[tuple[Mask, Mask]]:
    """The sets of linked rows that are of few people of a group: rows and columns of each."""
    rows, number = len(table), len(groups)
    label = np.broadcast_to(np.arange(rows), (number, rows))
    while True:
        least = np.minimum(label, np.where(links, label[:, None, :], rows).min(axis=2))
        if (least == label).all():
            break
        label = least
    inside = groups.astype(np.int64).T
    place = (label + rows * np.arange(number)[:, None]).ravel()

    def added(numbers: Whole) -> Whole:
        found = np.bincount(place, (numbers @ inside).T.ravel(), rows * number)
        return np.rint(found).astype(np.int64).reshape(number, rows)

    n, so = added(table), None if yes is None else added(yes)
    return [(label[group] == one, groups[group]) for group, one in np.argwhere((n > 0) & few(n, so, threshold))]
