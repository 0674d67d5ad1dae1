"""How good a match is, measured without people: does an occupation find the occupations it is related to?

Each occupation's own profile is put in as if it were a person's. Of the occupations that the publisher lists as related
to it, how many are among the first of the ranking? That is no proof of good advice, since profiles and lists come from
the same publisher; it shows which column carries how much, and that a change makes nothing worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.decisions import weighted_sum
from app.domain.matching import LEAST_IMPORTANCE, correlations, ranking, standardised

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
WITHIN = 20


@dataclass(frozen=True, slots=True)
class Quality:
    """The share (0 to 1) of listed related occupations found among the first, None where nothing could be looked for.

    `occupations` are those that have a ranking and at least one related occupation; `listed` are their relations;
    `chance` is the share that a ranking by lot would find.
    """

    share: float | None
    occupations: int
    listed: int
    chance: float


def quality(likeness: Floats, related: Flags, *, within: int = WITHIN) -> Quality:
    """How many related occupations a ranking finds; both are occupations x occupations in the order of their codes.

    `likeness` is higher for what fits better and NaN where undefined; the diagonal does not count. An occupation whose
    row is undefined throughout is left out; a related occupation without a figure is one not found. Source: own
    measure, as in the requirements of this project.
    """
    found = listed = people = 0
    for row, wanted in zip(_without_itself(likeness), related, strict=True):
        if np.isnan(row).all() or not wanted.any():
            continue
        people += 1
        listed += int(wanted.sum())
        found += int(wanted[ranking(row)[:within]].sum())
    others = max(len(likeness) - 1, 1)
    return Quality(found / listed if listed else None, people, listed, min(1.0, within / others))


def profile_likeness(profiles: Floats) -> Floats:
    """Pearson correlation of every profile with every other: n x n, -1 to 1, NaN where one is flat or incomplete."""
    rows = standardised(profiles)
    return correlations(rows, rows)


def coverage_likeness(importance: Floats, level: Floats, counted: Flags) -> Floats:
    """How much of what each occupation (columns) asks the levels of each other (rows) cover: n x n, 0 to 1.

    The share of `app.domain.matching.coverage` for all pairs at once: occupations x skills with importance 1 to 5,
    level 0 to 7, `counted` False where a figure is not to be used. NaN where nothing can be compared. SCIENCE 3.6.
    """
    asks = counted & (importance >= LEAST_IMPORTANCE) & ~np.isnan(level)
    weights = np.where(asks, importance, 0.0)
    needed = np.where(asks & (level > 0), level, 1.0)
    # Who needs no level at all is covered by anybody.
    free = asks & (np.where(asks, level, 1.0) <= 0)
    found = np.full((len(level), len(level)), np.nan)
    for person, own in enumerate(level):
        known = weights * ~np.isnan(own)
        totals = known.sum(axis=1)
        met = np.where(free, 1.0, np.minimum(1.0, np.nan_to_num(own) / needed))
        np.divide((known * met).sum(axis=1), totals, out=found[person], where=totals > 0)
    return found


def education_likeness(distributions: Floats) -> Floats:
    """The percent of each occupation's jobs (columns) that ask at most for the typical level of each other (rows).

    `distributions` are percentages in the 12 categories of required education, the lowest first; the typical level is
    the one that at least half of the jobs ask for at most. n x n, 0 to 100, NaN where unknown. SCIENCE 5, step 3.
    """
    sums = np.cumsum(distributions, axis=1)
    known = ~np.isnan(sums[:, -1])
    typical = np.array([np.searchsorted(row, row[-1] / 2) if ok else 0 for row, ok in zip(sums, known, strict=True)])
    found: Floats = sums[:, typical].T.copy()
    found[~known] = np.nan
    return found


def nearness(figures: Floats) -> Floats:
    """Minus the difference between every two figures (such as job zones, 1 to 5): n x n, at most 0, NaN unknown."""
    found: Floats = -np.abs(figures[:, None] - figures[None, :])
    return found


def together(columns: Sequence[Floats]) -> Floats:
    """Columns (n x n each) in one figure as `app.domain.decisions` adds them: each stretched to 0..1 for each person.

    All count the same; what is not known shrinks the basis and is never 0. NaN where all are unknown, or the row is.
    """
    stretched_columns = [_stretched_rows(_without_itself(column)) for column in columns]
    table = np.stack([column.ravel() for column in stretched_columns], axis=1)
    found: Floats = weighted_sum(table, [1.0] * len(columns)).totals.reshape(columns[0].shape)
    return found


def _without_itself(likeness: Floats) -> Floats:
    found = likeness.copy()
    np.fill_diagonal(found, np.nan)
    return found


def _stretched_rows(likeness: Floats) -> Floats:
    # As `decisions.stretched`, for every person's row at once; a row without spread is 1 for all.
    low = np.where(np.isnan(likeness), np.inf, likeness).min(axis=1, keepdims=True)
    high = np.where(np.isnan(likeness), -np.inf, likeness).max(axis=1, keepdims=True)
    spread = high - low
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(spread > 0, (likeness - low) / np.where(spread > 0, spread, 1.0), 1.0)
    found[np.isnan(likeness)] = np.nan
    return found
