"""Decisions on several criteria, against published and independently computed figures."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain import decisions
from tests.shared_data import vectors

Matrix = np.ndarray[Any, np.dtype[np.float64]]


@pytest.mark.data
def test_pairwise_weights_equal_the_vectors_and_the_published_example() -> None:
    given_vectors = vectors("ahp")
    assert {str(size): index for size, index in decisions.RANDOM_INDEX.items()} == given_vectors["RI_by_n"]
    assert given_vectors["threshold"] == decisions.MOST_INCONSISTENT
    for case in given_vectors["cases"]:
        found = decisions.pairwise_weights(np.array(case["matrix"], dtype=np.float64))
        assert found.weights == pytest.approx(case["weights_eigenvector"], abs=1e-6)
        assert found.lambda_max == pytest.approx(case["lambda_max"], abs=1e-6)
        assert found.consistency_index == pytest.approx(case["CI"], abs=1e-6)
        assert found.consistency_ratio == pytest.approx(case["CR"], abs=1e-6)
        assert found.usable == case["acceptable_at_0_10"]
        if found.consistency_index > 0:
            assert decisions.RANDOM_INDEX[len(case["matrix"])] == case["RI"]
            assert found.consistency_index / case["RI"] == pytest.approx(found.consistency_ratio, abs=1e-9)
        # Geometric means are the eigenvector for three things or answers without contradiction, else another answer.
        apart = np.abs(np.subtract(found.weights, case["weights_geometric_mean"])).max()
        assert (apart < 1e-6) == (len(case["matrix"]) <= 3 or case["CI"] < 1e-6)
    published = given_vectors["published_check"]
    found = decisions.pairwise_weights(np.array(given_vectors["cases"][published["case"]]["matrix"]))
    assert found.weights == pytest.approx(published["weights"], abs=6e-4)
    assert round(found.consistency_ratio, 3) == published["CR"]


def test_a_circle_of_preferences_is_no_weights_and_says_where_to_look() -> None:
    matrix = decisions.pairwise_matrix(3, {(0, 1): 3, (0, 2): 1 / 5, (1, 2): 4})
    assert matrix is not None
    assert not decisions.pairwise_weights(matrix).usable
    # Five comparisons follow the weights 8, 4, 2, 1; the last says the opposite of them.
    said = {(0, 1): 2.0, (0, 2): 4.0, (1, 2): 2.0, (1, 3): 4.0, (2, 3): 2.0, (0, 3): 1 / 8}
    matrix = decisions.pairwise_matrix(4, said)
    assert matrix is not None
    found = decisions.pairwise_weights(matrix)
    assert not found.usable
    assert found.worst is not None
    assert (found.worst.first, found.worst.second, found.worst.said) == (0, 3, 1 / 8)
    assert found.worst.implied == pytest.approx(8)


def test_comparisons_must_be_whole_and_above_zero() -> None:
    assert decisions.pairwise_matrix(3, {(0, 1): 2, (0, 2): 3}) is None
    turned = decisions.pairwise_matrix(2, {(1, 0): 4})
    assert turned is not None
    assert turned.tolist() == [[1, 0.25], [4, 1]]
    with pytest.raises(ValueError, match="above 0"):
        decisions.pairwise_matrix(2, {(0, 1): 0})
    with pytest.raises(ValueError, match="1 to 10"):
        decisions.pairwise_weights(np.ones((11, 11)))


@given(weights=st.lists(st.floats(0.1, 10), min_size=1, max_size=10))
def test_consistent_comparisons_give_their_weights_back(weights: list[float]) -> None:
    column = np.array(weights)
    found = decisions.pairwise_weights(column[:, None] / column[None, :])
    assert found.weights == pytest.approx(column / column.sum(), abs=1e-6)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-6)
    assert found.usable


@pytest.mark.data
def test_weighted_sums_and_topsis_equal_the_vectors() -> None:
    given_vectors = vectors("topsis_wsm")
    for case in given_vectors["cases"]:
        table = np.array(case["D"], dtype=np.float64)
        sums = decisions.weighted_sum(decisions.stretched(table, case["benefit"]), case["weights"])
        assert sums.totals == pytest.approx(case["weighted_sum_minmax"], abs=1e-6)
        assert sums.basis.tolist() == [1.0] * len(table)
        found = decisions.topsis(table, case["weights"], case["benefit"])
        assert found.ideal == pytest.approx(case["ideal"], abs=1e-6)
        assert found.anti_ideal == pytest.approx(case["anti_ideal"], abs=1e-6)
        assert found.to_ideal == pytest.approx(case["d_plus"], abs=1e-6)
        assert found.to_anti_ideal == pytest.approx(case["d_minus"], abs=1e-6)
        assert found.closeness == pytest.approx(case["closeness"], abs=1e-6)
        ranks = 1 + (found.closeness[None, :] > found.closeness[:, None]).sum(axis=1)
        assert ranks.tolist() == case["rank"]
    published = given_vectors["published_check"]
    case = given_vectors["cases"][published["case"]]
    found = decisions.topsis(np.array(case["D"], dtype=np.float64), case["weights"], case["benefit"])
    assert found.ideal == pytest.approx(published["ideal"], abs=published["abs_tol"])


def test_unknown_figures_shrink_the_basis_and_are_never_zero() -> None:
    table = np.array([[4, np.nan], [2, 5], [np.nan, np.nan]])
    found = decisions.weighted_sum(table, [3, 1])
    assert found.totals[:2].tolist() == [4, 2.75]
    assert np.isnan(found.totals[2])
    assert found.basis.tolist() == [0.75, 1, 0]
    assert np.isnan(decisions.stretched(table, [True, False])[0, 1])
    with pytest.raises(ValueError, match="every option"):
        decisions.topsis(table, [1, 1], [True, True])
    with pytest.raises(ValueError, match="above 0"):
        decisions.weighted_sum(table, [0, 0])


def test_columns_without_spread_are_named_and_count_one_for_all() -> None:
    table = np.array([[3, 1, np.nan], [3, 2, 4], [3, np.nan, np.nan]])
    assert decisions.without_spread(table) == (0,)
    assert decisions.stretched(table, [True, True, True])[:, 0].tolist() == [1, 1, 1]


TABLES = st.integers(2, 5).flatmap(
    lambda options: st.integers(2, 5).flatmap(
        lambda criteria: st.tuples(
            st.lists(
                st.lists(st.integers(1, 5), min_size=criteria, max_size=criteria), min_size=options, max_size=options
            ),
            st.lists(st.integers(0, 10), min_size=criteria, max_size=criteria),
        )
    )
)


def totals_with(table: Matrix, share: Matrix, criterion: int, becomes: float) -> Matrix:
    moved = share * (1 - becomes) / (1 - share[criterion])
    moved[criterion] = becomes
    found: Matrix = table @ moved
    return found


@given(made=TABLES)
def test_a_shift_is_the_smallest_that_changes_the_winner(made: tuple[list[list[int]], list[int]]) -> None:
    rows, weights = made
    assume(sum(weights) > 0)
    table = np.array(rows, dtype=np.float64)
    share = decisions.shares(weights)
    first = int(np.argmax(table @ share))
    found = {shift.criterion: shift for shift in decisions.shifts(table, weights)}
    for criterion in range(len(weights)):
        if share[criterion] > 1 - 1e-9:
            assert criterion not in found
            continue
        shift = found.get(criterion)
        for becomes in np.linspace(0, 1, 41):
            totals = totals_with(table, share, criterion, float(becomes))
            beaten = totals.max() > totals[first] + 1e-9
            if shift is None or abs(becomes - share[criterion]) < shift.amount - 1e-9:
                assert not beaten
        if shift is not None and shift.amount > 0:
            beyond = shift.becomes + (1e-6 if shift.becomes > shift.weight else -1e-6)
            totals = totals_with(table, share, criterion, beyond)
            assert totals[shift.rival] > totals[first]


@given(made=TABLES, seed=st.integers(0, 1000))
def test_a_dominated_option_never_wins(made: tuple[list[list[int]], list[int]], seed: int) -> None:
    rows, _ = made
    table = np.array(rows, dtype=np.float64)
    found = decisions.dominated(table)
    weights = np.random.default_rng(seed).uniform(0.1, 1, size=(50, table.shape[1]))
    winners = {int(winner) for winner in np.argmax(table @ weights.T, axis=0)}
    assert not winners & set(found)
    for option, others in found.items():
        assert all((table[other] >= table[option]).all() and (table[other] > table[option]).any() for other in others)


def test_an_unknown_figure_neither_dominates_nor_is_dominated() -> None:
    table = np.array([[5, np.nan], [4, 3], [3, 2]])
    assert decisions.dominated(table) == {2: (1,)}
    assert decisions.dominated(table, [True, False]) == {1: (0,), 2: (0, 1)}
