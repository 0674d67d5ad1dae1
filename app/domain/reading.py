"""Reads plain JSON-like values into domain objects and collects every problem with its place.

A person who loads a file wants all mistakes at once, so nothing here stops at the first one. Methods
return a harmless stand-in after noting a problem; `finish` raises if anything was noted.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later

T = TypeVar("T")
_LEFT_OUT = object()
_MOST_NUMBER = 2**53
# Nobody mends a file by a longer list, and one written to have more must not fill the memory.
MOST_PROBLEMS = 500
_LONGEST_PLACE = 200


class Reader:
    """One mapping at one place of the input; readers made by `inner` and `each` share its problems."""

    def __init__(self, raw: object, place: str = "", problems: list[FieldProblem] | None = None) -> None:
        self.place = place
        self.problems: list[FieldProblem] = [] if problems is None else problems
        if isinstance(raw, Mapping):
            self.raw: Mapping[str, Any] = raw
        else:
            self.raw = {}
            self.note("", "This must be an object with named fields.")

    def at(self, key: str) -> str:
        """The full place of a field, for example `items[3].text`."""
        return ".".join(part for part in (self.place, key) if part)

    def note(self, key: str, sentence: str) -> None:
        """Note a problem with a field of this mapping (an empty key means the mapping itself)."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(FieldProblem((self.at(key) or "definition")[:_LONGEST_PLACE], sentence))

    def finish(self, error: Callable[[list[FieldProblem]], Exception] = InvalidInput) -> None:
        """Raise `error` with all problems noted so far, if there are any."""
        if self.problems:
            raise error(self.problems)

    def only(self, known: Collection[str]) -> None:
        """Note every field whose name is not known: a misspelt name must not silently fall back."""
        for key in self.raw:
            if key not in known:
                self.note(
                    str(key),
                    later("No such field is known. Remove it or use one of: %(known)s.", known=", ".join(known)),
                )

    def attempt(self, key: str, make: Callable[[], T]) -> T | None:
        """What `make` gives; None where it raises `InvalidInput`, whose problems are noted below `key`."""
        try:
            return make()
        except InvalidInput as invalid:
            for problem in invalid.problems:
                self.note(".".join(part for part in (key, problem.field) if part), problem.sentence)
            return None

    def _value(self, key: str, default: object, wanted: str) -> object:
        if key in self.raw:
            return self.raw[key]
        if default is _LEFT_OUT:
            self.note(key, later("This field is missing. Give %(wanted)s.", wanted=wanted))
            return None
        return default

    def _typed(self, key: str, default: Any, wanted: str, fits: Callable[[Any], bool], stand_in: T) -> T:
        known = len(self.problems)
        value = self._value(key, default, wanted)
        if len(self.problems) > known:
            return stand_in
        if value is default or fits(value):
            return value  # type: ignore[return-value]  # `fits` has just checked the type
        self.note(key, later("%(value)s does not fit here. Give %(wanted)s.", value=short(value), wanted=wanted))
        return stand_in

    def text(self, key: str, default: Any = _LEFT_OUT) -> str:
        """A non-empty text, stripped of outer blanks, without signs that no database can keep."""
        return self._typed(
            key,
            default,
            later("a text"),
            lambda value: isinstance(value, str) and value.strip() != "" and _kept(value),
            "",
        ).strip()

    def whole(self, key: str, default: Any = _LEFT_OUT, *, low: int | None = None, high: int | None = None) -> int:
        """A whole number from `low` to `high`, both included."""
        wanted = _whole_number(low, high)
        return self._typed(key, default, wanted, lambda value: _is_whole(value) and _within(value, low, high), 0)

    def number(
        self, key: str, default: Any = _LEFT_OUT, *, low: float | None = None, high: float | None = None
    ) -> float:
        """A finite number from `low` to `high`, both included."""
        wanted = _any_number(low, high)
        return float(
            self._typed(key, default, wanted, lambda value: _is_number(value) and _within(value, low, high), 0.0)
        )

    def flag(self, key: str, default: Any = _LEFT_OUT) -> bool:
        """True or false; nothing else stands for either."""
        return self._typed(key, default, later("true or false"), lambda value: isinstance(value, bool), False)

    def choice(self, key: str, options: Sequence[str], default: Any = _LEFT_OUT) -> str:
        """One of the given words; the first one stands in after a problem."""
        wanted = later("one of: %(options)s", options=", ".join(options))
        return self._typed(key, default, wanted, lambda value: isinstance(value, str) and value in options, options[0])

    def list_of(self, key: str, default: Any = _LEFT_OUT) -> Sequence[Any]:
        """A list of anything; its members are the caller's to check."""
        return self._typed(key, default, later("a list"), lambda value: isinstance(value, list | tuple), ())

    def texts(self, key: str, default: Any = _LEFT_OUT) -> tuple[str, ...]:
        """A list of non-empty texts."""
        values = self.list_of(key, default)
        for index, value in enumerate(values):
            if not isinstance(value, str) or not value.strip() or not _kept(value):
                self.note(f"{key}[{index}]", later("%(value)s does not fit here. Give a text.", value=short(value)))
        return tuple(value.strip() for value in values if isinstance(value, str))

    def inner(self, key: str) -> "Reader":
        """A reader of the mapping found under `key`."""
        if key not in self.raw:
            self.note(key, "This field is missing. Give an object with named fields.")
            return Reader({}, self.at(key), self.problems)
        return Reader(self.raw[key], self.at(key), self.problems)

    def each(self, key: str, default: Any = _LEFT_OUT) -> list["Reader"]:
        """A reader for every mapping in the list found under `key`."""
        return [
            Reader(value, self.at(f"{key}[{index}]"), self.problems)
            for index, value in enumerate(self.list_of(key, default))
        ]


# Days outside are typing errors. One of the year 9999 cannot be shifted, and counting on from the year 1 takes long.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)


def check_day(field: str, day: date) -> list[FieldProblem]:
    """What is wrong with a day that others are counted from: nothing, or that its year cannot be meant."""
    return [] if FIRST_DAY <= day <= LAST_DAY else [FieldProblem(field, later("Give a day between 1900 and 2200."))]


def parse_day(value: object) -> date | None:
    """The date written as YYYY-MM-DD, or None when it is anything else."""
    if not isinstance(value, str) or len(value) != len("YYYY-MM-DD"):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def short(value: object, limit: int = 60) -> str:
    """A value quoted for a sentence, cut so that a hostile file cannot fill the page."""
    quoted = f'"{value}"' if isinstance(value, str) else repr(value)
    return quoted if len(quoted) <= limit else quoted[: limit - 1] + "…"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    # A whole number beyond the largest float cannot even be asked whether it is finite.
    return _is_whole(value) and abs(value) <= _MOST_NUMBER  # type: ignore[arg-type] # just checked


def _kept(value: str) -> bool:
    """Whether PostgreSQL can keep the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _whole_number(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return later("a whole number from %(low)s to %(high)s", low=low, high=high)
    if low is not None:
        return later("a whole number of at least %(low)s", low=low)
    return later("a whole number") if high is None else later("a whole number of at most %(high)s", high=high)


def _any_number(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return later("a number from %(low)s to %(high)s", low=low, high=high)
    if low is not None:
        return later("a number of at least %(low)s", low=low)
    return later("a number") if high is None else later("a number of at most %(high)s", high=high)
