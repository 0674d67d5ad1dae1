"""Working days: every day but weekends and an organization's holidays."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date, timedelta

from app.domain.pauses import Span, joined

MOST_DAYS = 400
# The days of Octant's plans lie between these; a shift is worked out for all of them at once.
FIRST, LAST = date(1999, 1, 1), date(2101, 12, 31)
_WEEKEND = 5


def working_days(closed: Sequence[Span]) -> list[int]:
    """The working days from `FIRST` to `LAST`, in order, as the number of days since `FIRST`.

    `closed` are the holidays, first and last day of each.
    """
    free = set[int]()
    for first, last in joined(closed).spans:
        begun, until = (max(first, FIRST) - FIRST).days, (min(last or LAST, LAST) - FIRST).days
        free.update(range(begun, until + 1))
    weekday = FIRST.weekday()
    days = range((LAST - FIRST).days + 1)
    return [day for day in days if (day + weekday) % 7 < _WEEKEND and day not in free]


def shifts(by: int, closed: Sequence[Span]) -> list[int]:
    """For every day from `FIRST` on: by how many days it moves when it is shifted `by` working days.

    One later than a Friday is Monday, and so is one later than a Saturday; one earlier than a Monday or a Sunday is
    Friday. Days so near the end that there is no such working day do not move. Raises ValueError for a shift by
    nothing, or by more than `MOST_DAYS`.
    """
    if by == 0 or abs(by) > MOST_DAYS:
        raise ValueError("nothing to shift by")
    working = working_days(closed)
    moved = []
    for day in range((LAST - FIRST).days + 1):
        # The next working day (or the one before) is the first that counts.
        at = bisect_right(working, day) + by - 1 if by > 0 else bisect_left(working, day) + by
        moved.append(working[at] - day if 0 <= at < len(working) else 0)
    return moved


def shift(day: date, by: int, closed: Sequence[Span] = ()) -> date:
    """One day, shifted by working days; see `shifts`."""
    return day + timedelta(days=shifts(by, closed)[(day - FIRST).days])
