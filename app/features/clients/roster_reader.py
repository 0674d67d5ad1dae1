"""Reads roster files as streams: what a file is, where its records lie, and a chunk of them at a time.

Nothing here holds a file in memory. A comma-separated file in UTF-8 or Windows-1252 is read where it is; any
other (UTF-16, a workbook) is first rewritten as UTF-8 text with one line per row, which is then read.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from app.domain.saying import later
from app.features.clients.roster_workbook import LONGEST_CELL, MOST_COLUMNS, refuse, rows

MOST_ROWS = 1_000_000
CHUNK_ROWS = 5_000
LONGEST_LINE = 1 << 20
SAMPLE_ROWS = 5
_BLOCK = 1 << 18
# So much of a sheet is looked at for its headings and first rows; the rest waits for a worker.
_LOOKED_AT = 4 << 20
_DELIMITERS = ",;\t|"
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# What other files begin with; naming the kind helps more than a page of bad rows.
_OTHER = {
    b"\xd0\xcf\x11\xe0": later("an old Excel workbook or a workbook with a password"),
    b"%PDF": later("a PDF"),
    b"\x89PNG": later("a picture"),
    b"\xff\xd8\xff": later("a picture"),
    b"\x1f\x8b": later("a compressed file"),
}
_WORKBOOK = b"PK\x03\x04"
csv.field_size_limit(LONGEST_LINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How a file is written, with its headings and first rows to choose columns by."""

    format: Literal["csv", "xlsx"]
    encoding: str
    delimiter: str
    headers: list[str]
    samples: list[list[str]]
    # Line of the headings and where the first record begins in the text.
    header_line: int = 1
    warnings: list[str] = field(default_factory=list)

    def stored(self) -> dict[str, Any]:
        """The form kept in the database."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of whole records: where its bytes lie, its first line, and how many records it has."""

    offset: int
    length: int
    first_line: int
    records: int


def examine(path: Path) -> Source:
    """Find out how a file is written and read its headings and first rows.

    Raises InvalidInput (field "file") when it is empty, has no headings, or is not a table of text.
    """
    head = _head(path)
    if head.startswith(_WORKBOOK):
        return _examine_workbook(path)
    encoding, warnings, text = _as_text(path, head)
    delimiter = _guess_delimiter(text)
    found = _first_rows(text, delimiter)
    if encoding == "utf-16" or ("\n" not in text and "\r" in text):
        warnings.append(later("The file is rewritten as UTF-8 before it is read."))
    return _source("csv", encoding, delimiter, found, warnings)


def table_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Every row of a table as (line, cells), whatever its columns: of a list of people, for one, which has one.

    Raises InvalidInput (field "file") when it is empty, or is not a table of text.
    """
    head = _head(path)
    if head.startswith(_WORKBOOK):
        yield from rows(path)
        return
    encoding, _, text = _as_text(path, head)
    written = Source(format="csv", encoding=encoding, delimiter=_guess_delimiter(text), headers=[], samples=[])
    yield from _text_rows(path, written)


def _head(path: Path) -> bytes:
    with path.open("rb") as handle:
        head = handle.read(_BLOCK)
    if not head.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise refuse("This file is empty. Upload a table with a heading row and one row for each person.")
    for magic, kind in _OTHER.items():
        if head.startswith(magic):
            raise refuse(
                later(
                    "This is %(kind)s, which cannot be read. Save the table as CSV or XLSX and upload that.", kind=kind
                )
            )
    return head


def _as_text(path: Path, head: bytes) -> tuple[str, list[str], str]:
    """The encoding of a text file, what to warn of, and its first part."""
    encoding, warnings = _encoding(path, head)
    # A stray NUL is a fault of its row; many mean that this is no text.
    if encoding != "utf-16" and head.count(b"\x00") > max(8, len(head) // 100):
        raise refuse("This file is not text. Save the table as CSV or XLSX and upload that.")
    return encoding, warnings, head.decode(encoding, "replace" if encoding == "cp1252" else "ignore")


def _examine_workbook(path: Path) -> Source:
    found: list[tuple[int, list[str]]] = []
    for number, cells in rows(path, within=_LOOKED_AT):
        if any(cell.strip() for cell in cells):
            found.append((number, cells))
        if len(found) > SAMPLE_ROWS:
            break
    return _source("xlsx", "utf-8", ",", found, [])


def _source(
    kind: Literal["csv", "xlsx"], encoding: str, delimiter: str, found: list[tuple[int, list[str]]], warnings: list[str]
) -> Source:
    if not found:
        raise refuse("This file is empty. Upload a table with a heading row and one row for each person.")
    line, headers = found[0][0], [" ".join(_storable(cell).split())[:200] for cell in found[0][1]]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > MOST_COLUMNS:
        raise refuse(
            later(
                "This file has more than %(most)s columns. Keep those about the people and try again.",
                most=MOST_COLUMNS,
            )
        )
    if len(headers) < 2:
        raise refuse(
            "This file has one column only. It needs at least a column with each person's number and one with the "
            "name, separated by commas, semicolons or tabs."
        )
    if len(found) == 1:
        raise refuse("This file has headings but no rows below them. Add one row for each person.")
    samples = [[_storable(cell[:80]) for cell in cells[: len(headers)]] for _, cells in found[1 : SAMPLE_ROWS + 1]]
    return Source(
        format=kind,
        encoding=encoding,
        delimiter=delimiter,
        headers=headers,
        samples=samples,
        header_line=line,
        warnings=warnings,
    )


def _storable(cell: str) -> str:
    # The heading and the samples are kept before any row is checked, and the database keeps no NUL.
    return cell.replace("\x00", "\ufffd")


def _encoding(path: Path, head: bytes) -> tuple[str, list[str]]:
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding, []
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as handle:
            while block := handle.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", True)
    except UnicodeDecodeError:
        return "cp1252", [
            later(
                "The file is not in UTF-8, so it is read as Windows-1252. If names below look wrong, save it as "
                "CSV UTF-8 and upload it again."
            )
        ]
    return "utf-8", []


def _guess_delimiter(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    counts = {sign: len(next(csv.reader([line], delimiter=sign), [])) for sign in _DELIMITERS}
    return max(_DELIMITERS, key=lambda sign: counts[sign])


def _first_rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((line, cells))
            if len(found) > SAMPLE_ROWS:
                break
            line = reader.line_num + 1
    except csv.Error:
        raise refuse(
            later("Line %(line)s is longer than a line may be. Check that every quotation mark is closed.", line=line)
        ) from None
    return found


def needs_rewriting(source: Source) -> bool:
    """Whether the file must be rewritten as UTF-8 lines before its records can be found."""
    return source.format == "xlsx" or bool(source.warnings and "rewritten" in source.warnings[-1])


def rewrite(path: Path, source: Source, out: IO[bytes]) -> None:
    """Write the file's rows to `out` as UTF-8, comma separated, so that line n holds row n.

    Raises InvalidInput when the file is damaged or has too many rows.
    """
    text = io.TextIOWrapper(out, "utf-8", "replace", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    line = 0
    for number, cells in rows(path) if source.format == "xlsx" else _text_rows(path, source):
        if number <= line:
            raise refuse("The rows of this workbook are out of order. Save it again and upload that.")
        if number > MOST_ROWS + source.header_line:
            raise too_many()
        text.write("\n" * (number - line - 1))
        writer.writerow([cell[: LONGEST_CELL + 1].replace("\r", " ").replace("\n", " ") for cell in cells])
        line = number
    text.flush()
    text.detach()


def _text_rows(path: Path, source: Source) -> Iterator[tuple[int, list[str]]]:
    with path.open("r", encoding=source.encoding, errors="replace", newline=None) as handle:
        bounded = iter(lambda: handle.readline(LONGEST_LINE), "")
        try:
            yield from enumerate(csv.reader(bounded, delimiter=source.delimiter), start=1)
        except csv.Error:
            raise refuse("A line of this file is longer than a line may be. Check its quotation marks.") from None


def too_many() -> Exception:
    """The error of a file with more rows than one import takes."""
    return refuse(
        later(
            "This file has more than %(most)s rows. Split it and import the parts one after the other.",
            most=f"{MOST_ROWS:,}",
        )
    )


def as_rewritten(source: Source) -> Source:
    """How the rewritten text of a file is written."""
    return Source(**{**source.stored(), "encoding": "utf-8", "delimiter": ",", "header_line": source.header_line})


def pieces(path: Path, source: Source, *, size: int = CHUNK_ROWS) -> Iterator[Piece]:
    """Find where the records below the headings lie, `size` records a piece, in one pass.

    A line without a quotation mark is a record; only others go through the CSV parser. Raises InvalidInput for
    a line that is too long, a quotation mark that is never closed, and for more than `MOST_ROWS` records.
    """
    with path.open("rb") as handle:
        line, offset = 1, 0
        begin, first, count, total = -1, 0, 0, 0
        for length, lines in _records(handle, source):
            if line > source.header_line:
                if count == 0:
                    begin, first = offset, line
                count += 1
                total += 1
                if total > MOST_ROWS:
                    raise too_many()
            line += lines
            offset += length
            if count == size:
                yield Piece(begin, offset - begin, first, count)
                count = 0
        if count:
            yield Piece(begin, offset - begin, first, count)


def _records(handle: IO[bytes], source: Source) -> Iterator[tuple[int, int]]:
    """Yield (bytes, lines) of each record."""
    line = 0
    readline = handle.readline
    held: list[bytes] = []
    used: list[int] = []
    parser = csv.reader(_feed(readline, held, used), delimiter=source.delimiter)
    while data := readline(LONGEST_LINE):
        line += 1
        if b'"' not in data:
            if len(data) == LONGEST_LINE:
                raise _too_long(line)
            yield len(data), 1
            continue
        held.append(data)
        used.clear()
        try:
            next(parser)
        except csv.Error:
            raise _too_long(line) from None
        if sum(used) >= LONGEST_LINE:
            raise _too_long(line)
        yield sum(used), len(used)
        line += len(used) - 1


def _feed(readline: Callable[[int], bytes], held: list[bytes], used: list[int]) -> Iterator[str]:
    """The lines of one record after the other: the one held, and more while a quotation mark is open."""
    while data := held.pop() if held else readline(LONGEST_LINE):
        used.append(len(data))
        # Latin-1 gives every byte a character, and the parser looks only at signs that are ASCII.
        yield data.decode("latin-1")


def _too_long(line: int) -> Exception:
    return refuse(
        later(
            "Line %(line)s is longer than a line may be, or a quotation mark on it is never closed. Mend it and try "
            "again.",
            line=line,
        )
    )


def read_piece(path: Path, source: Source, piece: Piece) -> tuple[list[int], list[list[str]]]:
    """Read one piece: the line each record begins on, and its cells. Lines without any text are left out."""
    with path.open("rb") as handle:
        handle.seek(piece.offset)
        data = handle.read(piece.length)
    text = data.decode("utf-8" if source.encoding == "utf-8-sig" else source.encoding, "replace")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=source.delimiter)
    records = list(reader)
    if reader.line_num == len(records):
        numbers = list(range(piece.first_line, piece.first_line + len(records)))
    else:
        numbers = []
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=source.delimiter)
        before = piece.first_line
        for _ in reader:
            numbers.append(before)
            before = piece.first_line + reader.line_num
    if not all(map(any, records)):
        kept = [(number, record) for number, record in zip(numbers, records, strict=True) if any(record)]
        return [number for number, _ in kept], [record for _, record in kept]
    return numbers, records
