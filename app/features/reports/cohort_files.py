"""A cohort's figures as a PDF and as a workbook; what is withheld on the page is withheld here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babel.dates import format_datetime

from app.domain.saying import Say, later
from app.features.figures.definitions import FIGURES
from app.features.figures.layer import Number
from app.features.reports.cohort_picture import CohortPicture
from app.features.reports.cohort_words import GLANCE, Section, Speaker, points_of
from app.features.reports.document import Writer
from app.features.reports.story import clipped
from app.infra.sheets import Cell, Share, Sheet, Workbook

TEMPLATE = "reports/cohort_figures.typ"
_HOW = later(
    "A share is of the people with a plan, or of those it is out of. Differences of shares are in percentage points. A"
    " share with ≤ or ≥ is a bound: so few or so nearly all are told no closer. The line across a bar of a mean is its"
    " interval. Small differences between two groups, or two days, can be chance."
)


def document(picture: CohortPicture, writer: Writer) -> dict[str, Any]:
    """The PDF's content: finished words and drawings."""
    _ = writer.say
    speaker = Speaker(_, writer.words)
    title = _("%(name)s in figures", name=picture.name)
    day = writer.day(picture.moment)
    beside = speaker.beside(picture)
    return writer.said_of_itself(title, picture.moment) | {
        "description": _("Figures of a cohort as of %(day)s", day=day),
        "name": picture.name,
        "subtitle": _("Beside %(beside)s, as of %(day)s", beside=beside, day=day) if beside else _(
            "In figures, as of %(day)s", day=day
        ),
        "footer": f"{writer.sources.organization.name} · {clipped(title, 70)}",
        "facts": [list(fact) for fact in speaker.about(picture, _moment(picture, writer), _day(picture, writer))],
        "people": speaker.definition_of_people(FIGURES),
        "sections": [_section(speaker, picture, section, writer) for section in speaker.sections(picture)],
        "how": speaker.told(_HOW),
    }  # fmt: skip


def _section(speaker: Speaker, picture: CohortPicture, section: Section, writer: Writer) -> dict[str, Any]:
    svg, alt = speaker.drawing(picture, section, paper=True)
    columns = speaker.columns(section)
    first = 70 if section.meanings else 44
    means = [20, 20, 34, 24, 24, 34, 24]
    return {
        "title": section.title,
        "text": section.text,
        "svg": writer.coloured(svg),
        "alt": alt,
        "columns": columns,
        "rows": speaker.rows(section),
        "meanings": list(section.meanings),
        "widths": [first, *(means if section.mean else [20] * len(columns))[: len(columns) - 1]],
    }


def _moment(picture: CohortPicture, writer: Writer) -> str:
    return str(format_datetime(picture.moment.astimezone(writer.zone), "medium", locale=writer.babel))


def _day(picture: CohortPicture, writer: Writer) -> str:
    return writer.day(picture.other.day)


def write_cohort_workbook(path: Path, picture: CohortPicture, writer: Writer) -> int:
    """Write a sheet of every figure, one with bars for each figure of parts, and one of what they mean.

    Returns how many lines the first has.
    """
    _ = writer.say
    speaker = Speaker(_, writer.words)
    sections = speaker.sections(picture)
    local = picture.moment.astimezone(writer.zone)
    with Workbook(path, title=picture.name, language=writer.locale, moment=local) as book:
        compared = any(section.compared for section in sections)
        lines = _every(book, speaker, picture, sections, compared)
        for number, section in enumerate(sections, start=1):
            _sheet(book, speaker, picture, section, number)
        about = book.sheet(_("About"), [_("What"), _("Meaning")], widths=[30, 100])
        for what, meaning in speaker.about(picture, "", _day(picture, writer)):
            about.write([what, local if what == _("As of") else meaning])
        about.write([_("People with a plan"), speaker.definition_of_people(FIGURES)])
        meanings: dict[str, str] = {}
        for section in sections:
            meanings |= dict(zip(section.names, section.meanings, strict=True)) if section.meanings else {}
            meanings |= {} if section.meanings else {section.title: section.text}
        for name, meaning in meanings.items():
            about.write([name, meaning])
        about.write([_("How to read this"), speaker.told(_HOW)])
    return lines


def _every(
    book: Workbook, speaker: Speaker, picture: CohortPicture, sections: Sequence[Section], compared: bool
) -> int:
    """One line for each part of each figure, to filter."""
    _ = speaker.say
    heads = [_("Out of"), _("Number"), _("Share"), _("Mean"), _("Interval from"), _("Interval to")]
    beside = [_("Compared: out of"), _("Compared: number"), _("Compared: share"), _("Compared: mean"), _("Difference")]
    columns = [_("Figure"), _("Part"), *heads, *(beside if compared else [])]
    sheet = book.sheet(_("All figures"), columns, widths=[34, 34])
    this, other = picture.people.this, picture.people.other
    people: list[Cell] = [_("People with a plan"), _("All"), None, _number(this, _)]
    sheet.write([*people, *[None] * 4, *([None, _number(other, _)] if compared and other is not None else [])])
    lines = 1
    for section in sections:
        for name, line in zip(section.names, section.lines, strict=True):
            title, part = (name, _("All")) if section.key == GLANCE else (section.title, name)
            row = [title, part, *_cells(section, line.this, _)]
            if compared:
                row += [*_cells(section, line.other, _)[:4], points_of(line)]
            sheet.write(row)
            lines += 1
    return lines


def _sheet(book: Workbook, speaker: Speaker, picture: CohortPicture, section: Section, number: int) -> None:
    """One section: its table with bars beside it."""
    _ = speaker.say
    groups = speaker.groups(picture, section)
    # A sheet is named once; titles may be long and alike in their first letters.
    heads = [_("Part"), *(_("%(group)s: number", group=group) for group in groups)]
    what = _("%(group)s: mean") if section.mean else _("%(group)s: share")
    heads += [what % {"group": group} for group in groups]
    sheet: Sheet = book.sheet(f"{number} {section.title}", heads, widths=[34, *[18] * (2 * len(groups))])
    for name, line in zip(section.names, section.lines, strict=True):
        both = [_cells(section, one, _) for one in ([line.this, line.other] if section.compared else [line.this])]
        numbers = [cells[0] if section.mean else cells[1] for cells in both]
        sheet.write([name, *numbers, *(cells[3] if section.mean else cells[2] for cells in both)])
    first = 1 + len(groups)
    columns = [(first + n, group) for n, group in enumerate(groups)]
    sheet.bars(section.title, section.text, columns, shares=not section.mean)


def _cells(section: Section, number: Number | None, _: Say) -> list[Cell]:
    """Out of how many, the number and its share, a mean and its interval: numbers where they are known, else words."""
    if number is None:
        return [None] * 6
    word = _("withheld")
    out_of: Cell = word if number.people is None else number.people
    if section.mean:
        ends = (number.mean, number.low, number.high)
        return [out_of, None, None, *((word if number.people is None else end) for end in ends)]
    if number.number is None:
        return [out_of, word, word, None, None, None]
    return [out_of, number.number, _share(number), None, None, None]


def _number(number: Number, _: Say) -> Cell:
    return _("withheld") if number.number is None else number.number


def _share(number: Number) -> Cell:
    if number.percent is None:
        return None
    sign = {"at_most": "≤ ", "at_least": "≥ "}.get(number.bound)
    return Share(number.percent / 100) if sign is None else f"{sign}{number.percent:g} %"
