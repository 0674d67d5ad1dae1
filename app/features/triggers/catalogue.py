"""Which occupations moved between the releases that plans are pinned to and the current ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from app.domain.outlook import join_projection
from app.domain.triggers import Figures, moved
from app.features.occupations.models import CatalogueRelease, Occupation, OutlookFigure
from app.features.occupations.releases import as_release, kept
from app.features.triggers.models import PlanReference
from app.infra.db.open import UnitOfWork

_UNKNOWN = Figures()


def moves(uow: UnitOfWork, percent: int) -> list[dict[str, Any]]:
    """Each occupation that moved for the plans of the organization that name it, as a row of `sources`.

    Zone and interests are compared with the release a reference is pinned to, or with the one imported before the
    current one where that is not known; the outlook, to which nothing is pinned, with the projection before.
    """
    pinned: dict[str, set[str]] = {}
    for release, code in uow.session.execute(
        select(PlanReference.release, PlanReference.ref).where(PlanReference.kind == "occupation").distinct()
    ):
        pinned.setdefault(release, set()).add(code)
    if not pinned:
        return []
    releases = uow.session.scalars(select(CatalogueRelease).order_by(CatalogueRelease.imported_at)).all()
    return [*_profiles(uow, releases, pinned, percent), *_outlooks(uow, releases, pinned, percent)]


def _before(releases: Collection[CatalogueRelease], current: CatalogueRelease) -> CatalogueRelease | None:
    """The release of the same kind imported last before the current one."""
    kin = [one for one in releases if (one.kind == "bls") == (current.kind == "bls")]
    earlier = [one for one in kin if one.imported_at < current.imported_at]
    return earlier[-1] if earlier else None


def _profiles(
    uow: UnitOfWork, releases: Collection[CatalogueRelease], pinned: Mapping[str, set[str]], percent: int
) -> list[dict[str, Any]]:
    current = next((one for one in releases if one.current and one.kind != "bls"), None)
    if current is None:
        return []
    by_key = {one.key: one for one in releases if one.kind != "bls"}
    after = figures_of(uow, current)
    found = []
    for base, codes in pinned.items():
        former = by_key.get(base) or _before(releases, current)
        if former is None or former.id == current.id:
            continue
        before = figures_of(uow, former)
        for code in sorted(codes & before.keys()):
            title, figures = before[code]
            later_title, now = after.get(code, (title, None))
            what = moved(figures, now, percent)
            if what:
                # A reference without a known release is pinned to nothing, and its plan must be older than this one.
                found.append(_move(current, code, later_title, what, base) | {"pinned": base in by_key})
    return found


def _outlooks(
    uow: UnitOfWork, releases: Collection[CatalogueRelease], pinned: Mapping[str, set[str]], percent: int
) -> list[dict[str, Any]]:
    current = next((one for one in releases if one.current and one.kind == "bls"), None)
    former = None if current is None else _before(releases, current)
    if current is None or former is None:
        return []
    before, after = outlooks_of(uow, former), outlooks_of(uow, current)
    found = []
    for code in sorted(set[str]().union(*pinned.values())):
        joined, now = join_projection(code, before), join_projection(code, after)
        if joined is None or now is None:
            # A projection that sums an occupation with others, or no longer, says nothing about the occupation.
            continue
        title, figures = before[joined[0]]
        what = moved(figures, after[now[0]][1], percent)
        if what:
            found.append(_move(current, code, title, what, "") | {"pinned": False})
    return found


def _move(current: CatalogueRelease, code: str, title: str, what: tuple[str, ...], base: str) -> dict[str, Any]:
    return {
        "base": base,
        "code": code,
        "title": title,
        "release": current.key,
        "label": current.label,
        "what": what,
        "since": current.imported_at,
    }


def figures_of(uow: UnitOfWork, release: CatalogueRelease) -> Mapping[str, tuple[str, Figures]]:
    """Title, zone and interests of each occupation of a release; read once in a process."""

    def load() -> dict[str, tuple[str, Figures]]:
        rows = uow.session.execute(
            select(Occupation.code, Occupation.title, Occupation.job_zone, Occupation.interests).where(
                Occupation.release_id == release.id
            )
        )
        return {row.code: (row.title, Figures(zone=row.job_zone, interests=row.interests)) for row in rows}

    return kept(as_release(release), "trigger figures", load)


def outlooks_of(uow: UnitOfWork, release: CatalogueRelease) -> Mapping[str, tuple[str, Figures]]:
    """Title, growth and pay of each line of a projection; read once in a process."""

    def load() -> dict[str, tuple[str, Figures]]:
        rows = uow.session.execute(
            select(OutlookFigure.soc_code, OutlookFigure.title, OutlookFigure.growth, OutlookFigure.wage).where(
                OutlookFigure.release_id == release.id
            )
        )
        return {row.soc_code: (row.title, Figures(growth=row.growth, pay=row.wage)) for row in rows}

    return kept(as_release(release), "trigger outlooks", load)
