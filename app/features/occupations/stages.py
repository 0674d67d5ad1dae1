"""What the route finder needs of a whole release: the network of related occupations, and each one as a position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan

from sqlalchemy import select

from app.domain.routes import Network, Position, network
from app.features.occupations.models import Occupation
from app.features.occupations.queries import SkillMatrix, all_relations, skill_matrix
from app.features.occupations.releases import Release, kept
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True)
class Stages:
    """Titles, job zones (1 to 5) and required education of a release by code, its network, and its skills.

    `checksum` is the release's; `education` is the percent of jobs in each of the 12 categories. It and a zone are None
    where not known.
    """

    checksum: str
    net: Network
    titles: Mapping[str, str]
    zones: Mapping[str, int | None]
    education: Mapping[str, Sequence[float] | None]
    related: Mapping[str, Sequence[tuple[str, int]]]
    skills: SkillMatrix

    @cached_property
    def skill_names(self) -> dict[str, str]:
        """The name of each skill's element."""
        return dict(zip(self.skills.elements, self.skills.names, strict=True))

    @cached_property
    def _skill_rows(self) -> dict[str, int]:
        return {code: row for row, code in enumerate(self.skills.codes)}

    def position(self, code: str) -> Position:
        """The occupation as a stage of a route; skills whose figures their publisher advises against are left out."""
        row = self._skill_rows.get(code)
        found: dict[str, tuple[float | None, float | None]] = {}
        if row is not None:
            table = self.skills
            figures = (column[row].tolist() for column in (table.counted, table.importance, table.level))
            for element, counted, importance, level in zip(table.elements, *figures, strict=True):
                if counted:
                    found[element] = (_known(importance), _known(level))
        return Position(self.zones.get(code), self.education.get(code), found)

    @cached_property
    def referring(self) -> dict[str, tuple[str, ...]]:
        """For each occupation those that list it as related, the ones that list it closest first."""
        found: dict[str, list[tuple[int, str]]] = {}
        for code, each in self.related.items():
            for other, rank in each:
                found.setdefault(other, []).append((rank, code))
        return {code: tuple(other for _, other in sorted(each)) for code, each in found.items()}

    def neighbours(self, code: str) -> tuple[str, ...]:
        """Occupations related to one either way: those it lists, the closest first, then those that list it."""
        listed = [other for other, _ in self.related.get(code, ())]
        return tuple(dict.fromkeys(other for other in (*listed, *self.referring.get(code, ())) if other != code))


def stages_of(uow: UnitOfWork, release: Release) -> Stages:
    """The release as the route finder sees it, read once in a process."""
    return kept(release, "stages", lambda: _stages(uow, release))


def _stages(uow: UnitOfWork, release: Release) -> Stages:
    rows = uow.session.execute(
        select(Occupation.code, Occupation.title, Occupation.job_zone, Occupation.education).where(
            Occupation.release_id == release.id
        )
    ).all()
    zones = {row.code: row.job_zone for row in rows}
    relations = {
        code: [(other, rank) for other, rank, _ in each] for code, each in all_relations(uow, release).of.items()
    }
    return Stages(
        checksum=release.checksum,
        net=network(relations, zones),
        titles={row.code: row.title for row in rows},
        zones=zones,
        education={row.code: row.education for row in rows},
        related=relations,
        skills=skill_matrix(uow, release),
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value
