"""Six bars of person and occupation over each other, as a drawing with its words and a table of the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.saying import Say
from app.domain.scoring import band
from app.features.instruments.words import band_in_words
from app.features.plans.rooms import Picture
from app.infra.drawing.match_bars import Twin, match_bars_svg

# Ratings of occupations go from 1 to 7.
_LOW, _HIGH = 1.0, 7.0


@dataclass(frozen=True, slots=True)
class Scores:
    """A person's scores between `low` and `high`, and the error of each where it is known."""

    scores: Sequence[float | None]
    errors: Sequence[float | None] | None
    low: float
    high: float


def match_bars(
    heading: str, labels: Sequence[str], person: Scores, occupation: Sequence[float], _: Say, *, columns: int = 1
) -> Picture:
    """The picture: own scores with 95 percent bands where errors are known, the occupation's ratings 1 to 7.

    The correlation compares the shapes only; the picture shows level and shape, because too little of a liked
    activity and too much of a disliked one do not count alike (SCIENCE 5).
    """
    low, high = person.low, person.high
    rows, cells = [], []
    for number, label in enumerate(labels):
        score = person.scores[number]
        error = person.errors[number] if person.errors else None
        edges = band(score, error) if score is not None and error is not None else None
        rated = occupation[number]
        mine = _("not known") if score is None else f"{score:.1f}"
        theirs = f"{rated:.1f}"
        rows.append(
            Twin(
                label,
                None if score is None else (score - low) / (high - low),
                (rated - _LOW) / (_HIGH - _LOW),
                mine,
                theirs,
                *((None, None) if edges is None else ((edge - low) / (high - low) for edge in edges)),
            )
        )
        shown = None if edges is None else (max(edges[0], low), min(edges[1], high))
        cells.append((label, mine, band_in_words(shown, _), theirs))
    said = _(
        "Narrow bars: own scores, from %(low)s to %(high)s. Wide bars: the occupation, from 1 to 7. Where both rise "
        "and fall together, the profiles are alike; the correlation compares the shapes and not how high they are.",
        low=f"{low:g}",
        high=f"{high:g}",
    )
    svg = match_bars_svg(
        rows, names=(_("own scores"), _("occupation")), title=heading, description=said, columns=columns
    )
    return Picture(
        heading, svg, said, (_("Area"), _("Own score"), _("Error band"), _("Occupation, 1 to 7")), tuple(cells)
    )
