"""Ratings from 1 to 5 that the facts of a match suggest; the client takes one with a press, or does not.

The steps are Octant's own, a help to begin with and no measurement: bands of ranks where a correlation means
different things for different people (SCIENCE 3.5), shares and levels elsewhere. Unknown facts suggest nothing.
"""

from __future__ import annotations

from app.domain.matching import RANK_BANDS, EducationGap
from app.domain.outlook import National
from app.features.occupations.queries import Outlook
from app.features.steps.career_choice.matches import Match

_COVERED = ((0.95, 5), (0.85, 4), (0.7, 3), (0.5, 2))


def suggested(match: Match, fact: str | None, national: National | None = None) -> int | None:
    """The rating a fact suggests for an occupation; None where the fact is not known or none is named."""
    match fact:
        case "interests":
            return by_rank(match.rank, match.of)
        case "values":
            return None if match.values_rank is None else by_rank(match.values_rank, match.values_of)
        case "skills":
            share = match.coverage.share if match.coverage else None
            return None if share is None else next((rating for least, rating in _COVERED if share >= least), 1)
        case "education":
            return None if match.education is None else by_education(match.education)
        case "environment":
            return None if match.outlook is None else by_outlook(match.outlook, national)
    return None


def by_rank(rank: int, of: int) -> int:
    """5 among the first 20, 4 among the first 50, 3 in the upper half, 2 in the lower, 1 in the last tenth."""
    first, second = RANK_BANDS
    if rank <= first:
        return 5
    if rank <= second:
        return 4
    if rank <= of / 2:
        return 3
    return 2 if rank <= of * 0.9 else 1


def by_education(gap: EducationGap) -> int:
    """5 where one's level is enough for three jobs of four, 4 for half of them, then one less a missing level."""
    if gap.steps == 0:
        return 5 if gap.asking_at_most >= 75 else 4
    return max(1, 4 - gap.steps)


def by_outlook(outlook: Outlook, national: National | None) -> int | None:
    """5 for a growing one, 4 where it grows faster than all jobs with few openings, 3 where it grows, 2 to -10, 1."""
    if outlook.growing:
        return 5
    growth = outlook.growth
    if growth is None:
        return None
    if national is not None and national.growth is not None and growth > national.growth:
        return 4
    if growth >= 0:
        return 3
    return 2 if growth >= -10 else 1
