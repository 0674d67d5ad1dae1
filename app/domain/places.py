"""Texts with named places, such as `Hello {given_name}`: what an organization may write for its mails.

A place is a name in braces and nothing else: no conditions, no calls, no attributes, so that a text can do nothing but
show the values it is given. `{{` and `}}` are braces. A value is put in as it is and never read for places.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from app.domain.saying import later


class BadPlaces(ValueError):
    """A text whose places cannot be read or are not known; the text is a sentence that says what to write."""


_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@lru_cache(maxsize=512)
def parse_places(written: str) -> tuple[str, ...]:
    """The text cut at its places: every second part is the name of one, the others are as they are shown.

    Raises BadPlaces for a brace that opens or closes nothing.
    """
    parts, plain, end = [], "", 0
    for found in _TOKEN.finditer(written):
        plain += written[end : found.start()]
        end = found.end()
        token = found[0]
        if token in ("{{", "}}"):
            plain += token[0]
        elif found[1] is None:
            raise BadPlaces(later("A brace stands alone. Write a place as {name}, and a brace itself twice."))
        else:
            parts += [plain, found[1]]
            plain = ""
    return (*parts, plain + written[end:])


def places_in(written: str) -> tuple[str, ...]:
    """The names of the places in the order they stand; raises BadPlaces as `parse_places` does."""
    return parse_places(written)[1::2]


def check_places(written: str, known: Collection[str]) -> None:
    """Raise BadPlaces unless every place is one of `known`; the sentence lists those."""
    unknown = sorted({name for name in places_in(written) if name not in known})
    if unknown:
        raise BadPlaces(
            later(
                "There is no place %(unknown)s here. Known places are %(known)s.",
                unknown=", ".join(f"{{{name}}}" for name in unknown),
                known=", ".join(f"{{{name}}}" for name in sorted(known)),
            )
        )


def fill_places(written: str, values: Mapping[str, str]) -> str:
    """The text with the values in its places. Raises KeyError for a place without one: check it before."""
    parts = parse_places(written)
    return "".join(values[part] if index % 2 else part for index, part in enumerate(parts))
