"""Writes a release as the owner of the schema, whole or not at all; the application itself may only read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import Cursor
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.domain.errors import NotFound
from app.domain.folding import fold
from app.domain.saying import later
from app.features.occupations.content import Content
from app.infra.db.migrate import admin_engine

_WORD = re.compile(r"[^\W_]+")
_OCCUPATION = (
    *("code", "title", "description", "job_zone", "interests", "high_points", "work_values"),
    *("education", "experience", "plant_training", "job_training", "sources"),
)
_OUTLOOK = (
    *("soc_code", "title", "jobs", "growth", "openings", "wage", "wage_text"),
    *("education", "experience", "training", "self_employed"),
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What an import led to: the release's key, and whether it is new."""

    key: str
    new: bool
    current: bool


def words_of(title: str) -> list[str]:
    """The different folded words of a title in their order, as names are searched by."""
    return list(dict.fromkeys(_WORD.findall(fold(title))))


def store(owner_url: str, content: Content) -> Stored:
    """Write a release beside those that are there, in one transaction, and make it the current one.

    Content that is there already is left as it is and stays current or not. The starter never takes the place of a
    whole release.
    """
    checksum = content.checksum()
    with admin_engine(owner_url).begin() as connection:
        # One import at a time; readers are not disturbed.
        connection.execute(text("LOCK TABLE catalogue_releases IN SHARE ROW EXCLUSIVE MODE"))
        known = connection.execute(
            text("SELECT key, current FROM catalogue_releases WHERE checksum = :checksum"), {"checksum": checksum}
        ).one_or_none()
        if known is not None:
            return Stored(known.key, new=False, current=known.current)
        release_id, key, current = _store_release(connection, content, checksum)
        _copy_rows(connection, release_id, content)
        return Stored(key, new=True, current=current)


def make_current(owner_url: str, key: str) -> None:
    """Let pages show the release of this key where nobody names one; raises NotFound."""
    with admin_engine(owner_url).begin() as connection:
        kind = connection.execute(text("SELECT kind FROM catalogue_releases WHERE key = :key"), {"key": key}).scalar()
        if kind is None:
            raise NotFound(
                later("There is no release %(key)s; `octant import list` names those that are there.", key=key)
            )
        _clear_current(connection, kind)
        connection.execute(text("UPDATE catalogue_releases SET current = true WHERE key = :key"), {"key": key})


def releases(owner_url: str) -> list[Any]:
    """The releases that are there, the latest import first: key, kind, label, current, imported_at, tables."""
    with admin_engine(owner_url).connect() as connection:
        return list(
            connection.execute(
                text(
                    "SELECT key, kind, label, current, imported_at, tables FROM catalogue_releases"
                    " ORDER BY imported_at DESC, id DESC"
                )
            )
        )


def _clear_current(connection: Connection, kind: str) -> None:
    connection.execute(
        text("UPDATE catalogue_releases SET current = false WHERE current AND (kind = 'bls') = (:kind = 'bls')"),
        {"kind": kind},
    )


def _store_release(connection: Connection, content: Content, checksum: str) -> tuple[int, str, bool]:
    release = content.release
    keys = {row.key for row in connection.execute(text("SELECT key FROM catalogue_releases"))}
    key, number = f"{release.kind}-{release.label}", 2
    while key in keys:
        key, number = f"{release.kind}-{release.label}-{number}", number + 1
    whole = connection.execute(text("SELECT EXISTS (SELECT 1 FROM catalogue_releases WHERE kind = 'onet')")).scalar()
    current = not (release.kind == "starter" and whole)
    if current:
        _clear_current(connection, release.kind)
    release_id = connection.execute(
        text(
            "INSERT INTO catalogue_releases (key, kind, label, tables, figures, checksum, current)"
            " VALUES (:key, :kind, :label, :tables, :figures, :checksum, :current) RETURNING id"
        ),
        {
            "key": key,
            "kind": release.kind,
            "label": release.label,
            "tables": Jsonb(release.tables),
            "figures": Jsonb(release.figures),
            "checksum": checksum,
            "current": current,
        },
    ).scalar_one()
    return int(release_id), key, current


def _copy_rows(connection: Connection, release_id: int, content: Content) -> None:
    driver = connection.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    with driver.cursor() as cursor:
        rows: dict[str, tuple[tuple[str, ...], Iterable[tuple[Any, ...]]]] = {
            "occupations": (
                _OCCUPATION,
                (
                    (*(row.get(field) for field in _OCCUPATION[:-1]), Jsonb(row["sources"]))
                    for row in content.occupations
                ),
            ),
            "occupation_titles": (("code", "number", "title", "folded"), _title_rows(content)),
            "occupation_relations": (("code", "rank", "related_code", "tier"), content.relations),
            "occupation_skills": (
                ("code", "element_id", "importance", "level", "suppressed", "not_relevant"),
                ((*key, *skill) for key, skill in content.skills.items()),
            ),
            "occupation_tasks": (("code", "task_id", "task", "core"), content.tasks),
            "outlook_figures": (_OUTLOOK, (tuple(row.get(field) for field in _OUTLOOK) for row in content.outlook)),
        }
        for table, (columns, each) in rows.items():
            _copy(cursor, table, release_id, columns, each)
            cursor.execute(f"ANALYZE {table}")


def _copy(
    cursor: Cursor[Any], table: str, release_id: int, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
) -> None:
    with cursor.copy(f"COPY {table} (release_id, {', '.join(columns)}) FROM STDIN") as target:
        for row in rows:
            target.write_row((release_id, *row))


def _title_rows(content: Content) -> Iterator[tuple[str, int, str, str]]:
    numbers: dict[str, int] = {}
    for code, title in content.titles:
        number = numbers.get(code, 0)
        numbers[code] = number + 1
        yield code, number, title, " ".join(words_of(title))
