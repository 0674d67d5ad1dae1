"""Months, quarters, years and the organization's terms of a day: groups that share people, and are one attribute.

Where small groups are withheld, days are told apart only as far as enough people are left in each part; a period is
shown where it is made of such parts. So periods of every kind, and whatever is added up or taken from each other of
them, tell nothing but numbers of parts (docs/adr/0012-figures.md).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from app.domain.linked_people import Mask, Whole
from app.domain.overlaps import list_together
from app.features.organizations.models import Term

# What a part must have, as a multiple of the threshold: with fewer most of what is asked of it would be withheld.
_ENOUGH = 5
# In the order in which parts are made for them: what cannot be made of them is withheld.
KINDS = ("year", "term", "quarter", "month")
_Segment = str | None
# The first and the last day.
Span = tuple[date, date]


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """The values of one kind of period, in their order; of which parts each is made, and which is made of none.

    `apart` says whether nobody is in two of them.
    """

    kind: str
    values: tuple[str | None, ...]
    union: Whole
    withheld: Mask
    apart: bool


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """The part that each segment of time is in, and what is made of parts. None is for people without a day."""

    coding: dict[_Segment, int]
    kinds: tuple[Periods, ...]

    @property
    def size(self) -> int:
        """How many parts there are."""
        return max(self.coding.values(), default=-1) + 1


def cuts_of(terms: Sequence[Term]) -> list[date]:
    """The days on which a term begins, or the first after one; the first day there is before them."""
    return sorted({date.min, *(one.starts_on for one in terms), *(one.ends_on + timedelta(days=1) for one in terms)})


def spans_of(kind: str, values: Sequence[str], terms: Sequence[Term]) -> list[Span]:
    """The days of periods of a kind, by their names."""
    if kind == "term":
        return [(one.starts_on, one.ends_on) for one in terms if one.name in values]
    months = {"year": 12, "quarter": 3, "month": 1}[kind]
    spans = []
    for value in values:
        year, _, rest = value.partition("-")
        first = 1 if not rest else 3 * int(rest[1:]) - 2 if rest[0] == "Q" else int(rest)
        last = first + months - 1
        spans.append((date(int(year), first, 1), date(int(year), last, monthrange(int(year), last)[1])))
    return spans


def segment_of(column: str) -> str:
    """What a day is known by in SQL: its month, and between which cuts (`:cuts`) it is."""
    return f"to_jsonb(to_char({column}, 'YYYY-MM') || '/' || width_bucket({column}, cast(:cuts AS date[])))"


def tell_days(found: Sequence[_Segment], counts: Whole, terms: Sequence[Term], threshold: int | None) -> Days:
    """Which periods there are of these segments of time, each with how many people are in it."""
    segments: list[_Segment] = [*sorted({one for one in found if one is not None})]
    with_day = len(segments)
    segments += [None] if None in found else []
    place = {segment: number for number, segment in enumerate(segments)}
    sizes = np.bincount([place[one] for one in found], counts, len(segments)).astype(np.int64)
    namers = {kind: _namer(kind, terms) for kind in KINDS}
    named = {kind: [namer(one) if one else () for one in segments] for kind, namer in namers.items()}
    part = np.arange(with_day)
    if threshold is not None and with_day:
        groups = [
            (kind, name, np.array([name in names for names in named[kind][:with_day]], dtype=np.int64))
            for kind in KINDS
            for name in sorted({name for names in named[kind][:with_day] for name in names})
        ]
        of_groups = [int(sizes[:with_day] @ inside) for _, _, inside in groups]
        order = sorted(range(len(groups)), key=lambda n: (KINDS.index(groups[n][0]), -of_groups[n], n))
        inside = {n: groups[n][2] for n in order}
        part = list_together(inside, sizes[:with_day], order, _ENOUGH * threshold, most_parts=with_day)[1]
        # In the order of time.
        first = {int(one): n for n, one in reversed(list(enumerate(part)))}
        place_of = {one: n for n, one in enumerate(sorted(first, key=first.__getitem__))}
        part = np.array([place_of[int(one)] for one in part])
    coding: dict[_Segment, int] = {segment: int(part[n]) for n, segment in enumerate(segments[:with_day])}
    if None in found:
        coding[None] = max(coding.values(), default=-1) + 1
    return Days(coding, tuple(_periods(kind, named[kind], segments, coding, terms) for kind in KINDS))


def _namer(kind: str, terms: Sequence[Term]) -> Callable[[str], tuple[str, ...]]:
    """In which periods of a kind a segment is."""
    cuts = cuts_of(terms)

    def of(segment: str) -> tuple[str, ...]:
        first = cuts[int(segment.partition("/")[2]) - 1]
        return tuple(one.name for one in terms if one.starts_on <= first <= one.ends_on)

    plain: dict[str, Callable[[str], tuple[str, ...]]] = {
        "year": lambda segment: (segment[:4],),
        "quarter": lambda segment: (f"{segment[:4]}-Q{(int(segment[5:7]) + 2) // 3}",),
        "month": lambda segment: (segment[:7],),
        "term": of,
    }
    return plain[kind]


def _periods(
    kind: str,
    named: Sequence[tuple[str, ...]],
    segments: Sequence[_Segment],
    coding: Mapping[_Segment, int],
    terms: Sequence[Term],
) -> Periods:
    """What is made of parts, with those that are in none of this kind at the end."""
    names = {name for each in named for name in each}
    order = [one.name for one in terms if one.name in names] if kind == "term" else sorted(names)
    values: list[str | None] = [*order, *([None] if () in named else [])]
    codes = np.array([coding[segment] for segment in segments], dtype=np.int64)
    size = int(codes.max(initial=-1)) + 1

    def lines() -> Iterator[tuple[Whole, bool]]:
        for value in values:
            inside = np.array([value in each if value is not None else not each for each in named], dtype=bool)
            some, rest = (np.bincount(codes[where], minlength=size) > 0 for where in (inside, ~inside))
            yield some.astype(np.int64), bool((some & rest).any())

    made = list(lines())
    union = np.array([line for line, _ in made], dtype=np.int64).reshape(len(values), size)
    return Periods(
        kind,
        tuple(values),
        union,
        np.array([split for _, split in made], dtype=bool),
        all(len(each) < 2 for each in named),
    )
