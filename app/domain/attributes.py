"""Typed attributes an organization keeps about its clients: what a definition may be, and what a value may be.

A value is stored as JSON: text and choice as a string, number as a number, date as "YYYY-MM-DD", boolean as
true or false. An empty value is not stored at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast, get_args

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.folding import fold
from app.domain.saying import later

AttributeKind = Literal["text", "number", "date", "choice", "boolean"]
KINDS: tuple[AttributeKind, ...] = get_args(AttributeKind)
AttributeValue = str | int | float | bool

LONGEST_TEXT = 500
MOST_CHOICES = 200
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NUMBER = re.compile(r"[+-]?(\d{1,15}(\.\d{1,10})?|\.\d{1,10})")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_YES = frozenset({"yes", "y", "true", "1", "on", "x"})
_NO = frozenset({"no", "n", "false", "0", "off"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: `key` names it in data, `label` on pages; `choices` only for the kind "choice"."""

    key: str
    label: str
    kind: AttributeKind
    choices: tuple[str, ...] = ()


class BadValue(ValueError):
    """A value that the attribute cannot take; the text is a sentence that says what to write instead."""


def define(*, key: str, label: str, kind: str, choices: Iterable[str] = ()) -> Attribute:
    """Check a definition and return it with its label and choices trimmed, each choice once.

    Raises InvalidInput naming `key`, `label`, `kind` or `choices`.
    """
    problems = []
    label = " ".join(label.split())
    kept = tuple(dict.fromkeys(choice for raw in choices if (choice := " ".join(raw.split()))))
    if not _KEY.fullmatch(key):
        problems.append(
            FieldProblem("key", "Use small letters, digits and underscores, beginning with a letter: year_of_study.")
        )
    if not label or len(label) > 80:
        problems.append(FieldProblem("label", "Give the attribute a name of at most 80 characters."))
    if kind not in KINDS:
        problems.append(FieldProblem("kind", later("Choose one of: %(kinds)s.", kinds=", ".join(KINDS))))
    elif kind == "choice" and not 1 <= len(kept) <= MOST_CHOICES:
        problems.append(
            FieldProblem("choices", later("List the choices, one a line, at most %(most)s.", most=MOST_CHOICES))
        )
    elif kind == "choice" and len({fold(choice) for choice in kept}) < len(kept):
        problems.append(FieldProblem("choices", "Two choices differ only in case or accents. Keep one of them."))
    elif kind != "choice":
        kept = ()
    if problems:
        raise InvalidInput(problems)
    return Attribute(key, label, cast(AttributeKind, kind), kept)


def key_for(label: str) -> str:
    """A key made from a label ("Year of study" gives "year_of_study"); "attribute" where nothing is left of it."""
    words = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")[:40].rstrip("_")
    return words if _KEY.fullmatch(words) else f"attribute_{words}"[:40].rstrip("_")


def read_value(attribute: Attribute, raw: object) -> AttributeValue | None:
    """The stored form of what somebody typed or a file held; None for an empty value.

    Takes text, and numbers, booleans and dates as a workbook gives them. Raises BadValue with a sentence.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    return _READERS[attribute.kind](attribute, raw)


def read_values(
    attributes: Iterable[Attribute], raw: Mapping[str, object]
) -> tuple[dict[str, AttributeValue], list[FieldProblem]]:
    """All values of one client, by key, and every problem found; keys of `raw` without an attribute are problems too.

    Attributes that `raw` does not name are left out, as are empty ones.
    """
    values: dict[str, AttributeValue] = {}
    problems = []
    known = {attribute.key: attribute for attribute in attributes}
    for key, given in raw.items():
        attribute = known.get(key)
        if attribute is None:
            problems.append(FieldProblem(key, "There is no such attribute in this organization."))
            continue
        try:
            value = read_value(attribute, given)
        except BadValue as bad:
            problems.append(FieldProblem(key, str(bad)))
        else:
            if value is not None:
                values[key] = value
    return values, problems


def _text(_: Attribute, raw: object) -> str:
    # A workbook turns "2024" into the number 2024.0.
    text = f"{raw:.15g}" if isinstance(raw, float) else str(raw)
    if _CONTROL.search(text):
        raise BadValue("This contains characters that cannot be printed. Type it again.")
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise BadValue(later("This is longer than %(most)s characters. Shorten it.", most=LONGEST_TEXT))
    return text


def _number(_: Attribute, raw: object) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        text = str(raw).strip()
        if not _NUMBER.fullmatch(text):
            raise BadValue(
                later("“%(value)s” is not a number. Write digits with a point: 3 or 2.5.", value=_short(text))
            )
        raw = float(text)
    if not math.isfinite(raw) or abs(raw) >= 1e15:
        raise BadValue("This number is too large. Use fewer than 16 digits.")
    return int(raw) if raw == int(raw) else raw


def _date(_: Attribute, raw: object) -> str:
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    if isinstance(raw, date):
        return raw.isoformat()
    text = str(raw).strip()
    found = _DAY.fullmatch(text)
    if not found:
        raise BadValue(later("“%(value)s” is not a date. Write year, month and day: 2027-09-01.", value=_short(text)))
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        raise BadValue(
            later("There is no day %(value)s in the calendar. Check month and day.", value=_short(text))
        ) from None


def _choice(attribute: Attribute, raw: object) -> str:
    text = _text(attribute, raw)
    if text in attribute.choices:
        return text
    wanted = fold(text)
    for choice in attribute.choices:
        if fold(choice) == wanted:
            return choice
    shown = ", ".join(attribute.choices[:5]) + (", …" if len(attribute.choices) > 5 else "")
    raise BadValue(
        later(
            "“%(value)s” is not one of the choices of %(name)s: %(choices)s.",
            value=_short(text),
            name=attribute.label,
            choices=shown,
        )
    )


def _boolean(_: Attribute, raw: object) -> bool:
    word = fold(str(int(raw)) if isinstance(raw, float) and raw in (0.0, 1.0) else str(raw))
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise BadValue(later("“%(value)s” is neither yes nor no. Write yes or no.", value=_short(str(raw))))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


_READERS = {"text": _text, "number": _number, "date": _date, "choice": _choice, "boolean": _boolean}
