"""Drawings of what is planned: goals over four horizons, and actions over months.

Shapes differ, not colour alone: what is done is filled, what is open is hollow, what is late has a cross. The page
puts a table of the same figures beside each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from typing import Final, Literal

from app.infra.drawing.svg import ACCENT, BAD, BRASS, CARD, EDGE, INK, LINE, SOFT, frame, num, tag, text

Look = Literal["open", "done", "late", "dropped"]
_ROW: Final = 30
_INDENT: Final = 14
_MOST_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """One goal: its depth in the tree, the column it lies in (None: none yet) and how far across it (0 to 1).

    `at` None: somewhere in the column, no day. `parent` is the row of the goal it serves.
    """

    label: str
    column: int | None
    at: float | None = None
    depth: int = 0
    look: Look = "open"
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class GanttRow:
    """One action: its days, as planned and as things stand, its look, and whether the end of all hangs on it.

    `after` are the rows it waits for.
    """

    label: str
    first: date
    last: date
    planned_last: date | None = None
    look: Look = "open"
    critical: bool = False
    begun: bool = False
    after: tuple[int, ...] = ()


def timeline_svg(
    marks: Sequence[TimelineMark],
    columns: Sequence[str],
    *,
    title: str,
    description: str,
    width: int = 680,
    label_width: int = 250,
) -> str:
    """Return goals as rows over named columns of time, each joined to the goal it serves.

    Raises ValueError for a column or parent row that is not there.
    """
    for mark in marks:
        if mark.column is not None and not 0 <= mark.column < len(columns):
            raise ValueError(f"there is no column {mark.column}")
        if mark.parent is not None and not 0 <= mark.parent < len(marks):
            raise ValueError(f"there is no row {mark.parent}")
    top = 28
    wide = (width - label_width) / max(len(columns), 1)
    height = top + _ROW * len(marks) + 6
    body = []
    for number, name in enumerate(columns):
        x = label_width + wide * number
        if number % 2 == 0:
            body.append(
                tag(
                    "rect",
                    class_="plan-band",
                    x=x,
                    y=top - 4,
                    width=wide,
                    height=height - top,
                    fill=LINE,
                    opacity=0.45,
                )
            )
        body.append(
            text(_fit(name, wide), x + wide / 2, 16, class_="chart-soft", fill=SOFT, font_size=12, text_anchor="middle")
        )
    places = [_place(mark, number, label_width, wide, top) for number, mark in enumerate(marks)]
    for number, mark in enumerate(marks):
        here, there = places[number], None if mark.parent is None else places[mark.parent]
        if here and there:
            body.append(_join(here, there))
    for number, mark in enumerate(marks):
        y = top + _ROW * (number + 0.5)
        indent = _INDENT * min(mark.depth, 5)
        drawn = [
            tag("title", escape(mark.label)),
            text(
                _fit(mark.label, label_width - indent - 8),
                indent,
                y + 4.5,
                class_="chart-text",
                fill=INK,
                font_size=13.5,
            ),
        ]
        if place := places[number]:
            drawn.append(_mark(mark.look, *place, sure=mark.at is not None))
        body.append(tag("g", *drawn))
    return _framed(body, width, height, title, description)


def gantt_svg(
    rows: Sequence[GanttRow],
    today: date,
    *,
    title: str,
    description: str,
    words: tuple[str, str],
    month_words: Callable[[date], str],
    width: int = 680,
    label_width: int = 220,
) -> str:
    """Return actions as bars over months, with today's line and arrows from what each waits for.

    A thick edge marks what the end of all hangs on; a thin tail shows where a bar runs past its due day. `words` are
    "today" and the sentence of the legend; `month_words` writes the month of a day. Raises ValueError for a
    row that is not there.
    """
    for row in rows:
        if any(not 0 <= other < len(rows) for other in row.after):
            raise ValueError("an action waits for a row that is not there")
    first = min([row.first for row in rows] + [today]).replace(day=1)
    end = _next_month(max([row.last for row in rows] + [today]))
    top, days = 44, (end - first).days
    plot = width - label_width - 10

    def x(day: date) -> float:
        return label_width + plot * (day - first).days / days

    height = top + _ROW * len(rows) + 8
    body = [text(words[1], 0, 12, class_="chart-soft", fill=SOFT, font_size=12)]
    months = _months(first, end)
    every = max(1, -(-len(months) // _MOST_MONTHS), round(len(months) * 60 / plot + 0.49))
    for number, month in enumerate(months):
        if number % every == 0:
            line = f"M{num(x(month))},{top - 8} V{num(height - 4)}"
            body.append(tag("path", class_="chart-grid", d=line, fill="none", stroke=LINE))
            body.append(text(month_words(month), x(month) + 2, top - 14, class_="chart-soft", fill=SOFT, font_size=11))
    line = f"M{num(x(today))},{top - 8} V{num(height - 4)}"
    body.append(
        tag("path", class_="plan-today", d=line, fill="none", stroke=BRASS, stroke_width=2, stroke_dasharray="4 3")
    )
    right = x(today) > width - 60
    body.append(
        text(
            words[0],
            x(today) + (-4 if right else 4),
            height - 1,
            class_="plan-today-text",
            fill=BRASS,
            font_size=11.5,
            text_anchor="end" if right else "start",
        )
    )
    for number, row in enumerate(rows):
        for other in row.after:
            body.append(
                _arrow(x(rows[other].last + timedelta(days=1)), _mid(top, other), x(row.first), _mid(top, number))
            )
    for number, row in enumerate(rows):
        body.append(tag("g", *_bar(row, _mid(top, number), x, label_width)))
    return _framed(body, width, height + 6, title, description)


def _bar(row: GanttRow, mid: float, x: Callable[[date], float], label_width: int) -> list[str]:
    after_last = x(row.last + timedelta(days=1))
    start = x(row.first)
    wide = max(after_last - start, 4)
    fill, name = (ACCENT, "plan-done") if row.look == "done" else (CARD, "plan-open")
    if row.begun and row.look != "done":
        fill, name = ("#8fc6c1", "plan-begun")
    edge, edge_name = (BAD, "plan-edge-late") if row.look == "late" else (ACCENT, "plan-edge")
    if row.look == "dropped":
        edge, edge_name = EDGE, "plan-edge-dropped"
    drawn = [
        tag("title", escape(row.label)),
        text(_fit(row.label, label_width - 10), 0, mid + 4.5, class_="chart-text", fill=INK, font_size=13.5),
        tag(
            "rect",
            class_=f"{name} {edge_name}",
            x=start,
            y=mid - 8,
            width=wide,
            height=16,
            rx=4,
            fill=fill,
            stroke=edge,
            stroke_width=3 if row.critical else 1.4,
        ),
    ]
    if row.planned_last and row.planned_last < row.last:
        due = x(row.planned_last + timedelta(days=1))
        drawn.append(
            tag(
                "path",
                class_="plan-due",
                d=f"M{num(max(due, start))},{num(mid - 11)} v22",
                fill="none",
                stroke=BAD,
                stroke_width=2,
            )
        )
    if row.look == "late":
        middle = start + wide / 2
        cross = f"M{num(middle - 4)},{num(mid - 4)} l8,8 m0,-8 l-8,8"
        drawn.append(tag("path", class_="plan-cross", d=cross, fill="none", stroke=BAD, stroke_width=2))
    return drawn


def _place(mark: TimelineMark, number: int, label_width: int, wide: float, top: int) -> tuple[float, float] | None:
    if mark.column is None:
        return None
    across = 0.5 if mark.at is None else min(max(mark.at, 0.06), 0.94)
    return label_width + wide * (mark.column + across), top + _ROW * (number + 0.5)


def _mark(look: Look, x: float, y: float, *, sure: bool) -> str:
    """A diamond for a day, a circle for somewhere in the column; filled when reached, crossed when late or dropped."""
    fill, name = (ACCENT, "plan-done") if look == "done" else (CARD, "plan-open")
    edge, edge_name = {"late": (BAD, "plan-edge-late"), "dropped": (EDGE, "plan-edge-dropped")}.get(
        look, (ACCENT, "plan-edge")
    )
    both: dict[str, str | float] = {"class_": f"{name} {edge_name}", "fill": fill, "stroke": edge, "stroke_width": 2}
    if sure:
        shape = tag("path", d=f"M{num(x)},{num(y - 7)} l7,7 l-7,7 l-7,-7Z", **both)
    else:
        shape = tag("circle", cx=x, cy=y, r=6, stroke_dasharray="3 2", **both)
    if look not in ("late", "dropped"):
        return shape
    cross = f"M{num(x - 3)},{num(y - 3)} l6,6 m0,-6 l-6,6"
    return shape + tag("path", class_=edge_name, d=cross, fill="none", stroke=edge, stroke_width=1.8)


def _join(here: tuple[float, float], there: tuple[float, float]) -> str:
    (x, y), (to_x, to_y) = here, there
    path = (
        f"M{num(x)},{num(y)} C{num(x)},{num((y + to_y) / 2)} {num(to_x)},{num((y + to_y) / 2)} {num(to_x)},{num(to_y)}"
    )
    return tag("path", class_="plan-link", d=path, fill="none", stroke=EDGE, stroke_width=1.2)


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    bend = max(x + 6, min(to_x - 8, x + 14))
    path = f"M{num(x)},{num(y)} H{num(bend)} V{num(to_y)} H{num(to_x - 1)} m-4,-3.5 l4,3.5 l-4,3.5"
    return tag("path", class_="plan-link", d=path, fill="none", stroke=EDGE, stroke_width=1.2)


def _mid(top: float, number: int) -> float:
    return top + _ROW * (number + 0.5)


def _fit(label: str, room: float) -> str:
    """The label cut to its room: text cannot be measured here, so letters count 7.2 and Chinese signs 13.5 pixels."""
    used = 0.0
    for number, letter in enumerate(label):
        used += 13.5 if ord(letter) > 0x2E7F else 7.2
        if used > room:
            return label[: max(number - 1, 1)].rstrip() + "…"
    return label


def _months(first: date, end: date) -> list[date]:
    months = []
    while first < end:
        months.append(first)
        first = _next_month(first)
    return months


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _framed(body: Sequence[str], width: float, height: float, title: str, description: str) -> str:
    return frame(
        body,
        view=(0, 0, width, height),
        size=(width, height),
        title=title,
        description=description,
        class_="chart-svg",
    )
