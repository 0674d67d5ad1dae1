"""Where interests lie between things and people, and between data and ideas: a hexagon with one point in it."""

from collections.abc import Mapping
from math import cos, hypot, radians, sin
from typing import Final

from app.infra.drawing.svg import ACCENT, CARD, EDGE, INK, LINE, SOFT, frame, tag, text

# The directions of the pure types, things to the right and ideas upward (SCIENCE 3.4).
_ANGLES: Final = {"R": 0, "I": 60, "A": 120, "S": 180, "E": 240, "C": 300}
_WIDTH: Final = 460
_HEIGHT: Final = 330
_RADIUS: Final = 118


def interest_map_svg(
    things_people: float,
    data_ideas: float,
    *,
    most: float,
    areas: Mapping[str, str],
    poles: tuple[str, str, str, str],
    title: str,
    description: str,
    error: tuple[float, float] | None = None,
) -> str:
    """Return the map: the hexagon of the six areas, both axes, and the point with its 95 percent ellipse if known.

    `most` is the length at which the hexagon's corners lie, in the dimensions' units; a point farther out is drawn
    just inside it. `areas` names each letter, `poles` the ends things, people, data, ideas.
    """
    middle_x, middle_y = _WIDTH / 2, _HEIGHT / 2

    def at(angle: float, radius: float) -> tuple[float, float]:
        return middle_x + radius * cos(radians(angle)), middle_y - radius * sin(radians(angle))

    corners = {letter: at(angle, _RADIUS) for letter, angle in _ANGLES.items()}
    outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners.values())
    body = [
        tag("polygon", class_="map-hexagon", points=outline, fill="none", stroke=LINE, stroke_width=2),
        *(
            tag("path", class_="map-axis", d=path, fill="none", stroke=EDGE, stroke_width=1, stroke_dasharray="3 4")
            for path in (
                f"M{middle_x - _RADIUS - 14},{middle_y} H{middle_x + _RADIUS + 14}",
                f"M{middle_x},{middle_y - _RADIUS - 14} V{middle_y + _RADIUS + 14}",
            )
        ),
    ]
    for letter, (x, y) in corners.items():
        body.append(tag("circle", class_="map-corner", cx=x, cy=y, r=13, fill=CARD, stroke=LINE, stroke_width=2))
        body.append(
            text(
                letter, x, y + 4.5, class_="chart-text", fill=INK, font_size=13, font_weight="600", text_anchor="middle"
            )
        )
        right = cos(radians(_ANGLES[letter])) > 0
        level = letter in "RS"
        body.append(
            text(
                areas[letter],
                x + (19 if right else -19),
                y - 6 if level else y + (-8 if y < middle_y else 17),
                class_="chart-soft",
                fill=SOFT,
                font_size=12.5,
                text_anchor="start" if right else "end",
            )
        )
    things, people, data, ideas = poles
    ends = (
        (things, middle_x + _RADIUS + 19, middle_y + 13, "start"),
        (people, middle_x - _RADIUS - 19, middle_y + 13, "end"),
        (ideas, middle_x, middle_y - _RADIUS - 22, "middle"),
        (data, middle_x, middle_y + _RADIUS + 32, "middle"),
    )
    body += [
        text(word, x, y, class_="chart-text", fill=INK, font_size=13, font_weight="600", text_anchor=anchor)
        for word, x, y, anchor in ends
    ]
    scale = _RADIUS / most
    length = hypot(things_people, data_ideas) * scale
    shrink = min(1.0, 0.86 * _RADIUS / length) if length else 1.0
    x, y = middle_x + things_people * scale * shrink, middle_y + data_ideas * scale * shrink
    if error is not None:
        body.append(
            tag(
                "ellipse",
                class_="map-band",
                cx=x,
                cy=y,
                rx=error[0] * scale,
                ry=error[1] * scale,
                fill=ACCENT,
                fill_opacity=0.14,
                stroke=ACCENT,
                stroke_width=1.2,
            )
        )
    body.append(
        tag("path", class_="map-arm", d=f"M{middle_x},{middle_y} L{x:.1f},{y:.1f}", stroke=ACCENT, stroke_width=2)
    )
    body.append(tag("circle", class_="map-point", cx=x, cy=y, r=7, fill=ACCENT, stroke=CARD, stroke_width=2))
    return frame(
        body,
        view=(0, 0, _WIDTH, _HEIGHT),
        size=(_WIDTH, _HEIGHT),
        title=title,
        description=description,
        class_="chart-svg map-svg",
    )
