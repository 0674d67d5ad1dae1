"""Which day a review is due, and how a policy is written down."""

import json
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.cadence import (
    AtTerm,
    EveryMonths,
    OnDates,
    QuietHours,
    ReviewPolicy,
    next_occurrence,
    occurrences_between,
    parse_policy,
    policy_as_json,
)
from app.domain.errors import InvalidInput
from app.domain.terms import Term

DAYS = st.dates(date(1990, 1, 1), date(2050, 12, 31))
AUTUMN = Term("Autumn 2026", date(2026, 9, 1), date(2026, 12, 18))
SPRING = Term("Spring 2027", date(2027, 1, 18), date(2027, 5, 14))


def test_months_end_is_kept_within_the_month_and_does_not_drift() -> None:
    policy = ReviewPolicy(EveryMonths(3))
    due = occurrences_between(policy, date(2027, 11, 30), date(2027, 11, 30), date(2029, 3, 1))
    assert due == (
        date(2028, 2, 29),
        date(2028, 5, 30),
        date(2028, 8, 30),
        date(2028, 11, 30),
        date(2029, 2, 28),
    )


@given(anchor=DAYS, months=st.integers(3, 60), steps=st.integers(1, 30))
def test_stepping_from_due_day_to_due_day_never_drifts(anchor: date, months: int, steps: int) -> None:
    policy = ReviewPolicy(EveryMonths(months))
    after = anchor
    for _ in range(steps):
        following = next_occurrence(policy, anchor, after)
        assert following is not None
        after = following
    total = anchor.year * 12 + anchor.month - 1 + months * steps
    assert (after.year, after.month - 1) == divmod(total, 12)
    if anchor.day <= 28:
        assert after.day == anchor.day


@given(anchor=DAYS, months=st.integers(3, 24), after=DAYS, first=DAYS, last=DAYS)
def test_next_and_between_agree(anchor: date, months: int, after: date, first: date, last: date) -> None:
    policy = ReviewPolicy(EveryMonths(months))
    following = next_occurrence(policy, anchor, after)
    assert following is not None
    assert following > max(anchor, after)
    before = occurrences_between(policy, anchor, after, following)
    assert [day for day in before if day > after] == [following]
    due = occurrences_between(policy, anchor, first, last)
    assert list(due) == sorted(set(due))
    assert all(first <= day <= last and day > anchor for day in due)


def test_the_last_representable_year_ends_the_series() -> None:
    assert next_occurrence(ReviewPolicy(), date(9999, 7, 1), date(9999, 7, 1)) is None


def test_fixed_dates_and_terms_run_out() -> None:
    dates = ReviewPolicy(OnDates((date(2027, 1, 15), date(2027, 6, 15))))
    assert next_occurrence(dates, date(2026, 1, 1), date(2026, 1, 1)) == date(2027, 1, 15)
    assert next_occurrence(dates, date(2027, 1, 15), date(2026, 1, 1)) == date(2027, 6, 15)
    assert next_occurrence(dates, date(2026, 1, 1), date(2027, 6, 15)) is None
    before_end = ReviewPolicy(AtTerm("end", -14))
    terms = (SPRING, AUTUMN)
    assert next_occurrence(before_end, date(2026, 9, 1), date(2026, 9, 1), terms) == date(2026, 12, 4)
    assert next_occurrence(before_end, date(2026, 9, 1), date(2026, 12, 4), terms) == date(2027, 4, 30)
    assert next_occurrence(before_end, date(2026, 9, 1), date(2027, 4, 30), terms) is None
    at_start = ReviewPolicy(AtTerm("start", 7))
    assert next_occurrence(at_start, date(2026, 9, 1), date(2026, 9, 1), terms) == date(2026, 9, 8)


POLICIES = st.builds(
    ReviewPolicy,
    cadence=st.one_of(
        st.builds(EveryMonths, st.integers(3, 60)),
        st.sets(DAYS, min_size=1, max_size=5).map(lambda days: OnDates(tuple(sorted(days)))),
        st.builds(AtTerm, st.sampled_from(["start", "end"]), st.integers(-366, 366)),
    ),
    reminder_days=st.sets(st.integers(-30, 60), min_size=1, max_size=4).map(lambda days: tuple(sorted(days))),
    escalate_after_days=st.integers(60, 90),
    escalate_admin_after_days=st.one_of(st.none(), st.integers(91, 180)),
    quiet_hours=st.one_of(
        st.none(),
        st.tuples(st.integers(0, 1439), st.integers(0, 1439))
        .filter(lambda pair: pair[0] != pair[1])
        .map(lambda pair: QuietHours(time(*divmod(pair[0], 60)), time(*divmod(pair[1], 60)))),
    ),
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    retake=st.lists(st.sampled_from(["interests", "values", "octant-skills"]), unique=True).map(tuple),
)


@given(policy=POLICIES)
def test_a_policy_survives_json(policy: ReviewPolicy) -> None:
    assert parse_policy(json.loads(json.dumps(policy_as_json(policy)))) == policy


def test_an_empty_object_is_the_standard_policy() -> None:
    assert parse_policy({}) == ReviewPolicy()
    assert ReviewPolicy().reminder_days == (-14, -7, 0, 3, 7)
    assert (ReviewPolicy().escalate_after_days, ReviewPolicy().escalate_admin_after_days) == (14, 28)
    assert ReviewPolicy().quiet_hours == QuietHours(time(20), time(8))


@pytest.mark.parametrize(
    ("raw", "field", "remedy"),
    [
        ({"cadence": {"kind": "every_months", "months": 2}}, "cadence.months", "3 to 60"),
        ({"cadence": {"kind": "every_months", "months": True}}, "cadence.months", "whole number"),
        ({"cadence": {"kind": "every_months"}}, "cadence.months", "missing"),
        ({"cadence": {"kind": "weekly"}}, "cadence.kind", "every_months, dates, term"),
        ({"cadence": "monthly"}, "cadence", "object"),
        ({"cadence": {"kind": "dates", "dates": []}}, "cadence.dates", "at least one"),
        ({"cadence": {"kind": "dates", "dates": ["2027-02-29"]}}, "cadence.dates[0]", "YYYY-MM-DD"),
        (
            {"cadence": {"kind": "dates", "dates": ["2027-02-02", "2027-01-01"]}},
            "cadence.dates",
            "earliest first",
        ),
        ({"cadence": {"kind": "term", "edge": "middle"}}, "cadence.edge", "start, end"),
        ({"cadence": {"kind": "term", "edge": "end", "offset_days": 400}}, "cadence.offset_days", "366"),
        ({"cadence": {"kind": "term", "edge": "end", "days": 4}}, "cadence.days", "offset_days"),
        ({"reminder_days": [3, 0]}, "reminder_days", "smallest first"),
        ({"reminder_days": ["0"]}, "reminder_days[0]", "whole number"),
        ({"reminder_days": 3}, "reminder_days", "a list"),
        ({"escalate_after_days": 5}, "escalate_after_days", "7 to 90"),
        ({"escalate_admin_after_days": 14}, "escalate_admin_after_days", "15 to 180"),
        ({"escalate_admin_after_days": "never"}, "escalate_admin_after_days", "whole number"),
        ({"quiet_hours": {"start": "20:00", "end": "20:00"}}, "quiet_hours.end", "another end"),
        ({"quiet_hours": {"start": "8pm", "end": "08:00"}}, "quiet_hours.start", "HH:MM"),
        ({"quiet_hours": {"start": "20:00"}}, "quiet_hours.end", "missing"),
        ({"weekdays": []}, "weekdays", "at least one"),
        ({"weekdays": ["mon", "mon"]}, "weekdays", "each once"),
        ({"weekdays": ["lundi"]}, "weekdays[0]", "mon, tue"),
        ({"cadense": {}}, "cadense", "cadence"),
    ],
)
def test_a_wrong_field_is_named_with_its_remedy(raw: dict[str, object], field: str, remedy: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_policy(raw)
    assert isinstance(caught.value, ValueError)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert remedy in caught.value.problems[0].sentence


def test_all_wrong_fields_are_reported_together() -> None:
    raw = {"cadence": {"kind": "every_months", "months": 1}, "quiet_hours": [], "weekdays": ["x", "y"]}
    with pytest.raises(InvalidInput) as caught:
        parse_policy(raw)
    fields = {problem.field for problem in caught.value.problems}
    assert fields >= {"cadence.months", "quiet_hours", "weekdays[0]", "weekdays[1]"}


def test_administrators_left_out_follow_the_counsellor_and_may_be_left_alone() -> None:
    assert parse_policy({"escalate_after_days": 20}).escalate_admin_after_days == 40
    assert parse_policy({"escalate_admin_after_days": None}).escalate_admin_after_days is None


def test_a_term_cannot_end_before_it_starts() -> None:
    with pytest.raises(InvalidInput, match="later last day"):
        Term("Backwards", date(2027, 2, 1), date(2027, 1, 1))
