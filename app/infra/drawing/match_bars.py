"""A person's and an occupation's profile over each other: two bars in each row, one within the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from app.infra.drawing.svg import ACCENT, EDGE, INK, LINE, SOFT, frame, num, tag, text

_ROW: Final = 50
_WIDTH: Final = 320
_HEAD: Final = 30
_GAP: Final = 30


@dataclass(frozen=True, slots=True)
class Twin:
    """One row: both values as shares of their scales (0 to 1) and as they are shown; None: not known.

    `low` and `high` are the ends of the person's error band, as shares too.
    """

    label: str
    person: float | None
    occupation: float | None
    person_shown: str
    occupation_shown: str
    low: float | None = None
    high: float | None = None


def match_bars_svg(
    rows: Sequence[Twin], *, names: tuple[str, str], title: str, description: str, columns: int = 1
) -> str:
    """Return the rows, the occupation's bar wide and pale with an edge, the person's narrow and dark within it.

    Told apart by width as well as by colour; the error band is a line under the person's bar. `names` of person
    and occupation stand above with a sample of each. One column of rows fits a phone; two fit a printed page.
    """
    high = -(-len(rows) // columns)

    def x(share: float) -> float:
        return _WIDTH * min(max(share, 0.0), 1.0)

    half = _WIDTH / 2
    body = [
        tag("rect", class_="chart-s0", x=0, y=8, width=22, height=7, rx=2, fill=ACCENT),
        text(names[0], 28, 16, class_="chart-text", fill=INK, font_size=12.5),
        tag("rect", class_="twin-wide", x=half, y=4, width=22, height=15, rx=3, fill=LINE, stroke=EDGE),
        text(names[1], half + 28, 16, class_="chart-text", fill=INK, font_size=12.5),
    ]
    for number, row in enumerate(rows):
        left, top = (_WIDTH + _GAP) * (number // high), _HEAD + _ROW * (number % high)
        middle = top + 33
        shown = f"{row.person_shown} · {row.occupation_shown}"
        marks = [
            tag("title", escape(f"{row.label}: {names[0]} {row.person_shown}, {names[1]} {row.occupation_shown}")),
            text(row.label, 0, top + 16, class_="chart-text", fill=INK, font_size=13.5),
            text(shown, _WIDTH, top + 16, class_="chart-soft", fill=SOFT, font_size=12.5, text_anchor="end"),
            tag("path", class_="chart-grid", d=f"M0,{num(middle + 12)} H{_WIDTH}", stroke=LINE, fill="none"),
        ]
        if row.occupation is not None:
            wide = max(x(row.occupation), 1)
            marks.append(
                tag(
                    "rect",
                    class_="twin-wide",
                    x=0.5,
                    y=middle - 10,
                    width=wide,
                    height=20,
                    rx=3,
                    fill=LINE,
                    stroke=EDGE,
                )
            )
        if row.person is not None:
            own = max(x(row.person), 1)
            marks.append(tag("rect", class_="chart-s0", x=0, y=middle - 6, width=own, height=8, rx=2, fill=ACCENT))
        if row.low is not None and row.high is not None:
            # Below the person's bar and still within the occupation's, so that it crosses neither's end.
            a, b, line = x(row.low), x(row.high), middle + 6
            path = (
                f"M{num(a)},{num(line)} H{num(b)} M{num(a)},{num(line - 3)} V{num(line + 3)} "
                f"M{num(b)},{num(line - 3)} V{num(line + 3)}"
            )
            marks.append(tag("path", class_="chart-band", d=path, fill="none", stroke=INK, stroke_width=1.5))
        body.append(tag("g", *marks, transform=f"translate({left},0)" if left else None))
    width, height = _WIDTH * columns + _GAP * (columns - 1), _HEAD + _ROW * high + 4
    return frame(
        body,
        view=(-2, 0, width + 4, height),
        size=(width + 4, height),
        title=title,
        description=description,
        class_="chart-svg bars-svg twin-svg" if columns == 1 else "chart-svg",
    )
