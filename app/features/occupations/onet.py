"""Reads an O*NET database download into the content of a release; refuses it whole where anything is broken.

File and column names changed between releases (30.3 renamed the interests, split the skills and dropped the work
values), so each table has accepted names, every table but occupations and interests may be missing, and a table that is
missing may be taken from a further download, with its own release label.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.domain.outlook import CODE
from app.features.occupations.content import Content, Release, TableNote
from app.features.occupations.files import BadFile, Download, Table, bad

_DATE = re.compile(r"(0[1-9]|1[0-2])/(19|20)\d{2}")
_MISSING = frozenset({"n/a", "N/A", ""})
_KEY = ("O*NET-SOC Code",)
_SCORED: dict[str, Sequence[str]] = {
    "code": _KEY,
    "element": ("Element ID",),
    "scale": ("Scale ID",),
    "value": ("Data Value",),
    "date": ("Date",),
    "source": ("Domain Source",),
}

INTERESTS = tuple(f"1.B.1.{letter}" for letter in "abcdef")
_HIGH_POINTS = tuple(f"1.B.1.{letter}" for letter in "ghi")
VALUES = tuple(f"1.B.2.{letter}" for letter in "abcdef")
# Scale: the field of an occupation, and how many categories its percentages have.
_SHARES = {"RL": ("education", 12), "RW": ("experience", 11), "PT": ("plant_training", 9), "OJ": ("job_training", 9)}
# The publisher's percentages are rounded to a hundredth; 30.1 sums to 99.97 to 100.02.
_SHARE_TOLERANCE = 0.5

# Each table with the sets of files it may consist of, the present names first.
ALIASES: dict[str, tuple[tuple[str, ...], ...]] = {
    "occupations": (("Occupation Data.txt",),),
    "interests": (("Interests.txt",), ("Career Interest Types.txt",)),
    "values": (("Work Values.txt",),),
    "job_zones": (("Job Zones.txt",),),
    "education": (("Education, Training, and Experience.txt",),),
    "titles": (("Alternate Titles.txt",), ("Job Titles.txt",)),
    "relations": (("Related Occupations.txt",),),
    "skills": (("Skills.txt",), ("Essential Skills.txt", "Transferable Skills.txt")),
    "tasks": (("Task Statements.txt",),),
}
_REQUIRED = ("occupations", "interests")


def read_onet(paths: Sequence[Path], *, label: str | None = None) -> Content:
    """Read a release from the first path; tables it lacks come from the further ones, each with its own label.

    `label` names the release of the first path where it cannot be told from its Read Me or its name. Raises BadFile.
    """
    downloads = [Download(path, label=label if number == 0 else None) for number, path in enumerate(paths)]
    for download in downloads:
        if download.label is None:
            raise bad(download.path.name, None, "Nothing here tells the release; name it with --release, such as 30.1.")
    return _Reader(downloads).content()


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of a table, and whether it comes from a further download."""

    download: Download
    file: str
    borrowed: bool


class _Reader:
    """Reads one table after the other into the occupations it found first."""

    def __init__(self, downloads: Sequence[Download]) -> None:
        self._downloads = downloads
        release = Release(kind="onet", label=str(downloads[0].label), tables={}, figures={})
        self._made = Content(release=release)
        self._by_code: dict[str, dict[str, Any]] = {}

    def content(self) -> Content:
        for name, accepted in ALIASES.items():
            parts = self._parts(name)
            if not parts and name in _REQUIRED:
                wanted = " or ".join(files[0] for files in accepted)
                raise bad(self._downloads[0].path.name, None, f"There is no {wanted}.")
            note = TableNote()
            for part in parts:
                note.release = str(part.download.label)
                note.files.append(part.file)
                getattr(self, f"_{name}")(part, note)
            if parts:
                self._made.release.tables[name] = note.as_json()
        self._made.occupations = list(self._by_code.values())
        return self._made

    def _parts(self, name: str) -> list[_Part]:
        for number, download in enumerate(self._downloads):
            if number and name in _REQUIRED:
                break
            for files in ALIASES[name]:
                found = [_Part(download, file, borrowed=number > 0) for file in files if download.has(file)]
                if found:
                    return found
        return []

    def _rows(
        self, part: _Part, note: TableNote, fields: Mapping[str, Sequence[str]], optional: Sequence[str] = ()
    ) -> Iterator[tuple[int, dict[str, Any], list[str], Table]]:
        """Rows of known occupations as (line, occupation, cells in the order of `fields`, table)."""
        table = part.download.table(part.file, fields, optional)
        places = [table.columns.get(field, -1) for field in fields]
        note.rows += len(table.rows)
        for line, row in enumerate(table.rows, start=2):
            cells = [row[place].strip() if place >= 0 else "" for place in places]
            occupation = self._by_code.get(cells[0])
            if occupation is None:
                if not part.borrowed:
                    raise bad(part.file, line, f"The code {cells[0]!r} is not in the occupations.")
                # Another release knows other occupations.
                note.left_out += 1
                continue
            yield line, occupation, cells, table

    def _occupations(self, part: _Part, note: TableNote) -> None:
        fields = {"code": _KEY, "title": ("Title",), "description": ("Description",)}
        table = part.download.table(part.file, fields)
        places = [table.columns[field] for field in fields]
        note.rows = len(table.rows)
        for line, row in enumerate(table.rows, start=2):
            code, title, description = (row[place].strip() for place in places)
            if not CODE.fullmatch(code):
                raise bad(part.file, line, f"{code!r} is no code of the form 11-1011.00.")
            if code in self._by_code:
                raise bad(part.file, line, f"The code {code} stands here twice.")
            if not title:
                raise bad(part.file, line, "The title is missing.")
            self._by_code[code] = {"code": code, "title": title, "description": description, "sources": {}}
            self._made.titles.append((code, title))

    def _interests(self, part: _Part, note: TableNote) -> None:
        scores: dict[str, dict[str, float | None]] = {}
        points: dict[str, dict[str, float | None]] = {}
        last: dict[str, int] = {}
        for line, occupation, cells, table in self._rows(part, note, _SCORED):
            code, element, scale, value, date, source = cells
            if scale == "OI" and element in INTERESTS:
                _put(table, line, scores, (code, element), _number(table, line, value, 1, 7))
                _say(occupation, "interests", source, _date(table, line, date), note)
                last[code] = line
            elif scale == "IH" and element in _HIGH_POINTS:
                _put(table, line, points, (code, element), _number(table, line, value, 0, 6))
        for code, found in scores.items():
            if len(found) < len(INTERESTS):
                raise bad(part.file, last[code], f"{code} has scores for {len(found)} of the six areas.")
            profile = [found[element] for element in INTERESTS]
            if None not in profile:
                self._by_code[code]["interests"] = profile
        for code, found in points.items():
            high = [found.get(element) for element in _HIGH_POINTS]
            if None not in high:
                self._by_code[code]["high_points"] = [int(point or 0) for point in high]

    def _values(self, part: _Part, note: TableNote) -> None:
        scores: dict[str, dict[str, float | None]] = {}
        for line, occupation, cells, table in self._rows(part, note, _SCORED):
            code, element, scale, value, date, source = cells
            if scale == "EX" and element in VALUES:
                _put(table, line, scores, (code, element), _number(table, line, value, 1, 7))
                _say(occupation, "values", source, _date(table, line, date), note)
        for code, found in scores.items():
            profile = [found.get(element) for element in VALUES]
            if None not in profile:
                self._by_code[code]["work_values"] = profile

    def _job_zones(self, part: _Part, note: TableNote) -> None:
        fields: dict[str, Sequence[str]] = {
            "code": _KEY,
            "zone": ("Job Zone",),
            "date": ("Date",),
            "source": ("Domain Source",),
        }
        for line, occupation, cells, table in self._rows(part, note, fields, ("date", "source")):
            zone = _number(table, line, cells[1], 1, 5)
            if occupation.get("job_zone") is not None:
                raise bad(part.file, line, f"{cells[0]} has a second job zone.")
            if zone is not None:
                occupation["job_zone"] = _whole(table, line, zone)
                _say(occupation, "job_zone", cells[3], _date(table, line, cells[2]), note)

    def _education(self, part: _Part, note: TableNote) -> None:
        fields = {**_SCORED, "category": ("Category",)}
        shares: dict[tuple[str, str], dict[int, float | None]] = {}
        last: dict[tuple[str, str], int] = {}
        for line, occupation, cells, table in self._rows(part, note, fields):
            code, _element, scale, value, date, source, category = cells
            if scale not in _SHARES:
                continue
            number = _whole(table, line, _number(table, line, category, 1, _SHARES[scale][1]) or 0)
            found = shares.setdefault((code, scale), {})
            if number in found:
                raise bad(part.file, line, f"{code} has category {number} of {scale} twice.")
            found[number] = _number(table, line, value, 0, 100)
            last[code, scale] = line
            if scale == "RL":
                _say(occupation, "education", source, _date(table, line, date), note)
        for (code, scale), found in shares.items():
            field, categories = _SHARES[scale]
            percentages = [found.get(number) for number in range(1, categories + 1)]
            known = [each for each in percentages if each is not None]
            if len(known) < categories:
                continue
            if abs(math.fsum(known) - 100) > _SHARE_TOLERANCE:
                raise bad(part.file, last[code, scale], f"The percentages of {code} sum to {math.fsum(known):.2f}.")
            self._by_code[code][field] = known

    def _titles(self, part: _Part, note: TableNote) -> None:
        fields = {"code": _KEY, "title": ("Alternate Title", "Job Title", "Title")}
        for line, _, cells, _table in self._rows(part, note, fields):
            if not cells[1]:
                raise bad(part.file, line, "The title is missing.")
            self._made.titles.append((cells[0], cells[1]))

    def _relations(self, part: _Part, note: TableNote) -> None:
        fields: dict[str, Sequence[str]] = {
            "code": _KEY,
            "related": ("Related O*NET-SOC Code",),
            "tier": ("Relatedness Tier",),
            "rank": ("Index",),
        }
        seen: set[tuple[str, int]] = set()
        for line, _, cells, table in self._rows(part, note, fields, ("tier",)):
            code, related, tier, index = cells
            rank = _whole(table, line, _number(table, line, index, 1, 1000) or 0)
            if related not in self._by_code:
                if part.borrowed:
                    note.left_out += 1
                    continue
                raise bad(part.file, line, f"The code {related!r} is not in the occupations.")
            if (code, rank) in seen or not rank:
                raise bad(part.file, line, f"{code} has no or a second related occupation number {rank}.")
            seen.add((code, rank))
            self._made.relations.append((code, rank, related, tier))

    def _skills(self, part: _Part, note: TableNote) -> None:
        fields = {
            **_SCORED,
            "name": ("Element Name",),
            "suppress": ("Recommend Suppress",),
            "relevant": ("Not Relevant",),
        }
        names = self._made.release.figures.setdefault("skills", {})
        for line, occupation, cells, table in self._rows(part, note, fields, ("suppress", "relevant")):
            code, element, scale, value, date, source, name, suppress, irrelevant = cells
            if scale not in ("IM", "LV"):
                continue
            names[element] = name
            skill = self._made.skills.setdefault((code, element), [None, None, False, False])
            field, (low, high) = (0, (1, 5)) if scale == "IM" else (1, (0, 7))
            if skill[field] is not None:
                raise bad(part.file, line, f"{code} has {element} on {scale} twice.")
            skill[field] = _number(table, line, value, low, high)
            skill[2] |= suppress == "Y"
            skill[3] |= irrelevant == "Y"
            _say(occupation, "skills", source, _date(table, line, date), note)

    def _tasks(self, part: _Part, note: TableNote) -> None:
        fields: dict[str, Sequence[str]] = {
            "code": _KEY,
            "id": ("Task ID",),
            "task": ("Task",),
            "type": ("Task Type",),
        }
        seen: set[tuple[str, int]] = set()
        for line, _, cells, table in self._rows(part, note, fields, ("type",)):
            task = _whole(table, line, _number(table, line, cells[1], 1, 2**31 - 1) or 0)
            if not task or not cells[2] or (cells[0], task) in seen:
                raise bad(part.file, line, "The task has no number, no text, or stands here twice.")
            seen.add((cells[0], task))
            self._made.tasks.append((cells[0], task, cells[2], {"Core": True, "Supplemental": False}.get(cells[3])))


def _number(table: Table, line: int, cell: str, low: float, high: float) -> float | None:
    """A number of the range, None for a missing one; raises BadFile."""
    if cell in _MISSING:
        return None
    try:
        value = float(cell)
    except ValueError as error:
        raise bad(table.file, line, f"{cell!r} is no number.") from error
    if not low <= value <= high:
        raise bad(table.file, line, f"{cell} is outside {low:g} to {high:g}.")
    return value


def _whole(table: Table, line: int, value: float) -> int:
    if value != int(value):
        raise bad(table.file, line, f"{value:g} is no whole number.")
    return int(value)


def _date(table: Table, line: int, cell: str) -> str | None:
    if cell in _MISSING:
        return None
    if not _DATE.fullmatch(cell):
        raise bad(table.file, line, f"{cell!r} is no month such as 08/2023.")
    return cell


def _put(
    table: Table, line: int, kept: dict[str, dict[str, float | None]], place: tuple[str, str], value: float | None
) -> None:
    code, element = place
    found = kept.setdefault(code, {})
    if element in found:
        raise bad(table.file, line, f"{code} has {element} twice.")
    found[element] = value


def _say(occupation: dict[str, Any], kind: str, source: str, date: str | None, note: TableNote) -> None:
    """Keep who says a kind of figure and when, the latest date where rows differ."""
    note.dated(date)
    said = occupation["sources"].get(kind)
    if said is None or (date and _month(date) > _month(said[1])):
        occupation["sources"][kind] = [None if source in _MISSING else source, date]


def _month(date: str | None) -> tuple[str, str]:
    return (date[3:], date[:2]) if date else ("", "")


__all__ = ["ALIASES", "INTERESTS", "VALUES", "BadFile", "read_onet"]
