"""Charts as SVG text: bars with error bands, stacked bars, heat map, lines.

Each function takes finished words and numbers and returns one drawing. No chart relies on colour alone:
values are written on the marks, heat cells carry their number, lines have marks of different shapes and are
named at their end. The page puts a table of the same figures beside each (macro `chart`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from app.infra.drawing.svg import ACCENT, CARD, EDGE, INK, LINE, SOFT, frame, num, tag, text

# Series in order of use: hues apart from each other, and lightness too, so that they differ in grey.
SERIES: Final[tuple[str, ...]] = ("#0b6b66", "#5aa7a1", "#2b5797", "#ad2a1a", "#b8b2a6", "#6e6a62")
HEAT: Final[tuple[str, ...]] = ("#f3f1ec", "#d3e8e6", "#8fc6c1", "#2c7f79", "#0b5f5a")
ON_HEAT: Final[tuple[str, ...]] = ("#1c2733", "#1c2733", "#1c2733", "#ffffff", "#ffffff")


# What a card leaves on a phone; a cell holds four figures, so that eight stand beside each other.
_NARROW, _LEAST_CELL = 284, 35


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a value and, where it is measured with error, the low and high end of its band."""

    label: str
    value: float
    shown: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell: `share` 0 to 1 sets its shade, `shown` is written in it; a withheld cell has no share."""

    shown: str
    share: float | None
    name: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name and a value per position, None where nothing was measured."""

    label: str
    values: Sequence[float | None]


def _clip(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1].rstrip() + "…"


def bars_svg(
    bars: Sequence[Bar],
    *,
    title: str,
    description: str,
    limits: tuple[float, float],
    width: int = 620,
    label_width: int = 190,
    row: int = 34,
) -> str:
    """Return horizontal bars over the scale `limits`, each with its value and, where given, its error band.

    Raises ValueError when the limits do not rise. Values outside the limits are drawn at the limit; the
    figure written beside the bar stays as given.
    """
    low, high = limits
    if high <= low:
        raise ValueError(f"the scale must rise, got {limits}")
    room = 64
    plot = width - label_width - room
    most = label_width // 7 - 1

    def x(value: float) -> float:
        return label_width + plot * (min(max(value, low), high) - low) / (high - low)

    height = row * len(bars) + 8
    body = []
    for i, bar in enumerate(bars):
        mid = 4 + row * i + row / 2
        marks = [
            tag("title", escape(f"{bar.label}: {bar.shown}")),
            text(_clip(bar.label, most), 0, mid + 4.5, class_="chart-text", fill=INK, font_size=13.5),
            tag(
                "rect",
                class_="chart-track",
                x=label_width,
                y=mid - 6,
                width=plot,
                height=12,
                rx=3,
                fill=LINE,
            ),
            tag(
                "rect",
                class_="chart-s0",
                x=label_width,
                y=mid - 6,
                width=max(x(bar.value) - label_width, 1),
                height=12,
                rx=3,
                fill=ACCENT,
            ),
        ]
        if bar.low is not None and bar.high is not None:
            a, b = x(bar.low), x(bar.high)
            path = (
                f"M{num(a)},{num(mid)} H{num(b)} M{num(a)},{num(mid - 8)} V{num(mid + 8)} "
                f"M{num(b)},{num(mid - 8)} V{num(mid + 8)}"
            )
            # A pale halo keeps the whisker readable where it crosses the bar.
            marks += [
                tag("path", class_="chart-halo", d=path, fill="none", stroke=CARD, stroke_width=4.5),
                tag("path", class_="chart-band", d=path, fill="none", stroke=INK, stroke_width=1.6),
            ]
        marks.append(
            text(
                bar.shown,
                width,
                mid + 4.5,
                class_="chart-text chart-value",
                fill=INK,
                font_size=13.5,
                font_weight="600",
                text_anchor="end",
            )
        )
        body.append(tag("g", *marks))
    return frame(
        body,
        view=(0, 0, width, height),
        size=(width, height),
        title=title,
        description=description,
        class_="chart-svg",
    )


def heat_svg(
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[HeatCell]]],
    *,
    title: str,
    description: str,
    width: int = 680,
    label_width: int = 160,
    narrow: bool = False,
) -> str:
    """Return a heat map in five shades, the figure in each cell; a withheld one is crossed, not pale.

    Cells with an `href` are links. `narrow` is for a phone: each line's name stands above its cells, which take the
    whole width without the sign of per cent, and long names of columns stand upright.
    Raises ValueError when a row's cells do not match the columns.
    """
    if any(len(cells) != len(columns) for _, cells in rows):
        raise ValueError("every row needs one cell per column")
    if narrow:
        label_width, width = 0, max(_NARROW, _LEAST_CELL * len(columns))
    wide = (width - label_width) / max(len(columns), 1)
    upright = narrow and any(7 * len(name) > wide for name in columns)
    top, row, above = 110 if upright else 26, 34, 22 if narrow else 0
    linked = any(cell.href for _, cells in rows for cell in cells)
    body = []
    for j, name in enumerate(columns):
        x = label_width + wide * (j + 0.5)
        most, at = (14, (x + 4, top - 6.0)) if upright else (max(int(wide / 7), 3), (x, 16.0))
        body.append(
            text(
                _clip(name, most),
                *at,
                class_="chart-soft",
                fill=SOFT,
                font_size=12,
                text_anchor=None if upright else "middle",
                transform=f"rotate(-90 {num(at[0])} {num(at[1])})" if upright else None,
            )
        )
    for i, (label, cells) in enumerate(rows):
        y = top + (row + above) * i
        body.append(text(_clip(label, 44 if narrow else 21), 0, y + (17 if narrow else 20),
                         class_="chart-text", fill=INK, font_size=13.5))  # fmt: skip
        y += above
        for j, cell in enumerate(cells):
            x = label_width + wide * j
            shade = 0 if cell.share is None else min(int(max(cell.share, 0) * 5), 4)
            box = {"x": x + 1, "y": y + 1, "width": wide - 2, "height": row - 2.0, "rx": 3.0}
            marks = [tag("title", escape(cell.name))]
            if cell.share is None:
                cross = f"M{num(x + 5)},{num(y + row - 6)} L{num(x + wide - 5)},{num(y + 6)}"
                marks.append(tag("rect", class_="chart-withheld", fill="none", stroke=EDGE, **box))
                marks.append(tag("path", class_="chart-withheld", d=cross, fill="none", stroke=EDGE))
            else:
                marks.append(tag("rect", class_=f"chart-h{shade}", fill=HEAT[shade], **box))
                marks.append(
                    text(
                        cell.shown.removesuffix(" %") if narrow else cell.shown,
                        x + wide / 2,
                        y + 21,
                        class_=f"chart-on-h{shade}",
                        fill=ON_HEAT[shade],
                        font_size=11.5 if narrow else 12.5,
                        font_weight="600",
                        text_anchor="middle",
                    )
                )
            link = {"href": cell.href, "class_": "chart-cell", "aria_label": cell.name}
            body.append(tag("a", *marks, **link) if cell.href else tag("g", *marks))
    height = top + (row + above) * len(rows)
    return frame(
        body,
        view=(0, 0, width, height),
        size=(width, height),
        title=title,
        description=description,
        class_="chart-svg chart-narrow" if narrow else "chart-svg",
        role="group" if linked else "img",
    )


def _mark(kind: int, x: float, y: float, color: str) -> str:
    """Return the mark of series `kind`: circle, square, diamond, triangle, then again."""
    r = 4.2
    name = f"chart-s{kind % len(SERIES)}"
    if kind % 4 == 0:
        return tag("circle", class_=name, cx=x, cy=y, r=r, fill=color)
    if kind % 4 == 1:
        return tag("rect", class_=name, x=x - r, y=y - r, width=2 * r, height=2 * r, fill=color)
    if kind % 4 == 2:
        path = f"M{num(x)},{num(y - 5.5)} l5.5,5.5 l-5.5,5.5 l-5.5,-5.5Z"
        return tag("path", class_=name, d=path, fill=color)
    return tag("path", class_=name, d=f"M{num(x)},{num(y - 5)} l5,9 h-10Z", fill=color)


def line_svg(
    positions: Sequence[str],
    lines: Sequence[Line],
    *,
    title: str,
    description: str,
    limits: tuple[float, float],
    width: int = 680,
    height: int = 240,
) -> str:
    """Return lines over named positions on the scale `limits`; missing values break the line.

    Raises ValueError when the limits do not rise or a line's values do not match the positions.
    """
    low, high = limits
    if high <= low:
        raise ValueError(f"the scale must rise, got {limits}")
    if any(len(line.values) != len(positions) for line in lines):
        raise ValueError("every line needs one value per position")
    left, right, top, bottom = 40, 130, 12, 28
    plot_w, plot_h = width - left - right, height - top - bottom

    def x(i: int) -> float:
        return left + plot_w * (i / (len(positions) - 1) if len(positions) > 1 else 0.5)

    def y(value: float) -> float:
        return top + plot_h * (1 - (min(max(value, low), high) - low) / (high - low))

    body = []
    for part in range(5):
        at = low + (high - low) * part / 4
        grid = f"M{left},{num(y(at))} H{num(left + plot_w)}"
        body.append(tag("path", class_="chart-grid", d=grid, fill="none", stroke=LINE))
        shown = f"{at:g}"
        body.append(text(shown, left - 8, y(at) + 4, class_="chart-soft", fill=SOFT, font_size=12, text_anchor="end"))
    body += [
        text(name, x(i), height - 8, class_="chart-soft", fill=SOFT, font_size=12, text_anchor="middle")
        for i, name in enumerate(positions)
    ]
    # Names at the line ends are pushed apart to stay readable.
    ends = sorted(
        (y(seen[-1]), k) for k, line in enumerate(lines) if (seen := [v for v in line.values if v is not None])
    )
    floor = 0.0
    name_y = {}
    for end, k in ends:
        floor = name_y[k] = max(end + 4.5, floor + 16)
    for k, line in enumerate(lines):
        color = SERIES[k % len(SERIES)]
        pen, path = "M", []
        for i, value in enumerate(line.values):
            if value is None:
                pen = "M"
                continue
            path.append(f"{pen}{num(x(i))},{num(y(value))}")
            pen = "L"
        stroke = tag(
            "path",
            class_=f"chart-line chart-l{k % len(SERIES)}",
            d=" ".join(path) or f"M{left},{top}",
            fill="none",
            stroke=color,
            stroke_width=2.2,
            stroke_linejoin="round",
        )
        marks = [_mark(k, x(i), y(v), color) for i, v in enumerate(line.values) if v is not None]
        named = (
            text(
                _clip(line.label, 17),
                left + plot_w + 12,
                name_y[k],
                class_="chart-text",
                fill=INK,
                font_size=12.5,
            )
            if k in name_y
            else ""
        )
        body.append(tag("g", tag("title", escape(line.label)), stroke, *marks, named))
    return frame(
        body,
        view=(0, 0, width, height),
        size=(width, height),
        title=title,
        description=description,
        class_="chart-svg",
    )
