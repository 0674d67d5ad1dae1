"""What matching needs of a whole release, kept per process: rows of length 1, education and outlook of everything."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from app.domain.matching import Floats, standardised
from app.features.occupations import queries
from app.features.occupations.models import Occupation
from app.features.occupations.queries import Outlook, Profiles
from app.features.occupations.releases import Release, current_outlook, kept
from app.infra.db.open import UnitOfWork


def interest_shapes(uow: UnitOfWork, release: Release) -> tuple[Profiles, Floats]:
    """The rated occupations and their interest rows, centred and of length 1 (n x 6): what correlation needs."""
    profiles = queries.interest_matrix(uow, release)
    return profiles, kept(release, "interest shapes", lambda: _shapes(profiles))


def value_shapes(uow: UnitOfWork, release: Release) -> tuple[Profiles, Floats]:
    """The same of the six work values; no rows where the release has none."""
    profiles = queries.values_matrix(uow, release)
    return profiles, kept(release, "value shapes", lambda: _shapes(profiles))


def _shapes(profiles: Profiles) -> Floats:
    found = standardised(profiles.matrix)
    found.setflags(write=False)
    return found


def titles_of_all(uow: UnitOfWork, release: Release) -> Mapping[str, str]:
    """The title of every occupation of a release by its code, rated or not."""
    return kept(release, "titles", lambda: _titles(uow, release))


def _titles(uow: UnitOfWork, release: Release) -> dict[str, str]:
    rows = uow.session.execute(select(Occupation.code, Occupation.title).where(Occupation.release_id == release.id))
    return {row.code: row.title for row in rows}


def education_of_all(uow: UnitOfWork, release: Release) -> Mapping[str, tuple[float, ...]]:
    """The percent of jobs in each of the 12 categories of required education by code, where it is known."""
    return kept(release, "education", lambda: _education(uow, release))


def _education(uow: UnitOfWork, release: Release) -> dict[str, tuple[float, ...]]:
    rows = uow.session.execute(
        select(Occupation.code, Occupation.education).where(
            Occupation.release_id == release.id, Occupation.education.is_not(None)
        )
    )
    return {code: tuple(shares) for code, shares in rows if shares is not None}


def outlook_of_all(uow: UnitOfWork, release: Release) -> Mapping[str, Outlook]:
    """The current projection's figures of every rated occupation of a release by code, where there are any."""
    projection = current_outlook(uow)
    if projection is None:
        return {}
    codes = queries.interest_matrix(uow, release).codes
    return kept(release, f"outlook {projection.checksum}", lambda: queries.outlook_of(uow, codes))
