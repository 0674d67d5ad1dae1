"""What an import has read, before it is written: plain rows and what is known about where they came from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class TableNote:
    """What is kept about one table of a release."""

    release: str = ""
    files: list[str] = field(default_factory=list)
    rows: int = 0
    # Rows of a table taken from another release whose occupations this release does not have.
    left_out: int = 0
    first: str | None = None
    last: str | None = None

    def dated(self, date: str | None) -> None:
        """Take note of a row's month, "MM/YYYY"."""
        if date:
            self.first = min(self.first or date, date, key=_month)
            self.last = max(self.last or date, date, key=_month)

    def as_json(self) -> dict[str, Any]:
        """As it is stored with the release."""
        return {
            "release": self.release,
            "files": self.files,
            "rows": self.rows,
            "left_out": self.left_out,
            "first": self.first,
            "last": self.last,
        }


@dataclass(slots=True)
class Release:
    """What a release says of itself."""

    kind: str
    label: str
    tables: dict[str, Any]
    figures: dict[str, Any]


@dataclass(slots=True)
class Content:
    """The rows of one release in the order of their files.

    `occupations` are fields by the column names of the model; `titles` are (code, title), each occupation's own title
    before its alternates; `relations` (code, rank, related, tier); `skills` by (code, element): importance, level,
    suppressed, not relevant; `tasks` (code, id, sentence, core); `outlook` fields by column name.
    """

    release: Release
    occupations: list[dict[str, Any]] = field(default_factory=list)
    titles: list[tuple[str, str]] = field(default_factory=list)
    relations: list[tuple[str, int, str, str]] = field(default_factory=list)
    skills: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    tasks: list[tuple[str, int, str, bool | None]] = field(default_factory=list)
    outlook: list[dict[str, Any]] = field(default_factory=list)

    def checksum(self) -> str:
        """SHA-256 of the rows and the release's label: the same content is recognized whatever its line ends."""
        told = [
            *(self.release.kind, self.release.label, self.release.figures),
            *(self.occupations, self.titles, self.relations),
            [[*key, *skill] for key, skill in self.skills.items()],
            *(self.tasks, self.outlook),
        ]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _month(date: str) -> tuple[str, str]:
    return date[3:], date[:2]
