"""The aggregates as a workbook and as lines of text; what is withheld on the page is withheld here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from app.features.reports.shown import Shown
from app.infra.sheets import Cell, Workbook

# A sheet's name has at most 31 characters and none of these.
_NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))


def write_aggregates(path: Path, shown: Shown, word: str, *, moment: datetime, title: str, total: str) -> None:
    """Write one sheet a table; `word` stands in withheld cells, `total` heads the last column."""
    with Workbook(path, title=title, language="", moment=moment) as book:
        for table in shown.tables:
            name = table.title.translate(_NOT_IN_NAMES)
            sheet = book.sheet(name, [name, *table.columns, *([total] if table.has_total else [])], widths=[28])
            for line in table.plain(word):
                sheet.write(line)


def aggregate_lines(shown: Shown, word: str, total: str) -> Iterator[Sequence[Cell]]:
    """All tables one below the other, each with its headings and a blank line behind it."""
    for table in shown.tables:
        yield [table.title, *table.columns, *([total] if table.has_total else [])]
        yield from table.plain(word)
        yield []
