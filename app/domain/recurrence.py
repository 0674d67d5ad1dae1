"""When something that comes again is to be done: by a local day and time, once for each occurrence.

What is kept between two looks is one moment: what lay at or before it is not made up for. Everything else is worked out
anew, so that a clock set wrong and right again, another zone or other terms leave nothing behind.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from app.domain.cadence import ReviewPolicy, send_moment
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.reading import check_day
from app.domain.terms import Term, TermEdge

CADENCES = ("daily", "weekly", "monthly", "term")
# At any hour of any day: it is the mail about it that keeps quiet hours.
_ANY_TIME = ReviewPolicy(quiet_hours=None, weekdays=(0, 1, 2, 3, 4, 5, 6))
# A day that a zone left out, and one side of a zone that differs by a day from another.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """How often, at which local time, from which day and to which (None: without end).

    `weekday` (Monday is 0) is of weekly ones, `month_day` of monthly ones (the last day of a month that is shorter),
    `edge` of those once a term. Raises InvalidInput naming what is wrong.
    """

    cadence: str
    at: time
    starts_on: date
    ends_on: date | None = None
    weekday: int = 0
    month_day: int = 1
    edge: TermEdge = "start"

    def __post_init__(self) -> None:
        problems = []
        if self.cadence not in CADENCES:
            problems.append(FieldProblem("cadence", "Choose how often."))
        if self.weekday not in range(7):
            problems.append(FieldProblem("weekday", "Choose a day of the week."))
        if not 1 <= self.month_day <= 31:
            problems.append(FieldProblem("month_day", "Choose a day of the month from 1 to 31."))
        if self.edge not in ("start", "end"):
            problems.append(FieldProblem("edge", "Choose the first or the last day of a term."))
        if self.at != self.at.replace(second=0, microsecond=0, tzinfo=None):
            problems.append(FieldProblem("at", "Give a whole minute without a zone, as HH:MM."))
        problems += check_day("starts_on", self.starts_on)
        if self.ends_on is not None:
            problems += check_day("ends_on", self.ends_on)
        if self.ends_on is not None and self.ends_on < self.starts_on:
            problems.append(FieldProblem("ends_on", "The last day is before the first. Choose a later one."))
        if problems:
            raise InvalidInput(problems)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time it is to be done: its key, which stays the same whatever clocks do, its local day and its moment."""

    key: str
    day: date
    moment: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now: one occurrence (the latest) for all that were passed over, and the next one."""

    run: Occurrence | None
    missed: int
    following: Occurrence | None


def look(
    recurrence: Recurrence,
    *,
    since: datetime,
    now: datetime,
    zone: ZoneInfo,
    terms: Mapping[str, Term],
    made: Container[str] = frozenset(),
) -> Due:
    """What is due at `now` of what lies after `since`, leaving out keys that were made; `terms` are by their ids.

    A `since` that lies ahead of `now`, left by a clock that was ahead, counts as now.
    """
    since = min(since, now)
    run, passed = None, 0
    first = max(recurrence.starts_on, since.astimezone(zone).date() - _MARGIN)
    for key, day in _days(recurrence, first, terms):
        moment = moment_of(day, recurrence.at, zone)
        if moment <= since or key in made:
            continue
        if moment > now:
            return Due(run, max(0, passed - 1), Occurrence(key, day, moment))
        run, passed = Occurrence(key, day, moment), passed + 1
    return Due(run, max(0, passed - 1), None)


def moment_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant (UTC) of a local time: the first of two, and the end of the gap for one that the clocks skip."""
    found = send_moment(day, _ANY_TIME, zone, at)
    assert found is not None  # without pauses every day is free
    return found.astimezone(UTC)


def _days(recurrence: Recurrence, first: date, terms: Mapping[str, Term]) -> Iterator[tuple[str, date]]:
    """Keys and days from this day on, ascending, within the first and the last day."""
    last = recurrence.ends_on or date.max
    within = takewhile(lambda one: one[1] <= last, _of_cadence(recurrence, first, terms))
    return ((key, day) for key, day in within if day >= first)


def _of_cadence(recurrence: Recurrence, first: date, terms: Mapping[str, Term]) -> Iterator[tuple[str, date]]:
    if recurrence.cadence == "term":
        edges = ((key, term.edge(recurrence.edge)) for key, term in terms.items())
        # By the term and not by its day: a term that is moved after its report was sent is not told of twice.
        yield from sorted(((f"term:{key}", day) for key, day in edges), key=lambda one: (one[1], one[0]))
        return
    for day in _calendar(recurrence, first):
        yield day.isoformat(), day


def _calendar(recurrence: Recurrence, first: date) -> Iterator[date]:
    if recurrence.cadence == "monthly":
        for count in range(first.year * 12 + first.month - 1, date.max.year * 12 + 12):
            year, month = divmod(count, 12)
            yield date(year, month + 1, min(recurrence.month_day, monthrange(year, month + 1)[1]))
        return
    step = 1 if recurrence.cadence == "daily" else 7
    ahead = 0 if step == 1 else (recurrence.weekday - first.weekday()) % 7
    for ordinal in range(first.toordinal() + ahead, date.max.toordinal() + 1, step):
        yield date.fromordinal(ordinal)
