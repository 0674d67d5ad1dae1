"""Withholding over tables that share margins: linear programming over the joint cells solves nothing (P5)."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from app.domain.linked_people import People, Whole, Withheld
from app.domain.linked_tables import protect

THRESHOLD = 10


def some_people(seed: int) -> tuple[People, Whole]:
    """People with two to four attributes, of which one may follow from another, and how many of each kind are so."""
    rng = np.random.default_rng(seed)
    number, width = int(rng.choice([40, 120, 400, 1500])), int(rng.choice([2, 3, 3, 4]))
    columns = []
    for _ in range(width):
        size = int(rng.integers(2, 5))
        columns.append(rng.choice(size, size=number, p=rng.dirichlet(np.full(size, rng.choice([0.5, 1, 3])))))
    if width > 2 and rng.random() < 0.4:
        columns[-1] = rng.integers(0, 2, size=4)[columns[0]]
    if any(len(np.unique(column)) < 2 for column in columns):
        # What has one value only is not offered.
        columns = [column for column in columns if len(np.unique(column)) > 1] or [np.arange(number) % 2]
    codes = np.stack([np.unique(column, return_inverse=True)[1] for column in columns], axis=1)
    chance = rng.choice([0.03, 0.1, 0.4, 0.8]) * rng.random(4)[codes[:, 0] % 4] * 1.3
    kinds, place = np.unique(codes, axis=0, return_inverse=True)
    sizes = tuple(int(codes[:, n].max()) + 1 for n in range(codes.shape[1]))
    people = People(kinds.astype(np.int64), np.bincount(place.ravel()).astype(np.int64), sizes)
    return people, np.bincount(place.ravel(), rng.random(number) < chance).astype(np.int64)


def solved(people: People, so: Whole, base: Withheld, figure: Withheld, *, knows_pairs: bool) -> list[str]:
    """Withheld numbers that have one possible value given all tables, by linear programming over the joint cells.

    `knows_pairs`: the attacker also knows which two values occur together at all; then a number counts as solved when
    it is small, because a number that only is a published margin in other words is no secret.
    """
    cells = np.array(list(itertools.product(*(range(size) for size in people.sizes))))
    possible = np.ones(len(cells), dtype=bool)
    for pair in people.pairs:
        table = people.by_two(pair)
        open_to = table > 0 if knows_pairs else (table > 0) | base.of_pair(pair)
        possible &= open_to[cells[:, pair[0]], cells[:, pair[1]]]
    cells = cells[possible]
    known: list[tuple[np.ndarray, int]] = []
    secret: list[tuple[np.ndarray, bool, str]] = []

    def put(where: np.ndarray, numbers: tuple[int, int], hides: tuple[bool, bool], name: str) -> None:
        n, yes = numbers
        for both, number, hidden in ((True, n, hides[0]), (False, yes, hides[1])):
            row = np.concatenate([where & both, where]).astype(float)
            if not hidden:
                known.append((row, number))
            elif n:
                small = n < THRESHOLD or (not both and (yes < THRESHOLD or n - yes < THRESHOLD))
                secret.append((row, small, f"{name} {'people' if both else 'so'} {number} of {n}"))

    put(
        np.ones(len(cells), dtype=bool),
        (int(people.counts.sum()), int(so.sum())),
        (base.everything, figure.everything),
        "all",
    )
    for i, size in enumerate(people.sizes):
        n, yes = people.by(i), people.by(i, so)
        for a in range(size):
            hides = (bool(base.values[i][a]) or base.everything, bool(figure.values[i][a]) or figure.everything)
            put(cells[:, i] == a, (int(n[a]), int(yes[a])), hides, f"{i}={a}")
    for pair in people.pairs:
        i, j = pair
        n, yes = people.by_two(pair), people.by_two(pair, so)
        hidden, hidden_so = base.of_pair(pair), figure.of_pair(pair)
        assert not (hidden & ~hidden_so).any(), "a figure is shown of a group whose size is withheld"
        for a, b in np.ndindex(n.shape):
            alone = (n[a] > 0).sum() == 1 or (n[:, b] > 0).sum() == 1
            if knows_pairs and alone and hidden_so[a, b]:
                continue
            # Nobody at all is so: that is published, and says it of every group.
            hides = (bool(hidden[a, b]), bool(hidden_so[a, b]) and bool(so.sum()))
            put((cells[:, i] == a) & (cells[:, j] == b), (int(n[a, b]), int(yes[a, b])), hides, f"{i}={a} {j}={b}")
    if not known:
        return []
    left, right = csr_array(np.array([row for row, _ in known])), [number for _, number in known]
    found = []
    for row, small, name in secret:
        least, most = (linprog(sign * row, A_eq=left, b_eq=right, bounds=(0, None)) for sign in (1, -1))
        if least.status == 0 and most.status == 0:
            one_value = math.floor(-most.fun + 1e-6) <= math.ceil(least.fun - 1e-6)
            if one_value and (small or not knows_pairs):
                found.append(name)
    return found


@pytest.mark.parametrize("seed", range(36))
def test_p5_nothing_is_solved_from_all_tables_together(seed: int) -> None:
    people, so = some_people(seed)
    if so.sum() == 0:
        so = people.counts // 2
    base, (figure,) = protect(people, [so], THRESHOLD)
    assert solved(people, so, base, figure, knows_pairs=False) == []
    assert solved(people, so, base, figure, knows_pairs=True) == []


def test_the_attack_succeeds_where_only_small_cells_are_withheld() -> None:
    found = 0
    for seed in range(12):
        people, so = some_people(seed)
        base, (figure,) = protect(people, [so], THRESHOLD, complements=False)
        found += len(solved(people, so, base, figure, knows_pairs=False))
    assert found > 10


@pytest.mark.parametrize("seed", range(36))
def test_no_small_number_is_shown(seed: int) -> None:
    people, so = some_people(seed)
    base, (figure,) = protect(people, [so], THRESHOLD)
    few, few_so = (lambda n: (n > 0) & (n < THRESHOLD)), so.sum() > 0
    for i in range(len(people.sizes)):
        n, yes = people.by(i), people.by(i, so)
        assert not (few(n) & ~base.values[i] & ~np.bool_(base.everything)).any()
        shown = ~figure.values[i] & ~np.bool_(figure.everything)
        assert not ((few(yes) | few(n - yes) | ((yes == 0) & few_so)) & shown & (n > 0)).any()
    for pair in people.pairs:
        n, yes = people.by_two(pair), people.by_two(pair, so)
        assert not (few(n) & ~base.of_pair(pair)).any()
        assert not ((few(yes) | few(n - yes)) & ~figure.of_pair(pair)).any()


@pytest.mark.parametrize("seed", range(24))
def test_p5_a_figure_out_of_another_is_not_solved_from_both(seed: int) -> None:
    people, so = some_people(seed)
    rng = np.random.default_rng(1000 + seed)
    of_so = rng.binomial(so, rng.choice([0.2, 0.5, 0.9]))
    base, (figure, inner) = protect(people, [so, of_so], THRESHOLD, out_of=[None, 0])
    n, yes, inside = int(people.counts.sum()), int(so.sum()), int(of_so.sum())
    outcomes = np.array([[0, 0], [1, 0], [1, 1]])
    cells = np.array(list(itertools.product(*(range(size) for size in people.sizes))))
    known, secret = [], []
    masks = [np.ones(len(cells), dtype=bool)]
    numbers = [(n, yes, inside)]
    hides = [(base.everything, figure.everything, inner.everything)]
    for i, size in enumerate(people.sizes):
        for a in range(size):
            masks.append(cells[:, i] == a)
            numbers.append(tuple(int(people.by(i, one)[a]) for one in (people.counts, so, of_so)))
            hides.append(tuple(bool(one.values[i][a]) or one.everything for one in (base, figure, inner)))
    for i, j in people.pairs:
        for a, b in np.ndindex(people.sizes[i], people.sizes[j]):
            masks.append((cells[:, i] == a) & (cells[:, j] == b))
            numbers.append(tuple(int(people.by_two((i, j), one)[a, b]) for one in (people.counts, so, of_so)))
            hides.append(tuple(bool(one.of_pair((i, j))[a, b]) for one in (base, figure, inner)))
    for mask, counted, hidden in zip(masks, numbers, hides, strict=True):
        assert hidden[1] >= hidden[0]
        assert hidden[2] >= hidden[1]
        for level in range(3):
            row = np.concatenate([mask & (level == 0 or bool(one[level - 1])) for one in outcomes]).astype(float)
            if not hidden[level]:
                known.append((row, counted[level]))
                # A shown group is neither small itself, nor is what is left of what it is out of.
                few = [counted[level], *([counted[level - 1] - counted[level]] if level else [])]
                assert (yes, inside)[max(level - 1, 0)] == 0 or not [number for number in few if 0 < number < THRESHOLD]
            elif counted[level] and (n, yes, inside)[level]:
                secret.append(row)
    left, right = csr_array(np.array([row for row, _ in known])), [number for _, number in known]
    for row in secret if known else ():
        least, most = (linprog(sign * row, A_eq=left, b_eq=right, bounds=(0, None)) for sign in (1, -1))
        assert most.status == 3 or math.floor(-most.fun + 1e-6) > math.ceil(least.fun - 1e-6)


def test_what_is_withheld_of_an_attribute_is_enough_people_together() -> None:
    codes = np.array([[0], [1], [2], [3]])
    people = People(codes, np.array([3, 12, 40, 80]), (4,))
    base, _ = protect(people, [], THRESHOLD)
    # Three alone would follow from the total; with the next smallest they are fifteen.
    assert base.values[0].tolist() == [True, True, False, False]


def test_large_groups_are_shown() -> None:
    codes = np.array(list(itertools.product(range(3), range(4))))
    people = People(codes, np.full(12, 100), (3, 4))
    base, (figure,) = protect(people, [np.full(12, 40)], THRESHOLD)
    assert not base.of_pair((0, 1)).any()
    assert not figure.of_pair((0, 1)).any()


def test_a_table_of_fifty_by_fifty_protects_few_more_than_it_must() -> None:
    rng = np.random.default_rng(7)
    codes = np.array(list(itertools.product(range(50), range(50))))
    people = People(codes, rng.poisson(14, 2500).astype(np.int64), (50, 50))
    base, _ = protect(people, [], THRESHOLD)
    small = (people.by_two((0, 1)) < THRESHOLD).sum()
    assert small < base.of_pair((0, 1)).sum() < 3 * small
