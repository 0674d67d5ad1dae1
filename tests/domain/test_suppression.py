"""No withheld count can be worked out (P5), checked by listing all tables a reader must hold possible."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.suppression import Suppression, cap_percentage, possible_range, suppress
from tests.shared_data import vectors


def tables(most_rows: int, most_columns: int, most: int) -> st.SearchStrategy[Any]:
    """Random tables in which zeros and small counts are common."""
    count = st.one_of(st.just(0), st.integers(0, 6), st.integers(0, most))
    return st.tuples(st.integers(1, most_rows), st.integers(1, most_columns)).flatmap(
        lambda shape: st.lists(count, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
            lambda values: np.array(values, dtype=np.int64).reshape(shape)
        )
    )


def compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in compositions(total - first, parts - 1):
            yield (first, *rest)


def consistent(table: Any, withheld: Suppression) -> Any:
    """All tables of the same grand total that agree with everything published, one a row."""
    every = np.array(list(compositions(int(table.sum()), table.size))).reshape(-1, *table.shape)
    fits = (every == table)[:, ~withheld.cells].all(axis=1)
    fits &= (every.sum(axis=2) == table.sum(axis=1))[:, ~withheld.row_totals].all(axis=1)
    fits &= (every.sum(axis=1) == table.sum(axis=0))[:, ~withheld.column_totals].all(axis=1)
    return every[fits]


@settings(max_examples=150, deadline=None)
@given(table=tables(2, 3, 9))
def test_every_withheld_cell_has_more_than_one_possible_value_by_listing_them(table: Any) -> None:
    assume(5 <= table.sum() <= 15)
    withheld = suppress(table, 5)
    assert not withheld.total
    possible = consistent(table, withheld)
    for row, column in np.argwhere(withheld.cells):
        values = set(possible[:, row, column].tolist())
        found = possible_range(table, withheld, row, column)
        assert len(values) > 1
        assert (found.low, found.high) == (min(values), max(values))
    for totals, axis in ((withheld.row_totals, 2), (withheld.column_totals, 1)):
        for line in np.flatnonzero(totals):
            assert len(set(possible.sum(axis=axis)[:, line].tolist())) > 1


@settings(max_examples=150, deadline=None)
@given(table=tables(7, 6, 60), threshold=st.integers(5, 30))
def test_small_counts_are_withheld_and_none_can_be_worked_out(table: Any, threshold: int) -> None:
    withheld = suppress(table, threshold)
    assert withheld.cells[(table > 0) & (table < threshold)].all()
    for totals, mask in (
        (table.sum(axis=1), withheld.row_totals),
        (table.sum(axis=0), withheld.column_totals),
    ):
        assert mask[(totals > 0) & (totals < threshold)].all()
    has_row, has_column = (table.sum(axis=1) > 0), (table.sum(axis=0) > 0)
    assert withheld.cells[has_row & (table.sum(axis=1) < threshold)].all()
    assert withheld.cells[:, has_column & (table.sum(axis=0) < threshold)].all()
    for row, column in np.argwhere(withheld.cells):
        found = possible_range(table, withheld, row, column)
        assert found.high is None or found.low < found.high
        assert found.low <= table[row, column]
    for row in range(table.shape[0]):
        if not withheld.row_totals[row]:
            assert withheld.cells[row].sum() != 1
    for column in range(table.shape[1]):
        if not withheld.column_totals[column]:
            assert withheld.cells[:, column].sum() != 1
    assert suppress(table, threshold).cells.tolist() == withheld.cells.tolist()


@settings(max_examples=100, deadline=None)
@given(table=tables(6, 6, 200))
def test_a_table_without_small_or_telling_counts_is_published_whole(table: Any) -> None:
    table = table + 30
    withheld = suppress(table)
    assert not withheld.cells.any()
    assert not withheld.row_totals.any()
    assert not withheld.column_totals.any()
    assert not withheld.total


@pytest.mark.data
def test_suppression_equals_the_vectors() -> None:
    for case in vectors("suppression")["cases"]:
        table = np.array(case["table"])
        shape = table.shape
        assert (table.sum(axis=1).tolist(), table.sum(axis=0).tolist()) == (case["row_totals"], case["col_totals"])
        assert np.argwhere(table == 0).tolist() == case["zero_cells"]
        no_totals = (np.zeros(shape[0], dtype=bool), np.zeros(shape[1], dtype=bool), False)

        def only(cells: list[list[int]], table: Any = table, no_totals: Any = no_totals) -> Suppression:
            mask = np.zeros(table.shape, dtype=bool)
            for row, column in cells:
                mask[row, column] = True
            return Suppression(mask, *no_totals)

        for place, bounds in case["primary_only_ranges"].items():
            row, column = map(int, place.split(","))
            found = possible_range(table, only(case["primary"]), row, column)
            assert [found.low, found.high] == bounds
        for place, bounds in case["feasible_ranges"].items():
            row, column = map(int, place.split(","))
            found = possible_range(table, only(case["one_valid_solution"]), row, column)
            assert [found.low, found.high] == bounds
        withheld = suppress(table, case["threshold"])
        assert all(withheld.cells[row, column] for row, column in case["primary"])
        assert withheld.cells.sum() == len(case["one_valid_solution"])
        for row, column in np.argwhere(withheld.cells):
            found = possible_range(table, withheld, row, column)
            assert found.high is not None
            assert found.low < found.high


def test_a_group_that_is_all_in_one_cell_is_not_told() -> None:
    table = np.array([[40, 0], [30, 25], [28, 31]])
    withheld = suppress(table)
    assert withheld.cells[0].all()
    assert withheld.cells[1:].sum() == 2
    assert not withheld.row_totals.any()


def test_a_small_group_is_withheld_with_its_total_and_one_more() -> None:
    withheld = suppress(np.array([[4, 0, 3], [30, 25, 40], [28, 31, 60]]))
    assert withheld.cells[0].all()
    assert withheld.row_totals[0]
    assert withheld.row_totals.sum() == 2
    assert not withheld.total


def test_a_table_of_few_people_is_withheld_whole_and_an_empty_one_is_not() -> None:
    few = suppress(np.array([[4, 0], [0, 3]]))
    assert few.total
    assert few.cells.all()
    assert few.row_totals.all()
    assert few.column_totals.all()
    empty = suppress(np.zeros((3, 2), dtype=np.int64))
    assert not empty.cells.any()


@pytest.mark.parametrize(
    ("table", "threshold", "field"),
    [
        ([[1, 2]], 4, "threshold"),
        ([[1, 2]], 31, "threshold"),
        ([[1, -2]], 10, "table"),
        ([1, 2], 10, "table"),
        ([[]], 10, "table"),
        ([[1.5]], 10, "table"),
    ],
)
def test_what_is_no_table_or_threshold_is_refused(table: Any, threshold: int, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        suppress(np.array(table), threshold)
    assert caught.value.field == field


@pytest.mark.data
def test_percentages_are_capped_as_in_the_vectors() -> None:
    given_bounds = vectors("suppression")["percent_bounds"]
    for low, high, margin in given_bounds["bands"]:
        for of in (low, high or 5000):
            assert cap_percentage(0, of) == cap_percentage(0, of, 5)
            none, everybody = cap_percentage(0, of), cap_percentage(of, of)
            assert (none.kind, none.value) == ("at_most", margin)
            assert (everybody.kind, everybody.value) == ("at_least", 100 - margin)
    assert cap_percentage(5, given_bounds["min_n"] - 1).kind == "withheld"


def test_percentages_between_the_caps_are_exact() -> None:
    assert cap_percentage(5, 10).value == 50
    assert cap_percentage(4, 20).kind == "exact"
    assert cap_percentage(3, 20).kind == "at_most"
    assert cap_percentage(17, 20).kind == "at_least"
    assert cap_percentage(12, 12, 15).value is None
    assert cap_percentage(0, 0).kind == "withheld"
    with pytest.raises(InvalidInput, match="no share"):
        cap_percentage(5, 4)
