"""A route of positions: boxes from the first to the last, each as far to the right as its job zone is high.

It is narrow, so that a phone shows it whole, and the same drawing stands in the PDF. Its words are told again in the
list and table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from app.infra.drawing.svg import ACCENT, CARD, EDGE, INK, LINE, SOFT, frame, num, tag, text

_WIDTH: Final = 340
_TOP: Final = 34
_BOX: Final = 58
_GAP: Final = 24
_STEP: Final = 22
_LEFT: Final = 14
_ZONES: Final = 5
_LINE_OF_TEXT: Final = 16


@dataclass(frozen=True, slots=True)
class RouteStop:
    """One position: its name, its job zone (1 to 5, None: not known), and a word above it (such as "Target")."""

    label: str
    zone: int | None
    word: str = ""
    reached: bool = False


def route_svg(stops: Sequence[RouteStop], *, title: str, description: str, zones: str) -> str:
    """Return the stops as boxes from top to bottom over five columns of job zones; `zones` names the columns.

    Raises ValueError for a zone that is not 1 to 5. A stop whose zone is not known has a broken edge and stands where
    the one before it does.
    """
    for stop in stops:
        if stop.zone is not None and not 1 <= stop.zone <= _ZONES:
            raise ValueError(f"there is no job zone {stop.zone}")
    height = _TOP + len(stops) * (_BOX + _GAP)
    body = [text(zones, _LEFT + _STEP * _ZONES + 4, 14, class_="chart-soft", fill=SOFT, font_size=12)]
    for zone in range(1, _ZONES + 1):
        x = _across(zone)
        body.append(
            tag("path", class_="route-line", d=f"M{num(x)},20 V{num(height - _GAP + 4)}", stroke=LINE, stroke_width=1)
        )
        body.append(text(str(zone), x, 14, class_="chart-soft", fill=SOFT, font_size=12, text_anchor="middle"))
    column = next((stop.zone for stop in stops if stop.zone), 1)
    before: tuple[float, float] | None = None
    for number, stop in enumerate(stops):
        column = stop.zone or column
        x, y = _across(column), _TOP + number * (_BOX + _GAP)
        if before is not None:
            body.append(_hop(*before, x, y))
        body.append(_stop(stop, x, y))
        before = x, y + _BOX
    return frame(
        body,
        view=(0, 0, _WIDTH, height),
        size=(_WIDTH, height),
        title=title,
        description=description,
        class_="chart-svg route-svg",
    )


def _across(zone: int) -> float:
    return _LEFT + _STEP * (zone - 1)


def _hop(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (y + to_y) / 2
    start, end = x + 12, to_x + 12
    path = f"M{num(start)},{num(y)} V{num(middle)} H{num(end)} V{num(to_y - 1)} m-4,-5 l4,5 l4,-5"
    return tag("path", class_="plan-link", d=path, fill="none", stroke=EDGE, stroke_width=1.4)


def _stop(stop: RouteStop, x: float, y: float) -> str:
    wide = _WIDTH - x - 2
    lines = _wrapped(stop.label, wide - 52)
    words: list[tuple[str, str, str, float, str | None]] = []
    if stop.word:
        words.append((stop.word, "chart-soft", SOFT, 11.5, None))
    words += [(line, "chart-text", INK, 13.5, "600") for line in lines]
    top = y + (_BOX - _LINE_OF_TEXT * len(words)) / 2 + 12
    marks = [
        tag("title", escape(stop.label)),
        tag(
            "rect",
            class_="route-box route-here" if stop.reached else "route-box",
            x=x,
            y=y,
            width=wide,
            height=_BOX,
            rx=8,
            fill=CARD,
            stroke=ACCENT if stop.zone else EDGE,
            stroke_width=2.4 if stop.reached else 1.4,
            stroke_dasharray=None if stop.zone else "5 4",
        ),
        tag("circle", class_="plan-done", cx=x + 24, cy=y + _BOX / 2, r=13, fill=ACCENT),
        text(
            str(stop.zone or "?"),
            x + 24,
            y + _BOX / 2 + 4.8,
            class_="route-zone",
            fill=CARD,
            font_size=13.5,
            font_weight="700",
            text_anchor="middle",
        ),
    ]
    for number, (said, name, colour, size, weight) in enumerate(words):
        marks.append(
            text(
                said,
                x + 46,
                top + _LINE_OF_TEXT * number,
                class_=name,
                fill=colour,
                font_size=size,
                font_weight=weight,
            )
        )
    return tag("g", *marks)


def _wrapped(label: str, room: float, most: int = 2) -> list[str]:
    """The label in at most two lines of `room` pixels, the rest cut: nothing can be measured here."""
    lines, line = [], ""
    for word in _words(label):
        if line and _wide(line + word) > room:
            lines.append(line)
            line = word.lstrip()
        else:
            line += word
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], "".join(lines[most - 1 :])]
    return [_cut(each, room) for each in lines]


def _wide(label: str) -> float:
    """About how wide a label is: letters count 7.4, Chinese signs 13.5."""
    return sum(13.5 if ord(letter) > 0x2E7F else 7.4 for letter in label)


def _cut(label: str, room: float) -> str:
    if _wide(label) <= room:
        return label
    while label and _wide(label) > room - 8:
        label = label[:-1]
    return label.rstrip(" ,") + "…"


def _words(label: str) -> list[str]:
    """Words with the blank before them; Chinese may break anywhere."""
    found: list[str] = []
    for letter in label:
        if not found or letter == " " or ord(letter) > 0x2E7F:
            found.append(letter)
        else:
            found[-1] += letter
    return found
