"""The dial in a mail: eight cells around the revision, clockwise with step 1 at the top, as the drawing has them.

Mail programs leave out SVG (Gmail, Outlook), and most show no picture before the reader asks for it. A table of
characters needs neither: it keeps the dial's order, tells each status by a sign of its own besides the colour, and is
read out as one picture with its words. The text of the mail has the same as lines.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from app.domain.steps import StepKey
from app.features.plans.words import status_words, step_names
from app.infra.speech import speaker

# Where the steps stand: three rows of three, with the revision (0) in the middle.
_PLACES = ((8, 1, 2), (7, 0, 3), (6, 5, 4))
# Letter of `plan_steps` as the caseload writes them, to status, sign in HTML, sign in text, ground and ink; "a" stands
# for the accent. Signs are written so that a mail in English stays plain ASCII, which needs no encoding.
_LOOKS = {
    "n": ("not_started", Markup("&#9675;"), "[ ]", "#ffffff", "#5b6672"),
    "i": ("in_progress", Markup("&#9680;"), "[~]", "#ffffff", "a"),
    "s": ("submitted", Markup("&#9676;"), "[>]", "#e1eaf7", "#2b5797"),
    "r": ("returned", Markup("&#8634;"), "[<]", "#fbe4df", "#ad2a1a"),
    "c": ("completed", Markup("&#9679;"), "[x]", "a", "#ffffff"),
    "t": ("stale", Markup("&#9685;"), "[!]", "#9a6200", "#ffffff"),
    "k": ("skipped", Markup("&#8856;"), "[-]", "#ffffff", "#5b6672"),
}
_CELL = Markup(
    '<td width="44" height="44" align="center" bgcolor="{ground}"\nstyle="background:{ground};color:{ink};'
    'border:1px solid #857f74;border-radius:8px;\nfont-size:13px;line-height:18px">{said}</td>\n'
)


def is_dial(letters: object) -> bool:
    """Whether these are the letters of eight steps; a message of an older Octant has none."""
    return isinstance(letters, str) and len(letters) == len(StepKey) and set(letters) <= set(_LOOKS)


def _said(letters: str, locale: str) -> list[str]:
    say = speaker(locale)
    statuses = status_words(say) | {"stale": say("to look at again")}
    names = step_names(say)
    return [f"{key.number} {names[key]}: {statuses[_LOOKS[letters[key.number - 1]][0]]}" for key in StepKey]


@lru_cache(maxsize=4096)
def dial_table(letters: str, revision: int, locale: str, accent: str) -> Markup:
    """The dial as a table that every mail program draws. `letters` is one a step."""
    rows = Markup("").join(
        Markup("<tr>{}</tr>\n").format(Markup("").join(_cell(place, letters, revision, accent) for place in row))
        for row in _PLACES
    )
    title = ";\n".join([speaker(locale)("Plan progress"), *_said(letters, locale)])
    table = Markup('<table role="img" aria-label="{}"\ncellspacing="3" cellpadding="0" border="0">\n{}</table>')
    return table.format(title, rows)


def _cell(place: int, letters: str, revision: int, accent: str) -> Markup:
    if not place:
        return _CELL.format(ground="#ffffff", ink="#1c2733", said=Markup("<b>{}</b>").format(revision))
    _, sign, _, ground, ink = _LOOKS[letters[place - 1]]
    said = Markup("{}<br>{}").format(place, sign)
    return _CELL.format(ground=accent if ground == "a" else ground, ink=accent if ink == "a" else ink, said=said)


@lru_cache(maxsize=4096)
def dial_lines(letters: str, locale: str) -> str:
    """The same as lines of text: sign, number, name and status of each step."""
    signs = (_LOOKS[letter][2] for letter in letters)
    return "\n".join(f"{sign} {said}" for sign, said in zip(signs, _said(letters, locale), strict=True))
