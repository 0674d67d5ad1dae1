"""How well people's profiles fit occupations': correlation, ranks, how steady they are, skills and education.

Profiles are rows of six scores; occupations are rows of a matrix, in the order of their codes. What is undefined is
NaN in arrays and None elsewhere, never 0: a flat profile, or one with a missing score, correlates with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Beyond this, in parts of the largest score, a spread is a difference and not the arithmetic of decimals.
_FLAT: Final = 1e-9
# Thresholds of other services are not published and a bare r misleads: bands of ranks are the default (SCIENCE 3.5).
RANK_BANDS: Final = (20, 50)
DRAWS: Final = 500
# O*NET's own line between important and not so important on the 1 to 5 scale.
LEAST_IMPORTANCE: Final = 3.0
_RANGE_OF_OCCUPATIONS: Final = (1.0, 7.0)


def standardised(profiles: Floats) -> Floats:
    """Rows (n x 6, any units) centred on their mean and scaled to length 1; NaN where undefined.

    Undefined is a row that is flat or has a missing score (NaN). The scalar product of two such rows is their
    Pearson correlation.
    """
    rows = np.asarray(profiles, dtype=np.float64)
    centred = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    # Comparisons with NaN are false, so that a missing score comes out as undefined too.
    shaped = lengths > _FLAT * np.maximum(1.0, np.abs(rows).max(axis=1))
    found: Floats = centred / np.where(shaped, lengths, np.nan)[:, None]
    return found


def correlations(people: Floats, occupations: Floats) -> Floats:
    """Pearson correlation of every person with every occupation: people x occupations, -1 to 1, NaN where undefined.

    Both are *standardised* rows (see `standardised`), so that this is one matrix product. Independent of units and
    of level on both sides: 0 to 40 against 1 to 7 needs no rescaling. Source: SCIENCE 3.5; O*NET's Interest Profiler
    links to occupations the same way (McCloy and others 1999, revised 2010). The same measure serves work values.
    """
    found = people @ occupations.T
    # Rounding may pass 1 by one digit of the last place.
    np.clip(found, -1.0, 1.0, out=found)
    return found


def fit(person: Sequence[float | None], occupations: Floats) -> Floats | None:
    """One person's correlation with each occupation (standardised rows); None for a flat or incomplete profile."""
    row = standardised(np.array([[np.nan if score is None else score for score in person]], dtype=np.float64))
    return None if np.isnan(row).any() else correlations(row, occupations)[0]


def ranking(values: Floats) -> npt.NDArray[np.intp]:
    """The rows of the defined values, the highest first, equals in the order of the rows (of the codes)."""
    order = np.argsort(-values, kind="stable")
    return order[: int((~np.isnan(values)).sum())]


def ranks(values: Floats) -> npt.NDArray[np.int64]:
    """The rank of each row, 1 for the first of `ranking`; 0 where its value is undefined and it has no rank."""
    found = np.zeros(len(values), dtype=np.int64)
    order = ranking(values)
    found[order] = np.arange(1, len(order) + 1)
    return found


def band_of(rank: int, bands: Sequence[int] = RANK_BANDS) -> int | None:
    """The narrowest band a rank lies in (20: among the first 20); None beyond all of them, or for rank 0."""
    return next((band for band in sorted(bands) if 1 <= rank <= band), None)


def reaching(values: Floats, level: float) -> int:
    """How many occupations have at least this correlation: few for some profiles and hundreds for others."""
    return int((values >= level).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """In which share of the resamples (0 to 1) each occupation was among the first `within`, one array for each."""

    within: tuple[int, ...]
    shares: tuple[Floats, ...]
    draws: int


def stability(
    person: Sequence[float | None],
    errors: Sequence[float | None],
    occupations: Floats,
    *,
    within: tuple[int, ...] = RANK_BANDS,
    draws: int = DRAWS,
    seed: int = 0,
) -> Stability | None:
    """How often each occupation stays among the first when the profile is drawn anew within its error.

    Each draw adds to each score a normal error with its standard error of measurement (score units); `occupations`
    are standardised rows. Occupations that tie with the last of the first are counted in. The same seed gives the
    same shares. None where the profile is flat or incomplete or an error is not known: then nothing can be said.
    Source: SCIENCE 5, "draw the list with its uncertainty".
    """
    scores = np.array([np.nan if score is None else score for score in person], dtype=np.float64)
    spread = np.array([np.nan if error is None else error for error in errors], dtype=np.float64)
    if np.isnan(spread).any() or (spread < 0).any() or np.isnan(standardised(scores[None])).any():
        return None
    drawn = scores + np.random.default_rng(seed).standard_normal((draws, len(scores))) * spread
    # float32 halves the memory the selection below walks over; ranks of noise need no more digits.
    found = correlations(standardised(drawn), occupations).astype(np.float32)
    # An occupation without a shape is never among the first.
    found[np.isnan(found)] = -np.inf
    lines: dict[int, npt.NDArray[np.float32]] = {}
    # The widest first: the narrower are then sought among the few it leaves, a third of the work of all at once.
    ahead = found
    for count in sorted({min(count, found.shape[1]) for count in within}, reverse=True):
        ahead = np.partition(ahead, ahead.shape[1] - count, axis=1)[:, ahead.shape[1] - count :]
        lines[count] = ahead.min(axis=1, keepdims=True)
    shaped = found > -2
    shares = tuple(((found >= lines[min(count, found.shape[1])]) & shaped).mean(axis=0) for count in within)
    return Stability(within, shares, draws)


def distance(person: Sequence[float], low: float, high: float, occupations: Floats) -> Floats:
    """Euclidean distance to each occupation (raw rows, 1 to 7) after mapping the person's low..high to 1..7.

    0 to about 14.7; NaN where an occupation's score is missing. It knows level, which r does not. Raises ValueError
    unless low < high. Source: SCIENCE 3.5.
    """
    if not low < high:
        raise ValueError("the highest possible score must be above the lowest")
    bottom, top = _RANGE_OF_OCCUPATIONS
    mapped = bottom + (np.asarray(person, dtype=np.float64) - low) * ((top - bottom) / (high - low))
    found: Floats = np.sqrt(((occupations - mapped) ** 2).sum(axis=1))
    return found


# Columns: Things/People and Data/Ideas (Prediger 1982), as in `app.domain.profiles.dimensions`.
_PLANE: Final = np.array([[2, 1, -1, -2, -1, 1], np.sqrt(3) * np.array([0, -1, -1, 0, 1, 1])], dtype=np.float64).T


def direction_cosine(person: Sequence[float], occupations: Floats) -> Floats:
    """Cosine between the person's and each occupation's direction in Prediger's plane: -1 to 1, NaN where undefined.

    Undefined where one lies in the middle. Rows are raw; units do not matter. Source: SCIENCE 3.4.
    """
    here = np.asarray(person, dtype=np.float64) @ _PLANE
    there = occupations @ _PLANE
    lengths = np.hypot(there[:, 0], there[:, 1]) * np.hypot(*here)
    found: Floats = there @ here / np.where(lengths > _FLAT, lengths, np.nan)
    return found


def standard_figure(value: float, low: float, high: float) -> float:
    """A rating on low..high as 0 to 100, as O*NET standardises: (value - low) / (high - low) x 100. SCIENCE 3.6."""
    return (value - low) / (high - low) * 100


@dataclass(frozen=True, slots=True)
class SkillNeed:
    """What an occupation asks of one skill: importance 1 to 5, level 0 to 7, None where not known or not advised."""

    element: str
    importance: float | None
    level: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A skill whose required level (0 to 7) is above one's own, by `shortfall`; `weight` orders gaps."""

    element: str
    required: float
    own: float
    shortfall: float
    weight: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what an occupation asks a person brings.

    `share` is 0 to 1, None where nothing could be compared; `compared` of `asked` important skills have a level on
    both sides. `gaps` are ordered by importance x shortfall, the largest first.
    """

    share: float | None
    compared: int
    asked: int
    gaps: tuple[Gap, ...]


def coverage(needs: Sequence[SkillNeed], own: dict[str, float]) -> Coverage:
    """Own levels (element to 0..7) against an occupation's needs.

    share = sum of importance x min(1, own / required) / sum of importance, over skills of importance 3.0 or more
    with a level on both sides; what is missing shrinks the basis and is never counted as 0. Leave out needs that
    their publisher marks as not relevant or advises against. Octant's own measure, a design choice (SCIENCE 3.6).
    """
    important = [(n, n.importance) for n in needs if n.importance is not None and n.importance >= LEAST_IMPORTANCE]
    total = met = 0.0
    gaps = []
    compared = 0
    for need, importance in important:
        level, mine = need.level, own.get(need.element)
        if level is None or mine is None or not isfinite(level) or not isfinite(mine):
            continue
        compared += 1
        total += importance
        met += importance * (1.0 if mine >= level else mine / level)
        if mine < level:
            gaps.append(Gap(need.element, level, mine, level - mine, importance * (level - mine)))
    gaps.sort(key=lambda gap: (-gap.weight, gap.element))
    return Coverage(met / total if total else None, compared, len(important), tuple(gaps))


@dataclass(frozen=True, slots=True)
class EducationGap:
    """One's education beside what an occupation's jobs ask for.

    `asking_at_most` is the percent of its jobs that ask for at most one's level; `typical` the level (1 to 12) that
    at least half of them ask for at most; `steps` how many levels that lies above one's own (0: none).
    """

    asking_at_most: float
    typical: int
    steps: int


def education_gap(distribution: Sequence[float] | None, level: int | None) -> EducationGap | None:
    """How far one's education (level 1 to 12) is from an occupation's; None where one of the two is not known.

    `distribution` is the percent of jobs in each of the 12 categories of required education, the lowest first (O*NET
    scale RL). Raises ValueError for another level. Source: SCIENCE 5, step 3.
    """
    if distribution is None or level is None or not sum(distribution) > 0:
        return None
    if not 1 <= level <= len(distribution):
        raise ValueError(f"an education level is 1 to {len(distribution)}, not {level}")
    sums = np.cumsum(np.asarray(distribution, dtype=np.float64))
    typical = int(np.searchsorted(sums, sums[-1] / 2)) + 1
    return EducationGap(float(min(100.0, sums[level - 1])), typical, max(0, typical - level))
