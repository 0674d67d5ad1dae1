"""Periods are put together of parts: linear programming over the joint cells solves no sum that is of few (P5)."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.linked_people import People, Sums, Whole, Withheld
from app.domain.linked_tables import layer_of_people, protect, told_by_whole_groups
from tests.figures.joint_cells import THRESHOLD, JointCells, runs
from tests.figures.test_attack import LONG

LONG_SEEDS = 400
# Seeds with sums of few that are solved unless sums are protected.
KNOWN = (2, 12, 72, 87)
# The first attribute is the day, in parts; any of them can be put together.
PARTS = Sums({0: np.ones((0, 1), dtype=np.int64)}, frozenset({0}))


def some_people(seed: int) -> tuple[People, Whole]:
    """People by parts of time and two or three other attributes, of which some depend on the time or on each other."""
    rng = np.random.default_rng(seed)
    number, parts = int(rng.choice([250, 500, 1000, 2500])), int(rng.integers(3, 7))
    day = rng.choice(parts, size=number, p=rng.dirichlet(np.full(parts, 5)))
    columns = [day]
    for _ in range(int(rng.integers(1, 4))):
        size = int(rng.integers(2, 6))
        shares = rng.dirichlet(np.full(size, rng.choice([0.3, 1, 3])), parts)
        if rng.random() < 0.5:
            # Some values begin or end with a part.
            shares[: parts // 2, rng.integers(size)] = 0
            shares[parts // 2 :, rng.integers(size)] = 0
            shares += 1e-3 * rng.random(1)
        shares = shares / shares.sum(axis=1, keepdims=True)
        columns.append(np.array([rng.choice(size, p=shares[one]) for one in day]))
    if len(columns) > 2 and rng.random() < 0.4:
        columns[-1] = rng.integers(0, 2, size=6)[columns[1]]
    columns = [column for column in columns if len(np.unique(column)) > 1]
    codes = np.stack([np.unique(column, return_inverse=True)[1] for column in columns], axis=1)
    chance = rng.choice([0.05, 0.15, 0.4, 0.8]) * rng.random(6)[codes[:, 0] % 6] * 1.2
    kinds, place = np.unique(codes, axis=0, return_inverse=True)
    sizes = tuple(int(codes[:, n].max()) + 1 for n in range(codes.shape[1]))
    people = People(kinds.astype(np.int64), np.bincount(place.ravel()).astype(np.int64), sizes)
    return people, np.bincount(place.ravel(), rng.random(number) < chance).astype(np.int64)


def solved_sums(people: People, so: Whole, base: Withheld, figure: Withheld, *, knows_pairs: bool) -> list[str]:
    """Sums of runs of parts, beside nothing and beside each value, that are of few and have one possible value.

    What each is made of is withheld, or it would be enough. `knows_pairs`: the attacker knows which never occur, too.
    """
    joint = JointCells(people, so, base, figure, knows_pairs=knows_pairs)
    cells, found = joint.cells, []
    for run in runs(people.sizes[0]):
        beside = [(j, b) for j in range(1, len(people.sizes)) for b in range(people.sizes[j])]
        for j, b in [(0, -1), *beside]:
            there = run[people.codes[:, 0]] & ((b < 0) | (people.codes[:, j] == b))
            where = run[cells[:, 0]] & ((b < 0) | (cells[:, j] == b))
            found += [f"{np.flatnonzero(run)} {j}={b}: {one}" for one in joint.solved(there, where)]
    return found


@pytest.mark.parametrize("seed", range(LONG_SEEDS if LONG else 24))
def test_p5_no_run_of_parts_is_solved_that_is_of_few(seed: int) -> None:
    people, so = some_people(seed)
    base, (figure,) = protect(people, [so], THRESHOLD, sums=PARTS)
    assert solved_sums(people, so, base, figure, knows_pairs=False) == []
    assert solved_sums(people, so, base, figure, knows_pairs=True) == []


@pytest.mark.parametrize("seed", KNOWN)
def test_some_are_solved_where_only_single_numbers_are_protected(seed: int) -> None:
    people, so = some_people(seed)
    base, (figure,) = protect(people, [so], THRESHOLD)
    assert solved_sums(people, so, base, figure, knows_pairs=True)


def test_two_rectangles_in_a_column_are_joined_where_what_each_has_of_it_is_few() -> None:
    # The first column has 5 people in the first two parts and 6 in the others; neither two share another small cell.
    table = np.array([[2, 9, 90, 90], [3, 9, 90, 90], [3, 90, 9, 90], [3, 90, 9, 90]])
    codes = np.array(list(np.ndindex(4, 4)))
    people = People(codes, table.ravel(), (4, 4))
    alone, _ = protect(people, [], THRESHOLD)
    assert alone.of_pair((0, 1)).tolist() == (table < 10).tolist()
    base, _ = protect(people, [], THRESHOLD, sums=PARTS)
    assert (base.of_pair((0, 1)) & ~alone.of_pair((0, 1))).sum() == 1
    nobody = np.zeros(16, dtype=np.int64)
    told = solved_sums(people, nobody, alone, alone, knows_pairs=True)
    assert [one for one in told if "5 of 5 people" in one and one.startswith("[0 1] 1=0")]
    assert solved_sums(people, nobody, base, base, knows_pairs=True) == []


def test_a_day_gives_way_where_a_sum_of_few_follows_from_whole_groups() -> None:
    # Two programmes were only there in the first two parts: those parts less these programmes are the three of a third.
    table = np.array([[60, 40, 2, 0], [70, 30, 1, 0], [0, 0, 90, 50], [0, 0, 80, 60]])
    rows, columns = np.nonzero(table)
    people = People(np.stack([rows, columns], axis=1), table[rows, columns], (4, 4))
    nobody = np.zeros(len(rows), dtype=np.int64)
    alone, _ = protect(people, [], THRESHOLD)
    assert "[0 1] 1=2: 3 of 3 people" in solved_sums(people, nobody, alone, alone, knows_pairs=True)
    base, _ = protect(people, [], THRESHOLD, sums=PARTS)
    assert base.values[0].all()
    assert solved_sums(people, nobody, base, base, knows_pairs=True) == []
    layer = layer_of_people(people, THRESHOLD, PARTS)
    assert {tuple(np.flatnonzero(rows)) for rows in told_by_whole_groups(layer, 0)} == {(0, 1)}
