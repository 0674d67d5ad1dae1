"""Writes XLSX and CSV that no spreadsheet takes for formulas (S11), row by row so that memory stays flat."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import xlsxwriter

from app.domain.csv_text import neutral

Cell = str | int | float | date | None
# Excel's longest cell; XlsxWriter would leave out a longer one without a word.
_LONGEST = 32_767
# All but the characters of XML 1.0 (section 2.2).
_UNPRINTABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Workbook:
    """An XLSX file being written; each sheet is a named table with a frozen heading row and no merged cells."""

    def __init__(self, path: Path, *, title: str, language: str, moment: datetime) -> None:
        """Begin the file; the same content at the same moment gives the same bytes."""
        self._book = xlsxwriter.Workbook(
            str(path),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_date_format": "yyyy-mm-dd",
            },
        )
        self._book.set_properties({"title": printable(title), "created": moment.replace(tzinfo=None)})
        self._book.set_custom_property("Language", language)
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._head = self._book.add_format({"bold": True})
        self._sheets: list[Sheet] = []

    def sheet(self, name: str, columns: Sequence[str], *, widths: Sequence[int] = ()) -> Sheet:
        """Add a sheet with its column headings; names of at most 31 characters."""
        formats = (self._head, self._day)
        made = self._book.add_worksheet(name[:31])
        sheet = Sheet(made, columns, widths, number=len(self._sheets) + 1, formats=formats)
        self._sheets.append(sheet)
        return sheet

    def __enter__(self) -> Workbook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for sheet in self._sheets:
                sheet.close()
        self._book.close()


class Sheet:
    """One sheet, written from the top down."""

    def __init__(
        self, sheet: Any, columns: Sequence[str], widths: Sequence[int], *, number: int, formats: tuple[Any, Any]
    ) -> None:
        """Take XlsxWriter's sheet, the headings, the widths in characters, and the formats of headings and days."""
        head, self._day = formats
        self._sheet, self._number = sheet, number
        self._columns = [str(column) for column in columns]
        self._row = 0
        for index, name in enumerate(self._columns):
            sheet.set_column(index, index, widths[index] if index < len(widths) else 16)
            sheet.write_string(0, index, name, head)
        sheet.freeze_panes(1, 0)

    def write(self, cells: Iterable[Cell]) -> None:
        """Append a row; text stays text whatever it begins with."""
        self._row += 1
        for index, cell in enumerate(cells):
            match cell:
                case None:
                    continue
                case bool():
                    self._sheet.write_boolean(self._row, index, cell)
                case int() | float():
                    self._sheet.write_number(self._row, index, cell)
                case datetime():
                    self._sheet.write_datetime(self._row, index, cell.replace(tzinfo=None), self._day)
                case date():
                    self._sheet.write_datetime(self._row, index, cell, self._day)
                case _:
                    self._sheet.write_string(self._row, index, printable(str(cell))[:_LONGEST])

    def close(self) -> None:
        """Make the rows a named table."""
        if self._row == 0:
            # A table has at least one row; writing it also sends the heading to disk.
            self._sheet.write_string(1, 0, "")
        # XlsxWriter refuses tables while rows go straight to disk, because it would write the headings itself;
        # they are written, so that only the table's own part of the file is made here.
        self._sheet.constant_memory = False
        self._sheet.add_table(
            0,
            0,
            max(self._row, 1),
            len(self._columns) - 1,
            {"name": f"Table{self._number}", "columns": [{"header": name} for name in self._columns]},
        )
        self._sheet.constant_memory = True


def write_csv(handle: IO[bytes], rows: Iterable[Sequence[Cell]]) -> None:
    """Write rows as CSV in UTF-8 with a byte order mark; text a spreadsheet would run gets a quote before it."""
    handle.write(b"\xef\xbb\xbf")
    writer = csv.writer(_Encoder(handle))
    for row in rows:
        writer.writerow([neutral(cell) for cell in row])


def printable(text: str) -> str:
    """Text without the characters that XML cannot hold: with one of them no program opens the workbook any more."""
    return _UNPRINTABLE.sub("", text)


class _Encoder:
    """Takes text and writes bytes."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle

    def write(self, text: str) -> int:
        """Write one line."""
        return self._handle.write(text.encode())
