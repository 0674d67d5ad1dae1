"""By what people can be asked: attributes with their values, and the kinds of people there are by them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from app.domain.linked_people import Mask, Whole
from app.domain.overlaps import tell_of_no_few
from app.features.figures import statements
from app.features.figures.definitions import GRADUATES, PEOPLE
from app.features.figures.periods import tell_days
from app.features.organizations.models import Term

Floats = npt.NDArray[np.float64]
# Above so many values an attribute names people rather than groups of them.
MOST_VALUES = 50
# A page and a sheet stay readable; the rest is left out.
MOST_COHORTS = 40
COUNSELLOR, STARTED, REVIEWED, CLASS, COHORT = "@counsellor", "@started", "@reviewed", "@class", "@cohort"
# Those that only people with a plan have, and those that only graduates have.
_ONLY = {STARTED: PEOPLE, REVIEWED: PEOPLE, CLASS: GRADUATES}
_DAYS = (STARTED, REVIEWED)
# What kinds of attributes are that have periods as values: those of the second share people.
APART, OVERLAPPING = "period", "overlapping periods"


def day_of(key: str) -> str:
    """The attribute of a kind of periods without its kind; any other as it is."""
    return next((day for day in _DAYS if key.startswith(day)), key)


def kind_of(key: str) -> str:
    """The kind of period that an attribute's values are, as `app.features.figures.periods` knows it."""
    return key.removeprefix(day_of(key)).removeprefix("_") or "quarter"


@dataclass(frozen=True, slots=True)
class Attribute:
    """What figures can be asked by: its values in their order; None is for those who have none.

    `key` is the attribute's own, or "@cohort" (whose values overlap: somebody may be in several), "@counsellor",
    "@class" (the one a graduate belongs to), or a kind of period: "@started" (the quarter in which the plan began),
    "@started_month", "@started_year", "@started_term", and those of the last review that was due.
    """

    key: str
    label: str
    kind: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """An attribute as it is shown: of which codes of which attribute of `People` each value is made.

    Without a `union` it is that attribute. What is `withheld` is not made of whole codes.
    """

    attribute: Attribute
    code: int
    union: Whole | None = None
    withheld: Mask | None = None

    @property
    def of_day(self) -> bool:
        """Whether its values are periods."""
        return day_of(self.attribute.key) in _DAYS

    @property
    def lines(self) -> Whole:
        """Of which codes each value is made."""
        return np.eye(len(self.attribute.values), dtype=np.int64) if self.union is None else self.union

    @property
    def split(self) -> Mask:
        """Which values are not made of whole codes."""
        nothing = np.zeros(len(self.attribute.values), dtype=bool)
        return nothing if self.withheld is None else self.withheld


@dataclass(frozen=True, slots=True)
class Offered:
    """What people may be asked by, before it is known how many values they have; `names` are what values are called."""

    key: str
    label: str
    kind: str
    choices: Sequence[str] | None = None
    names: Mapping[Any, str] = field(default_factory=dict)


class Table:
    """The kinds of people there are, by the attributes that are kept, and what rows say added up by them."""

    def __init__(self, codings: Sequence[tuple[int, Mapping[Any, int]]], rows: Sequence[Any]) -> None:
        self._codings = codings
        found = sorted({self._code(row) for row in rows}) or [(0,) * len(codings)]
        self._place = {code: place for place, code in enumerate(found)}
        self.kinds = np.array(found, dtype=np.int64).reshape(len(found), len(codings))

    def _code(self, row: Any) -> tuple[int, ...]:
        return tuple(coding[_key(row[number])] for number, coding in self._codings)

    def places(self, rows: Sequence[Any]) -> Whole:
        """Which kind each row is of."""
        return np.array([self._place[self._code(row)] for row in rows], dtype=np.int64)

    def added(self, places: Whole, numbers: Any) -> Whole:
        """Numbers of rows, added up by the kinds they are of."""
        return np.asarray(np.rint(np.bincount(places, numbers, len(self.kinds))), dtype=np.int64)

    def sums(self, rows: Sequence[Any]) -> tuple[Floats, Floats]:
        """The sums and the sums of squares that rows of something measured have, by kind."""
        places, size = self.places(rows), len(self.kinds)
        found = ([row.total for row in rows], [row.squares for row in rows])
        total, squares = (np.asarray(np.bincount(places, of, size), dtype=np.float64) for of in found)
        return total, squares


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """The kinds of people there are, the views of them, and how many values each attribute of them has."""

    views: tuple[View, ...]
    sizes: tuple[int, ...]
    table: Table


def kinds_of(
    whole: str,
    rows: Sequence[Any],
    offered: Sequence[Offered],
    cohorts: Sequence[str],
    terms: Sequence[Term],
    *,
    threshold: int | None,
    fewest: int = 2,
) -> Kinds:
    """By what these people can be asked: attributes of which they have enough values and not too many, and cohorts."""
    views: list[View] = []
    codings: list[tuple[int, Mapping[Any, int]]] = []
    sizes: list[int] = []
    counts = np.array([row.n for row in rows], dtype=np.int64)

    def code(number: int, coding: Mapping[Any, int], size: int, seen: Sequence[View]) -> None:
        if seen:
            codings.append((number, coding))
            sizes.append(size)
            views.extend(seen)

    for number, one in enumerate(offered, start=len(statements.COLUMNS)):
        found = [row[number] for row in rows]
        if _ONLY.get(one.key, whole) != whole:
            continue
        if one.kind == APART:
            days = tell_days(found, counts, terms, threshold)
            seen = [
                View(
                    Attribute(
                        one.key if of.kind == "quarter" else f"{one.key}_{of.kind}",
                        "",
                        APART if of.apart else OVERLAPPING,
                        of.values,
                    ),
                    len(codings),
                    of.union,
                    of.withheld,
                )
                for of in days.kinds
                if fewest <= len(of.values) <= MOST_VALUES
            ]
            code(number, {_key(segment): part for segment, part in days.coding.items()}, days.size, seen)
            continue
        values, coding = _coded(found, one.choices)
        # Classes are told of each by itself also where there is one.
        if (1 if one.key == CLASS else fewest) <= len(values) <= MOST_VALUES:
            attribute = Attribute(one.key, one.label, one.kind, tuple(one.names.get(v, v) for v in values))
            code(number, coding, len(values), [View(attribute, len(codings))])
    groups = _by_cohort([row[-1] for row in rows], counts, cohorts, threshold, fewest=fewest)
    if groups is not None:
        attribute = Attribute(COHORT, "", "cohort", groups.names)
        code(-1, groups.coding, groups.union.shape[1], [View(attribute, len(codings), groups.union)])
    return Kinds(tuple(views), tuple(sizes), Table(codings, rows))


def _key(value: Any) -> Any:
    """What tells a value of JSON from others: 1, 1.0 and true are three."""
    return json.dumps(value, sort_keys=True) if isinstance(value, list | dict) else (type(value), value)


def _coded(found: Sequence[Any], choices: Sequence[str] | None) -> tuple[list[Any], dict[Any, int]]:
    """The values in their order (those of a choice in the organization's, nothing last), and the number of each."""
    values = {_key(value): value for value in found}
    order = {choice: number for number, choice in enumerate(choices or ())}

    def place(key: Any) -> tuple[bool, int, bool, Any]:
        value = values[key]
        number = isinstance(value, int | float)
        return (
            value is None,
            order.get(value, len(order)) if isinstance(value, str) else 0,
            not number,
            (value if number else str(value)),
        )

    ordered = sorted(values, key=place)
    return [values[key] for key in ordered], {key: number for number, key in enumerate(ordered)}


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Cohorts by name (None: in none of them), which codes each is made of, and the code of each set of cohorts."""

    names: tuple[str | None, ...]
    union: Whole
    coding: dict[Any, int]


def _by_cohort(
    found: Sequence[int], counts: Whole, names: Sequence[str], threshold: int | None, *, fewest: int
) -> _Groups | None:
    """Cohorts that can be listed; people are coded by which of them they are in. None where that says nothing."""
    masks = np.array(found, dtype=np.int64)
    sizes = [int(counts[masks >> n & 1 > 0].sum()) if len(masks) else 0 for n in range(len(names))]
    listed = [n for n, size in enumerate(sizes) if size]
    if threshold is not None and listed:
        order = sorted(listed, key=lambda n: (-sizes[n], n))
        listed = tell_of_no_few(masks, counts, order, threshold, most_parts=MOST_VALUES)
    bits = sum(1 << n for n in listed)
    parts = sorted({int(mask) & bits for mask in masks})
    # Beside them are those in none.
    if len(listed) + 1 < fewest:
        return None
    shown = [(names[n], [part >> n & 1 for part in parts]) for n in listed]
    lines = [*shown, *([(None, [int(part == 0) for part in parts])] if 0 in parts else [])]
    coding = {_key(int(mask)): parts.index(int(mask) & bits) for mask in set(found)}
    return _Groups(tuple(name for name, _ in lines), np.array([line for _, line in lines], dtype=np.int64), coding)
