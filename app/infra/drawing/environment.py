"""Drawings of an environment scan: factors over likelihood and impact, and how much education jobs ask for.

Kinds of factors differ by shape and colour, control by fill, and each mark carries its number; the page puts a table
of the same figures beside each. Both fit a phone: they are drawn at its width and stretch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

from app.infra.drawing.charts import HEAT, SERIES
from app.infra.drawing.svg import ACCENT, BRASS, CARD, EDGE, INK, LINE, SOFT, frame, num, tag, text

Kind = Literal["opportunity", "threat", "strength", "weakness"]
Control = Literal["yes", "partly", "no"]
_WIDTH: Final = 340
_LEFT: Final = 22
_TOP: Final = 24
_CELL: Final = (_WIDTH - _LEFT - 2) / 5
_LEAST_ROW: Final = 40
_STEP: Final = 29
_LINE: Final = 31
_SIZE: Final = 12.5
# The series of a kind: colour of the mark, and its place among the chart colours of the stylesheet.
_SERIES: Final[dict[str, int]] = {"opportunity": 0, "threat": 3, "strength": 2, "weakness": 5}


@dataclass(frozen=True, slots=True)
class FactorMark:
    """One factor on the map: its number, kind and control (None: not said), likelihood and impact from 1 to 5."""

    number: int
    label: str
    kind: Kind | None
    control: Control | None
    likelihood: int
    impact: int


@dataclass(frozen=True, slots=True)
class MapWords:
    """The words on the map in the reader's language; kinds and control in the order of the legend."""

    likelihood: str
    impact: str
    kinds: Mapping[str, str]
    control: Mapping[str, str]


def factor_map_svg(marks: Sequence[FactorMark], words: MapWords, *, heavy: int, title: str, description: str) -> str:
    """Return the map: likelihood to the right, impact upward, each factor as a numbered mark in its cell.

    Marks of one cell stand beside and below each other, and the row grows with them, so that none hides another. Cells
    whose product is at least `heavy` are shaded. Raises ValueError for a place outside 1 to 5.
    """
    cells: dict[tuple[int, int], list[FactorMark]] = {}
    for mark in marks:
        if not (1 <= mark.likelihood <= 5 and 1 <= mark.impact <= 5):
            raise ValueError(f"likelihood and impact are 1 to 5, got {mark.likelihood} and {mark.impact}")
        cells.setdefault((mark.likelihood, mark.impact), []).append(mark)
    body = [text(words.impact, 0, 14, class_="chart-soft", fill=SOFT, font_size=12.5)]
    y = float(_TOP)
    for impact in range(5, 0, -1):
        fullest = max((len(cells.get((likelihood, impact), ())) for likelihood in range(1, 6)), default=0)
        height = max(_LEAST_ROW, _LINE * -(-fullest // 2) + 6)
        body.append(
            text(
                str(impact),
                8,
                y + height / 2 + 4.5,
                class_="chart-soft",
                fill=SOFT,
                font_size=12.5,
                text_anchor="middle",
            )
        )
        for likelihood in range(1, 6):
            x = _LEFT + _CELL * (likelihood - 1)
            shade = 1 if likelihood * impact >= heavy else 0
            body.append(
                tag(
                    "rect",
                    class_=f"chart-h{shade} map-cell",
                    x=x + 1,
                    y=y + 1,
                    width=_CELL - 2,
                    height=height - 2,
                    rx=4,
                    fill=HEAT[shade],
                )
            )
            body += _cell(cells.get((likelihood, impact), []), x, y, height)
        y += height
    for likelihood in range(1, 6):
        x = _LEFT + _CELL * (likelihood - 0.5)
        body.append(
            text(str(likelihood), x, y + 16, class_="chart-soft", fill=SOFT, font_size=12.5, text_anchor="middle")
        )
    body.append(
        text(words.likelihood, _WIDTH - 2, y + 34, class_="chart-soft", fill=SOFT, font_size=12.5, text_anchor="end")
    )
    foot = _legend(body, words, y + 48)
    return frame(
        body,
        view=(0, 0, _WIDTH, foot),
        size=(_WIDTH, foot),
        title=title,
        description=description,
        class_="chart-svg factor-svg",
    )


def _cell(marks: Sequence[FactorMark], x: float, y: float, height: float) -> list[str]:
    lines = -(-len(marks) // 2)
    first = y + height / 2 - _LINE * (lines - 1) / 2
    drawn = []
    for place, mark in enumerate(marks):
        alone = place == len(marks) - 1 and len(marks) % 2 == 1
        across = x + _CELL / 2 + (0 if alone else _STEP / 2 * (-1 if place % 2 == 0 else 1))
        drawn.append(_mark(mark, across, first + _LINE * (place // 2)))
    return drawn


def _mark(mark: FactorMark, x: float, y: float) -> str:
    series = _SERIES.get(mark.kind or "")
    number = str(mark.number)
    # A triangle is widest low down, so its number stands lower.
    low = {"threat": 3.0, "weakness": -3.0}.get(mark.kind or "", 0)
    return tag(
        "g",
        tag("title", escape(f"{number}: {mark.label}")),
        _shape(mark.kind, mark.control, x, y),
        text(
            number,
            x,
            y + 4 + low,
            class_=_on(series, mark.control),
            fill=CARD if mark.control == "yes" and series is not None else INK,
            font_size=11.5 if len(number) < 3 else 9,
            font_weight="700",
            text_anchor="middle",
        ),
    )


def _on(series: int | None, control: str | None) -> str:
    return f"chart-on-s{series}" if control == "yes" and series is not None else "chart-text"


def _shape(kind: str | None, control: str | None, x: float, y: float) -> str:
    series = _SERIES.get(kind or "")
    colour = SERIES[series] if series is not None else EDGE
    name = "factor-plain" if series is None else f"factor-s{series}"
    look: dict[str, str | float | None] = {"stroke": colour, "stroke_width": 2}
    match control:
        case "yes":
            # Without a kind there is no colour made for text on it.
            look |= {"class_": f"{name} factor-full", "fill": colour, "fill_opacity": 0.5 if series is None else None}
        case "partly":
            look |= {"class_": f"{name} factor-part", "fill": colour, "fill_opacity": 0.22}
        case _:
            look |= {"class_": f"{name} factor-none", "fill": CARD, "stroke_dasharray": "3 2"}
    # A pale ground first: a mark that is filled in part would show the shaded cell through it.
    ground: dict[str, str | float | None] = {"class_": "factor-ground", "fill": CARD}
    return _outline(kind, x, y, ground) + _outline(kind, x, y, look)


def _outline(kind: str | None, x: float, y: float, look: Mapping[str, str | float | None]) -> str:
    size = _SIZE
    points: tuple[tuple[float, float], ...]
    match kind:
        case "opportunity" | "round":
            return tag("circle", cx=x, cy=y, r=size - 0.5, **look)
        case "strength":
            return tag(
                "rect", x=x - size + 1.5, y=y - size + 1.5, width=2 * size - 3, height=2 * size - 3, rx=2, **look
            )
        case "threat":
            points = ((x, y - size - 1), (x + size + 1.5, y + size - 1), (x - size - 1.5, y + size - 1))
        case "weakness":
            points = ((x, y + size + 1), (x + size + 1.5, y - size + 1), (x - size - 1.5, y - size + 1))
        case _:
            points = ((x, y - size), (x + size, y), (x, y + size), (x - size, y))
    return tag("polygon", points=" ".join(f"{num(a)},{num(b)}" for a, b in points), stroke_linejoin="round", **look)


def _legend(body: list[str], words: MapWords, top: float) -> float:
    """Draw what the marks mean, two in a row; returns where the drawing ends."""
    entries: list[tuple[str | None, str | None, str]] = [(kind, "yes", said) for kind, said in words.kinds.items()]
    # What stands for control alone is round and without a kind's colour.
    entries += [("round", how, said) for how, said in words.control.items()]
    half = _WIDTH / 2
    for place, (kind, control, said) in enumerate(entries):
        x, y = (place % 2) * half + 14, top + 14 + _STEP * (place // 2)
        body += [
            _shape(kind, control, x, y),
            text(said, x + 20, y + 4.5, class_="chart-text", fill=INK, font_size=12.5),
        ]
    return top + _STEP * -(-len(entries) // 2) + 4


@dataclass(frozen=True, slots=True)
class EducationRow:
    """One occupation: the percent of its jobs that ask for at most each level, and the sentence under its name."""

    label: str
    said: str
    at_most: Sequence[float]


def education_svg(rows: Sequence[EducationRow], *, level: int | None, mark: str, title: str, description: str) -> str:
    """Return for each occupation a rising row of bars, one a level: the percent of jobs that ask for at most it.

    Bars up to the person's `level` (1 for the first; None: not said) are full, the others pale, and the level carries
    a pointer with the word `mark`. Raises ValueError when the rows differ in their number of levels.
    """
    count = len(rows[0].at_most) if rows else 0
    if any(len(row.at_most) != count for row in rows):
        raise ValueError("every row needs the same levels")
    wide = _WIDTH / max(count, 1)
    tall, step = 54.0, 132.0
    body = []
    for place, row in enumerate(rows):
        top = step * place
        base = top + 46 + tall
        drawn = [
            tag("title", escape(f"{row.label}: {row.said}")),
            text(_cut(row.label), 0, top + 15, class_="chart-text", fill=INK, font_size=13.5, font_weight="600"),
            text(row.said, 0, top + 32, class_="chart-soft", fill=SOFT, font_size=12.5),
        ]
        for number, share in enumerate(row.at_most, start=1):
            x = wide * (number - 1)
            reached = level is not None and number <= level
            drawn += [
                tag("rect", class_="chart-track", x=x + 2, y=base - tall, width=wide - 4, height=tall, fill=LINE, rx=2),
                tag(
                    "rect",
                    class_="chart-s0" if reached else "chart-h2",
                    x=x + 2,
                    y=base - tall * share / 100,
                    width=wide - 4,
                    height=max(tall * share / 100, 0.5),
                    fill=ACCENT if reached else HEAT[2],
                    rx=2,
                ),
                text(
                    str(number),
                    x + wide / 2,
                    base + 15,
                    class_="chart-text" if number == level else "chart-soft",
                    fill=INK if number == level else SOFT,
                    font_size=12,
                    font_weight="700" if number == level else None,
                    text_anchor="middle",
                ),
            ]
        if level is not None:
            x, tip = wide * (level - 0.5), base - tall - 1
            drawn.append(
                tag(
                    "polygon",
                    class_="education-mark",
                    points=f"{num(x - 5)},{num(tip - 7)} {num(x + 5)},{num(tip - 7)} {num(x)},{num(tip)}",
                    fill=BRASS,
                )
            )
        body.append(tag("g", *drawn))
    foot = step * len(rows)
    if level is not None:
        body += [
            tag(
                "polygon", class_="education-mark", points=f"2,{num(foot)} 12,{num(foot)} 7,{num(foot + 7)}", fill=BRASS
            ),
            text(mark, 18, foot + 8, class_="chart-soft", fill=SOFT, font_size=12.5),
        ]
    return frame(
        body,
        view=(0, 0, _WIDTH, foot + 16),
        size=(_WIDTH, foot + 16),
        title=title,
        description=description,
        class_="chart-svg education-svg",
    )


def _cut(label: str) -> str:
    most = 40
    return label if len(label) <= most else label[: most - 1].rstrip() + "…"
