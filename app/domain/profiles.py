"""What six interest scores say together: the code, how distinct and consistent it is, and two dimensions behind it.

A profile is six scores in the order R I A S E C (realistic, investigative, artistic, social, enterprising,
conventional), in an instrument's own units. How answers become scores, and when a scale with missed items has none
(fewer answered than its definition asks for, four fifths by default), is `app.domain.scoring`. A profile with a
missing score (None or NaN) has no index at all: everything here is then None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import atan2, degrees, hypot, isfinite, sqrt
from statistics import fmean, pstdev
from typing import Final

AREAS: Final = "RIASEC"
# Beyond this a spread is a difference and not the arithmetic of decimals.
_FLAT: Final = 1e-9
_M3: Final = ((22, 10, 4), (10, 5, 2), (4, 2, 1))
_M2: Final = ((5, 2), (2, 1))

Profile = tuple[float, ...]
Scores = Sequence[float | None]


def profile_of(scores: Mapping[str, float | None]) -> Profile | None:
    """The six scores keyed R, I, A, S, E and C in that order; None where one is missing (None, NaN or no key)."""
    return complete([scores.get(area) for area in AREAS])


def complete(scores: Scores) -> Profile | None:
    """The scores as plain numbers; None unless there are six and all are known. Units stay as they are."""
    known = tuple(float(score) for score in scores if score is not None and isfinite(score))
    return known if len(scores) == len(known) == len(AREAS) else None


def tied(first: float, second: float, error_first: float | None = None, error_second: float | None = None) -> bool:
    """Whether two scores are not to be read as different: equal, or closer than their difference's standard error.

    The errors are standard errors of measurement in the scores' units; the difference's is sqrt(e1^2 + e2^2), for
    equal errors sqrt(2) x error (SCIENCE 3.7, after the "rule of eight" of Holland's inventory). Unknown: only equal.
    """
    if first == second:
        return True
    if error_first is None or error_second is None:
        return False
    return abs(first - second) < hypot(error_first, error_second)


def high_point_code(scores: Scores, length: int = 3) -> str | None:
    """The letters of the highest scores in falling order, equals in the order R I A S E C. None when undefined.

    Never show it without `admissible_codes`: among equals the order means nothing.
    """
    profile = complete(scores)
    if profile is None:
        return None
    order = sorted(range(len(AREAS)), key=lambda area: -profile[area])
    return "".join(AREAS[area] for area in order[:length])


def admissible_codes(
    scores: Scores, length: int = 3, errors: Sequence[float | None] | None = None
) -> tuple[str, ...] | None:
    """Every code the scores allow, in alphabetical order; one when no letters tie, 120 for a flat profile.

    A code is admissible when none of its letters stands before one that is higher and not tied with it, among those
    it leaves out too. `errors` are the six standard errors (see `tied`); without them only equal scores tie. None
    when a score is missing. Source: SCIENCE 3.1, ties as sets of codes after Iachan 1990.
    """
    profile = complete(scores)
    if profile is None:
        return None
    given = errors or (None,) * len(AREAS)
    behind = [
        {
            other
            for other in range(len(AREAS))
            if profile[other] > profile[area] and not tied(profile[area], profile[other], given[area], given[other])
        }
        for area in range(len(AREAS))
    ]
    codes = (
        "".join(AREAS[area] for area in picked)
        for picked in permutations(range(len(AREAS)), length)
        # Whatever is surely higher than a letter must stand before it.
        if all(behind[area] <= set(picked[:place]) for place, area in enumerate(picked))
    )
    return tuple(sorted(codes))


def elevation(scores: Scores) -> float | None:
    """The mean of the six scores, in their units; None when one is missing. Belongs beside every differentiation.

    Source: SCIENCE 3.1; a flat high and a flat low profile are different people (Swanson and Hansen 1986).
    """
    profile = complete(scores)
    return None if profile is None else fmean(profile)


@dataclass(frozen=True, slots=True)
class Differentiation:
    """How far the scores lie apart, x1 to x6 falling; in the scores' units but `di6`, which has none (0 to 1).

    di1 = x1-x2, di2 = x1-x3, di3 = x1-(x2+x4)/2, di4 = x1-(x3+x5)/2 (Iachan), di5 = x1-x6 (Holland),
    di6 = di5 / sum (None when the sum is not positive), di7 = population standard deviation. After Bergmann 1993.
    """

    di1: float
    di2: float
    di3: float
    di4: float
    di5: float
    di6: float | None
    di7: float


def differentiation(scores: Scores) -> Differentiation | None:
    """The seven indices of differentiation, each at least 0 and 0 for a flat profile; None when a score is missing."""
    profile = complete(scores)
    if profile is None:
        return None
    x1, x2, x3, x4, x5, x6 = sorted(profile, reverse=True)
    total = sum(profile)
    return Differentiation(
        di1=x1 - x2,
        di2=x1 - x3,
        di3=x1 - (x2 + x4) / 2,
        di4=x1 - (x3 + x5) / 2,
        di5=x1 - x6,
        di6=(x1 - x6) / total if total > 0 else None,
        di7=pstdev(profile),
    )


def hexagon_steps(first: str, second: str) -> int:
    """How many sides of the hexagon lie between two letters, 0 to 3. Raises ValueError for another letter.

    Source: Holland's hexagon, R I A S E C around it.
    """
    apart = abs(AREAS.index(first) - AREAS.index(second))
    return min(apart, len(AREAS) - apart)


def consistency_levels(scores: Scores, errors: Sequence[float | None] | None = None) -> tuple[int, ...] | None:
    """Every level of consistency the first two letters allow: 3 adjacent, 2 alternate, 1 opposite (Holland).

    More than one where letters tie (see `admissible_codes`); None when a score is missing.
    """
    codes = admissible_codes(scores, 2, errors)
    return None if codes is None else tuple(sorted({4 - hexagon_steps(*code) for code in codes}))


def consistency(scores: Scores, errors: Sequence[float | None] | None = None) -> int | None:
    """The level of consistency, 1 to 3; None when a score is missing or ties leave more than one level possible."""
    levels = consistency_levels(scores, errors)
    return levels[0] if levels is not None and len(levels) == 1 else None


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Where a profile lies between Things and People, and between Data and Ideas.

    Both are in the scores' units, stretched: a pure type of score x has a `magnitude` of 2x. `angle` is in degrees
    from Things, with Ideas at 90 (R 0, I 60, A 120, S 180, E 240, C 300); None where both are zero.
    """

    things_people: float
    data_ideas: float
    angle: float | None
    magnitude: float


def dimensions(scores: Scores) -> Dimensions | None:
    """Things(+)/People(-) = 2R + I - A - 2S - E + C and Data(+)/Ideas(-) = sqrt(3) x (E + C - I - A).

    Elevation drops out. None when a score is missing; no angle for a flat profile. Source: Prediger 1982, Prediger
    and Vansickle 1992.
    """
    profile = complete(scores)
    if profile is None:
        return None
    r, i, a, s, e, c = profile
    things = 2 * r + i - a - 2 * s - e + c
    data = sqrt(3) * (e + c - i - a)
    magnitude = hypot(things, data)
    # Opposite scores may cancel out as decimals do: almost nothing has no direction.
    if magnitude <= _FLAT * max(1.0, *map(abs, profile)):
        return Dimensions(things, data, None, magnitude)
    return Dimensions(things, data, degrees(atan2(-data, things)) % 360, magnitude)


def dimension_errors(errors: Sequence[float | None]) -> tuple[float, float] | None:
    """Half the widths of the 95 percent bands of (things/people, data/ideas), from six standard errors in score units.

    The dimensions are weighted sums, so their standard errors are sqrt(sum of (weight x error)^2), as errors of
    different scales do not depend on each other. None unless all six are known.
    """
    known = [error for error in errors if error is not None]
    if len(known) < len(AREAS):
        return None
    squares = [error**2 for error in known]
    things = sum(weight**2 * square for weight, square in zip((2, 1, 1, 2, 1, 1), squares, strict=True))
    data = 3 * sum(weight * square for weight, square in zip((0, 1, 1, 0, 1, 1), squares, strict=True))
    return 1.96 * sqrt(things), 1.96 * sqrt(data)


def congruence_c(person: str, environment: str) -> int:
    """How alike two three-letter codes are, 0 to 18 (mean of all pairs 9): 3 s1 + 2 s2 + s3.

    s is 3 for the same letter in a place, 2 adjacent, 1 alternate, 0 opposite. Raises ValueError for codes of another
    length or with another letter. Source: Brown and Gore 1994. A second opinion where only a code is known.
    """
    if len(person) != 3 or len(environment) != 3:
        raise ValueError(f"the C index compares codes of three letters, not {person!r} and {environment!r}")
    weights = (3, 2, 1)
    return sum(
        weight * (3 - hexagon_steps(*pair))
        for weight, pair in zip(weights, zip(person, environment, strict=True), strict=True)
    )


def congruence_m(person: str, environments: Sequence[str]) -> float:
    """Iachan's M: weights of the letters two codes share, by their places; 0 to 28, for two-letter codes 0 to 6.

    Several environments are the admissible codes of one that ties: M is then their mean (Iachan 1990); give one for
    a plain comparison. Raises ValueError for none, or for codes that are not all of two or all of three letters.
    Source: Iachan 1984.
    """
    if not environments or len(person) not in (2, 3) or {len(code) for code in environments} != {len(person)}:
        raise ValueError("the M index compares codes of two letters, or of three, with at least one other")
    weights = _M3 if len(person) == 3 else _M2
    return fmean(
        sum(weights[person.index(letter)][place] for place, letter in enumerate(code) if letter in person)
        for code in environments
    )


def first_letter_steps(person: str, environment: str) -> int:
    """Steps on the hexagon between two codes' first letters, 0 to 3: coarse, for display only (SCIENCE 3.3)."""
    return hexagon_steps(person[0], environment[0])
