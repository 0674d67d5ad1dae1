"""Finds and reads the text tables of a download, in a folder or a ZIP; nothing is ever unpacked to disk."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from app.domain.errors import OctantError

# The largest official table has about 20 MB and a whole download about 120 MB in 45 files.
_MOST_BYTES = 256 * 1024 * 1024
_MOST_FILES = 5000
_LABEL = re.compile(r"(?<![\d.])(\d{1,2})[._](\d{1,2})(?![\d])")
_READ_ME = re.compile(r"O\*NET\W{0,3}\s+(\d{1,2}\.\d{1,2})\s+Database", re.IGNORECASE)


class BadFile(OctantError):
    """A file that cannot be read as what it should be: the file, the line, the reason. Nothing was imported."""


def bad(file: str, line: int | None, reason: str) -> BadFile:
    """The refusal of a file at a 1-based line, or of the file as a whole."""
    place = f"{file}, line {line}" if line else file
    return BadFile(f"{place}: {reason} Nothing was imported.")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text: `rows[0]` is line 2 of `file`; `columns` gives a field's place in a row."""

    file: str
    columns: dict[str, int]
    rows: list[list[str]]


class Download:
    """The files of a folder or ZIP by their base names, at whatever depth they lie."""

    def __init__(self, path: Path, *, label: str | None = None) -> None:
        """Look into `path`; `label` overrides the release found. Raises BadFile where it cannot be looked into."""
        self.path = path
        self._read: Callable[[str], bytes]
        self._places: dict[str, list[str]] = {}
        if path.is_dir():
            self._look_into_folder()
        elif zipfile.is_zipfile(path):
            self._look_into_zip()
        else:
            raise bad(path.name, None, "This is neither a folder nor a ZIP file.")
        self.label = label or self._detect_label()

    def names(self, ending: str) -> list[str]:
        """Base names in lower case that end so."""
        return sorted(name for name in self._places if name.endswith(ending))

    def has(self, name: str) -> bool:
        """Whether there is a file of this base name, in whatever case."""
        return name.lower() in self._places

    def bytes_of(self, name: str) -> bytes:
        """The content of a file; raises BadFile when it lies here twice, is too large or cannot be read."""
        places = self._places[name.lower()]
        if len(places) > 1:
            raise bad(name, None, f"This file is here {len(places)} times ({places[0]}, {places[1]}); keep one.")
        return self._read(places[0])

    def table(self, name: str, fields: Mapping[str, Sequence[str]], optional: Sequence[str] = ()) -> Table:
        """Read a table of tab-separated text whose first line names its columns.

        `fields` maps each field to the column names accepted for it; columns not named are passed over. A field in
        `optional` may be missing. Raises BadFile naming the line.
        """
        lines = _lines(name, self.bytes_of(name))
        if not lines:
            raise bad(name, 1, "The file is empty.")
        heading = [cell.strip() for cell in lines[0].split("\t")]
        columns = {}
        for field, accepted in fields.items():
            found = [heading.index(column) for column in accepted if column in heading]
            if found:
                columns[field] = found[0]
            elif field not in optional:
                raise bad(name, 1, f"The column {accepted[0]} is missing.")
        rows = [line.split("\t") for line in lines[1:]]
        width = len(heading)
        for number, row in enumerate(rows, start=2):
            if len(row) != width:
                raise bad(name, number, f"There are {len(row)} columns where the heading has {width}.")
        return Table(name, columns, rows)

    def _look_into_folder(self) -> None:
        root = self.path.resolve()
        for count, found in enumerate(sorted(root.rglob("*"))):
            if count > _MOST_FILES:
                raise bad(self.path.name, None, f"There are more than {_MOST_FILES} files in this folder.")
            # A link could lead anywhere; a download has none.
            if found.is_file() and not found.is_symlink():
                self._places.setdefault(found.name.lower(), []).append(str(found.relative_to(root)))

        def read(place: str) -> bytes:
            found = root / place
            if found.stat().st_size > _MOST_BYTES:
                raise bad(found.name, None, "This file is too large to be one of the tables.")
            return found.read_bytes()

        self._read = read

    def _look_into_zip(self) -> None:
        with zipfile.ZipFile(self.path) as archive:
            entries = archive.infolist()
        if len(entries) > _MOST_FILES:
            raise bad(self.path.name, None, f"There are more than {_MOST_FILES} files in this ZIP.")
        for entry in entries:
            if not entry.is_dir():
                base = PurePosixPath(entry.filename.replace("\\", "/")).name
                self._places.setdefault(base.lower(), []).append(entry.filename)

        def read(place: str) -> bytes:
            base = PurePosixPath(place).name
            try:
                with zipfile.ZipFile(self.path) as archive, archive.open(place) as handle:
                    # What the ZIP says of its sizes is not believed.
                    content = handle.read(_MOST_BYTES + 1)
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
                raise bad(base, None, f"The ZIP cannot be unpacked here ({error}).") from error
            if len(content) > _MOST_BYTES:
                raise bad(base, None, "This file is too large to be one of the tables.")
            return content

        self._read = read

    def _detect_label(self) -> str | None:
        if self.has("Read Me.txt"):
            said = _READ_ME.search(self.bytes_of("Read Me.txt").decode("utf-8", "replace"))
            if said:
                return said[1]
        inside = {part for places in self._places.values() for place in places for part in place.split("/")[:-1]}
        for name in (self.path.resolve().name, *sorted(inside)):
            said = _LABEL.search(name)
            if said:
                return f"{said[1]}.{said[2]}"
        return None


def _lines(name: str, content: bytes) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise bad(name, line, "This is not text in UTF-8.") from error
    if "\x00" in text:
        raise bad(name, text.count("\n", 0, text.index("\x00")) + 1, "There is a NUL character.")
    # Not splitlines: other signs that end a line there may stand inside a description.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines
