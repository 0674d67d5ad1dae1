"""Pauses shift and never skip: against a walk over single days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.cadence import (
    AtTerm,
    EveryMonths,
    OnDates,
    ReviewPolicy,
    is_sendable_now,
    next_occurrence,
    next_sendable,
    occurrences_between,
    send_moment,
)
from app.domain.pauses import NO_PAUSES, Pauses, Span, joined
from app.domain.terms import Term

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
days = st.integers(0, 900).map(lambda n: FIRST + n * DAY)
spans: st.SearchStrategy[list[Span]] = st.lists(
    st.tuples(days, st.one_of(st.none(), st.integers(0, 120))).map(
        lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1] * DAY)
    ),
    max_size=6,
)
ended = st.lists(st.tuples(days, st.integers(0, 120)).map(lambda pair: (pair[0], pair[0] + pair[1] * DAY)), max_size=6)


def paused(day: date, of: list[Span]) -> bool:
    return any(first <= day and (last is None or day <= last) for first, last in of)


def walked(day: date, of: list[Span]) -> date | None:
    while paused(day, of):
        if any(first <= day and last is None for first, last in of):
            return None
        day += DAY
    return day


@given(of=spans, day=days)
def test_the_day_after_is_the_first_free_one(of: list[Span], day: date) -> None:
    pauses = joined(of)
    assert pauses.after(day) == walked(day, of)
    assert pauses.covers(day) == paused(day, of)
    apart = [(first, last or date.max) for first, last in pauses.spans]
    assert all(left[1] + DAY < right[0] for left, right in pairwise(apart))


@given(of=ended, months=st.integers(3, 12), anchor=days)
def test_months_are_counted_on_from_where_a_pause_moved_them(of: list[Span], months: int, anchor: date) -> None:
    policy, pauses = ReviewPolicy(EveryMonths(months)), joined(of)
    expected, at, steps = [], anchor, 0
    while len(expected) < 5:
        steps += 1
        unmoved = occurrences_between(policy, at, at, date(2040, 1, 1))[steps - 1]
        moved = walked(unmoved, of)
        assert moved is not None
        if moved != unmoved:
            at, steps = moved, 0
        expected.append(moved)
    assert list(occurrences_between(policy, anchor, anchor, expected[-1], pauses=pauses)) == expected


@given(of=ended, dates=st.sets(days, min_size=1, max_size=6))
def test_no_date_and_no_term_is_left_out(of: list[Span], dates: set[date]) -> None:
    pauses, before = joined(of), FIRST - DAY
    wanted = sorted({moved for day in dates if (moved := walked(day, of)) is not None})
    on_dates = ReviewPolicy(OnDates(tuple(sorted(dates))))
    assert list(occurrences_between(on_dates, before, before, date(2040, 1, 1), pauses=pauses)) == wanted
    terms = tuple(Term(f"T{day}", day, day) for day in sorted(dates))
    at_start = ReviewPolicy(AtTerm("start"))
    assert list(occurrences_between(at_start, before, before, date(2040, 1, 1), terms, pauses=pauses)) == wanted


def test_a_pause_without_an_end_gives_no_day_until_it_has_one() -> None:
    policy, anchor = ReviewPolicy(EveryMonths(6)), date(2026, 1, 10)
    assert next_occurrence(policy, anchor, anchor, pauses=joined([(date(2026, 7, 1), None)])) is None
    # One that begins after it leaves it alone.
    assert next_occurrence(policy, anchor, anchor, pauses=joined([(date(2026, 7, 11), None)])) == date(2026, 7, 10)
    later = joined([(date(2026, 7, 1), date(2026, 9, 30))])
    assert next_occurrence(policy, anchor, anchor, pauses=later) == date(2026, 10, 1)
    assert next_occurrence(policy, anchor, date(2026, 10, 1), pauses=later) == date(2027, 4, 1)


@given(of=spans, day=days, weekdays=st.sets(st.integers(0, 6), min_size=1))
def test_nothing_leaves_on_a_paused_day(of: list[Span], day: date, weekdays: set[int]) -> None:
    zone, pauses = ZoneInfo("Europe/Dublin"), joined(of)
    policy = ReviewPolicy(weekdays=tuple(sorted(weekdays)))
    moment = send_moment(day, policy, zone, pauses=pauses)
    free: date | None = day
    while (free := walked(free, of)) is not None and free.weekday() not in weekdays:
        free += DAY
    if free is None:
        assert moment is None
        return
    assert moment is not None
    assert moment.astimezone(zone).replace(tzinfo=None) == datetime.combine(free, time(9))
    assert is_sendable_now(moment, policy, zone, pauses=pauses)
    midnight = datetime.combine(day, time(0), zone).astimezone(UTC)
    assert next_sendable(midnight, policy, zone, pauses=pauses) == moment - timedelta(hours=1)


def test_holidays_on_every_allowed_weekday_for_months_do_not_end_the_search() -> None:
    mondays = joined((date(2026, 1, 5) + 7 * n * DAY, date(2026, 1, 5) + 7 * n * DAY) for n in range(20))
    policy = ReviewPolicy(weekdays=(0,))
    moment = send_moment(date(2026, 1, 5), policy, ZoneInfo("UTC"), pauses=mondays)
    assert moment == datetime(2026, 5, 25, 9, tzinfo=UTC)
    assert next_sendable(datetime(2026, 1, 5, 7, tzinfo=UTC), policy, ZoneInfo("UTC"), pauses=mondays) == datetime(
        2026, 5, 25, 8, tzinfo=UTC
    )


def test_the_last_day_of_all_ends_a_pause_without_an_error() -> None:
    assert Pauses(((date(9999, 12, 1), date.max),)).after(date(9999, 12, 2)) is None
    assert joined([]) == NO_PAUSES


@pytest.mark.parametrize("last", [date(2026, 3, 31), None])
def test_spans_that_touch_become_one(last: date | None) -> None:
    assert joined([(date(2026, 3, 1), last), (date(2026, 2, 1), date(2026, 2, 28))]).spans == (
        (date(2026, 2, 1), last),
    )
