"""Which releases of the catalogue there are. What needs a whole one is kept per process: a release never changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Row, select

from app.features.occupations.models import CatalogueRelease
from app.infra.db.kept import KeptStatement, keep
from app.infra.db.open import UnitOfWork

_T = TypeVar("_T")
# Whole releases a process keeps; the current one and a few that saved matches were made with.
_KEPT = 6
_kept: dict[tuple[str, str], Any] = {}


@dataclass(frozen=True, slots=True)
class Release:
    """A release of occupations or of an outlook; `key` is what saved results are pinned to."""

    id: int
    key: str
    kind: str
    label: str
    tables: dict[str, Any]
    figures: dict[str, Any]
    checksum: str
    imported_at: datetime

    @property
    def starter(self) -> bool:
        """Whether this is the excerpt that comes with Octant."""
        return self.kind == "starter"

    def label_of(self, table: str) -> str | None:
        """The release a table of this one is from; None where it has no such table."""
        note = self.tables.get(table)
        return str(note["release"]) if note else None


def current_release(uow: UnitOfWork) -> Release | None:
    """The release of occupations that pages show; None before anything was imported."""
    return next((_read(uow, row) for row in _releases(uow) if row.current and row.kind != "bls"), None)


def current_outlook(uow: UnitOfWork) -> Release | None:
    """The projection that pages show; None before one was imported."""
    return next((_read(uow, row) for row in _releases(uow) if row.current and row.kind == "bls"), None)


def find_release(uow: UnitOfWork, key: str) -> Release | None:
    """The release a saved result names; None when this installation does not have it."""
    return next((_read(uow, row) for row in _releases(uow) if row.key == key), None)


# Releases as they were read once in this process, by what identifies one whatever the database.
_read_releases: dict[tuple[Any, ...], Release] = {}


def _releases(uow: UnitOfWork) -> Sequence[Row[Any]]:
    """All releases without their figures: a handful, asked once in a transaction."""
    if "catalogue" not in uow.info:
        uow.info["catalogue"] = _listed().run(uow, {}, {})
    found: Sequence[Row[Any]] = uow.info["catalogue"]
    return found


@cache
def _listed() -> KeptStatement:
    row = CatalogueRelease
    return keep(select(row.id, row.key, row.kind, row.checksum, row.imported_at, row.current))


def _read(uow: UnitOfWork, row: Row[Any]) -> Release:
    known = (row.id, row.key, row.checksum, row.imported_at)
    if known not in _read_releases:
        found = uow.session.scalars(select(CatalogueRelease).where(CatalogueRelease.id == row.id)).one()
        if len(_read_releases) >= _KEPT:
            _read_releases.clear()
        _read_releases[known] = as_release(found)
    return _read_releases[known]


def as_release(row: CatalogueRelease) -> Release:
    """A stored release as plain data."""
    return Release(*(row.id, row.key, row.kind, row.label, row.tables, row.figures, row.checksum, row.imported_at))


def kept(release: Release, what: str, load: Callable[[], _T]) -> _T:
    """What `load` reads of a whole release, read once in a process. Kept by the release's content, not its number."""
    key = (release.checksum, what)
    if key not in _kept:
        if len({checksum for checksum, _ in _kept} | {release.checksum}) > _KEPT:
            _kept.clear()
        _kept[key] = load()
    found: _T = _kept[key]
    return found
