"""Parts every drawing shares: escaping, numbers, unique ids, the frame with title and description.

Colours are literal presentation attributes and every shape has a class: a PDF shows the literals, a page's
stylesheet overrides them by class. (`style` attributes are refused by the content security policy, and
`var()` inside a presentation attribute turns black in the PDF.)
"""

from collections.abc import Iterable
from html import escape
from itertools import count
from math import cos, radians, sin

INK = "#1c2733"
SOFT = "#5b6672"
LINE = "#e3dfd6"
EDGE = "#857f74"
ACCENT = "#0b6b66"
BRASS = "#9a6200"
BAD = "#ad2a1a"
WAIT = "#2b5797"
WAIT_SOFT = "#e1eaf7"
CARD = "#ffffff"
FONT = "system-ui, 'Open Sans', 'DejaVu Sans', sans-serif"

_numbers = count(1)


def new_id(stem: str) -> str:
    """Return an id no other drawing of this process has, made of `stem` and a running number."""
    return f"{stem}-{next(_numbers)}"


def num(value: float) -> str:
    """Return a coordinate with at most two decimals and no trailing zeros (`12.50` is `12.5`)."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def tag(name: str, /, *children: str, **attributes: str | float | None) -> str:
    """Return one SVG element; `children` are finished markup, attribute values are escaped here.

    Attribute names take `_` for `-` and drop a trailing `_` (`class_`); a value of None leaves it out.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None:
            continue
        shown = value if isinstance(value, str) else num(value)
        parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(shown, quote=True)}"')
    opening = " ".join(parts)
    return f"<{opening}>{''.join(children)}</{name}>" if children else f"<{opening}/>"


def text(content: str, x: float, y: float, **attributes: str | float | None) -> str:
    """Return a text element at (x, y) in the drawing's units; `content` is escaped."""
    return tag("text", escape(content), x=x, y=y, **attributes)


def point(radius: float, degrees: float, centre: float) -> tuple[float, float]:
    """Return the point at `radius` and `degrees` clockwise from the top, about (centre, centre)."""
    angle = radians(degrees - 90)
    return centre + radius * cos(angle), centre + radius * sin(angle)


def frame(
    body: Iterable[str],
    *,
    view: tuple[float, float, float, float],
    size: tuple[float, float],
    title: str,
    description: str,
    class_: str,
    role: str = "img",
) -> str:
    """Return the whole drawing: an `<svg>` named by its own title and description.

    `view` is the viewBox, `size` the width and height in CSS pixels before a stylesheet has its say. The
    direction is always left to right: anchors would otherwise flip on right-to-left pages and labels run
    into the plot.
    """
    stem = new_id("drawing")
    return tag(
        "svg",
        tag("title", escape(title), id=f"{stem}-t"),
        tag("desc", escape(description), id=f"{stem}-d"),
        *body,
        xmlns="http://www.w3.org/2000/svg",
        class_=class_,
        width=size[0],
        height=size[1],
        viewBox=" ".join(num(v) for v in view),
        role=role,
        aria_labelledby=f"{stem}-t {stem}-d",
        direction="ltr",
        font_family=FONT,
    )
