"""When something that comes again is due: each occurrence once, whatever zones, clocks and outages do."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.recurrence import CADENCES, Recurrence, look, moment_of
from app.domain.terms import Term

ZONES = ("Europe/Dublin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
DUBLIN = ZoneInfo("Europe/Dublin")
TERMS = {
    "a": Term("Autumn", date(2026, 9, 7), date(2026, 12, 18)),
    "s": Term("Spring", date(2027, 1, 11), date(2027, 4, 2)),
}


def weekly(**changes: object) -> Recurrence:
    given = {"cadence": "weekly", "at": time(8), "starts_on": date(2026, 10, 1), "weekday": 0} | changes
    return Recurrence(**given)  # type: ignore[arg-type] # a test's own table


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_a_weekly_one_is_due_on_its_weekday_at_its_local_time() -> None:
    due = look(weekly(), since=at(2026, 10, 1), now=at(2026, 10, 1), zone=DUBLIN, terms={})
    assert due.run is None
    assert due.following is not None
    assert (due.following.key, due.following.moment) == ("2026-10-05", at(2026, 10, 5, 7))
    later = look(weekly(), since=at(2026, 10, 20), now=at(2026, 10, 26, 8), zone=DUBLIN, terms={})
    # After the clocks were set back the same local time is an hour later.
    assert later.run is not None
    assert later.run.moment == at(2026, 10, 26, 8)


def test_what_was_missed_is_one_run_and_not_many() -> None:
    due = look(weekly(cadence="daily"), since=at(2026, 10, 2, 12), now=at(2026, 10, 12, 12), zone=DUBLIN, terms={})
    assert due.run is not None
    assert due.run.key == "2026-10-12"
    assert due.missed == 9
    assert due.following is not None
    assert due.following.key == "2026-10-13"


def test_a_month_too_short_takes_its_last_day() -> None:
    monthly = weekly(cadence="monthly", month_day=31)
    keys, since = [], at(2027, 1, 1)
    for _ in range(4):
        found = look(monthly, since=since, now=since, zone=DUBLIN, terms={}).following
        assert found is not None
        keys.append(found.key)
        since = found.moment
    assert keys == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]


def test_once_a_term_stays_once_when_the_term_is_moved() -> None:
    term = weekly(cadence="term", edge="end")
    first = look(term, since=at(2026, 10, 1), now=at(2026, 12, 18, 9), zone=DUBLIN, terms=TERMS)
    assert first.run is not None
    assert first.run.key == "term:a"
    moved = TERMS | {"a": Term("Autumn", date(2026, 9, 7), date(2026, 12, 20))}
    again = look(term, since=at(2026, 12, 18, 9), now=at(2026, 12, 21), zone=DUBLIN, terms=moved, made={first.run.key})
    assert again.run is None
    assert again.following is not None
    assert again.following.key == "term:s"


def test_nothing_comes_after_the_last_day() -> None:
    due = look(weekly(ends_on=date(2026, 10, 12)), since=at(2026, 10, 12, 9), now=at(2027, 1, 1), zone=DUBLIN, terms={})
    assert (due.run, due.following) == (None, None)


def test_a_time_the_clocks_skip_is_the_end_of_the_gap_and_one_that_comes_twice_the_first() -> None:
    assert moment_of(date(2026, 3, 29), time(1, 30), DUBLIN) == at(2026, 3, 29, 1)
    assert moment_of(date(2026, 10, 25), time(1, 30), DUBLIN) == at(2026, 10, 25, 0, 30)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("cadence", {"cadence": "hourly"}),
        ("weekday", {"weekday": 7}),
        ("month_day", {"month_day": 0}),
        ("edge", {"edge": "middle"}),
        ("at", {"at": time(8, 0, 1)}),
        ("ends_on", {"ends_on": date(2026, 9, 30)}),
        ("starts_on", {"starts_on": date(1492, 10, 12)}),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as caught:
        weekly(**changes)
    assert [problem.field for problem in caught.value.problems] == [field]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_every_occurrence_is_made_once_whatever_clocks_zones_and_outages_do(data: st.DataObject) -> None:
    """Looks at any moments, forward, back and long after; what is made is never made twice, and what is due is made."""
    begin = at(2026, 1, 1) + timedelta(minutes=data.draw(st.integers(0, 500_000)))
    recurrence = Recurrence(
        cadence=data.draw(st.sampled_from(CADENCES)),
        at=data.draw(st.times().map(lambda one: one.replace(second=0, microsecond=0))),
        starts_on=begin.date() + timedelta(days=data.draw(st.integers(-40, 40))),
        ends_on=data.draw(st.none() | st.integers(60, 400).map(lambda days: begin.date() + timedelta(days=days))),
        weekday=data.draw(st.integers(0, 6)),
        month_day=data.draw(st.integers(1, 31)),
        edge=data.draw(st.sampled_from(("start", "end"))),
    )
    zone, since, now = ZoneInfo(data.draw(st.sampled_from(ZONES))), begin, begin
    made: list[str] = []
    for _ in range(data.draw(st.integers(1, 25))):
        now += timedelta(minutes=data.draw(st.integers(-5_000, 60_000)))
        if data.draw(st.booleans()) and data.draw(st.booleans()):
            zone = ZoneInfo(data.draw(st.sampled_from(ZONES)))
        due = look(recurrence, since=since, now=now, zone=zone, terms=TERMS, made=set(made))
        if due.run is not None:
            assert due.run.moment <= now
            assert due.run.moment > min(since, now)
            assert due.run.key not in made
            made.append(due.run.key)
            since = now
        if due.following is not None:
            assert due.following.moment > now
            assert due.following.key not in made
            assert recurrence.starts_on <= due.following.day <= (recurrence.ends_on or date.max)
            # Nothing lies between: asked a moment before it, there is nothing to do, and at it there is.
            just = due.following.moment
            before = look(
                recurrence, since=now, now=just - timedelta(seconds=1), zone=zone, terms=TERMS, made=set(made)
            )
            assert before.run is None
            then = look(recurrence, since=now, now=just, zone=zone, terms=TERMS, made=set(made))
            assert then.run is not None
            assert then.run.moment == just
    assert len(made) == len(set(made))
