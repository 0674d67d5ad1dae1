"""One client's matches: every rated occupation of a release by interest correlation, and the columns beside it.

What depends on a result and a release alone is kept per process: the same scores always give the same list.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

import numpy as np

from app.domain import matching
from app.domain.matching import Coverage, EducationGap, Floats, SkillNeed, Stability
from app.features.instruments.queries import NewestResult, newest_results, result_by_id
from app.features.occupations import queries as catalogue
from app.features.occupations import whole
from app.features.occupations.credit import credit_lines
from app.features.occupations.families import family_of
from app.features.occupations.queries import Outlook, Profiles
from app.features.occupations.releases import Release, current_outlook, current_release
from app.features.plans.queries import PlanView
from app.features.plans.rooms import Content
from app.features.steps.parts import education_of
from app.infra.db.open import UnitOfWork

WhyNot = Literal["no_catalogue", "no_result", "incomplete", "flat"]
# Lists and resamples a process keeps; some 60 kilobytes each.
_MOST_KEPT = 256


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """A profile against a release: r of each occupation (rows of `Profiles`), the rows in order, each row's rank."""

    r: Floats
    order: tuple[int, ...]
    ranks: tuple[int, ...]
    stability: Stability | None


_kept: OrderedDict[tuple[Any, ...], Ranked | None] = OrderedDict()


def ranked(
    scores: Sequence[float | None], errors: Sequence[float | None], release: Release, shapes: Floats
) -> Ranked | None:
    """`Ranked` of a profile; None for a flat or incomplete one. Kept by what it is made of, so it is nobody's."""
    key = (release.checksum, tuple(scores), tuple(errors))
    if key in _kept:
        try:
            _kept.move_to_end(key)
            return _kept[key]
        except KeyError:
            # Another thread let it go meanwhile.
            pass
    r = matching.fit(scores, shapes)
    found = None
    if r is not None:
        ranks = matching.ranks(r)
        found = Ranked(
            r, tuple(matching.ranking(r).tolist()), tuple(ranks.tolist()), matching.stability(scores, errors, shapes)
        )
    _kept[key] = found
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return found


@dataclass(frozen=True, slots=True)
class Match:
    """One occupation for one client; what is undefined is None.

    `rank` is among `of` rated occupations, `band` the first 20 or 50 it lies in, `reach` how many have at least its
    `r`; `stays` are the shares of resamples (0 to 1) among the first 20 and 50. `values_rank` is among `values_of`.
    `factors` counts what the client wrote in step 3 about this occupation.
    """

    code: str
    title: str
    family: str
    job_zone: int | None
    rank: int
    of: int
    band: int | None
    r: float
    reach: int
    stays: tuple[float, ...] | None
    values_r: float | None
    values_rank: int | None
    values_of: int
    coverage: Coverage | None
    education: EducationGap | None
    outlook: Outlook | None
    factors: int


@dataclass(frozen=True)
class Matches:
    """What a client's list is made of; `why_not` says why there is none."""

    release: Release | None
    result: NewestResult | None
    values: NewestResult | None
    skills: NewestResult | None
    level: int | None
    factors: Mapping[str, int]
    profiles: Profiles | None
    ranked: Ranked | None
    values_ranked: Ranked | None
    value_rows: Mapping[str, int]
    outlooks: Mapping[str, Outlook]
    educations: Mapping[str, tuple[float, ...]]
    needs: catalogue.SkillMatrix | None

    @property
    def why_not(self) -> WhyNot | None:
        """Why there is no list: no catalogue, no result, a result with an undefined area, or a flat one."""
        if self.release is None:
            return "no_catalogue"
        if self.result is None:
            return "no_result"
        if self.result.complete is None:
            return "incomplete"
        return None if self.ranked is not None else "flat"

    @cached_property
    def counts(self) -> tuple[tuple[float, int], ...]:
        """How many occupations reach each of some levels of r, the highest level first."""
        if self.ranked is None:
            return ()
        return tuple((level, matching.reaching(self.ranked.r, level)) for level in (0.9, 0.8, 0.7, 0.6, 0.5))

    def codes(self, *, family: str = "", zone: int | None = None, growing: bool = False) -> list[str]:
        """The ranked occupations that pass the filters, the best first."""
        if self.ranked is None or self.profiles is None:
            return []
        codes, zones, found = self.profiles.codes, self.profiles.zones, []
        for row in self.ranked.order:
            outlook = self.outlooks.get(codes[row])
            if (
                (not family or family_of(codes[row]) == family)
                and (zone is None or zones[row] == zone)
                and (not growing or (outlook is not None and outlook.growing))
            ):
                found.append(codes[row])
        return found

    @cached_property
    def families(self) -> tuple[tuple[str, int, int, int], ...]:
        """Each job family with ranked occupations: its two digits, best rank, how many among the first 20 and 50."""
        best: dict[str, list[int]] = {}
        for code in self.codes():
            best.setdefault(family_of(code), []).append(self.rank_of(code) or 0)
        return tuple((f, r[0], sum(n <= 20 for n in r), sum(n <= 50 for n in r)) for f, r in best.items())

    def rank_of(self, code: str) -> int | None:
        """The rank of an occupation; None for one that is not rated, or without a list."""
        row = self.profiles.row_of.get(code) if self.profiles else None
        return self.ranked.ranks[row] if self.ranked is not None and row is not None else None

    def match(self, code: str) -> Match | None:
        """One occupation of the list; None for one that is not rated, or without a list."""
        rank, profiles, ranked = self.rank_of(code), self.profiles, self.ranked
        if not rank or profiles is None or ranked is None:
            return None
        row = profiles.row_of[code]
        r = float(ranked.r[row])
        values_row = self.value_rows.get(code)
        on_values = self.values_ranked if values_row is not None else None
        values_r = float(on_values.r[values_row]) if on_values is not None and values_row is not None else None
        return Match(
            code=code,
            title=profiles.titles[row],
            family=family_of(code),
            job_zone=profiles.zones[row],
            rank=rank,
            of=len(ranked.order),
            band=matching.band_of(rank),
            r=r,
            reach=matching.reaching(ranked.r, r),
            stays=tuple(float(s[row]) for s in ranked.stability.shares) if ranked.stability else None,
            values_r=values_r if values_r is not None and not np.isnan(values_r) else None,
            values_rank=(on_values.ranks[values_row] or None) if on_values and values_row is not None else None,
            values_of=len(on_values.order) if on_values else 0,
            coverage=self.coverage(code),
            education=self.education(code),
            outlook=self.outlooks.get(code),
            factors=self.factors.get(code, 0),
        )

    def education(self, code: str) -> EducationGap | None:
        """The client's education beside what the occupation's jobs ask for; None where one is not known."""
        return matching.education_gap(self.educations.get(code), self.level)

    def coverage(self, code: str) -> Coverage | None:
        """How far the client's own skills cover the occupation's; None without a result or without its skills."""
        needs, skills = self.needs, self.skills
        row = _row_of(needs, code) if needs is not None else None
        if needs is None or skills is None or row is None:
            return None
        asked = [
            SkillNeed(element, _known(needs.importance[row, n]), _known(needs.level[row, n]))
            for n, element in enumerate(needs.elements)
            if needs.counted[row, n]
        ]
        return matching.coverage(asked, {name: score for name, score in skills.scores.items() if score is not None})


def _row_of(needs: catalogue.SkillMatrix, code: str) -> int | None:
    place = int(np.searchsorted(needs.codes, code))
    return place if place < len(needs.codes) and needs.codes[place] == code else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def read_matches(
    uow: UnitOfWork, view: PlanView, *, release: Release | None = None, assessment_id: UUID | None = None
) -> Matches:
    """The list of a plan's client, now: the newest results against the current release.

    With a `release` and an assessment of interests the list as it was with them; the columns beside it are of now.
    Four statements once the process has read the release.
    """
    contents = view.written
    here = release or current_release(uow)
    found = newest_results(uow, view.client.id, ["interests", "values", "skills"])
    interests = found.get("interests")
    if assessment_id is not None:
        interests = result_by_id(uow, view.client.id, assessment_id, "interests")
    values, skills = found.get("values"), found.get("skills")
    own = (interests, values, skills, education_of(contents), factors_by_code(contents.values()))
    if here is None:
        return Matches(None, *own, None, None, None, {}, {}, {}, None)
    profiles, shapes = whole.interest_shapes(uow, here)
    value_profiles, value_shapes = whole.value_shapes(uow, here)
    list_now = None
    if interests is not None and interests.complete is not None:
        list_now = ranked(tuple(interests.scores.values()), _errors(interests), here, shapes)
    on_values = None
    if values is not None and len(value_profiles.codes):
        on_values = ranked(tuple(values.scores.values()), (None,) * 6, here, value_shapes)
    return Matches(
        here,
        *own,
        profiles,
        list_now,
        on_values,
        value_profiles.row_of,
        whole.outlook_of_all(uow, here),
        whole.education_of_all(uow, here),
        catalogue.skill_matrix(uow, here) if skills is not None else None,
    )


def _errors(result: NewestResult) -> tuple[float | None, ...]:
    return tuple(result.sem.get(scale) for scale in result.scores)


def factors_by_code(contents: Any) -> dict[str, int]:
    """How many factors of step 3 name an occupation, by its code (a factor's `occupation`)."""
    found: dict[str, int] = {}
    for content in contents:
        for row in content.get("factors", ()):
            named = row.get("occupation")
            code = named.get("code") if isinstance(named, Mapping) else named
            if isinstance(code, str) and code and row.get("text"):
                found[code] = found.get(code, 0) + 1
    return found


def credit_of(uow: UnitOfWork, matches: Matches) -> list[str]:
    """Whom to name where the list is shown; empty without a catalogue."""
    return credit_lines(matches.release, current_outlook(uow) if matches.release else None)


def saved_match(matches: Matches, code: str, today: date) -> dict[str, Any] | None:
    """What the list says of an occupation, to be kept with a shortlisted option; None where it says nothing."""
    match, result, profiles = matches.match(code), matches.result, matches.profiles
    if match is None or result is None or result.complete is None or profiles is None:
        return None
    errors = _errors(result)
    low, high = next(iter(result.ranges.values()))
    return {
        "assessment": str(result.assessment_id),
        "instrument": result.instrument,
        "answered_on": result.taken_at.date().isoformat(),
        "taken_on": today.isoformat(),
        "r": round(match.r, 6),
        "rank": match.rank,
        "of": match.of,
        "stays20": match.stays[0] if match.stays else None,
        "stays50": match.stays[1] if match.stays else None,
        "person": list(result.complete),
        "errors": None if None in errors else list(errors),
        "low": low,
        "high": high,
        "occupation": profiles.matrix[profiles.row_of[code]].tolist(),
        "values_r": None if match.values_r is None else round(match.values_r, 6),
        "coverage": match.coverage.share if match.coverage else None,
        "asking_at_most": match.education.asking_at_most if match.education else None,
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """A shortlisted option's saved match beside the list of now.

    `other_release`, `other_result`: the current release, or the newest result, is another than it was taken with.
    `now` is None where the current list does not have it.
    """

    option: Mapping[str, Any]
    now: Match | None
    other_release: bool
    other_result: bool

    @property
    def moved(self) -> bool:
        """Whether its rank is another than when it was taken."""
        saved = self.option.get("match") or {}
        return bool(saved and (self.now.rank if self.now else None) != saved.get("rank"))


def standings(matches: Matches, content: Content) -> dict[str, Standing]:
    """Each option taken from the catalogue, by its id, beside the list of now."""
    found = {}
    for row in content.get("options", ()):
        if not row.get("code"):
            continue
        saved = row.get("match")
        found[row["id"]] = Standing(
            row,
            matches.match(row["code"]),
            matches.release is None or matches.release.key != row.get("release"),
            bool(saved) and (matches.result is None or str(matches.result.assessment_id) != saved["assessment"]),
        )
    return found
