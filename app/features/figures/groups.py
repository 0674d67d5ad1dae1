"""All figures of one cohort, or of everybody, through the same layer as every other question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import NotFound
from app.features.cohorts.models import Cohort
from app.features.cohorts.queries import get_cohort, list_cohorts
from app.features.figures.counting import part_of
from app.features.figures.definitions import FIGURES, PEOPLE, Figure, whole_of
from app.features.figures.kept import Release, count_cohort, read_release
from app.features.figures.kinds import COHORT
from app.features.figures.layer import Answer, Question, ask_offered, number_of, parts_of, withholds
from app.infra.db.open import UnitOfWork


def cohorts_told_of(uow: UnitOfWork, *, withhold: bool = False) -> list[tuple[UUID, str]]:
    """The cohorts whose figures the reader can ask for, with their names and by name."""
    if not withholds(uow, withhold):
        return [(line.cohort.id, line.cohort.name) for line in list_cohorts(uow)]
    told = _values(read_release(uow, lambda _: [], withhold=True), PEOPLE)
    rows = uow.session.execute(
        select(Cohort.id, Cohort.name)
        .where(Cohort.name.in_([name for name in told if name is not None]), Cohort.archived_at.is_(None))
        .order_by(Cohort.name)
    )
    return [(cohort_id, name) for cohort_id, name in rows]


def cohort_name(uow: UnitOfWork, cohort: UUID, *, withhold: bool = False) -> str:
    """A cohort's name. Raises NotFound for one the reader may not ask for."""
    if not withholds(uow, withhold):
        return get_cohort(uow, cohort).name
    name = dict(cohorts_told_of(uow, withhold=withhold)).get(cohort)
    if name is None:
        raise NotFound("There are no figures of such a cohort that may be shown to you.")
    return name


def ask_all(uow: UnitOfWork, cohort: UUID | None = None, *, withhold: bool = False) -> tuple[Answer, ...]:
    """Every figure of a cohort's people (None: everybody's), as the reader may know them.

    Exact ones of a cohort that is not among those by which figures are kept are counted now. Raises NotFound for a
    cohort the reader may not ask for.
    """
    if cohort is None:
        return tuple(ask_offered(uow, [Question(figure.key) for figure in FIGURES], withhold=withhold))
    name = cohort_name(uow, cohort, withhold=withhold)
    wanted = [(figure.key, COHORT, "") for figure in FIGURES]
    release = read_release(uow, lambda _: wanted, withhold=withholds(uow, withhold))
    if name in _values(release, PEOPLE):
        return tuple(_answer(release, figure, name) for figure in FIGURES)
    counted = count_cohort(uow, cohort)
    return tuple(_answer(counted, figure) for figure in FIGURES)


def _values(release: Release, whole: str) -> tuple[Any, ...]:
    """The names of the cohorts by which there are figures, and None for people in none of them."""
    return next((one.values for one in release.attributes[whole] if one.key == COHORT), ())


def _answer(release: Release, figure: Figure, name: str | None = None) -> Answer:
    """A figure of everybody there is in the release, or of the cohort of this name."""
    parts = parts_of(figure, release.scales, release.verdicts)
    by, values = ("", ()) if name is None else (COHORT, _values(release, whole_of(figure)))
    numbers, people = (release.tables.get((key, by, ""), {}) for key in (figure.key, figure.of))

    def at(found: Mapping[str, Any], part: str) -> Any:
        if name is None:
            return found[part]
        if name in values:
            return found[part][values.index(name)]
        # A cohort of whom nobody graduated is not among those asked by; small groups withheld, it may be a few.
        return 0 if release.threshold is None else None

    return Answer(
        figure,
        release.moment,
        release.threshold,
        (),
        None,
        None,
        tuple(
            number_of(
                figure,
                part,
                (None, None),
                (at(people, part_of(figure, part)), at(numbers, part)),
                release.threshold,
            )
            for part in parts
        ),
        parts,
        release.scales,
        release.verdicts,
    )
