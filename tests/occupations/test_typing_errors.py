"""Typing errors between two words: the short way says the same as the full count, which is held to its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.features.occupations.search import errors_between, is_within

words = st.text("abc", max_size=9)


@given(words, words, st.sampled_from((1, 2)))
def test_the_short_way_is_the_full_count(one: str, other: str, allowed: int) -> None:
    assert is_within(one, other, allowed) == (errors_between(one, other) <= allowed)


@given(words, words)
def test_errors_between_is_a_distance(one: str, other: str) -> None:
    errors = errors_between(one, other)
    assert errors == errors_between(other, one)
    assert (errors == 0) == (one == other)
    assert abs(len(one) - len(other)) <= errors <= max(len(one), len(other))


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [("nurse", "nusre", 1), ("nurse", "nurs", 1), ("nurse", "nuurse", 1), ("nurse", "norse", 1), ("nurse", "nrsue", 2)],
)
def test_each_kind_of_error_counts_one(one: str, other: str, errors: int) -> None:
    assert errors_between(one, other) == errors
