"""Shifting days by working days, against counting them one by one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.pauses import Span
from app.domain.working_days import FIRST, LAST, shift, shifts

days = st.dates(date(2025, 1, 1), date(2030, 12, 31))
holidays = st.lists(
    st.tuples(days, st.integers(0, 40)).map(lambda pair: (pair[0], pair[0] + timedelta(days=pair[1]))), max_size=4
)


def counted(day: date, by: int, closed: list[Span]) -> date:
    """The same, one day after the other."""
    step = timedelta(days=1 if by > 0 else -1)
    left = abs(by)
    while left:
        day += step
        if day.weekday() < 5 and not any(first <= day <= (last or day) for first, last in closed):
            left -= 1
    return day


@settings(max_examples=40, deadline=None)
@given(days, st.integers(1, 60), st.booleans(), holidays)
def test_as_one_would_count_on_a_calendar(day: date, number: int, back: bool, closed: list[Span]) -> None:
    by = -number if back else number
    assert shift(day, by, closed) == counted(day, by, closed)


def test_weekends_and_holidays_are_passed_over() -> None:
    friday = date(2026, 9, 4)
    assert shift(friday, 1) == date(2026, 9, 7)
    assert shift(friday + timedelta(days=1), 1) == date(2026, 9, 7)
    assert shift(date(2026, 9, 7), -1) == friday
    assert shift(date(2026, 9, 6), -1) == friday
    closed = [(date(2026, 12, 24), date(2027, 1, 3))]
    assert shift(date(2026, 12, 23), 1, closed) == date(2027, 1, 4)
    assert shift(date(2027, 1, 4), -1, closed) == date(2026, 12, 23)


def test_the_ends_of_the_calendar_stay_where_they_are() -> None:
    table = shifts(5, [])
    assert len(table) == (LAST - FIRST).days + 1
    assert table[-1] == 0
    assert shifts(-5, [])[0] == 0


@pytest.mark.parametrize("by", [0, 401, -401])
def test_a_shift_by_nothing_or_by_years_is_refused(by: int) -> None:
    with pytest.raises(ValueError, match="nothing to shift by"):
        shifts(by, [])
