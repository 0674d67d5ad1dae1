"""Reads what a release of the catalogue says of occupations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.domain.outlook import CODE, Join, National, is_growing, join_projection
from app.features.occupations.models import (
    Occupation,
    OccupationRelation,
    OccupationSkill,
    OccupationTask,
    OutlookFigure,
)
from app.features.occupations.releases import Release, current_outlook, kept
from app.infra.db.open import UnitOfWork

Floats = NDArray[np.float64]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Profiles:
    """The rated occupations of a release in the order of their codes, one row of `matrix` (n x 6) each.

    Occupations without all six figures are not in it: they are found by search and never ranked. `zones` has None
    where the job zone is not known. The matrix is read-only.
    """

    codes: tuple[str, ...]
    titles: tuple[str, ...]
    zones: tuple[int | None, ...]
    matrix: Floats

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each code."""
        return {code: row for row, code in enumerate(self.codes)}


@dataclass(frozen=True, slots=True)
class SkillMatrix:
    """Skills of the occupations that have any, in the order of their codes: occupations x skills, NaN where unknown.

    Importance is 1 to 5, level 0 to 7; `counted` is False where the publisher marks a figure as not relevant or
    advises against it.
    """

    codes: tuple[str, ...]
    elements: tuple[str, ...]
    names: tuple[str, ...]
    importance: Floats
    level: Floats
    counted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Skill:
    """What an occupation asks of a skill: importance 1 to 5, level 0 to 7, None where not known."""

    element_id: str
    name: str
    importance: float | None
    level: float | None
    suppressed: bool
    not_relevant: bool


@dataclass(frozen=True, slots=True)
class Related:
    """A related occupation: rank 1 is the closest, `tier` is the publisher's word."""

    code: str
    title: str
    rank: int
    tier: str
    job_zone: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """Figures of a projection for an occupation, and how they were joined to it."""

    soc_code: str
    title: str
    join: Join
    release: str
    jobs: int | None
    growth: float | None
    openings: int | None
    wage: float | None
    wage_text: str | None
    education: str | None
    experience: str | None
    training: str | None
    self_employed: float | None
    growing: bool | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an occupation; `outlook` is None without a projection for it. `sources` by kind of figure."""

    code: str
    title: str
    description: str
    job_zone: int | None
    interests: tuple[float, ...] | None
    high_points: tuple[int, ...] | None
    values: tuple[float, ...] | None
    education: tuple[float, ...] | None
    sources: dict[str, tuple[str | None, str | None]]
    outlook: Outlook | None

    @property
    def rated(self) -> bool:
        """Whether it has all six interest scores, so that it can be ranked."""
        return self.interests is not None


@dataclass(frozen=True)
class Relations:
    """Related occupations of a whole release: code to (related code, rank, tier), the closest first."""

    of: dict[str, tuple[tuple[str, int, str], ...]]


def interest_matrix(uow: UnitOfWork, release: Release) -> Profiles:
    """Interest scores (realistic, investigative, artistic, social, enterprising, conventional; 1 to 7)."""
    return kept(release, "interests", lambda: _profiles(uow, release, Occupation.interests))


def values_matrix(uow: UnitOfWork, release: Release) -> Profiles:
    """Work values (achievement, conditions, recognition, relationships, support, independence; 1 to 7)."""
    return kept(release, "values", lambda: _profiles(uow, release, Occupation.work_values))


def _profiles(uow: UnitOfWork, release: Release, column: Any) -> Profiles:
    rows = uow.session.execute(
        select(Occupation.code, Occupation.title, Occupation.job_zone, column)
        .where(Occupation.release_id == release.id, column.is_not(None))
        .order_by(Occupation.code)
    ).all()
    matrix = np.array([row[3] for row in rows], dtype=np.float64).reshape(len(rows), 6)
    matrix.setflags(write=False)
    return Profiles(tuple(r[0] for r in rows), tuple(r[1] for r in rows), tuple(r[2] for r in rows), matrix)


def skill_matrix(uow: UnitOfWork, release: Release) -> SkillMatrix:
    """All skills of all occupations of a release, for coverage and match quality."""
    return kept(release, "skills", lambda: _skills(uow, release))


def _skills(uow: UnitOfWork, release: Release) -> SkillMatrix:
    named = release.figures.get("skills", {})
    elements = tuple(sorted(named))
    rows = uow.session.execute(
        select(
            OccupationSkill.code,
            OccupationSkill.element_id,
            OccupationSkill.importance,
            OccupationSkill.level,
            OccupationSkill.suppressed | OccupationSkill.not_relevant,
        ).where(OccupationSkill.release_id == release.id)
    ).all()
    codes = tuple(sorted({row[0] for row in rows}))
    at_code = {code: number for number, code in enumerate(codes)}
    at_element = {element: number for number, element in enumerate(elements)}
    importance, level = (np.full((len(codes), len(elements)), np.nan) for _ in range(2))
    counted = np.zeros((len(codes), len(elements)), dtype=np.bool_)
    for code, element, important, needed, flagged in rows:
        place = at_code[code], at_element[element]
        importance[place] = np.nan if important is None else important
        level[place] = np.nan if needed is None else needed
        counted[place] = not flagged
    for array in (importance, level, counted):
        array.setflags(write=False)
    return SkillMatrix(codes, elements, tuple(named[e] for e in elements), importance, level, counted)


def all_relations(uow: UnitOfWork, release: Release) -> Relations:
    """Every relation of a release, for the route finder."""
    return kept(release, "relations", lambda: _relations(uow, release))


def _relations(uow: UnitOfWork, release: Release) -> Relations:
    found: dict[str, list[tuple[str, int, str]]] = {}
    rows = uow.session.execute(
        select(
            OccupationRelation.code, OccupationRelation.related_code, OccupationRelation.rank, OccupationRelation.tier
        )
        .where(OccupationRelation.release_id == release.id)
        .order_by(OccupationRelation.code, OccupationRelation.rank)
    )
    for code, related_code, rank, tier in rows:
        found.setdefault(code, []).append((related_code, rank, tier))
    return Relations({code: tuple(each) for code, each in found.items()})


def related(uow: UnitOfWork, code: str, release: Release) -> list[Related]:
    """The occupations related to one, the closest first."""
    rows = uow.session.execute(
        select(Occupation.code, Occupation.title, OccupationRelation.rank, OccupationRelation.tier, Occupation.job_zone)
        .join(
            Occupation,
            (Occupation.release_id == OccupationRelation.release_id)
            & (Occupation.code == OccupationRelation.related_code),
        )
        .where(OccupationRelation.release_id == release.id, OccupationRelation.code == code)
        .order_by(OccupationRelation.rank)
    )
    return [Related(*row) for row in rows]


def skills_of(uow: UnitOfWork, code: str, release: Release) -> list[Skill]:
    """What an occupation asks of each skill, the most important first; empty where the release has none for it."""
    names = release.figures.get("skills", {})
    rows = uow.session.scalars(
        select(OccupationSkill)
        .where(OccupationSkill.release_id == release.id, OccupationSkill.code == code)
        .order_by(OccupationSkill.importance.desc().nulls_last(), OccupationSkill.element_id)
    )
    return [
        Skill(r.element_id, names.get(r.element_id, r.element_id), r.importance, r.level, r.suppressed, r.not_relevant)
        for r in rows
    ]


def tasks_of(uow: UnitOfWork, code: str, release: Release, limit: int = 8) -> list[str]:
    """What people in an occupation do, core tasks first, at most `limit` sentences."""
    return list(
        uow.session.scalars(
            select(OccupationTask.task)
            .where(OccupationTask.release_id == release.id, OccupationTask.code == code)
            .order_by(OccupationTask.core.desc().nulls_last(), OccupationTask.task_id)
            .limit(limit)
        )
    )


def find(uow: UnitOfWork, code: str, release: Release) -> Facts | None:
    """What is known of one occupation; None for a code the release does not have."""
    if not CODE.fullmatch(code):
        return None
    return facts(uow, [code], release).get(code)


def facts(uow: UnitOfWork, codes: Sequence[str], release: Release) -> dict[str, Facts]:
    """What is known of several occupations, by code, in three statements; unknown codes are left out.

    The outlook is the current projection's.
    """
    rows = list(
        uow.session.scalars(
            select(Occupation)
            .where(Occupation.release_id == release.id, Occupation.code.in_(list(codes)))
            .order_by(Occupation.code)
        )
    )
    outlooks = outlook_of(uow, [row.code for row in rows])
    return {row.code: _facts_of(row, outlooks.get(row.code)) for row in rows}


def all_facts(uow: UnitOfWork, release: Release) -> dict[str, Facts]:
    """What a whole release says of its occupations, by code and without the outlook: it changes with the projection."""
    return kept(release, "facts", lambda: _all_facts(uow, release))


def _all_facts(uow: UnitOfWork, release: Release) -> dict[str, Facts]:
    rows = uow.session.scalars(select(Occupation).where(Occupation.release_id == release.id))
    return {row.code: _facts_of(row, None) for row in rows}


def _facts_of(row: Occupation, outlook: Outlook | None) -> Facts:
    return Facts(
        code=row.code,
        title=row.title,
        description=row.description,
        job_zone=row.job_zone,
        interests=_tuple(row.interests),
        high_points=_tuple(row.high_points),
        values=_tuple(row.work_values),
        education=_tuple(row.education),
        sources={kind: (said[0], said[1]) for kind, said in row.sources.items()},
        outlook=outlook,
    )


def education_distribution(uow: UnitOfWork, code: str, release: Release) -> tuple[float, ...] | None:
    """The percent of jobs in each of the 12 categories of required education; None where not known.

    `app.domain.outlook.share_asking_at_most` and `cumulative` read it.
    """
    return _tuple(
        uow.session.scalar(
            select(Occupation.education).where(Occupation.release_id == release.id, Occupation.code == code)
        )
    )


def outlook_of(uow: UnitOfWork, codes: Sequence[str]) -> dict[str, Outlook]:
    """The current projection's figures by occupation code; occupations it has nothing for are left out."""
    release = current_outlook(uow)
    if release is None or not codes:
        return {}
    known = kept(release, "outlook", lambda: _outlooks(uow, release))
    found = {}
    for code in codes:
        joined = join_projection(code, known)
        if joined is not None:
            soc, how = joined
            found[code] = replace(known[soc], join=how)
    return found


def _outlooks(uow: UnitOfWork, release: Release) -> dict[str, Outlook]:
    national = national_figures(release)
    rows = uow.session.scalars(select(OutlookFigure).where(OutlookFigure.release_id == release.id))
    return {row.soc_code: _outlook(row, "exact", release, national) for row in rows}


def national_figures(release: Release) -> National:
    """Growth, median wage and median openings over all occupations of a projection."""
    return National(*(release.figures.get(name) for name in ("growth", "wage", "openings")))


def _outlook(row: OutlookFigure, how: Join, release: Release, national: National) -> Outlook:
    return Outlook(
        soc_code=row.soc_code,
        title=row.title,
        join=how,
        release=release.label,
        jobs=row.jobs,
        growth=row.growth,
        openings=row.openings,
        wage=row.wage,
        wage_text=row.wage_text,
        education=row.education,
        experience=row.experience,
        training=row.training,
        self_employed=row.self_employed,
        growing=is_growing(row.growth, row.openings, national),
    )


def _tuple(values: Sequence[_T] | None) -> tuple[_T, ...] | None:
    return None if values is None else tuple(values)
