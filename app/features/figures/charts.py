"""What is drawn of an answer, on the page and in print: maps of shares, each cell with its words."""

from __future__ import annotations

from typing import Any

from app.domain.saying import Say
from app.features.figures.definitions import WHOLES
from app.features.figures.layer import Answer, Number
from app.features.figures.words import mean_words, part_words, percent_words, value_words
from app.infra.drawing.charts import HeatCell


def charts_of(answer: Answer, _: Say) -> list[dict[str, Any]]:
    """What is drawn: by one attribute a map of groups by parts, by two one map a part; alone, its parts.

    Scales have long names and are lines of the map; then the groups are its columns.
    """
    parts, first, second = part_words(answer, _), answer.first, answer.second
    by_place = {(n.part, n.first, n.second): n for n in answer.numbers}
    if second is None or first is None:
        short = {key: key if answer.figure.by_step else name for key, name in parts.items()}
        groups = [(_("All"), None)] if first is None else [(value_words(v, _, first), v) for v in first.values]
        cells = {
            (part, name): cell_of(answer, by_place[part, value, None], _, "" if first is None else name, parts[part])
            for part in parts
            for name, value in groups
        }
        names = [name for name, _value in groups]
        if answer.figure.per in {"scale", "status"}:
            columns, rows = names, [(parts[part], [cells[part, name] for name in names]) for part in parts]
        else:
            columns, rows = list(short.values()), [(name, [cells[part, name] for part in parts]) for name in names]
        return [{"title": _(answer.figure.name), "columns": columns, "rows": rows}] if rows else []
    named = [(value_words(v, _, first), v) for v in first.values]
    across = [(value_words(v, _, second), v) for v in second.values]
    return [
        {
            "title": title,
            "columns": [column for column, _value in across],
            "rows": [
                (row, [cell_of(answer, by_place[part, r, c], _, row, column) for column, c in across])
                for row, r in named
            ],
        }
        for part, title in parts.items()
    ]


def cell_of(answer: Answer, number: Number, _: Say, *named: str) -> HeatCell:
    """A cell of the map: the share of the group, its mean, or of people how many there are."""
    if answer.figure.key in WHOLES:
        most = max((n.people or 0 for n in answer.numbers), default=0)
        shown = None if number.people is None else f"{number.people:,}"
        share = None if number.people is None else number.people / most if most else 0.0
    elif answer.figure.mean:
        highest = max((abs(n.mean) for n in answer.numbers if n.mean is not None), default=0.0)
        shown = None if number.people is None else str(mean_words(answer, number.mean))
        share = None if number.people is None else abs(number.mean or 0) / highest if highest else 0.0
    else:
        shown = percent_words(number)
        share = None if shown is None else (number.percent or 0) / 100
        if number.number is not None and shown is None:  # a share of nobody
            shown, share = "–", 0.0
    where = ", ".join(name for name in named if name)
    return HeatCell(shown or "", share, f"{where}: {shown or _('withheld')}")


def shown_of(answer: Answer, _: Say) -> str:
    """The one number of an answer, or that it is withheld."""
    return cell_of(answer, answer.numbers[0], _).shown or _("withheld")
