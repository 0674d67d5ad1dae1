"""Fields of the API's schemas: strict types, bounded sizes, and no text that PostgreSQL cannot keep.

A JSON number is not a string and a string is not a number; nothing is guessed. Query parameters are
always text, hence the `Query…` fields.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate

from app.domain.saying import later

_WHOLE = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_MOST_INTEGER = 2**31 - 1


def refuse_unstorable(value: str) -> None:
    """Raise ValidationError for text with a NUL or half a surrogate pair: no database text can hold them."""
    if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValidationError("This contains characters that cannot be kept. Type it again.")


class Sentence(fields.String):
    """Text of at most `longest` characters; surrounding space is taken off. Empty only with `shortest=0`."""

    def __init__(self, *, longest: int = 200, shortest: int = 1, **options: Any) -> None:
        limits = validate.Length(
            min=shortest,
            max=longest,
            error=later("Write between %(least)s and %(most)s characters.", least=shortest, most=longest)
            if shortest
            else later("Write at most %(most)s characters.", most=longest),
        )
        super().__init__(validate=limits, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        refuse_unstorable(text)
        return text.strip()


class Whole(fields.Integer):
    """A whole JSON number between two bounds; text, fractions and booleans are refused."""

    def __init__(self, *, least: int = 0, most: int = _MOST_INTEGER, **options: Any) -> None:
        bounds = validate.Range(
            min=least, max=most, error=later("Give a whole number from %(least)s to %(most)s.", least=least, most=most)
        )
        super().__init__(strict=True, validate=bounds, **options)


class QueryWhole(Whole):
    """The same in a query parameter, written in ASCII digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not _WHOLE.fullmatch(value):
            raise ValidationError(later("Give a whole number."))
        return super()._deserialize(int(value), attr, data, **kwargs)


class Truth(fields.Boolean):
    """JSON true or false and nothing like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        _ = attr, data, kwargs
        if not isinstance(value, bool):
            raise ValidationError(later("Give true or false."))
        return value


class QueryTruth(fields.Boolean):
    """`true` or `false` in a query parameter."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        _ = attr, data, kwargs
        if value not in ("true", "false"):
            raise ValidationError(later("Give true or false."))
        return value == "true"


class Free(fields.Dict):
    """A JSON object whose shape a use case checks; bounded in depth and size, and storable."""

    def __init__(self, *, deepest: int = 12, largest: int = 20_000, **options: Any) -> None:
        super().__init__(keys=fields.String(), **options)
        self.deepest, self.largest = deepest, largest

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        _check_tree(value, self.deepest, [self.largest])
        return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call] # the library's gap


def _check_tree(value: Any, depth: int, left: list[int]) -> None:
    left[0] -= 1
    if left[0] < 0:
        raise ValidationError(later("This holds too many values. Send less."))
    if isinstance(value, dict | list):
        if depth == 0:
            raise ValidationError(later("This is nested too deeply."))
        children = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        for child in children:
            _check_tree(child, depth - 1, left)
    elif isinstance(value, str):
        refuse_unstorable(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValidationError(later("NaN and infinity are no JSON numbers."))
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        raise ValidationError(later("This number is too large."))


class Day(fields.Date):
    """A day as `YYYY-MM-DD`, between 1900 and 2200."""

    def __init__(self, **options: Any) -> None:
        bounds = validate.Range(
            min=date(1900, 1, 1), max=date(2200, 12, 31), error=later("Give a day between 1900-01-01 and 2200-12-31.")
        )
        super().__init__(format="%Y-%m-%d", validate=bounds, **options)


class Choice(fields.String):
    """One of a few words."""

    def __init__(self, words: Iterable[str], **options: Any) -> None:
        listed = [str(word) for word in words]
        super().__init__(
            validate=validate.OneOf(listed, error=later("Choose one of: %(kinds)s.", kinds=", ".join(listed))),
            **options,
        )


class Ids(fields.List[UUID]):
    """Ids, at most `most` and at least `least`."""

    def __init__(self, *, least: int = 1, most: int = 5000, **options: Any) -> None:
        bounds = validate.Length(
            min=least, max=most, error=later("Name from %(least)s to %(most)s ids.", least=least, most=most)
        )
        super().__init__(fields.UUID(), validate=bounds, **options)
