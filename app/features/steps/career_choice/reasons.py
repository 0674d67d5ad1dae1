"""Why an occupation stands where it stands: bars over each other, gaps, education, outlook, and what is near it."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.matching import Coverage, EducationGap
from app.domain.saying import Say
from app.features.instruments.queries import NewestResult
from app.features.occupations import queries as catalogue
from app.features.occupations import whole
from app.features.occupations.families import family_of
from app.features.occupations.queries import Outlook, Profiles
from app.features.occupations.words import area_words, value_words
from app.features.plans.rooms import Picture
from app.features.steps.career_choice.bars import Scores, match_bars
from app.features.steps.career_choice.matches import Match, Matches
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Near:
    """A related occupation: the publisher's word for how close it is, and its own place in the list, if it has one."""

    code: str
    title: str
    tier: str
    match: Match | None


@dataclass(frozen=True, slots=True)
class NamedGap:
    """A skill that is asked for at a higher level than one's own, both 0 to 7."""

    name: str
    required: float
    own: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """All that is known; `match` is None for an occupation that is not rated, or without a list."""

    code: str
    title: str
    family: str
    job_zone: int | None
    rated: bool
    match: Match | None
    interests: Picture | None
    values: Picture | None
    coverage: Coverage | None
    gaps: tuple[NamedGap, ...]
    education: EducationGap | None
    outlook: Outlook | None
    near: tuple[Near, ...]


def reasons_for(uow: UnitOfWork, matches: Matches, code: str, _: Say) -> Reasons | None:
    """The reasons of one occupation; None for a code the release does not have. No statement once it was read."""
    release, profiles = matches.release, matches.profiles
    title = whole.titles_of_all(uow, release).get(code) if release else None
    if release is None or profiles is None or title is None:
        return None
    row = profiles.row_of.get(code)
    coverage = matches.coverage(code)
    values = catalogue.values_matrix(uow, release)
    titles = whole.titles_of_all(uow, release)
    related = catalogue.all_relations(uow, release).of.get(code, ())
    skill_names = release.figures.get("skills", {})
    return Reasons(
        code=code,
        title=title,
        family=family_of(code),
        job_zone=profiles.zones[row] if row is not None else None,
        rated=row is not None,
        match=matches.match(code),
        interests=_bars(_("Interests, one over the other"), area_words(_), matches.result, profiles, code, _),
        values=_bars(_("Work values, one over the other"), value_words(_), matches.values, values, code, _),
        coverage=coverage,
        gaps=tuple(
            NamedGap(skill_names.get(gap.element, gap.element), gap.required, gap.own)
            for gap in (coverage.gaps if coverage else ())
        ),
        education=matches.education(code),
        outlook=matches.outlooks.get(code),
        near=tuple(Near(other, titles.get(other, other), tier, matches.match(other)) for other, _rank, tier in related),
    )


def _bars(
    heading: str, labels: tuple[str, ...], result: NewestResult | None, profiles: Profiles, code: str, _: Say
) -> Picture | None:
    """Person and occupation over each other; None without a result or without ratings."""
    row = profiles.row_of.get(code)
    if result is None or row is None or len(result.scores) != len(labels):
        return None
    low, high = next(iter(result.ranges.values()))
    if not low < high:
        return None
    errors = [result.sem.get(scale) for scale in result.scores]
    person = Scores(list(result.scores.values()), errors, low, high)
    return match_bars(heading, labels, person, profiles.matrix[row].tolist(), _)
