"""Times in which nobody is asked for a review: a person's leave or exchange term, an organization's holidays.

A pause shifts and never skips: a review whose day falls into one is due on the first day after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

PauseKind = Literal["leave", "exchange", "graduation", "other", "holiday"]
# What a person can have; a holiday is the whole organization's.
PERSONAL_KINDS: tuple[PauseKind, ...] = tuple(kind for kind in get_args(PauseKind) if kind != "holiday")
HOLIDAY: PauseKind = "holiday"

# First and last day, both included; without a last day it goes on until somebody ends it.
Span = tuple[date, date | None]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pauses:
    """The paused days of one plan. Make it with `joined`: its spans are apart from each other and in order."""

    spans: tuple[Span, ...] = ()

    def covers(self, day: date) -> bool:
        """Whether this day is paused."""
        return self.after(day) != day

    def after(self, day: date) -> date | None:
        """The first day from this one on that is not paused; None where the pause has no end."""
        for first, last in self.spans:
            if day < first:
                break
            if last is None:
                return None
            if day <= last:
                return last + _DAY if last < date.max else None
        return day


NO_PAUSES = Pauses()


def joined(spans: Iterable[Span]) -> Pauses:
    """Pauses of these spans in any order; those that overlap or follow each other at once become one."""
    found: list[Span] = []
    for first, last in sorted(spans, key=lambda span: (span[0], span[1] or date.max)):
        if found:
            begun, until = found[-1]
            if until is None:
                break
            if first <= until or first == until + _DAY:
                found[-1] = (begun, None if last is None else max(until, last))
                continue
        found.append((first, last))
    return Pauses(tuple(found))
