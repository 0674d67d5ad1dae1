"""Hours planned in each month against the hours there are: a bar per month, hatched beyond what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from app.infra.drawing.svg import ACCENT, BAD, CARD, INK, LINE, frame, num, tag, text

_ROW: Final = 28
_LABEL: Final = 80
_ROOM: Final = 56


@dataclass(frozen=True, slots=True)
class LoadBar:
    """One month: its name, the hours planned, the hours there are (None: not known), and the figure as written."""

    label: str
    hours: float
    most: float | None
    shown: str


def load_svg(bars: Sequence[LoadBar], *, title: str, description: str, width: int = 460) -> str:
    """Return horizontal bars from nothing to the largest figure; an upright line marks what there is in each month."""
    largest = max((max(bar.hours, bar.most or 0) for bar in bars), default=0) or 1
    plot = width - _LABEL - _ROOM

    def x(hours: float) -> float:
        return _LABEL + plot * hours / largest

    height = _ROW * len(bars) + 8
    body = []
    for number, bar in enumerate(bars):
        mid = 4 + _ROW * (number + 0.5)
        within = bar.hours if bar.most is None else min(bar.hours, bar.most)
        marks = [
            tag("title", escape(f"{bar.label}: {bar.shown}")),
            text(bar.label, 0, mid + 4.5, class_="chart-text", fill=INK, font_size=15),
            tag("rect", class_="chart-track", x=_LABEL, y=mid - 6, width=plot, height=12, rx=3, fill=LINE),
        ]
        if within:
            marks.append(
                tag(
                    "rect",
                    class_="chart-s0",
                    x=_LABEL,
                    y=mid - 6,
                    width=max(x(within) - _LABEL, 1),
                    height=12,
                    rx=3,
                    fill=ACCENT,
                )
            )
        if bar.hours > within:
            marks += _beyond(x(within), x(bar.hours), mid)
        if bar.most is not None:
            line = f"M{num(x(bar.most))},{num(mid - 10)} v20"
            marks += [
                tag("path", class_="chart-halo", d=line, fill="none", stroke=CARD, stroke_width=4.5),
                tag("path", class_="chart-band", d=line, fill="none", stroke=INK, stroke_width=1.8),
            ]
        marks.append(text(bar.shown, width - _ROOM + 8, mid + 4.5, class_="chart-text", fill=INK, font_size=15))
        body.append(tag("g", *marks))
    return frame(
        body,
        view=(0, 0, width, height),
        size=(width, height),
        title=title,
        description=description,
        class_="chart-svg load-svg",
    )


def _beyond(start: float, end: float, mid: float) -> list[str]:
    """What is too much: an outline with slanted lines, so that it differs without colour."""
    wide = max(end - start, 2)
    lines = "".join(
        f"M{num(start + step)},{num(mid + 6)} l{num(min(6, wide - step))},{num(-2 * min(6, wide - step))}"
        for step in range(0, int(wide), 7)
    )
    return [
        tag(
            "rect",
            class_="plan-open plan-edge-late",
            x=start,
            y=mid - 6,
            width=wide,
            height=12,
            fill=CARD,
            stroke=BAD,
            stroke_width=1.4,
        ),
        tag("path", class_="plan-cross", d=lines, fill="none", stroke=BAD, stroke_width=1.2),
    ]
