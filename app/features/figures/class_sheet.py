"""The export in the shape of the standard: a row for each class or group, a column for each way a count is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from app.domain.outcomes import EMPLOYED, STATUSES, counts_until
from app.domain.saying import Say
from app.domain.suppression import Percentage
from app.features.figures.classes import KINDS, ShownClass
from app.features.figures.definitions import UNKNOWN
from app.features.outcomes.words import employment_words, status_words
from app.infra.sheets import Cell, Workbook, write_csv


def headings(say: Say) -> list[str]:
    """The columns of the sheet in the reader's language."""
    words, kinds = status_words(say), employment_words(say) | {"": say("not said how")}
    columns = [say("Class"), say("Group"), say("Counted until"), say("Graduates")]
    for status in STATUSES:
        columns.append(words[status])
        if status in EMPLOYED:
            columns += [f"{words[status]}, {kinds[kind or '']}" for kind in KINDS]
    return [
        *columns,
        say("No information"),
        say("Known"),
        say("Knowledge rate, percent"),
        say("Placed or seeking"),
        say("Career outcomes rate, percent"),
        say("Full-time salaries known"),
        say("Median salary a year"),
        say("Currency"),
        say("Known too late to count"),
    ]


def lines(classes: Sequence[ShownClass], say: Say) -> Iterator[list[Cell]]:
    """The rows of the sheet; a withheld count is said to be withheld, an undefined rate to be undefined."""
    word = say("withheld")

    def told(number: int | None) -> Cell:
        return word if number is None else number

    for one in classes:
        cells: list[Cell] = [one.class_year, one.group, counts_until(one.class_year), told(one.graduates)]
        for status in STATUSES:
            cells.append(told(one.people[status]))
            if status in EMPLOYED:
                cells += [told(one.kinds[status, kind]) for kind in KINDS]
        paid = one.salaries
        hidden = word if one.salaries_withheld else None
        yield [
            *cells,
            told(one.people[UNKNOWN]),
            told(one.known),
            _percent(one.knowledge, say),
            told(one.basis),
            say("undefined") if one.outcomes is None else _percent(one.outcomes, say),
            paid.people if paid else hidden,
            paid.median if paid else hidden,
            paid.currency if paid else hidden,
            told(one.late),
        ]


def _percent(shown: Percentage, say: Say) -> Cell:
    if shown.value is None:
        return say("withheld")
    if shown.kind == "at_most":
        return say("at most %(figure)s", figure=f"{shown.value:g}")
    if shown.kind == "at_least":
        return say("at least %(figure)s", figure=f"{shown.value:g}")
    return round(shown.value, 2)


def write(form: str, path: Path, classes: Sequence[ShownClass], say: Say, *, moment: datetime, title: str) -> None:
    """Write the sheet as "csv" or "xlsx" to `path`."""
    if form == "csv":
        with path.open("wb") as out:
            write_csv(out, [headings(say), *lines(classes, say)])
        return
    with Workbook(path, title=title, language="", moment=moment) as book:
        sheet = book.sheet(say("First destinations"), headings(say), widths=[10, 20, 14])
        for line in lines(classes, say):
            sheet.write(line)
