"""Scores as bars with their error bands, each name above its bar, so that it fits a phone as well as a page."""

from collections.abc import Sequence
from html import escape
from typing import Final

from app.infra.drawing.charts import Bar
from app.infra.drawing.svg import ACCENT, CARD, INK, LINE, SOFT, frame, num, tag, text

_ROW: Final = 46
_WIDTH: Final = 320
# So many narrow letters fit before the figure; a wide one (Chinese) takes two places. The title has the whole name.
_LONGEST: Final = 40


def profile_bars_svg(bars: Sequence[Bar], *, title: str, description: str, limits: tuple[float, float]) -> str:
    """Return one row for each bar: name and value, the bar over the scale `limits`, its error band as a line across.

    Raises ValueError when the limits do not rise. The least and the greatest score possible stand below.
    """
    low, high = limits
    if high <= low:
        raise ValueError(f"the scale must rise, got {limits}")

    def x(value: float) -> float:
        return _WIDTH * (min(max(value, low), high) - low) / (high - low)

    body = []
    for i, bar in enumerate(bars):
        top = _ROW * i
        middle = top + 30
        marks = [
            tag("title", escape(f"{bar.label}: {bar.shown}")),
            text(_clipped(bar.label), 0, top + 16, class_="chart-text", fill=INK, font_size=13.5),
            text(
                bar.shown,
                _WIDTH,
                top + 16,
                class_="chart-text chart-value",
                fill=INK,
                font_size=13.5,
                font_weight="600",
                text_anchor="end",
            ),
            tag("rect", class_="chart-track", x=0, y=middle - 6, width=_WIDTH, height=12, rx=3, fill=LINE),
            tag("rect", class_="chart-s0", x=0, y=middle - 6, width=max(x(bar.value), 1), height=12, rx=3, fill=ACCENT),
        ]
        if bar.low is not None and bar.high is not None:
            a, b = x(bar.low), x(bar.high)
            path = (
                f"M{num(a)},{num(middle)} H{num(b)} M{num(a)},{num(middle - 8)} V{num(middle + 8)} "
                f"M{num(b)},{num(middle - 8)} V{num(middle + 8)}"
            )
            # A pale halo keeps the line readable where it crosses the bar.
            marks += [
                tag("path", class_="chart-halo", d=path, fill="none", stroke=CARD, stroke_width=4.5),
                tag("path", class_="chart-band", d=path, fill="none", stroke=INK, stroke_width=1.6),
            ]
        body.append(tag("g", *marks))
    foot = _ROW * len(bars) + 12
    body += [
        text(f"{low:g}", 0, foot, class_="chart-soft", fill=SOFT, font_size=12),
        text(f"{high:g}", _WIDTH, foot, class_="chart-soft", fill=SOFT, font_size=12, text_anchor="end"),
    ]
    # A margin keeps the ends of the bands from being cut.
    return frame(
        body,
        view=(-2, 0, _WIDTH + 4, foot + 6),
        size=(_WIDTH + 4, foot + 6),
        title=title,
        description=description,
        class_="chart-svg bars-svg",
    )


def _clipped(label: str) -> str:
    places = 0
    for number, letter in enumerate(label):
        places += 2 if ord(letter) > 0x2E7F else 1
        if places > _LONGEST:
            return label[: max(number - 1, 1)].rstrip() + "…"
    return label
