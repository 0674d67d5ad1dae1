"""The dial: a circle of eight segments, one per step of a plan, filled by status and by shape.

Pure text in, SVG text out. Three sizes: `small` for a list row (shapes simplify), `card`, and `plan`, where
each segment is a link with its name beside it. The geometry: step 1 starts at the top, steps go clockwise, 45
degrees each, and the gaps between them are as wide at the hub as at the rim.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import asin, cos, degrees, radians, sin
from typing import Final, Literal

from app.infra.drawing.svg import (
    ACCENT,
    BAD,
    BRASS,
    EDGE,
    INK,
    SOFT,
    WAIT,
    WAIT_SOFT,
    frame,
    num,
    point,
    tag,
    text,
)

Status = Literal["not_started", "in_progress", "submitted", "returned", "completed", "skipped"]
Size = Literal["small", "card", "plan"]

STATUSES: Final[tuple[Status, ...]] = (
    "not_started",
    "in_progress",
    "submitted",
    "returned",
    "completed",
    "skipped",
)


@dataclass(frozen=True, slots=True)
class DialSegment:
    """One step as the dial shows it: `number` 1 to 8 and `label` already in the reader's language."""

    number: int
    status: Status
    label: str
    stale: bool = False
    href: str | None = None


@dataclass(frozen=True, slots=True)
class DialWords:
    """The words inside a dial, in the reader's language."""

    title: str = "Plan progress"
    revision: str = "revision"
    stale: str = "rests on something that changed"
    statuses: Mapping[str, str] = field(
        default_factory=lambda: {
            "not_started": "not started",
            "in_progress": "in progress",
            "submitted": "submitted",
            "returned": "returned",
            "completed": "completed",
            "skipped": "skipped",
        }
    )


@dataclass(frozen=True, slots=True)
class _Ring:
    """Where one segment lies: hub and rim radius, middle angle, width of a gap, the circle's centre."""

    hub: float
    rim: float
    mid: float
    gap: float
    centre: float

    def half(self, radius: float) -> float:
        """Half the segment's angle at `radius`, in degrees, so that gaps have parallel sides."""
        return 22.5 - degrees(asin(self.gap / 2 / radius))

    def at(self, radius: float, angle: float) -> str:
        x, y = point(radius, angle, self.centre)
        return f"{num(x)},{num(y)}"

    def band(self, inner: float, outer: float, notch: float = 0) -> str:
        """Path data of the segment between two radii, with a round bite of radius `notch` in the rim."""
        a_in, a_out = self.half(inner), self.half(outer)
        start, end = self.mid - a_out, self.mid + a_out
        rim = f"A{num(outer)},{num(outer)} 0 0 1 "
        bite = ""
        if notch:
            wide = degrees(asin(notch / outer))
            bite = (
                f"{rim}{self.at(outer, self.mid - wide)} "
                f"A{num(notch)},{num(notch)} 0 0 0 {self.at(outer, self.mid + wide)} "
            )
        return (
            f"M{self.at(outer, start)} {bite}{rim}{self.at(outer, end)} "
            f"L{self.at(inner, self.mid + a_in)} "
            f"A{num(inner)},{num(inner)} 0 0 0 {self.at(inner, self.mid - a_in)}Z"
        )


def _arrow(ring: _Ring, reach: float) -> str:
    """Path data of an arrowhead in the segment's middle that points back, against the clock."""
    x, y = point((ring.hub + ring.rim) / 2, ring.mid, ring.centre)
    out = radians(ring.mid - 90)
    along, across = (sin(out), -cos(out)), (cos(out), sin(out))
    corners = ((reach, 0.0), (-reach * 0.8, reach), (-reach * 0.8, -reach))
    points = [
        f"{num(x + ahead * along[0] + aside * across[0])},{num(y + ahead * along[1] + aside * across[1])}"
        for ahead, aside in corners
    ]
    return f"M{' L'.join(points)}Z"


def _shape(  # noqa: PLR0911 - one return per status reads as the table it is
    ring: _Ring, segment: DialSegment, *, simple: bool
) -> list[str]:
    """Return the marks of one segment; each status, and staleness, is told by shape alone."""
    thick = ring.rim - ring.hub
    middle = ring.hub + thick / 2
    hair = 0.9 if simple else 1.3
    notch = thick * 0.22 if segment.stale and not simple else 0
    whole = ring.band(ring.hub, ring.rim, notch)
    outline = tag("path", class_="dial-outline", d=whole, fill="none", stroke=EDGE, stroke_width=hair)

    if segment.status == "completed":
        if not segment.stale:
            return [tag("path", class_="dial-done", d=whole, fill=ACCENT)]
        # Too small for a notch: what it rests on is missing, so the inner half is.
        shape = ring.band(middle, ring.rim) if simple else whole
        return [tag("path", class_="dial-stale", d=shape, fill=BRASS)]
    if segment.status == "in_progress":
        half = ring.band(ring.hub, middle)
        return [outline, tag("path", class_="dial-half", d=half, fill=ACCENT)]
    if segment.status == "submitted":
        if simple:
            x, y = point(middle, ring.mid, ring.centre)
            dot = tag("circle", class_="dial-dot", cx=x, cy=y, r=thick * 0.3, fill=WAIT)
            return [outline, dot]
        return [
            tag(
                "path",
                class_="dial-sent",
                d=whole,
                fill=WAIT_SOFT,
                stroke=WAIT,
                stroke_width=2,
                stroke_dasharray="0.1 4.2",
                stroke_linecap="round",
            )
        ]
    if segment.status == "returned":
        back = tag("path", class_="dial-back", d=_arrow(ring, thick * (0.46 if simple else 0.3)), fill=BAD)
        edge = tag("path", class_="dial-back-edge", d=whole, fill="none", stroke=BAD, stroke_width=hair * 1.5)
        return [back] if simple else [edge, back]
    if segment.status == "skipped":
        start, end = ring.at(ring.hub, ring.mid - 12), ring.at(ring.rim, ring.mid + 16)
        line = tag(
            "path",
            class_="dial-skip",
            d=f"M{start} L{end}",
            fill="none",
            stroke=SOFT,
            stroke_width=hair * 1.6,
        )
        return [line] if simple else [outline, line]
    return [outline]


def _name(segment: DialSegment, words: DialWords) -> str:
    said = f"{segment.number} {segment.label}: {words.statuses[segment.status]}"
    return f"{said}, {words.stale}" if segment.stale else said


def _lines(label: str, most: int = 16) -> list[str]:
    """Break a long label once, at the space that leaves the two lines most alike."""
    spaces = [i for i, letter in enumerate(label) if letter == " "]
    if len(label) <= most or not spaces:
        return [label]
    cut = min(spaces, key=lambda i: abs(2 * i - len(label)))
    return [label[:cut], label[cut + 1 :]]


def _label(segment: DialSegment, ring: _Ring) -> str:
    x, y = point(ring.rim + 13, ring.mid, ring.centre)
    right = ring.mid < 180
    lines = _lines(segment.label)
    first = y + 4.5 - 8.5 * (len(lines) - 1)
    number = tag("tspan", f"{segment.number} ", class_="dial-number", fill=SOFT, font_weight="650")
    return tag(
        "text",
        number + tag("tspan", escape(lines[0])),
        *(tag("tspan", escape(line), x=x, dy=17) for line in lines[1:]),
        x=x,
        y=first,
        class_="dial-label",
        fill=INK,
        font_size=13.5,
        text_anchor="start" if right else "end",
    )


def _centre(revision: int, words: DialWords, diameter: float, centre: float) -> list[str]:
    shown = [
        text(
            str(revision),
            centre,
            centre + diameter * (0.055 if diameter < 150 else 0.03),
            class_="dial-revision",
            text_anchor="middle",
            font_size=diameter * (0.2 if diameter < 150 else 0.165),
            font_weight="650",
            fill=INK,
        )
    ]
    # In a card the word would be too small to read; the title says it.
    if diameter >= 150:
        shown.append(
            text(
                words.revision,
                centre,
                centre + diameter * 0.115,
                class_="dial-caption",
                text_anchor="middle",
                font_size=diameter * 0.05,
                fill=SOFT,
            )
        )
    return shown


_DIAMETER: Final[Mapping[Size, float]] = {"small": 32, "card": 96, "plan": 300}
_SHOWN: Final[Mapping[Size, float]] = {"small": 28, "card": 96, "plan": 300}


def small_marks(segment: DialSegment) -> str:
    """Return the marks of one segment at `small`, without its name, as SVG text in a box of 32 by 32."""
    return "".join(_shape(_ring_of(segment.number, "small", _DIAMETER["small"] / 2), segment, simple=True))


def _ring_of(number: int, size: Size, centre: float) -> _Ring:
    diameter = _DIAMETER[size]
    return _Ring(
        hub=diameter / 2 * (0.36 if size == "small" else 0.52),
        rim=diameter / 2 - 1.5,
        mid=number * 45 - 22.5,
        gap=max(1.9, diameter * 0.022),
        centre=centre,
    )


def dial_svg(
    steps: Sequence[DialSegment],
    *,
    size: Size = "small",
    revision: int | None = None,
    words: DialWords | None = None,
    labels: bool | None = None,
) -> str:
    """Return the dial as SVG text.

    `steps` are one to eight segments in any order, each number once. `revision` is written in the middle at
    `card` and `plan`. `words` are the reader's words (English without). `labels` writes the steps' names
    beside the segments; by default only at `plan`. At `plan`, where named, a step with an `href` becomes a
    link, and the drawing is then a group of links rather than one image. Raises ValueError for a number
    outside 1 to 8 or one given twice.
    """
    numbers = [step.number for step in steps]
    if len(set(numbers)) != len(numbers) or any(not 1 <= n <= 8 for n in numbers):
        raise ValueError(f"a dial shows steps 1 to 8, each once; got {numbers}")
    said = words or DialWords()
    named = size == "plan" if labels is None else labels
    diameter = _DIAMETER[size]
    simple = size == "small"
    side = 132 if named else 0
    centre = diameter / 2 + side
    body: list[str] = []
    linked = False
    for step in sorted(steps, key=lambda s: s.number):
        ring = _ring_of(step.number, size, centre)
        marks = [tag("title", escape(_name(step, said))), *_shape(ring, step, simple=simple)]
        if named:
            marks.append(_label(step, ring))
        if step.href is not None and named and size == "plan":
            linked = True
            # A transparent body makes the whole segment, not only its outline, answer to the pointer.
            whole = ring.band(ring.hub, ring.rim)
            hit = tag("path", class_="dial-hit", d=whole, fill=INK, fill_opacity="0")
            body.append(tag("a", *marks, hit, href=step.href, class_="dial-step", aria_label=_name(step, said)))
        else:
            body.append(tag("g", *marks, class_="dial-step"))
    if revision is not None and not simple:
        body += _centre(revision, said, diameter, centre)
    top, width, height = (side - 14, diameter + 2 * side, diameter + 28) if named else (0, diameter, diameter)
    title = said.title if revision is None else f"{said.title}, {said.revision} {revision}"
    scale = _SHOWN[size] / diameter
    return frame(
        body,
        view=(0, top, width, height),
        size=(width * scale, height * scale),
        title=title,
        description="; ".join(_name(step, said) for step in sorted(steps, key=lambda s: s.number)),
        class_=f"dial dial--{size}" + (" dial--named" if named else ""),
        role="group" if linked else "img",
    )
