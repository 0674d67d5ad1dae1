"""Sums of numbers of which some are withheld: which of them every reader knows all the same.

Whoever knows a total and all but some of its parts knows the sum of those. Nothing else is shown of withheld numbers.
"""

from __future__ import annotations

import numpy as np

from app.domain.linked_people import Mask, Whole


def told_of_values(hidden: Mask, union: Whole) -> Mask:
    """Which sums of an attribute's values are known: of the withheld ones those with all of them, or with none."""
    some = union[:, hidden] > 0
    return np.asarray(some.all(axis=1) | ~some.any(axis=1), dtype=bool)


def told_of_cells(hidden: Mask, values: tuple[Mask, Mask], rows: Whole, columns: Whole) -> Mask:
    """Which sums of cells of a table are known: a line of `rows` (of `columns`) says which of its rows one is made of.

    `hidden` are the withheld cells and `values` the withheld rows and columns, whose totals are known together only.
    A sum is known where it has of each of its rows, or of each of its columns, all withheld cells or none.
    """
    by_columns = _told_of_lines(hidden, values[1], rows > 0, columns > 0)
    by_rows = _told_of_lines(hidden.T, values[0], columns > 0, rows > 0).T
    return np.asarray(by_columns | by_rows, dtype=bool)


def _told_of_lines(hidden: Mask, withheld: Mask, across: Mask, lines: Mask) -> Mask:
    """The same for columns as lines, of which `lines` chooses; `across` chooses of the cells of each."""
    cells, chosen = hidden.astype(np.int64), lines.astype(np.int64).T
    inside, outside = across.astype(np.int64) @ cells, (~across).astype(np.int64) @ cells
    # Withheld lines are one.
    outside[:, withheld] = outside[:, withheld].sum(axis=1, keepdims=True)
    some = chosen[withheld].sum(axis=0)
    torn = (some > 0) & (some < withheld.sum())
    open_to = ((inside > 0) & (outside > 0)) @ chosen > 0
    open_to |= torn[None, :] & ((inside * withheld) @ chosen > 0)
    return np.asarray(~open_to, dtype=bool)
