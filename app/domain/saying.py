"""Sentences made below the edge: the code writes English, the caller says them in the reader's language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

_SAY, _WITH = "say", "with"
# What a sentence calls people until an organization's own words are put in (`Told.said`).
_PEOPLE: Mapping[str, str] = {word: word for word in ("client", "clients", "counsellor", "counsellors")}
_NAMES_PEOPLE = re.compile(r"%\((?:client|counsellor)s?\)s")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a year, by any of its days; as text YYYY-MM until it is said in a language."""

    day: date

    def __str__(self) -> str:
        return self.day.isoformat()[:7]


class Say(Protocol):
    """Turns an English sentence with `%(name)s` places into the reader's language; gettext fits.

    A value may be a date or a `Month`: who knows how the reader writes days (`app.infra.speech`) writes it so.
    """

    def __call__(self, text: str, /, **values: Any) -> str:
        """The sentence with its places filled in."""


def plain(text: str, /, **values: Any) -> str:
    """The sentence as it was written, in English."""
    return text % values if values else text


class Told(str):
    """An English sentence that still knows its text and its values, so that the edge can say it in another language.

    It is the filled-in sentence to whoever knows nothing of this. A value that is `Told` itself is said as well.
    `%(client)s`, `%(clients)s`, `%(counsellor)s` and `%(counsellors)s` need no value: they are an organization's own
    words, which `said` is given, and those very words until then.
    """

    __slots__ = ("text", "values")
    text: str
    values: Mapping[str, Any]

    def __new__(cls, text: str, values: Mapping[str, Any]) -> Told:
        """Fill the values in; without any a percent sign stands for itself."""
        told = super().__new__(cls, text % {**_PEOPLE, **values} if values or _NAMES_PEOPLE.search(text) else text)
        told.text, told.values = text, values
        return told

    def __reduce__(self) -> tuple[type[Told], tuple[str, Mapping[str, Any]]]:
        """What makes it again where it is copied or sent to another process."""
        return Told, (self.text, self.values)

    def __str__(self) -> Told:
        # What passes through an exception or a form keeps its values.
        return self

    def format(self, *_: object, **__: object) -> Told:
        """Itself: marshmallow would fill in braces, and sentences of ours have none."""
        return self

    def said(self, say: Say, people: Mapping[str, str] = _PEOPLE) -> str:
        """The sentence in the language of `say`, with the words for `people` of `app.domain.wording.people_words`."""
        values = {n: value.said(say, people) if isinstance(value, Told) else value for n, value in self.values.items()}
        return say(self.text, **(people if _NAMES_PEOPLE.search(self.text) else {}), **values)


def later(text: str, /, **values: Any) -> str:
    """The sentence with its values, collected for the catalogue: English here, said in a language when it is shown.

    Values are texts and numbers, or sentences made by `later` (words of ours inside a sentence).
    """
    return Told(text, {n: v if isinstance(v, str | int | float) else str(v) for n, v in values.items()})


def say_sentence(sentence: str, say: Say, people: Mapping[str, str] = _PEOPLE) -> str:
    """A sentence, made by `later` or not, in the language of `say`; `people` as for `Told.said`."""
    if isinstance(sentence, Told):
        return sentence.said(say, people)
    return say(sentence) if sentence else ""


def several(sentences: Iterable[str]) -> str:
    """Sentences one after the other, each said by itself."""
    named = {f"s{number}": sentence for number, sentence in enumerate(sentences)}
    return Told(" ".join(f"%({name})s" for name in named), named)


def as_data(sentence: str) -> dict[str, Any] | None:
    """What has to be stored beside a sentence so that it can still be said; None where its text is enough."""
    if not isinstance(sentence, Told) or sentence.text == "".join(sentence):
        return None
    return _data(sentence)


def _data(told: Told) -> dict[str, Any]:
    return {_SAY: told.text, _WITH: {n: _data(v) if isinstance(v, Told) else v for n, v in told.values.items()}}


def from_data(data: Any) -> str | None:
    """The sentence of stored data; None where the data is none of a sentence."""
    if not isinstance(data, Mapping) or not isinstance(data.get(_SAY), str):
        return None
    found = data.get(_WITH)
    values = found if isinstance(found, Mapping) else {}
    try:
        return Told(data[_SAY], {n: from_data(v) or v for n, v in values.items()})
    except (KeyError, TypeError, ValueError):
        return None


def stored(sentence: str | None) -> str | None:
    """The sentence for a column of texts: as it is, or as JSON where it has values; None for no sentence."""
    data = None if sentence is None else as_data(sentence)
    if data is None:
        return None if sentence is None else "".join(sentence)
    return json.dumps(data, ensure_ascii=False)


def recalled(text: str | None) -> str | None:
    """The sentence that `stored` made this text of; None for no text."""
    if text is None or not text.startswith('{"say": '):
        return text
    try:
        return from_data(json.loads(text)) or text
    except ValueError:
        return text
