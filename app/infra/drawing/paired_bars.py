"""Figures of two groups beside each other: for each line one bar or two, all on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from app.infra.drawing.svg import ACCENT, CARD, EDGE, INK, LINE, frame, num, tag, text

_BAR: Final = 9


@dataclass(frozen=True, slots=True)
class _Size:
    """How wide the drawing is, where its bars begin, and how much stands above them and behind them."""

    width: int
    label: int
    room: int
    above: int


_PAGE, _PHONE = _Size(640, 210, 78, 0), _Size(320, 0, 66, 18)
# Two of them stand beside each other on paper.
_PAPER = _Size(420, 170, 74, 0)
# The second group's colour in print; on a page it is that of the last series.
_SECOND: Final = "#9a958c"


@dataclass(frozen=True, slots=True)
class ShareBar:
    """One group's bar with the words written beside it; `share` is None where it is withheld or there is none.

    All are places on the scale from 0 to 1: the bar goes from `origin` to `share`, and where `low` and `high` are given
    a line shows the interval.
    """

    share: float | None
    shown: str
    origin: float = 0.0
    low: float | None = None
    high: float | None = None


def paired_bars_svg(
    rows: Sequence[tuple[str, Sequence[ShareBar]]],
    groups: Sequence[str],
    *,
    title: str,
    description: str,
    narrow: bool = False,
    paper: bool = False,
) -> str:
    """Return a line for each label with a bar for each of one or two groups, which a legend names where there are two.

    A bar without a share is a dashed line with its words. `narrow` is for a phone: names stand above the bars;
    `paper` for half of a printed page.
    Raises ValueError where a row's bars are not the groups.
    """
    if not 1 <= len(groups) <= 2 or any(len(bars) != len(groups) for _, bars in rows):
        raise ValueError("every row needs one bar for each of one or two groups")
    size, two = (_PHONE if narrow else _PAPER if paper else _PAGE), len(groups) == 2
    body, top = _legend(groups, size) if two else ([], 2)
    row = size.above + ((4 if paper else 8) + (_BAR + 3) * 2 if two else 26 - size.above // 3 - (6 if paper else 0))
    for i, (label, bars) in enumerate(rows):
        y = top + row * i
        at = y + (14 if narrow else row / 2 + 4.5)
        most = 44 if narrow else size.label // 7 - 1
        marks = [text(_clipped(label, most), 0, at, class_="chart-text", fill=INK, font_size=13.5)]
        above = y + size.above + (4 if two or narrow else 8) - (2 if paper else 0)
        for k, bar in enumerate(bars):
            marks += _bar(bar, k, above + (_BAR + 3) * k, f"{label}, {groups[k]}", size)
        body.append(tag("g", *marks))
    height = top + row * len(rows) + 2
    return frame(
        body,
        view=(0, 0, size.width, height),
        size=(size.width, height),
        title=title,
        description=description,
        class_="chart-svg chart-narrow bars-narrow" if narrow else "chart-svg",
    )


def _legend(groups: Sequence[str], size: _Size) -> tuple[list[str], int]:
    """The names of the groups beside each other, on a phone below each other; and how high they are."""
    body, x, y = [], float(size.label if size is _PAGE else 0), 3.0
    for k, name in enumerate(groups):
        short = _clipped(name, 40 if size is _PHONE else 29 if size is _PAGE else 24)
        body.append(tag("rect", class_=_class(k), x=x, y=y, width=12, height=12, rx=3, fill=_colour(k)))
        body.append(text(short, x + 18, y + 10.5, class_="chart-text", fill=INK, font_size=12.5))
        if size is not _PHONE:
            x += 40 + sum(13 if ord(letter) > 0x2E7F else 7.2 for letter in short)
        else:
            y += 19
    return body, int(y) + 3 if size is _PHONE else 26


def _bar(bar: ShareBar, k: int, y: float, name: str, size: _Size) -> list[str]:
    plot = size.width - size.label - size.room
    box = {"x": float(size.label), "y": y, "height": float(_BAR), "rx": 3.0}
    marks = [tag("title", escape(f"{name}: {bar.shown}"))]
    if bar.share is None:
        path = f"M{size.label},{num(y + _BAR / 2)} H{size.label + plot}"
        marks.append(
            tag(
                "path",
                class_="chart-withheld",
                d=path,
                fill="none",
                stroke=EDGE,
                stroke_width=1.2,
                stroke_dasharray="4 4",
            )
        )
    else:
        marks.append(tag("rect", class_="chart-track", width=float(plot), fill=LINE, **box))
        begin, end = sorted((_within(bar.origin), _within(bar.share)))
        if end > begin:
            box["x"] += plot * begin
            marks.append(tag("rect", class_=_class(k), width=max(plot * (end - begin), 1.5), fill=_colour(k), **box))
        if bar.low is not None and bar.high is not None:
            a, b = (size.label + plot * _within(place) for place in (bar.low, bar.high))
            ends = f"M{num(a)},{num(y + 1)} v{_BAR - 2} M{num(b)},{num(y + 1)} v{_BAR - 2}"
            path = f"M{num(a)},{num(y + _BAR / 2)} H{num(b)} {ends}"
            marks.append(tag("path", class_="chart-halo", d=path, fill="none", stroke=CARD, stroke_width=3.5))
            marks.append(tag("path", class_="chart-band", d=path, fill="none", stroke=INK, stroke_width=1.2))
    marks.append(
        text(
            bar.shown,
            size.width,
            y + _BAR,
            class_="chart-text chart-value",
            fill=INK,
            font_size=11.5,
            font_weight="600" if k == 0 else "400",
            text_anchor="end",
        )
    )
    return marks


def _within(place: float) -> float:
    return min(max(place, 0.0), 1.0)


def _class(k: int) -> str:
    return "chart-s0" if k == 0 else "chart-s5"


def _colour(k: int) -> str:
    return ACCENT if k == 0 else _SECOND


def _clipped(label: str, longest: int) -> str:
    """A label of at most so many narrow letters; a wide one (Chinese) takes two places."""
    places = 0
    for number, letter in enumerate(label):
        places += 2 if ord(letter) > 0x2E7F else 1
        if places > longest:
            return label[: max(number - 1, 1)].rstrip() + "…"
    return label
