"""The drawings as template globals; register with `app.jinja_env.globals.update(drawing_globals())`."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from markupsafe import Markup

from app.infra.drawing.charts import bars_svg, heat_svg, line_svg
from app.infra.drawing.dial import STATUSES, DialSegment, DialWords, Size, dial_svg
from app.infra.drawing.svg import ACCENT, tag


def _safe(draw: Callable[..., str]) -> Callable[..., Markup]:
    """Return `draw` marked as safe markup: every drawing escapes its own words."""

    def drawn(*args: Any, **kwargs: Any) -> Markup:
        return Markup(draw(*args, **kwargs))  # noqa: S704 - the drawing functions escape every text they take

    return drawn


def draw_dial(
    steps: Sequence[Any],
    size: Size,
    revision: int | None,
    words: Mapping[str, str],
    labels: bool | None = None,
) -> Markup:
    """Return the dial of `steps`, objects with number, status, label and perhaps stale and href.

    `words` holds title, revision, stale, and one word per status, in the reader's language; `labels` as in dial_svg.
    """
    segments = [
        DialSegment(
            number=step.number,
            status=step.status,
            label=str(step.label),
            stale=bool(getattr(step, "stale", False)),
            href=getattr(step, "href", None),
        )
        for step in steps
    ]
    said = DialWords(
        title=str(words["title"]),
        revision=str(words["revision"]),
        stale=str(words["stale"]),
        statuses={status: str(words[status]) for status in STATUSES},
    )
    return Markup(dial_svg(segments, size=size, revision=revision, words=said, labels=labels))  # noqa: S704 - escaped by dial_svg


@cache
def draw_mark() -> Markup:
    """Return the product's mark: the dial, six of eight segments filled, silent for screen readers."""
    plain = dial_svg([DialSegment(n, "completed" if n < 7 else "not_started", "") for n in range(1, 9)], size="small")
    inner = plain[plain.index("</desc>") + len("</desc>") : -len("</svg>")]
    while "<title>" in inner:
        start, end = inner.index("<title>"), inner.index("</title>") + len("</title>")
        inner = inner[:start] + inner[end:]
    mark = tag("svg", inner, class_="dial", viewBox="0 0 32 32", width=26, height=26, fill=ACCENT, aria_hidden="true")
    return Markup(mark)  # noqa: S704 - no text of anyone's in it


def drawn(svg: str) -> Markup:
    """Return SVG text made by the functions of this package as a drawing of the page; they escape every text in it."""
    return Markup(svg)  # noqa: S704 - escaped by the functions that draw


def drawing_globals() -> dict[str, Callable[..., Markup]]:
    """Return the template globals: draw_dial, draw_mark, draw_bars, draw_heat, draw_lines, drawn."""
    return {
        "drawn": drawn,
        "draw_dial": draw_dial,
        "draw_mark": draw_mark,
        "draw_bars": _safe(bars_svg),
        "draw_heat": _safe(heat_svg),
        "draw_lines": _safe(line_svg),
    }
