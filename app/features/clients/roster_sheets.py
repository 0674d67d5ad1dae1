"""The bad rows of a roster as a sheet to download; no cell of it can ever run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import IO

import xlsxwriter
from flask_babel import gettext

from app.domain.csv_text import neutral
from app.features.clients.roster_queries import Fault
from app.infra.sheets import printable
from app.infra.web.words import said

_MOST_ROWS = 1_048_575
_LONGEST_CELL = 32_767


def headings() -> list[str]:
    """The headings of the sheet, in the reader's language."""
    return [gettext("Line"), gettext("Number or id"), gettext("Column"), gettext("Reason"), gettext("Value")]


def write_csv(faults: Iterable[Fault], out: IO[bytes]) -> None:
    """Write the faults as CSV in UTF-8 with a mark, which spreadsheets need to see the encoding."""
    text = io.TextIOWrapper(out, "utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(headings())
    for f in faults:
        writer.writerow([f.line, *map(neutral, (f.external_id, f.column, said(f.reason), f.value))])
    text.flush()
    text.detach()


def write_xlsx(faults: Iterable[Fault], out: IO[bytes]) -> None:
    """Write the faults as a workbook, row by row; every cell of text is written as text."""
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(gettext("Bad rows"))
    bold = book.add_format({"bold": True})
    for column, (heading, width) in enumerate(zip(headings(), (8, 16, 20, 70, 30), strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, heading, bold)
    sheet.freeze_panes(1, 0)
    for row, f in enumerate(faults, start=1):
        if row > _MOST_ROWS:
            break
        sheet.write_number(row, 0, f.line)
        for column, text in enumerate((f.external_id, f.column, said(f.reason), f.value), start=1):
            sheet.write_string(row, column, printable(text)[:_LONGEST_CELL])
    book.close()
