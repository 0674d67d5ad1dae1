"""Answers as a PDF; what is withheld on the page is withheld here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from babel import Locale

from app.domain.errors import TooMany
from app.domain.saying import say_sentence
from app.features.figures.aggregates import Aggregates
from app.features.figures.charts import charts_of, shown_of
from app.features.figures.exports import Reader, told_of
from app.features.figures.layer import Answer
from app.features.figures.words import attribute_words, headings, lines, part_words, period_words, title_words
from app.infra.drawing.charts import heat_svg
from app.infra.drawing.svg import ACCENT
from app.infra.pdf.documents import said_of_itself
from app.infra.pdf.press import press

TEMPLATE = "figures/figure.typ"
Charts = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Print:
    """What of the organization stands on paper: its name, and its colour where it has one."""

    organization: str
    accent: str | None


def print_figure(answer: Answer, reader: Reader, look: Print) -> bytes:
    """The figure with what has to stand beside it, a map and a table of each part.

    Raises TooMany when the press has no time for it.
    """
    _ = reader.say
    words: dict[str, Any] = {
        "name": _(answer.figure.name),
        "description": say_sentence(answer.figure.definition, _),
        "subtitle": " × ".join(_by(answer, reader)) or period_words(answer, _) or _("Of all"),
    }
    # The name is the heading already.
    rest = {"facts": told_of(answer, reader)[1:], "sections": _sections(answer, reader, look.accent or ACCENT)}
    return _print(words | rest, answer, reader, look)


def print_aggregates(found: Aggregates, reader: Reader, look: Print, *, name: str) -> bytes:
    """The numbers as facts, then what holds of all of them, and each of the others with its table.

    Raises as `print_figure`.
    """
    _ = reader.say
    facts = [(_(answer.figure.name), shown_of(answer, _)) for answer in found.numbers]
    sections = [
        {
            "title": title_words(answer, _, reader.counsellor),
            "text": say_sentence(answer.figure.definition, _),
            "by": 1 if answer.first is None else 2,
            "columns": headings(answer, _, reader.counsellor),
            "rows": _lines(answer, reader),
            **_picture(answer, charts_of(answer, _)[0], reader, look.accent or ACCENT),
        }
        for answer in found.groups
    ]
    words = {"name": name, "description": name, "subtitle": _("Of all")}
    told = {"facts": [*facts, *told_of(found.numbers[0], reader)[2:]], "sections": sections}
    return _print(words | told, found.groups[0], reader, look)


def _print(content: dict[str, Any], answer: Answer, reader: Reader, look: Print) -> bytes:
    babel, accent = Locale.parse(reader.region), look.accent or ACCENT
    itself = said_of_itself(
        reader.say, babel, title=content["name"], organization=look.organization, accent=accent, moment=answer.moment
    )
    footer = f"{look.organization} · {content['name']}"
    printed = press().print_one(TEMPLATE, itself | content | {"footer": footer})
    if printed.problem is not None:
        raise TooMany("The figures could not be printed just now. Try again in a minute, or take them as XLSX.")
    return printed.pdf


def _by(answer: Answer, reader: Reader) -> list[str]:
    found = (answer.first, answer.second)
    return [attribute_words(one, reader.say, reader.counsellor) for one in found if one is not None]


def _lines(answer: Answer, reader: Reader) -> list[list[str]]:
    return [[str(cell) for cell in line] for line in lines(answer, reader.say)]


def _picture(answer: Answer, chart: dict[str, Any], reader: Reader, accent: str) -> dict[str, Any]:
    title, description = chart["title"], say_sentence(answer.figure.definition, reader.say)
    svg = heat_svg(chart["columns"], chart["rows"], title=title, description=description)
    return {
        "svg": svg.replace(f'"{ACCENT}"', f'"{accent}"'),
        "alt": reader.say("%(title)s as a map; the table below has its numbers.", title=title),
    }


def _sections(answer: Answer, reader: Reader, accent: str) -> list[dict[str, Any]]:
    """One for each part, before them a map of all parts where there is one; of everybody there is one table."""
    _ = reader.say
    parts, by, found = part_words(answer, _), len(_by(answer, reader)), _lines(answer, reader)
    pictures = [_picture(answer, one, reader, accent) for one in charts_of(answer, _)]
    heads = headings(answer, _, reader.counsellor)
    none: dict[str, Any] = {"svg": None, "alt": ""}
    alike = {"text": "", "by": max(by, 1), "columns": heads[1:] if by else heads}
    if not by:
        title = _(answer.figure.name)
        return [{"title": title, "rows": found, **alike, **(pictures[0] if pictures else none)}]
    size = len(found) // len(parts) if parts else 0
    # By one attribute there is one map of all parts, by two there is one of each.
    of_all = len(pictures) == 1 and len(parts) > 1
    sections = [{"title": _("All as a map"), "rows": [], **alike, **pictures[0]}] if of_all else []
    for n, title in enumerate(parts.values()):
        rows = [line[1:] for line in found[n * size : (n + 1) * size]]
        sections.append({"title": title, "rows": rows, **alike, **(none if of_all else pictures[n])})
    return sections
