"""Which sums of withheld numbers every reader knows: those of all that is withheld of some lines."""

from __future__ import annotations

import numpy as np
from scipy.linalg import null_space

from app.domain.told_sums import told_of_cells, told_of_values


def test_a_sum_of_all_withheld_values_is_known_and_of_some_is_not() -> None:
    hidden = np.array([True, True, False])
    union = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 1], [1, 1, 1]])
    assert told_of_values(hidden, union).tolist() == [True, False, True, True]


def test_what_is_withheld_of_a_column_is_known_together() -> None:
    hidden = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0], [1, 0, 1], [1, 0, 1]], dtype=bool)
    nothing = np.zeros(5, dtype=bool), np.zeros(3, dtype=bool)
    union = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 1, 0]])
    assert told_of_cells(hidden, nothing, union, np.eye(3, dtype=np.int64)).tolist() == [
        [False, True, True],
        [True, True, True],
        [False, True, False],
    ]


def test_what_is_called_known_no_move_of_people_changes() -> None:
    assert sum(_known(seed) for seed in range(60)) > 100


def _known(seed: int) -> int:
    """How many sums with something withheld are called known in a made-up table; each of them is."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(2, 6))
    hidden = rng.random((rows, columns)) < rng.choice([0.2, 0.4, 0.8])
    values = rng.random(rows) < 0.2, rng.random(columns) < 0.2
    hidden |= values[0][:, None] | values[1][None, :]
    unions = (rng.random((6, rows)) < 0.5).astype(np.int64), (rng.random((4, columns)) < 0.5).astype(np.int64)
    at = np.argwhere(hidden)
    # Published are the total of each row and column that is not withheld, and so of those that are, together.
    line = [np.where(withheld, -1, np.arange(len(withheld))) for withheld in values]
    known = [line[axis][at[:, axis]] == n for axis in (0, 1) for n in np.unique(line[axis])]
    moves = null_space(np.array(known, dtype=float).reshape(-1, len(at))) if len(at) else np.zeros((0, 0))
    found = told_of_cells(hidden, values, *unions)
    number = 0
    for r, c in np.argwhere(found):
        one = ((unions[0][r][at[:, 0]] > 0) & (unions[1][c][at[:, 1]] > 0)).astype(float)
        assert (np.abs(one @ moves) < 1e-8).all()
        number += one.any()
    return number
