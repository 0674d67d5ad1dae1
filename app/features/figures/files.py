"""Answers as CSV and as a workbook; what is withheld on the page is withheld here."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from app.domain.saying import Say
from app.features.figures.layer import Answer
from app.features.figures.words import headings, lines
from app.infra.sheets import Cell, Workbook, write_csv

# An answer, and what has to stand beside it.
Told = tuple[Answer, Sequence[tuple[str, str]]]


def csv_file(answers: Sequence[Told], _: Say, counsellor: str) -> bytes:
    """Of each answer what the figure means, an empty line, and its lines; an empty line between answers."""
    rows: list[Sequence[Cell]] = []
    for answer, about in answers:
        rows += [[]] if rows else []
        rows += [*about, [], headings(answer, _, counsellor), *lines(answer, _)]
    content = io.BytesIO()
    write_csv(content, rows)
    return content.getvalue()


def write_workbook(path: Path, answers: Sequence[Told], _: Say, counsellor: str, *, language: str, title: str) -> None:
    """A sheet of the lines of each answer, and one that says what the figures mean."""
    with Workbook(path, title=title, language=language, moment=answers[0][0].moment) as book:
        for number, (answer, about) in enumerate(answers, start=1):
            # A sheet is named once; a figure may be there by nothing and by an attribute.
            name = f"{number} {about[0][1]}" if len(answers) > 1 else _("Figures")
            sheet = book.sheet(name, headings(answer, _, counsellor), widths=[28, 24, 24])
            for line in lines(answer, _):
                sheet.write(line)
        notes = book.sheet(_("About"), [_("What"), _("Meaning")], widths=[18, 90])
        # What holds of all is said once.
        for note in dict.fromkeys(note for _answer, about in answers for note in about):
            notes.write(note)
