"""One spelling to search by: case, width, accents and spacing do not matter."""

from __future__ import annotations

import unicodedata

# Canonical combining classes of marks that sit around a letter (accents, cedilla, horn). Classes below are
# vowels, viramas and voicing marks of other scripts, which are not accents: dropping them changes the word.
_ACCENTS_FROM = 200


def fold(text: str) -> str:
    """The text as it is searched by: NFKC, case folded, accents off, runs of white space as one space.

    Equal for spellings a reader takes for the same name ("Zoë  ÅBERG", "zoe aberg"). Folding twice changes
    nothing. Letters without a decomposition (ø, ł, đ) stay as they are.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(mark for mark in decomposed if unicodedata.combining(mark) < _ACCENTS_FROM)
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split())


def fold_words(text: str) -> list[str]:
    """The folded words of a search, in order; at most eight, so that a pasted page is no costly search."""
    return fold(text.replace("\x00", " ")).split()[:8]
