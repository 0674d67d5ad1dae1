"""Statuses, classes and rates of first destinations."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import outcomes
from app.domain.outcomes import (
    EMPLOYED,
    EMPLOYMENTS,
    SOURCES,
    STATUSES,
    Destination,
    class_of,
    counts_until,
    days_of_class,
    destinations_of,
    problems_of,
)
from app.domain.reading import FIRST_DAY, LAST_DAY

TODAY = date(2026, 9, 7)
WORK = Destination(status=outcomes.FULL_TIME, known_on=TODAY, source="survey")


def test_the_published_example() -> None:
    counts = {
        outcomes.FULL_TIME: 250,
        outcomes.PART_TIME: 70,
        outcomes.SERVICE: 10,
        outcomes.MILITARY: 15,
        outcomes.EDUCATION: 80,
        outcomes.SEEKING_WORK: 30,
        outcomes.SEEKING_EDUCATION: 15,
        outcomes.NOT_SEEKING: 20,
    }
    found = destinations_of(560, counts)
    assert found.knowledge_rate == 0.875
    assert found.career_outcomes_rate is not None
    assert round(found.career_outcomes_rate, 4) == 0.9043
    assert found.no_information == 70


def test_a_rate_of_nobody_is_undefined_and_not_zero() -> None:
    assert destinations_of(12, {}).knowledge_rate == 0
    assert destinations_of(12, {}).career_outcomes_rate is None
    assert destinations_of(12, {outcomes.NOT_SEEKING: 3}).career_outcomes_rate is None
    assert destinations_of(12, {outcomes.SEEKING_WORK: 3}).career_outcomes_rate == 0
    assert destinations_of(0, {}).knowledge_rate is None


@given(st.lists(st.integers(0, 300), min_size=8, max_size=8), st.integers(0, 300))
def test_rates_by_the_formulas_as_they_are_published(numbers: list[int], unknown: int) -> None:
    counts = dict(zip(STATUSES, numbers, strict=True))
    known, graduates = sum(numbers), sum(numbers) + unknown
    found = destinations_of(graduates, counts)
    assert found.knowledge_rate == (known / graduates if graduates else None)
    placed, seeking = sum(numbers[:5]), sum(numbers[5:7])
    assert found.career_outcomes_rate == (placed / (placed + seeking) if placed + seeking else None)


@given(st.dates(date(1900, 7, 1), date(2200, 6, 30)))
def test_every_day_is_in_one_class(day: date) -> None:
    year = class_of(day)
    first, last = days_of_class(year)
    assert first <= day <= last
    assert last < counts_until(year) < days_of_class(year + 1)[1]
    assert days_of_class(year + 1)[0] == last + timedelta(days=1)


def test_a_class_is_named_by_the_year_it_ends_in() -> None:
    assert [class_of(date(2025, 6, 30)), class_of(date(2025, 7, 1)), class_of(date(2026, 6, 30))] == [2025, 2026, 2026]


def test_every_day_that_can_be_given_is_in_a_class_that_can_be_named() -> None:
    assert (class_of(FIRST_DAY), class_of(LAST_DAY)) == (outcomes.FIRST_CLASS, outcomes.LAST_CLASS)


def test_what_can_be_kept() -> None:
    for status in STATUSES:
        assert problems_of(replace(WORK, status=status), TODAY) == []
    full = replace(WORK, employment="freelance", salary=0, currency="EUR", employer="x" * 200)
    assert problems_of(full, TODAY) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "unknown"}, "status"),
        ({"status": ""}, "status"),
        ({"source": "rumour"}, "source"),
        ({"employment": "slave"}, "employment"),
        ({"status": "military", "employment": "freelance"}, "employment"),
        ({"known_on": TODAY + timedelta(days=1)}, "known_on"),
        ({"known_on": date(1, 1, 1)}, "known_on"),
        ({"known_on": date(9999, 12, 31)}, "known_on"),
        ({"employer": "x" * 201}, "employer"),
        ({"salary": 10}, "currency"),
        ({"currency": "EUR"}, "salary"),
        ({"salary": -1, "currency": "EUR"}, "salary"),
        ({"salary": 10**10, "currency": "EUR"}, "salary"),
        ({"salary": 10, "currency": "eur"}, "currency"),
        ({"salary": 10, "currency": "ＥＵＲ"}, "currency"),
        ({"status": "service", "salary": 10, "currency": "EUR"}, "salary"),
    ],
)
def test_what_cannot_be_is_named_by_its_field(change: dict[str, object], field: str) -> None:
    assert [problem.field for problem in problems_of(replace(WORK, **change), TODAY)] == [field]  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Employed full-time", outcomes.FULL_TIME),
        ("employed_part_time", outcomes.PART_TIME),
        ("FULL TIME", outcomes.FULL_TIME),
        ("Still seeking", outcomes.SEEKING_WORK),
        ("Continuing education", outcomes.EDUCATION),
        ("升学", outcomes.EDUCATION),
        ("Not seeking", outcomes.NOT_SEEKING),
        ("", None),
        ("?", None),
        ("happy", None),
    ],
)
def test_words_of_files(word: str, status: str | None) -> None:
    assert outcomes.status_called(word) == status


def test_every_kind_is_called_by_its_own_name() -> None:
    assert [outcomes.status_called(word) for word in STATUSES] == list(STATUSES)
    assert [outcomes.employment_called(word) for word in EMPLOYMENTS] == list(EMPLOYMENTS)
    assert [outcomes.source_called(word) for word in SOURCES] == list(SOURCES)
    assert set(EMPLOYED) < set(STATUSES)
