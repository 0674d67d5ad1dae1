"""Rules about an occupation's outlook: which projection belongs to it, what counts as growing, education asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

# An occupation's code, as the catalogue has it and as contents keep it: 11-1011.00.
CODE: Final = re.compile(r"[0-9]{2}-[0-9]{4}\.[0-9]{2}")
Join = Literal["exact", "broad", "table"]

# Projections sum some detailed occupations under one code of their own, which no rule on the digits finds.
_TABLE = {
    **dict.fromkeys(("21-1011", "21-1014"), "21-1018"),
    **dict.fromkeys(("25-2055", "25-2056"), "25-2052"),
    **dict.fromkeys(("25-9042", "25-9043"), "25-9045"),
    **dict.fromkeys(("51-2022", "51-2023"), "51-2028"),
    **dict.fromkeys(("53-1042", "53-1043", "53-1044"), "53-1047"),
}
EDUCATION_CATEGORIES = 12


def projection_codes(code: str) -> tuple[tuple[str, Join], ...]:
    """The six-digit codes under which an occupation's projection may stand, the best first.

    `code` is an eight-digit occupation code (11-1011.00). Exact is its first seven characters; broad has 0 as last
    digit, then 00 as last two; a table of 12 detailed occupations names the rest.
    """
    exact = code[:7]
    found: list[tuple[str, Join]] = [(exact, "exact"), (f"{exact[:6]}0", "broad"), (f"{exact[:5]}00", "broad")]
    if exact in _TABLE:
        found.append((_TABLE[exact], "table"))
    return tuple(found)


def join_projection(code: str, known: Iterable[str]) -> tuple[str, Join] | None:
    """The first of `projection_codes` that is among `known`; None where the projection has nothing for it."""
    there = known if isinstance(known, set | frozenset | dict) else set(known)
    return next(((soc, how) for soc, how in projection_codes(code) if soc in there), None)


@dataclass(frozen=True, slots=True)
class National:
    """Figures over all occupations of a projection: growth in percent, median wage, median yearly openings."""

    growth: float | None
    wage: float | None
    openings: float | None


def is_growing(growth: float | None, openings: int | None, national: National) -> bool | None:
    """Whether an occupation grows faster than all jobs together and has at least the median of yearly openings.

    Octant's own mark, not a publisher's. `growth` is percent over the projection's period. None where a figure
    is not known: unknown is not the same as not growing.
    """
    if growth is None or openings is None or national.growth is None or national.openings is None:
        return None
    return growth > national.growth and openings >= national.openings


def share_asking_at_most(distribution: Sequence[float] | None, level: int) -> float | None:
    """The percent of an occupation's jobs that ask for at most an education level: 0 to 100, None where not known.

    `distribution` is the percent of jobs in each of the 12 categories of required education, the lowest first (O*NET
    scale RL); `level` is 1 to 12. Raises ValueError for another level or another number of categories.
    """
    if not 1 <= level <= EDUCATION_CATEGORIES:
        raise ValueError(f"an education level is 1 to {EDUCATION_CATEGORIES}, not {level}")
    if distribution is None:
        return None
    if len(distribution) != EDUCATION_CATEGORIES:
        raise ValueError(f"there are {len(distribution)} categories instead of {EDUCATION_CATEGORIES}")
    # Published percentages are rounded; their sum may be 100.02.
    return min(100.0, sum(distribution[:level]))


def cumulative(distribution: Sequence[float] | None) -> tuple[float, ...] | None:
    """For each of the 12 levels the percent of jobs that ask for at most it; None where not known."""
    if distribution is None:
        return None
    return tuple(share_asking_at_most(distribution, level) or 0.0 for level in range(1, EDUCATION_CATEGORIES + 1))
