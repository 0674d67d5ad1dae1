"""Paired comparison: every pair once, rankings, circles counted, and Kendall's coefficient."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pairs import (
    Pair,
    circular_triads,
    consistency,
    open_pairs,
    pair_order,
    rank_by_pairs,
    read_answers,
    wins,
)

NAMES = "abcdefgh"


@st.composite
def tournaments(draw: st.DrawFn) -> tuple[list[str], dict[Pair, str]]:
    things = list(draw(st.permutations(NAMES[: draw(st.integers(3, 8))])))
    return things, {frozenset(pair): draw(st.sampled_from(pair)) for pair in combinations(things, 2)}


@given(st.integers(0, 9))
def test_every_two_are_asked_once_and_nobody_twice_in_a_round(n: int) -> None:
    things = [f"t{i}" for i in range(n)]
    asked = pair_order(things)
    assert sorted(map(sorted, asked)) == sorted(map(sorted, combinations(things, 2)))
    if n >= 4:
        size = n // 2
        for start in range(0, len(asked), size):
            names = [name for pair in asked[start : start + size] for name in pair]
            assert len(names) == len(set(names))


@given(tournaments())
def test_the_count_of_circles_is_that_of_looking_at_every_three(case: tuple[list[str], dict[Pair, str]]) -> None:
    things, answers = case
    found = consistency(things, answers)
    assert found is not None
    triads = circular_triads(things, answers)
    assert found.circles == len(triads)
    assert 0 <= found.zeta <= 1
    for a, b, c in triads:
        assert (answers[frozenset((a, b))], answers[frozenset((b, c))], answers[frozenset((c, a))]) == (a, b, c)


@given(st.permutations(NAMES), st.integers(3, 8))
def test_answers_from_an_order_give_that_order_back_without_a_circle(order: list[str], n: int) -> None:
    order = order[:n]
    answers = read_answers(combinations(order, 2))
    assert rank_by_pairs(sorted(order), answers) == order
    found = consistency(order, answers)
    assert found is not None
    assert (found.circles, found.zeta) == (0, 1.0)


@given(tournaments())
def test_a_ranking_keeps_all_and_never_puts_fewer_wins_first(case: tuple[list[str], dict[Pair, str]]) -> None:
    things, answers = case
    ranked = rank_by_pairs(things, answers)
    counted = wins(things, answers)
    assert sorted(ranked) == sorted(things)
    assert [counted[t] for t in ranked] == sorted(counted.values(), reverse=True)
    assert sum(counted.values()) == len(answers)


@given(tournaments(), st.randoms(use_true_random=False))
def test_names_do_not_matter(case: tuple[list[str], dict[Pair, str]], rng: st.DataObject) -> None:
    things, answers = case
    other = dict(zip(things, [f"x{i}" for i in range(len(things))], strict=True))
    renamed = {frozenset(other[t] for t in pair): other[won] for pair, won in answers.items()}
    assert consistency(list(other.values()), renamed) == consistency(things, answers)


@pytest.mark.parametrize(("n", "most"), [(3, 1), (4, 2), (5, 5), (6, 8), (7, 14), (8, 20)])
def test_the_most_circles_are_kendall_s_and_a_regular_tournament_reaches_them(n: int, most: int) -> None:
    things = list(NAMES[:n])
    # Each beats the next half of the ring.
    answers = {
        frozenset((things[i], things[(i + step) % n])): things[i] for step in range(n // 2, 0, -1) for i in range(n)
    }
    found = consistency(things, answers)
    assert found is not None
    assert (found.circles, found.most) == (most, most)
    assert found.zeta == pytest.approx(0.0)


def test_one_circle_among_three_and_one_among_five() -> None:
    three = read_answers([("a", "b"), ("b", "c"), ("c", "a")])
    assert circular_triads(["a", "b", "c"], three) == [("a", "b", "c")]
    five = read_answers([*combinations("abcde", 2), ("c", "a")])
    found = consistency(list("abcde"), five)
    assert found is not None
    # a, b, c go round; 1 - 24 * 1 / (125 - 5) = 0.8; of 10 threes a quarter by chance.
    assert (found.circles, found.zeta, found.by_chance) == (1, pytest.approx(0.8), 2.5)


def test_it_is_not_known_before_every_pair_is_answered_or_below_three() -> None:
    assert consistency(["a", "b"], read_answers([("a", "b")])) is None
    assert consistency(["a", "b", "c"], read_answers([("a", "b"), ("b", "c")])) is None
    assert open_pairs(["a", "b", "c"], read_answers([("a", "b"), ("b", "c")])) == [("c", "a")]


def test_an_answer_can_be_changed_and_others_are_left_aside() -> None:
    answers = read_answers([("a", "b"), ("b", "a"), ("z", "a"), ("a", "a")])
    assert wins(["a", "b"], answers) == {"a": 0, "b": 1}
    with pytest.raises(ValueError, match="twice"):
        pair_order(["a", "a"])
