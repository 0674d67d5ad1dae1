"""Reads files of answers (one row a person) against an instrument's items.

A file is read in chunks that begin at remembered byte offsets, so that its length never decides how much
memory is needed and an interrupted import goes on where it stopped.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import SEEK_SET
from operator import itemgetter
from typing import IO

import numpy as np
import numpy.typing as npt

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.instruments import Instrument
from app.domain.reading import short
from app.domain.saying import later

_ID_NAMES = ("external_id", "id", "student_id", "client_id", "person_id", "number", "student", "client")
_ITEM_PREFIXES = ("", "q", "item", "item_", "i", "v")
# Longer than any honest line of a thousand answers; a file without line ends must not fill the memory.
_LONGEST_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class SheetFormat:
    """How a file is written: the delimiter, the heading cells, and the byte at which the first person's row begins."""

    delimiter: str
    header: tuple[str, ...]
    first_row: int


@dataclass(frozen=True, slots=True)
class SheetColumns:
    """Which column names the person, and which holds each item's answer, in the order of the items (0-based)."""

    person: int
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where part of a file begins (byte and line, the first line is 1) and how many rows it has."""

    offset: int
    line: int
    rows: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken: its line in the file and why, as a sentence."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The good rows of a chunk: who, on which line, and people x items of answers (0: missed)."""

    people: tuple[str, ...]
    lines: tuple[int, ...]
    values: npt.NDArray[np.int16]
    bad: tuple[BadRow, ...]


def read_format(handle: IO[bytes]) -> SheetFormat:
    """The format of a UTF-8 file with a heading line; leaves the handle behind that line.

    Raises InvalidInput for an empty file, one that is not UTF-8, or one whose heading has a single column.
    """
    handle.seek(0, SEEK_SET)
    first = handle.readline(_LONGEST_LINE + 1)
    try:
        text = first.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(later("This is not a UTF-8 text file. Save it as CSV in UTF-8 and upload it again.")) from None
    if not text.strip():
        raise _refused(later("The file has no heading line. Give one column for the person and one for each item."))
    if len(first) > _LONGEST_LINE or "\0" in text:
        raise _refused(later("This is not a table of answers. Save it as CSV in UTF-8 and upload it again."))
    delimiter = max(",\t;", key=text.count)
    try:
        header = tuple(cell.strip() for cell in next(csv.reader([text], delimiter=delimiter)))
    except csv.Error:
        # Lines that end as on old Macs, or a cell beyond any honest length.
        raise _refused(later("This is not a table of answers. Save it as CSV in UTF-8 and upload it again.")) from None
    if len(header) < 2:
        raise _refused(later("Only one column was found. Separate columns with commas, tabs or semicolons."))
    return SheetFormat(delimiter, header, len(first))


def find_chunks(handle: IO[bytes], form: SheetFormat, *, size: int = 2000) -> list[Chunk]:
    """Split the rows below the heading into chunks of at most `size` rows, in one pass over the file.

    Raises InvalidInput naming the line where the file stops being readable.
    """
    chunks: list[Chunk] = []
    begin, line, rows = form.first_row, 2, 0
    for end, next_line in _row_ends(handle, form):
        rows += 1
        if rows == size:
            chunks.append(Chunk(begin, line, rows))
            begin, line, rows = end, next_line, 0
    if rows:
        chunks.append(Chunk(begin, line, rows))
    return chunks


def guess_item_columns(header: Sequence[str], instrument: Instrument) -> tuple[int | None, ...]:
    """For each item the column that seems to hold it, or None: by the item's id (also as Q1, item1), or by its
    scale and its place in the scale (E1 is the first item of scale E).
    """
    places = {name.casefold(): index for index, name in reversed(list(enumerate(header)))}
    schemes: list[list[str]] = [[prefix + item.id.casefold() for item in instrument.items] for prefix in _ITEM_PREFIXES]
    seen: dict[str, int] = {}
    nth = []
    for item in instrument.items:
        seen[item.scale] = seen.get(item.scale, 0) + 1
        nth.append(f"{item.scale}{seen[item.scale]}".casefold())
    schemes.append(nth)
    found = [tuple(places.get(name) for name in scheme) for scheme in schemes]
    return max(found, key=lambda columns: sum(column is not None for column in columns))


def guess_person_column(header: Sequence[str]) -> int | None:
    """The column that seems to name the person, or None."""
    names = [name.casefold().replace(" ", "_") for name in header]
    return next((names.index(name) for name in _ID_NAMES if name in names), None)


def sheet_columns(header: Sequence[str], instrument: Instrument, person: int | None) -> SheetColumns:
    """The columns to read, with the person in column `person` (None: guess it).

    Raises InvalidInput naming every item without a column, and a missing person column.
    """
    items = guess_item_columns(header, instrument)
    person = guess_person_column(header) if person is None else person
    problems = []
    if person is None or not 0 <= person < len(header):
        problems.append(FieldProblem("person", "No column names the person. Choose the one that holds their id."))
    missing = [item.id for item, column in zip(instrument.items, items, strict=True) if column is None]
    if missing:
        named = ", ".join(missing[:10]) + (" and more" if len(missing) > 10 else "")
        problems.append(
            FieldProblem(
                "items",
                later(
                    "%(missing)s of %(all)s items have no column: %(named)s. Name the columns by item (1, 2, …) or "
                    "by scale and place (E1, E2, …).",
                    missing=len(missing),
                    all=len(items),
                    named=named,
                ),
            )
        )
    if problems or person is None:
        raise InvalidInput(problems)
    return SheetColumns(person, tuple(column for column in items if column is not None))


def read_answers(
    handle: IO[bytes], form: SheetFormat, columns: SheetColumns, instrument: Instrument, chunk: Chunk
) -> Answers:
    """The answers of one chunk; a row with an impossible answer or without a person is listed as bad."""
    allowed = {"": 0, "0": 0} | {str(option.value): option.value for option in instrument.options}
    pick = itemgetter(*columns.items) if len(columns.items) > 1 else lambda row: (row[columns.items[0]],)
    people, lines, values, bad = [], [], [], []
    for line, row in _rows(handle, form, chunk):
        if len(row) != len(form.header):
            bad.append(
                BadRow(
                    line,
                    later(
                        "This row has %(columns)s columns, the heading %(headings)s.",
                        columns=len(row),
                        headings=len(form.header),
                    ),
                )
            )
            continue
        person = row[columns.person].strip()
        answers = list(map(allowed.get, pick(row)))
        if None in answers:
            answers = [allowed.get(cell.strip()) for cell in pick(row)]
        if not person:
            bad.append(BadRow(line, "This row names no person."))
        elif None in answers:
            wrong = answers.index(None)
            said = short(pick(row)[wrong].strip(), 20)
            bad.append(
                BadRow(
                    line,
                    later(
                        "%(answer)s in column %(column)s is no answer. Give %(lowest)s to %(highest)s, or nothing "
                        "where it was missed.",
                        answer=said,
                        column=form.header[columns.items[wrong]],
                        lowest=instrument.lowest,
                        highest=instrument.highest,
                    ),
                )
            )
        else:
            people.append(person)
            lines.append(line)
            values.append(answers)
    shape = np.array(values, dtype=np.int16).reshape(len(values), len(columns.items))
    return Answers(tuple(people), tuple(lines), shape, tuple(bad))


def _rows(handle: IO[bytes], form: SheetFormat, chunk: Chunk) -> Iterator[tuple[int, list[str]]]:
    handle.seek(chunk.offset, SEEK_SET)
    texts = _texts(handle, chunk.line)
    reader = csv.reader(texts, delimiter=form.delimiter)
    line, rows = chunk.line, 0
    for row in reader:
        if row:
            rows += 1
            yield line, row
        line = chunk.line + reader.line_num
        if rows == chunk.rows:
            return


def _row_ends(handle: IO[bytes], form: SheetFormat) -> Iterator[tuple[int, int]]:
    """For every row that is not blank: the byte behind it and the number of the line behind it."""
    handle.seek(form.first_row, SEEK_SET)
    reader = csv.reader(_texts(handle, 2), delimiter=form.delimiter)
    try:
        for row in reader:
            if row:
                yield handle.tell(), 2 + reader.line_num
    except csv.Error as error:
        raise _refused(
            later("Line %(line)s is not readable as CSV (%(error)s).", line=1 + reader.line_num, error=error)
        ) from None


def _texts(handle: IO[bytes], line: int) -> Iterator[str]:
    while data := handle.readline(_LONGEST_LINE + 1):
        if len(data) > _LONGEST_LINE or b"\0" in data:
            raise _refused(
                later(
                    "Line %(line)s is no row of a table. Save the file as CSV in UTF-8 and upload it again.", line=line
                )
            )
        try:
            yield data.decode("utf-8")
        except UnicodeDecodeError:
            raise _refused(
                later("Line %(line)s is not UTF-8. Save the file as CSV in UTF-8 and upload it again.", line=line)
            ) from None
        line += 1


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput([FieldProblem("file", sentence)])
