"""What became of a plan between two looks at it: changes split by their cause, dates that moved, fields that differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

Cause = Literal["you", "data", "together"]
_BLANK: Final[tuple[Any, ...]] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Split:
    """A figure before and after, and what of the difference each cause makes when it alone changes.

    `together` is the rest: what the causes make only with each other. The four parts add up to after - before; a part
    that cannot be computed alone is None and lies in the rest.
    """

    before: float
    after: float
    you: float | None
    data: float | None
    weights: float | None
    together: float


def split_change(measure: Callable[[bool, bool, bool], float | None]) -> Split | None:
    """Split a figure's change by recomputing it with one of three causes changed and the two others fixed.

    `measure(you, data, weights)` gives the figure, each of the three as it is now (True) or as it was. None where the
    figure is not defined before or now. Source: SCIENCE 5, step 8.
    """
    before, after = measure(False, False, False), measure(True, True, True)
    if before is None or after is None:
        return None
    alone = (measure(True, False, False), measure(False, True, False), measure(False, False, True))
    you, data, weights = (None if value is None else value - before for value in alone)
    return Split(before, after, you, data, weights, after - before - sum(part or 0.0 for part in (you, data, weights)))


def split_members(
    members: Callable[[bool, bool], Collection[str]],
) -> tuple[dict[str, Cause], dict[str, Cause]]:
    """Who came into a set and who left it, each with the cause that alone brings it about.

    `members(you, data)` gives the set with each as it is now (True) or as it was. What either brings about alone, or
    only both do, is told as "together".
    """
    before, after = members(False, False), members(True, True)
    by_you, by_data = members(True, False), members(False, True)

    def cause(name: str, there: bool) -> Cause:
        you, data = (name in by_you) is there, (name in by_data) is there
        if you is data:
            return "together"
        return "you" if you else "data"

    entered: dict[str, Cause] = {name: cause(name, True) for name in after if name not in before}
    left: dict[str, Cause] = {name: cause(name, False) for name in before if name not in after}
    return entered, left


@dataclass(frozen=True, slots=True)
class Moved:
    """A dated thing: the day it was planned for, the day now, and how many days later that is (negative: earlier)."""

    id: str
    was: date | None
    now: date | None

    @property
    def days(self) -> int | None:
        """Days later than planned; None where either day is missing."""
        return None if self.was is None or self.now is None else (self.now - self.was).days


def drift(was: Mapping[str, date | None], now: Mapping[str, date | None]) -> list[Moved]:
    """What was there before and is there now, with both its days, in the order it is in now."""
    return [Moved(name, was[name], day) for name, day in now.items() if name in was]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that differs: where it is, from the outside in, and its value on both sides (None: not there).

    A row of a list is named by its id; `order` at the end says that rows stand in another order.
    """

    path: tuple[str, ...]
    before: Any
    after: Any


def field_changes(before: Any, after: Any) -> list[FieldChange]:
    """Every field in which two plain JSON values differ, in their order.

    Rows with an id are the same row wherever they stand; rows that came or went are told field by field. Nothing, an
    empty text and an empty list are alike. Lists of other things are compared as a whole.
    """
    return list(_walk((), before, after))


def _walk(path: tuple[str, ...], before: Any, after: Any) -> Iterator[FieldChange]:
    if before == after or (_blank(before) and _blank(after)):
        return
    if _rows(before) and _rows(after):
        old, new = _by_id(before), _by_id(after)
        for name in (*old, *(name for name in new if name not in old)):
            yield from _walk((*path, name), old.get(name), new.get(name))
        both = [name for name in old if name in new], [name for name in new if name in old]
        if both[0] != both[1]:
            yield FieldChange((*path, "order"), *both)
    elif _fields(before) and _fields(after):
        old, new = before or {}, after or {}
        for name in (*old, *(name for name in new if name not in old)):
            if name != "id":
                yield from _walk((*path, name), old.get(name), new.get(name))
    else:
        yield FieldChange(path, before, after)


def _blank(value: Any) -> bool:
    # 0 and False are said; only what is not there is blank.
    return any(value == blank and type(value) is type(blank) for blank in _BLANK)


def _rows(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        return False
    ids = [row.get("id") for row in value]
    return all(isinstance(name, str) for name in ids) and len(set(ids)) == len(ids)


def _fields(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


def _by_id(rows: Sequence[Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    return {row["id"]: row for row in rows or ()}
