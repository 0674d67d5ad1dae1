"""Small dials for long lists: each distinct state is drawn once on the page, a row only refers to it.

A state is written as eight letters, one per step: n not started, i in progress, s submitted, r returned,
c completed, t completed but stale, k skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

from app.infra.drawing.dial import DialSegment, Status, small_marks

LETTERS: Final[Mapping[str, Status]] = {
    "n": "not_started",
    "i": "in_progress",
    "s": "submitted",
    "r": "returned",
    "c": "completed",
    "t": "completed",
    "k": "skipped",
}


@lru_cache(maxsize=64)
def _segment(number: int, letter: str) -> str:
    return small_marks(DialSegment(number, LETTERS[letter], "", stale=letter == "t"))


def dial_definitions(states: Iterable[str]) -> Markup:
    """The drawing of every distinct state, hidden; put it once on the page, before the rows that refer to it."""
    symbols = "".join(
        f'<symbol id="d-{state}" viewBox="0 0 32 32">'
        + "".join(_segment(number, letter) for number, letter in enumerate(state, start=1))
        + "</symbol>"
        for state in sorted(set(states))
    )
    return Markup(f'<svg class="dial-definitions" aria-hidden="true">{symbols}</svg>')  # noqa: S704 - holds no text of anyone's


def row_dials(states: Iterable[str], words: Mapping[str, str]) -> dict[str, Markup]:
    """The picture of each distinct state for a row, by state; its name counts the steps: "5 completed, 3 not started".

    `words` has one word per status and "stale", in the reader's language. Raises KeyError for an unknown letter.
    """
    dials = {}
    for state in set(states):
        counts = Counter("stale" if letter == "t" else LETTERS[letter] for letter in state)
        said = ", ".join(f"{number} {words[status]}" for status, number in counts.items())
        dials[state] = Markup(  # noqa: S704 - the words are escaped, the state's letters were looked up above
            '<svg class="dial dial--small" width="28" height="28" role="img" aria-label="'
            f'{escape(said)}"><use href="#d-{state}"/></svg>'
        )
    return dials
