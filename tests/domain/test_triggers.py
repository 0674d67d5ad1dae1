"""The rules of triggers that need no database."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.matching import ranks
from app.domain.scoring import Direction
from app.domain.triggers import (
    NUMBERS,
    RULED,
    SEVERITY,
    Figures,
    Rule,
    Trigger,
    changed_letters,
    check_rule,
    low_since,
    moved,
    ranks_of,
    standard_rule,
)

DAY = date(2026, 3, 1)


def course(*values: float) -> list[tuple[date, float, int]]:
    return [(DAY + timedelta(days=number), value, 2) for number, value in enumerate(values)]


def test_every_kind_has_a_severity_of_its_own() -> None:
    assert set(SEVERITY) == set(Trigger)
    assert len(set(SEVERITY.values())) == len(SEVERITY)


@pytest.mark.parametrize("kind", RULED)
def test_the_standard_is_off_and_within_its_bounds(kind: Trigger) -> None:
    rule = standard_rule(kind)
    assert not rule.active
    assert check_rule(rule) == rule


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_number_out_of_its_bounds_is_refused(kind: Trigger) -> None:
    bounds = NUMBERS[kind]
    assert check_rule(Rule(kind, number=bounds.least)).number == bounds.least
    assert check_rule(Rule(kind, number=bounds.most)).number == bounds.most
    assert check_rule(Rule(kind)).number == bounds.standard
    for number in (bounds.least - 1, bounds.most + 1):
        with pytest.raises(InvalidInput):
            check_rule(Rule(kind, number=number))


def test_a_rule_without_a_number_keeps_none_and_an_event_is_no_rule() -> None:
    assert check_rule(Rule(Trigger.GOAL_MISSED, active=True, number=3)).number is None
    with pytest.raises(InvalidInput):
        check_rule(Rule(Trigger.EXTERNAL_EVENT, active=True))


def test_low_twice_in_a_row_counts_from_the_second() -> None:
    assert low_since(course(39, 41, 39), 40) is None
    assert low_since(course(39), 40) is None
    assert low_since(course(50, 39, 38), 40) == (DAY + timedelta(days=2), 38)
    # A third low one says nothing new, and who has come up again is left alone.
    assert low_since(course(39, 38, 30), 40) == (DAY + timedelta(days=1), 38)
    assert low_since(course(39, 38, 40), 40) is None
    # A new run after one that ended is another thing.
    assert low_since(course(39, 38, 45, 30, 31), 40) == (DAY + timedelta(days=4), 31)


def test_only_leading_letters_that_changed_reliably() -> None:
    before, after = [30.0, 28, 10, 10, 10, 10], [30.0, 20, 10, 29, 10, 18]
    # S_diff is sqrt(2) x 2 = 2.83, so that 5.55 points are reliable: C rose by 8, and leads in neither.
    assert changed_letters(before, after, [2.0] * 6) == {"I": Direction.LOWER, "S": Direction.HIGHER}
    assert changed_letters(before, after, [4.0] * 6) == {"S": Direction.HIGHER}
    assert changed_letters(before, after, [None] * 6) == {}
    assert changed_letters([None, *before[1:]], after, [2.0] * 6) == {}


def test_what_moved_between_two_releases() -> None:
    profile = [6.0, 4, 2, 1, 3, 5]
    before = Figures(zone=4, interests=profile, growth=3.0, pay=50_000)
    assert moved(before, before, 10) == ()
    assert moved(before, None, 10) == ("gone",)
    # The same shape at another height is the same profile.
    assert moved(before, Figures(4, [score + 1 for score in profile], 5.9, 54_999), 10) == ()
    everything = Figures(3, profile[::-1], 6.0, 45_000)
    assert moved(before, everything, 10) == ("zone", "interests", "outlook", "pay")
    # What one of the two does not say cannot have moved.
    assert moved(before, Figures(), 10) == ()
    assert moved(Figures(), everything, 10) == ()


@given(
    st.lists(
        st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9, float("nan")]), min_size=5, max_size=5), min_size=1, max_size=6
    ),
    st.integers(0, 4),
)
def test_a_rank_is_the_one_of_the_ordered_list(rows: list[list[float]], column: int) -> None:
    matrix = np.array(rows)
    found = ranks_of(matrix, np.full(len(rows), column))
    assert found.tolist() == [int(ranks(row)[column]) for row in matrix]
