"""Goals as rules: horizons, the five questions, goal attainment T, the tree, and the share of actions done."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.circles import circles
from app.domain.goals import (
    HORIZONS,
    LEVELS,
    SMART,
    Goal,
    Rating,
    Share,
    attainment,
    attainment_over_time,
    check_smart,
    check_tree,
    horizon_of,
    roll_up,
    tree_order,
)
from tests.shared_data import vectors

_TODAY = date(2026, 3, 1)
_LEVEL = st.sampled_from(LEVELS)
_WEIGHT = st.floats(0.01, 1e6)


def test_t_agrees_with_the_vectors() -> None:
    given_vectors = vectors("goal_attainment")
    assert list(LEVELS) == given_vectors["scale"]
    for case in given_vectors["cases"]:
        assert attainment(case["scores"], case["weights"], case["rho"]) == pytest.approx(case["T"], abs=1e-6)


def test_t_is_undefined_without_a_level_or_without_weight() -> None:
    assert attainment([], []) is None
    assert attainment([None, None], [1, 1]) is None
    assert attainment([2], [0]) is None
    assert attainment([None, 1], [3, 1]) == 60


@pytest.mark.parametrize(
    ("levels", "weights", "rho"),
    [([3], [1], 0.3), ([1], [1, 1], 0.3), ([1], [-1], 0.3), ([1], [float("nan")], 0.3), ([1], [1], 1.2)],
)
def test_t_refuses_what_is_out_of_range(levels: list[int], weights: list[float], rho: float) -> None:
    with pytest.raises(ValueError, match=r"level|weight|rho"):
        attainment(levels, weights, rho)


@given(st.lists(st.tuples(_LEVEL, _WEIGHT), min_size=1, max_size=8), st.integers(0, 7), st.floats(0, 1))
def test_t_rises_with_each_level(goals: list[tuple[int, float]], at: int, rho: float) -> None:
    levels, weights = [level for level, _ in goals], [weight for _, weight in goals]
    at %= len(goals)
    before = attainment(levels, weights, rho)
    higher = [*levels[:at], min(2, levels[at] + 1), *levels[at + 1 :]]
    after = attainment(higher, weights, rho)
    assert before is not None
    assert after is not None
    assert after > before if higher != levels else after == before


@given(st.lists(st.tuples(_LEVEL, _WEIGHT), min_size=1, max_size=8), st.floats(1e-3, 1e3))
def test_t_depends_on_the_ratio_of_weights_and_is_mirrored_at_50(goals: list[tuple[int, float]], by: float) -> None:
    levels, weights = [level for level, _ in goals], [weight for _, weight in goals]
    value = attainment(levels, weights)
    assert value == pytest.approx(attainment(levels, [weight * by for weight in weights]))
    mirrored = attainment([-level for level in levels], weights)
    assert mirrored is not None
    assert value == pytest.approx(100 - mirrored)


@given(_LEVEL, _WEIGHT)
def test_one_goal_counts_ten_points_a_level_whatever_its_weight(level: int, weight: float) -> None:
    assert attainment([level], [weight]) == pytest.approx(50 + 10 * level)


def test_t_over_time_takes_the_latest_level_of_every_goal_rated_so_far() -> None:
    first, second = date(2026, 1, 1), date(2026, 6, 1)
    ratings = [
        Rating("a", second, 1),
        Rating("a", first, -1),
        Rating("b", first, 0),
        Rating("gone", first, 2),
        Rating("a", second, 2),
    ]
    found = attainment_over_time(ratings, {"a": 1, "b": 1})
    assert [(day, count) for day, _, count in found] == [(first, 2), (second, 2)]
    assert found[0][1] == pytest.approx(attainment([-1, 0], [1, 1]))
    assert found[1][1] == pytest.approx(attainment([2, 0], [1, 1]))


@pytest.mark.parametrize(
    ("due_on", "horizon"),
    [
        (date(2020, 1, 1), "short"),
        (date(2027, 2, 28), "short"),
        (date(2027, 3, 1), "medium"),
        (date(2031, 2, 28), "medium"),
        (date(2031, 3, 1), "long"),
        (date(2036, 3, 1), "life"),
        (None, "life"),
    ],
)
def test_a_horizon_ends_the_day_before_its_year_is_full(due_on: date | None, horizon: str) -> None:
    assert horizon_of(due_on, _TODAY) == horizon


def test_29_february_counts_to_28_february() -> None:
    assert horizon_of(date(2029, 2, 27), date(2028, 2, 29)) == "short"
    assert horizon_of(date(2029, 2, 28), date(2028, 2, 29)) == "medium"


@given(st.integers(-400, 8000), st.integers(0, 400))
def test_a_later_day_never_lies_in_a_nearer_horizon(ahead: int, more: int) -> None:
    near, far = (horizon_of(_TODAY + timedelta(days=days), _TODAY) for days in (ahead, ahead + more))
    assert HORIZONS.index(far) >= HORIZONS.index(near)


def test_smart_is_five_answers_with_a_reason_and_no_score() -> None:
    check = check_smart(
        {"specific": (True, "it names the clinic"), "measurable": (False, "no number yet"), "timed": (True, " ")}
    )
    assert check.holds == ("specific",)
    assert check.fails == ("measurable",)
    assert check.unanswered == ("attainable", "relevant", "timed")
    assert set(check.holds + check.fails + check.unanswered) == set(SMART)


def test_a_tree_is_checked_for_circles_horizons_and_parents_without_a_live_child() -> None:
    check = check_tree(
        [
            Goal("life", None, "life"),
            Goal("long", "life", "long"),
            Goal("medium", "short", "medium"),
            Goal("short", None, "short"),
            Goal("dropped", "long", "short", live=False),
            Goal("x", "y", "short"),
            Goal("y", "x", "short"),
        ]
    )
    assert check.circles == (("x", "y"),)
    assert check.longer == (("medium", "short"),)
    assert check.childless == ("long", "medium")
    assert check.empty == ()
    assert check_tree([Goal("a", "gone", "life", live=False)]).empty == HORIZONS


def test_a_goal_that_serves_itself_is_a_circle_and_no_child() -> None:
    check = check_tree([Goal("a", "a", "life")])
    assert check.circles == (("a",),)
    assert check.childless == ("a",)


_LINKS = st.integers(1, 7).flatmap(
    lambda size: st.lists(st.one_of(st.none(), st.integers(0, size - 1)), min_size=size, max_size=size)
)


@given(_LINKS)
def test_circles_are_found_exactly_where_following_the_parents_comes_back(parents: list[int | None]) -> None:
    goals = [Goal(str(n), None if parent is None else str(parent)) for n, parent in enumerate(parents)]
    named = {name for circle in check_tree(goals).circles for name in circle}
    for start in range(len(parents)):
        here, steps = parents[start], 0
        while here is not None and here != start and steps <= len(parents):
            here, steps = parents[here], steps + 1
        assert (here == start) == (str(start) in named)


@given(_LINKS)
def test_the_tree_shows_every_goal_once_and_parents_first(parents: list[int | None]) -> None:
    goals = [Goal(str(n), None if parent is None else str(parent)) for n, parent in enumerate(parents)]
    order = tree_order(goals)
    depths = dict(order)
    assert sorted(depths) == sorted(goal.id for goal in goals)
    assert len(order) == len(goals)
    for goal in goals:
        if goal.parent and depths[goal.id]:
            assert depths[goal.id] == depths[goal.parent] + 1


@given(_LINKS, st.data())
def test_rolled_up_shares_count_each_action_once(parents: list[int | None], data: st.DataObject) -> None:
    goals = [Goal(str(n), None if parent is None else str(parent)) for n, parent in enumerate(parents)]
    actions = data.draw(st.lists(st.tuples(st.sampled_from([goal.id for goal in goals]), st.booleans()), max_size=12))
    shares = roll_up(goals, actions)
    for goal in goals:
        own = [done for name, done in actions if name == goal.id]
        assert shares[goal.id].planned >= len(own)
        assert shares[goal.id].done <= shares[goal.id].planned <= len(actions)
        if goal.parent is not None:
            assert shares[goal.parent].planned >= shares[goal.id].planned
            assert shares[goal.parent].done >= shares[goal.id].done


def test_nothing_planned_has_no_share() -> None:
    assert roll_up([Goal("a")], [])["a"].value is None
    assert Share(1, 4).value == 0.25


def test_a_long_chain_is_walked_without_recursion() -> None:
    links = {str(n): [str(n + 1)] for n in range(5000)}
    assert circles(links) == []
    assert len(circles({**links, "5000": ["0"]})[0]) == 5001
