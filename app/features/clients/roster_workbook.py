"""Reads the first sheet of an XLSX workbook row by row, in little memory, trusting nothing in it.

A sheet is parsed as a stream with expat: document types (and with them entities) are refused, sizes and
ratios are checked before anything is unpacked, and the text of the workbook is kept as bytes, not objects.
Formulas are never evaluated: the value the workbook stored last is read.
"""

from __future__ import annotations

import zipfile
from array import array
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from xml.parsers import expat

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.infra.packed import may_list_more_than

MOST_MEMBERS = 1_000
# What a sheet can have.
MOST_ROW = 1_048_576
# Of the parts beside sheets and texts: elements at all, and those looked for (a workbook can have 64,000 formats, each
# in two lists).
MOST_ELEMENTS, MOST_KEPT = 1_000_000, 150_000
# No part of a workbook nests deeper than a dozen; each open element costs memory until it ends.
_DEEPEST = 64
# The attributes that are read of what is looked for.
_READ = frozenset(("id", "Id", "Target", "Type", "date1904", "numFmtId", "formatCode"))
LARGEST_SHEET = 1 << 30
LARGEST_STRINGS = 64 << 20
LARGEST_OTHER = 16 << 20
# Real sheets of repeated words reach about 40:1; deflate's own limit is about 1,030:1.
LARGEST_RATIO = 120
LONGEST_CELL = 32_767
MOST_COLUMNS = 200
_BLOCK = 1 << 16
_DAY_ZERO = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 # a sheet's dates have no zone
# ECMA-376 part 1, 18.8.30: the built-in number formats that show a date.
_DATE_FORMATS = frozenset((*range(14, 18), 22, *range(27, 37), *range(50, 59)))


class _Stop(Exception):
    """Ends parsing because the sheet cannot be taken; the text is the sentence for the page."""


def refuse(sentence: str) -> InvalidInput:
    """The error of a file that cannot be taken at all."""
    return InvalidInput([FieldProblem("file", sentence)])


def rows(path: Path, *, within: int = LARGEST_SHEET) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number from 1, cells as text) of the first sheet; rows without a cell are left out.

    Dates come as YYYY-MM-DD, numbers without a superfluous ".0", booleans as TRUE and FALSE. No more than `within`
    bytes of the sheet's XML are read. Raises InvalidInput when the file is no workbook, hostile or damaged.
    """
    try:
        with path.open("rb") as file:
            if may_list_more_than(file, 10 * MOST_MEMBERS):
                raise _too_many_parts()
        with zipfile.ZipFile(path) as archive:
            _check(archive)
            sheet, strings_name, styles_name, epoch_1904 = _parts(archive)
            strings = _Strings()
            if strings_name in archive.namelist():
                _parse(archive, strings_name, strings.handlers())
            dates = _date_styles(archive, styles_name)
            handlers = _Rows(strings, dates, epoch_1904)
            yield from _sheet_rows(archive, sheet, handlers, within)
    except _Stop as stop:
        raise refuse(str(stop)) from None
    except (
        zipfile.BadZipFile,
        expat.ExpatError,
        EOFError,
        KeyError,
        NotImplementedError,
        OSError,
        ValueError,
    ) as error:
        if isinstance(error, InvalidInput):
            raise
        raise refuse(
            "This workbook is damaged or is not an XLSX file. Open it in a spreadsheet program, "
            "save it as XLSX or CSV, and upload that."
        ) from None


def _check(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise _too_many_parts()
    for member in members:
        if member.flag_bits & 1:
            raise _Stop(later("This workbook is locked with a password. Save it without one and upload it again."))
        largest = LARGEST_OTHER
        if member.filename.startswith("xl/worksheets/"):
            largest = LARGEST_SHEET
        elif member.filename.lower().endswith("sharedstrings.xml"):
            largest = LARGEST_STRINGS
        elif not member.filename.endswith((".xml", ".rels")):
            continue  # pictures and the like are never unpacked
        bomb = member.file_size > (4 << 20) and member.file_size > LARGEST_RATIO * max(1, member.compress_size)
        if member.file_size > largest or bomb:
            raise _Stop(
                later("This workbook unpacks to far more than its size. Save the people alone as CSV and upload that.")
            )


def _too_many_parts() -> _Stop:
    return _Stop(later("This workbook has too many parts. Copy the people into a new workbook and upload that."))


class _Handlers:
    """What a parse calls; the default ignores everything."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Text inside an element."""


def _parser(handlers: _Handlers) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handlers.start
    parser.EndElementHandler = handlers.end
    parser.CharacterDataHandler = handlers.text
    parser.StartDoctypeDeclHandler = _no_document_type
    return parser


def _no_document_type(*_: object) -> None:
    raise _Stop(
        later("This workbook contains a document type, which no spreadsheet writes. Save it again as XLSX or CSV.")
    )


def _parse(archive: zipfile.ZipFile, name: str, handlers: _Handlers) -> None:
    parser = _parser(handlers)
    with archive.open(name) as stream:
        while block := stream.read(_BLOCK):
            parser.Parse(block, False)
        parser.Parse(b"", True)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Collect(_Handlers):
    """Keeps the attributes of the elements wanted, by local name, each with the name of the element it stands in."""

    def __init__(self, *wanted: str) -> None:
        self.found: dict[str, list[tuple[str, dict[str, str]]]] = {name: [] for name in wanted}
        self._seen = self._kept = 0
        self._inside = [""]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        self._seen += 1
        if (kept := self.found.get(local)) is not None:
            self._kept += 1
            plain = {key: value for full, value in attributes.items() if (key := _local(full)) in _READ}
            kept.append((self._inside[-1], plain))
        if self._seen > MOST_ELEMENTS or self._kept > MOST_KEPT or len(self._inside) > _DEEPEST:
            raise _not_built_so()
        self._inside.append(local)

    def end(self, name: str) -> None:
        _ = name
        self._inside.pop()

    def of(self, name: str) -> list[dict[str, str]]:
        """The attributes of each element of one name."""
        return [attributes for _, attributes in self.found[name]]


def _not_built_so() -> _Stop:
    return _Stop(later("This workbook is not built as a spreadsheet program builds one. Save it again as XLSX or CSV."))


def _collect(archive: zipfile.ZipFile, name: str, *wanted: str) -> _Collect:
    collected = _Collect(*wanted)
    _parse(archive, name, collected)
    return collected


def _parts(archive: zipfile.ZipFile) -> tuple[str, str, str, bool]:
    book = _collect(archive, "xl/workbook.xml", "sheet", "workbookPr")
    links = _collect(archive, "xl/_rels/workbook.xml.rels", "Relationship").of("Relationship")
    targets = {link["Id"]: link["Target"].lstrip("/").removeprefix("xl/") for link in links}
    kinds = {link["Type"].rpartition("/")[2]: link["Target"].lstrip("/").removeprefix("xl/") for link in links}
    sheets = book.of("sheet")
    if not sheets:
        raise _Stop(later("This workbook has no sheet. Add one with a heading row and the people below it."))
    properties = next(iter(book.of("workbookPr")), {})
    epoch_1904 = properties.get("date1904", "0") in ("1", "true")
    return (
        "xl/" + targets[sheets[0]["id"]],
        "xl/" + kinds.get("sharedStrings", "sharedStrings.xml"),
        "xl/" + kinds.get("styles", "styles.xml"),
        epoch_1904,
    )


def _date_styles(archive: zipfile.ZipFile, name: str) -> frozenset[str]:
    if name not in archive.namelist():
        return frozenset()
    styles = _collect(archive, name, "numFmt", "xf")
    custom = {f["numFmtId"] for f in styles.of("numFmt") if _shows_date(f.get("formatCode", "")) and "numFmtId" in f}
    formats = [element for parent, element in styles.found["xf"] if parent == "cellXfs"]
    return frozenset(
        str(index)
        for index, form in enumerate(formats)
        if (number := form.get("numFmtId", "0")) in custom or (number.isdigit() and int(number) in _DATE_FORMATS)
    )


def _shows_date(code: str) -> bool:
    plain, quoted = "", False
    for sign in code.lower().replace("[red]", "").replace("general", ""):
        quoted = not quoted if sign == '"' else quoted
        plain += "" if quoted else sign
    return "y" in plain or "d" in plain


class _Strings(_Handlers):
    """The workbook's table of texts, as one run of bytes and the places where each begins."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._begins = array("q", [0])
        self._inside = False
        self._phonetic = False
        self._depth = 0

    def handlers(self) -> _Handlers:
        """What fills the table."""
        return self

    def start(self, name: str, attributes: dict[str, str]) -> None:
        _ = attributes
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _not_built_so()
        local = _local(name)
        self._inside = local == "t" and not self._phonetic
        self._phonetic = self._phonetic or local == "rPh"

    def end(self, name: str) -> None:
        self._depth -= 1
        local = _local(name)
        self._inside = False
        if local == "rPh":
            self._phonetic = False
        elif local == "si":
            self._begins.append(len(self._bytes))

    def text(self, data: str) -> None:
        if self._inside:
            self._bytes += data.encode()

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._begins) - 1:
            raise ValueError("a cell names a text that is not there")
        return self._bytes[self._begins[number] : self._begins[number + 1]].decode()


class _Rows(_Handlers):
    """Turns the events of a sheet into rows; the caller empties `ready`."""

    def __init__(self, strings: _Strings, dates: frozenset[str], epoch_1904: bool) -> None:
        self.ready: list[tuple[int, list[str]]] = []
        self._strings, self._dates, self._zero = strings, dates, _DAY_ZERO[epoch_1904]
        self._number = 0
        self._row: list[str] = []
        self._attributes: dict[str, str] = {}
        self._pieces: list[str] = []
        self._length = 0
        self._inside = False
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _not_built_so()
        if name in ("v", "t"):
            self._inside = True
        elif name == "c":
            self._attributes, self._pieces, self._length = attributes, [], 0
        elif name == "row":
            number = attributes.get("r", "")
            self._number = int(number) if number else self._number + 1
            if self._number > MOST_ROW:
                # Rewritten as text, a row's number is a number of lines.
                raise _Stop(later("This sheet has more rows than a sheet can have. Save it again as XLSX or CSV."))
            self._row = []

    def end(self, name: str) -> None:
        self._depth -= 1
        if name in ("v", "t"):
            self._inside = False
        elif name == "c":
            self._put()
        elif name == "row" and self._row:
            self.ready.append((self._number, self._row))

    def text(self, data: str) -> None:
        if self._inside:
            self._length += len(data)
            # One sign more than a spreadsheet can hold: the check then names the cell as too long.
            if self._length <= LONGEST_CELL + 1:
                self._pieces.append(data)

    def _put(self) -> None:
        column = _column(self._attributes.get("r", ""), len(self._row))
        if column >= MOST_COLUMNS:
            if self._pieces:
                raise _Stop(
                    later(
                        "This sheet has more than %(most)s columns. Keep those about the people and try again.",
                        most=MOST_COLUMNS,
                    )
                )
            return
        while len(self._row) < column:
            self._row.append("")
        self._row.append(self._value("".join(self._pieces)))

    def _value(self, raw: str) -> str:
        kind = self._attributes.get("t", "n")
        if kind == "s":
            return self._strings[int(raw)] if raw else ""
        if kind == "b":
            return "TRUE" if raw == "1" else "FALSE"
        if kind == "d":
            return raw.removesuffix("T00:00:00")
        if kind != "n" or not raw:
            return raw
        if self._attributes.get("s", "") in self._dates:
            return self._date(float(raw))
        return f"{float(raw):.15g}" if "." in raw or "e" in raw.lower() else raw

    def _date(self, serial: float) -> str:
        if not 0 <= serial < 2_958_466:
            return f"{serial:.15g}"
        moment = self._zero + timedelta(seconds=round(serial * 86_400))
        return moment.date().isoformat() if moment.time() == datetime.min.time() else moment.isoformat(" ")


def _column(reference: str, otherwise: int) -> int:
    letters = reference.rstrip("0123456789")
    if not letters:
        return otherwise
    number = 0
    for letter in letters[:4]:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _sheet_rows(archive: zipfile.ZipFile, name: str, handlers: _Rows, within: int) -> Iterator[tuple[int, list[str]]]:
    parser = _parser(handlers)
    read = 0
    with archive.open(name) as stream:
        while block := stream.read(_BLOCK):
            parser.Parse(block, False)
            yield from handlers.ready
            handlers.ready.clear()
            read += len(block)
            if read >= within:
                return
        parser.Parse(b"", True)
