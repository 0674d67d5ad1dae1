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
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.utility import xl_range

from app.domain.csv_text import neutral

# The media type of a workbook.
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Cell = str | int | float | date | None


class Share(float):
    """A share of one, 0.25 say, written so that a spreadsheet shows it in per cent."""


# Excel's longest cell; XlsxWriter would leave out a longer one without a word.
LONGEST = 32_767
# Excel's last row but for the headings.
MOST_ROWS = 1_048_575
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
# The product's colour and a lighter one, apart in grey as well.
_BARS = ("#0b6b66", "#b8b2a6")
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
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._head = self._book.add_format({"bold": True})
        self._share = self._book.add_format({"num_format": "0.0%"})
        self._sheets: list[Sheet] = []

    def sheet(self, name: str, columns: Sequence[str], *, widths: Sequence[int] = ()) -> Sheet:
        """Add a sheet with its column headings; names of at most 31 characters."""
        formats = (self._head, self._day, self._moment, self._share)
        number = len(self._sheets) + 1
        sheet = Sheet(self._book, _sheet_name(name), columns, widths, number=number, formats=formats)
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
        try:
            self._book.close()
        except FileCreateError as failure:
            # The library wraps what the system says, that the disk is full, say.
            raise failure.args[0] from None


class Sheet:
    """One sheet, written from the top down; what does not fit on it goes to further ones."""

    def __init__(
        self,
        book: Any,
        name: str,
        columns: Sequence[str],
        widths: Sequence[int],
        *,
        number: int,
        formats: tuple[Any, Any, Any, Any],
    ) -> None:
        """Take XlsxWriter's book, headings, widths in characters, and formats of headings, days, moments and shares."""
        self._head, self._day, self._moment, self._share = formats
        self._book, self._name, self._widths, self._number = book, name, widths, number
        self._columns = [str(column) for column in columns]
        self._part = 0
        self._begin()

    def _begin(self) -> None:
        self._part += 1
        name = self._name[:31] if self._part == 1 else f"{self._name[:27]} {self._part}"
        self._sheet = self._book.add_worksheet(name)
        self._row = 0
        for index, heading in enumerate(self._columns):
            self._sheet.set_column(index, index, self._widths[index] if index < len(self._widths) else 16)
            self._sheet.write_string(0, index, heading, self._head)
        self._sheet.freeze_panes(1, 0)

    def write(self, cells: Iterable[Cell]) -> None:
        """Append a row; text stays text whatever it begins with."""
        if self._row == MOST_ROWS:
            self.close()
            self._begin()
        self._row += 1
        for index, cell in enumerate(cells):
            match cell:
                case None:
                    continue
                case bool():
                    self._sheet.write_boolean(self._row, index, cell)
                case Share():
                    self._sheet.write_number(self._row, index, cell, self._share)
                case int() | float():
                    self._sheet.write_number(self._row, index, cell)
                case datetime():
                    self._sheet.write_datetime(self._row, index, cell.replace(tzinfo=None), self._day)
                case date():
                    self._sheet.write_datetime(self._row, index, cell, self._day)
                case _:
                    self._sheet.write_string(self._row, index, printable(str(cell))[:LONGEST])

    def bars(self, title: str, description: str, series: Sequence[tuple[int, str]], *, shares: bool) -> None:
        """Put bars of these columns, each with its name, beside the rows written so far; the first column names them.

        The bars are the spreadsheet's own and follow the cells; those of `shares` are on a scale from 0 to 1.
        """
        last, name = max(self._row, 1), self._sheet.get_name()
        chart = self._book.add_chart({"type": "bar"})
        for number, (column, said) in enumerate(series):
            chart.add_series(
                {
                    "name": _label(said),
                    "categories": [name, 1, 0, last, 0],
                    "values": [name, 1, column, last, column],
                    "fill": {"color": _BARS[number % len(_BARS)]},
                    "gap": 60,
                }
            )
        chart.set_title({"name": _label(title), "name_font": {"size": 12}})
        # As in the table: the first line at the top.
        chart.set_y_axis({"reverse": True})
        scale = {"min": 0, "max": 1, "num_format": "0%"} if shares else {"num_format": "0.0"}
        chart.set_x_axis(scale | {"major_gridlines": {"visible": True}})
        chart.set_legend({"position": "bottom"} if len(series) > 1 else {"none": True})
        height = 120 + 26 * last * len(series)
        chart.set_size({"width": 720, "height": height})
        options = {"description": printable(description), "object_position": 1}
        self._sheet.insert_chart(1, len(self._columns) + 1, chart, options)

    def stand_for(self, rows: int) -> None:
        """Be the model of a sheet of so many rows that are written elsewhere: its first row has a day and a moment."""
        self._sheet.write_datetime(1, 0, date(2000, 1, 1), self._day)
        self._sheet.write_datetime(1, 1, datetime(2000, 1, 1, 12), self._moment)  # noqa: DTZ001 - a workbook knows no zones
        self._row = max(rows, 1)

    def close(self) -> None:
        """Make the rows a named table."""
        if self._row == 0:
            # A table has at least one row; writing it also sends the heading to disk.
            self._sheet.write_string(1, 0, "")
        # XlsxWriter refuses tables while rows go straight to disk, because it would write the headings itself;
        # they are written, so that only the table's own part of the file is made here.
        self._sheet.constant_memory = False
        name = f"Table{self._number}" if self._part == 1 else f"Table{self._number}_{self._part}"
        last = len(self._columns) - 1
        self._sheet.add_table(0, 0, 1, last, {"name": name, "columns": [{"header": name} for name in self._columns]})
        # Of one row, and then as long as it is: of each cell of a table XlsxWriter keeps a note, a gigabyte of them for
        # a million rows.
        self._sheet.tables[-1] |= dict.fromkeys(
            ("range", "a_range", "autofilter"), xl_range(0, 0, max(self._row, 1), last)
        )
        self._sheet.constant_memory = True


def _sheet_name(name: str) -> str:
    """At most 31 characters, none of those that a sheet's name cannot have."""
    return _NOT_IN_NAMES.sub(" ", printable(name))[:31].strip()


def _label(text: str) -> str:
    """A name in a chart: the library takes one that reads "sheet!A1" for a reference, to another file even."""
    return printable(text).replace("!", "!\N{WORD JOINER}")


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
