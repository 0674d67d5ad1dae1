"""Choosing among options on several criteria: weights, totals, and how firm the result is.

A table of figures is options x criteria; `weights` are one number of at least 0 a criterion, in any unit (they are
divided by their sum). A figure not known is NaN: it is left out, shrinks the basis visibly, and is never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Mean consistency index of random matrices by size (Saaty 1980); later tables differ slightly.
RANDOM_INDEX: Final[Mapping[int, float]] = dict(enumerate((0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49), start=3))
MOST_COMPARED: Final = max(RANDOM_INDEX)
MOST_INCONSISTENT: Final = 0.10
# Totals closer than this are equal: their difference is the arithmetic of decimals.
_EQUAL: Final = 1e-9


def shares(weights: Sequence[float]) -> Floats:
    """Weights divided by their sum. Raises ValueError for a negative one, or when all are 0."""
    given = np.asarray(weights, dtype=np.float64)
    if (given < 0).any() or not given.sum() > 0:
        raise ValueError("weights are at least 0 and one of them is above 0")
    found: Floats = given / given.sum()
    return found


def turned(table: Floats, benefit: Sequence[bool]) -> Floats:
    """The table with the columns turned round where less is better (`benefit` False)."""
    return np.where(np.asarray(benefit), table, -table)


def stretched(table: Floats, benefit: Sequence[bool]) -> Floats:
    """Each column from its worst (0) to its best (1) option; a column without spread is 1 for all. NaN stays NaN.

    For criteria measured in different units. Ratings on one common scale need no stretching: it would make the
    result depend on the worst option. Source: SCIENCE 3.8, min-max.
    """
    better = turned(np.asarray(table, dtype=np.float64), benefit)
    low, high = _low(better), _high(better)
    spread = high - low
    found: Floats = np.where(spread > 0, (better - low) / np.where(spread > 0, spread, 1.0), 1.0)
    found[np.isnan(better)] = np.nan
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """The weighted mean of each option in the table's units, NaN where no weighted figure is known.

    `basis` is the share of the weights (0 to 1) behind each total: below 1 some of its figures are not known.
    """

    totals: Floats
    basis: Floats


def weighted_sum(table: Floats, weights: Sequence[float]) -> Totals:
    """The weighted mean of each option over its known figures; higher is better. Raises ValueError as `shares`.

    Give ratings as they are, figures of different units `stretched`. Source: SCIENCE 3.8.
    """
    rows = np.asarray(table, dtype=np.float64)
    known = ~np.isnan(rows)
    share = shares(weights)
    basis = known @ share
    sums = np.where(known, rows, 0.0) @ share
    totals: Floats = np.divide(sums, basis, out=np.full_like(sums, np.nan), where=basis > 0)
    # A sum of shares may miss 1 by one digit of the last place.
    return Totals(totals, np.where(basis > 1 - _EQUAL, 1.0, basis))


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Of all comparisons the one that fits the rest least: `said` is how many times as important the first was
    said to be as the second, `implied` what the other comparisons make of it (the geometric mean over all thirds)."""

    first: int
    second: int
    said: float
    implied: float


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Weights from pairwise comparisons, and how well the comparisons agree with each other.

    `weights` sum to 1. `consistency_ratio` is 0 for comparisons that agree fully; above .10 they contradict each
    other too much to be used as weights (`usable` False), and `worst` names where to look. With two criteria there
    is nothing to contradict.
    """

    weights: tuple[float, ...]
    lambda_max: float
    consistency_index: float
    consistency_ratio: float
    worst: Contradiction | None

    @property
    def usable(self) -> bool:
        """Whether the comparisons may serve as weights."""
        return self.consistency_ratio <= MOST_INCONSISTENT


def pairwise_matrix(size: int, judgements: Mapping[tuple[int, int], float]) -> Floats | None:
    """The reciprocal matrix of `judgements`, (first, second) to how many times as important the first is.

    One judgement a pair is enough. None while a pair has none. Raises ValueError for one that is not above 0.
    """
    matrix = np.eye(size)
    for first in range(size):
        for second in range(first + 1, size):
            said = judgements.get((first, second))
            if said is None and (other := judgements.get((second, first))) is not None:
                said = 1 / other if other else 0.0
            if said is None:
                return None
            if not said > 0:
                raise ValueError("a comparison says how many times as important one is: a number above 0")
            matrix[first, second], matrix[second, first] = said, 1 / said
    return matrix


def pairwise_weights(matrix: Floats) -> Pairwise:
    """Weights as the principal eigenvector of a reciprocal matrix (1 to 10 criteria), with CI and CR (Saaty).

    CI = (lambda - n) / (n - 1), CR = CI / RI with the 1980 table of RI. Raises ValueError for another size or shape,
    or a figure that is not above 0. The geometric means of the rows are close but not the same; they are not used.
    """
    size = len(matrix)
    if not 1 <= size <= MOST_COMPARED or matrix.shape != (size, size) or not (matrix > 0).all():
        raise ValueError(f"compare 1 to {MOST_COMPARED} criteria, each pair with a number above 0")
    values, vectors = np.linalg.eig(matrix)
    principal = int(np.argmax(values.real))
    weights = np.abs(vectors[:, principal].real)
    weights = weights / weights.sum()
    lambda_max = float(values[principal].real)
    if size < 3:
        return Pairwise(tuple(weights.tolist()), lambda_max, 0.0, 0.0, None)
    # A consistent matrix has lambda = n but for the arithmetic of decimals.
    index = max(0.0, (lambda_max - size) / (size - 1))
    ratio = index / RANDOM_INDEX[size]
    return Pairwise(tuple(weights.tolist()), lambda_max, index, ratio, _worst(matrix))


def _worst(matrix: Floats) -> Contradiction:
    size = len(matrix)
    logs = np.log(matrix)
    # What two comparisons by way of a third say, averaged over the thirds; the pair itself has no say in it.
    around = (logs @ np.ones((size, size)) + np.ones((size, size)) @ logs - 2 * logs) / (size - 2)
    pairs = [(i, j) for i in range(size) for j in range(i + 1, size)]
    worst = max(pairs, key=lambda pair: abs(logs[pair] - around[pair]))
    return Contradiction(*worst, float(matrix[worst]), float(np.exp(around[worst])))


@dataclass(frozen=True, slots=True, eq=False)
class Topsis:
    """Closeness of each option to the best of all criteria (0 to 1), with what it is made of.

    `ideal` and `anti_ideal` are in weighted, vector-normalised units; closeness is NaN where all options are alike.
    """

    ideal: Floats
    anti_ideal: Floats
    to_ideal: Floats
    to_anti_ideal: Floats
    closeness: Floats


def topsis(table: Floats, weights: Sequence[float], benefit: Sequence[bool]) -> Topsis:
    """TOPSIS (Hwang and Yoon 1981): vector normalisation, distances to ideal and anti-ideal, d- / (d+ + d-).

    All figures must be known. A second opinion, not the default: ranks can change when an option is added. A column
    of zeros counts for nothing. Raises ValueError as `shares`, or when a figure is missing.
    """
    rows = np.asarray(table, dtype=np.float64)
    if np.isnan(rows).any():
        raise ValueError("every option needs a figure for every criterion")
    lengths = np.sqrt((rows**2).sum(axis=0))
    weighted = rows / np.where(lengths > 0, lengths, 1.0) * shares(weights)
    more = np.asarray(benefit)
    ideal = np.where(more, weighted.max(axis=0), weighted.min(axis=0))
    anti = np.where(more, weighted.min(axis=0), weighted.max(axis=0))
    plus = np.sqrt(((weighted - ideal) ** 2).sum(axis=1))
    minus = np.sqrt(((weighted - anti) ** 2).sum(axis=1))
    both = plus + minus
    closeness = np.divide(minus, both, out=np.full_like(both, np.nan), where=both > 0)
    return Topsis(ideal, anti, plus, minus, closeness)


@dataclass(frozen=True, slots=True)
class Shift:
    """The smallest change of one criterion's weight that makes `rival` win: beyond `becomes` it leads.

    Weights are shares of 1; the other criteria keep their proportions. `amount` is |becomes - weight|: 0 when the
    two are level already.
    """

    criterion: int
    rival: int
    weight: float
    becomes: float

    @property
    def amount(self) -> float:
        """How far the weight must move."""
        return abs(self.becomes - self.weight)


def shifts(table: Floats, weights: Sequence[float]) -> list[Shift]:
    """For each criterion the smallest change of its weight that changes the winner, the smallest first.

    The table holds known figures, higher is better. A criterion that can change nothing at any weight is left out,
    and so is one that carries all the weight (the others then have no proportions to keep). Raises ValueError as
    `shares`. Source: SCIENCE 3.8; the totals are linear in one weight, so that the change is exact.
    """
    rows = np.asarray(table, dtype=np.float64)
    share = shares(weights)
    first = int(np.argmax(rows @ share))
    found = []
    for criterion, weight in enumerate(share):
        if weight > 1 - _EQUAL:
            continue
        each = [
            Shift(criterion, rival, float(weight), becomes)
            for rival in range(len(rows))
            if rival != first and (becomes := _level_at(rows[first] - rows[rival], share, criterion)) is not None
        ]
        if each:
            found.append(min(each, key=lambda shift: shift.amount))
    return sorted(found, key=lambda shift: (shift.amount, shift.criterion))


def _level_at(ahead: Floats, share: Floats, criterion: int) -> float | None:
    """The weight of one criterion at which the leader's lead is used up; None when no weight between 0 and 1 does."""
    weight = float(share[criterion])
    lead = float(ahead @ share)
    own = float(ahead[criterion])
    others = (lead - weight * own) / (1 - weight)
    if abs(lead) <= _EQUAL:
        # Level already: the least push decides, unless it moves nothing.
        return weight if abs(own - others) > _EQUAL else None
    if abs(others - own) <= _EQUAL:
        return None
    becomes = others / (others - own)
    # At 0 and at 1 the two would only be level, with no weight beyond.
    return becomes if _EQUAL < becomes < 1 - _EQUAL else None


def dominated(table: Floats, counts: Sequence[bool] | None = None) -> dict[int, tuple[int, ...]]:
    """Options to which another is never worse and once better: option to those that dominate it.

    Higher is better; only criteria that count (`counts`; all without it) are compared. An option with an unknown
    figure there is neither dominated nor dominates. No weight above 0 can make a dominated option win.
    """
    rows = np.asarray(table, dtype=np.float64)
    if counts is not None:
        rows = rows[:, np.asarray(counts, dtype=np.bool_)]
    found = {}
    for option, row in enumerate(rows):
        if row.size == 0 or np.isnan(row).any():
            continue
        # Comparisons with NaN are false, so that an unknown figure never dominates.
        by = ((rows >= row).all(axis=1)) & ((rows > row).any(axis=1))
        if by.any():
            found[option] = tuple(int(other) for other in np.flatnonzero(by))
    return found


def without_spread(table: Floats) -> tuple[int, ...]:
    """Criteria on which all known figures are equal, so that they decide nothing: with two known figures or more."""
    rows = np.asarray(table, dtype=np.float64)
    enough = (~np.isnan(rows)).sum(axis=0) >= 2
    same = _high(rows) - _low(rows) <= _EQUAL
    return tuple(int(criterion) for criterion in np.flatnonzero(enough & same))


def _low(rows: Floats) -> Floats:
    """The least known figure of each column; infinite without one."""
    found: Floats = np.where(np.isnan(rows), np.inf, rows).min(axis=0, initial=np.inf)
    return found


def _high(rows: Floats) -> Floats:
    """The greatest known figure of each column; minus infinite without one."""
    found: Floats = np.where(np.isnan(rows), -np.inf, rows).max(axis=0, initial=-np.inf)
    return found
