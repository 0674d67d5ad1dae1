"""Changes split by cause add up; moved days; two contents field by field, nothing missed and nothing invented."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.change import drift, field_changes, split_change, split_members


def test_each_cause_is_what_it_makes_alone_and_the_rest_is_named() -> None:
    # you: 2 -> 5, data: 3 -> 4, weights: 1 -> 2, multiplied: the causes work with each other.
    split = split_change(lambda you, data, weights: (5 if you else 2) * (4 if data else 3) * (2 if weights else 1))
    assert split is not None
    assert (split.before, split.after) == (6, 40)
    assert (split.you, split.data, split.weights) == (9, 2, 6)
    assert split.together == 40 - 6 - 9 - 2 - 6


def test_a_figure_that_only_adds_up_has_no_rest() -> None:
    split = split_change(lambda you, data, weights: 10 + 3 * you - 2 * data + 0.5 * weights)
    assert split is not None
    assert (split.you, split.data, split.weights, split.together) == (3, -2, 0.5, 0)


@given(st.lists(st.floats(-1e3, 1e3) | st.none(), min_size=8, max_size=8))
def test_the_parts_add_up_whatever_is_undefined_between(values: list[float | None]) -> None:
    split = split_change(lambda you, data, weights: values[4 * you + 2 * data + weights])
    if values[0] is None or values[7] is None:
        assert split is None
        return
    assert split is not None
    parts = [part for part in (split.you, split.data, split.weights, split.together) if part is not None]
    assert sum(parts) == pytest.approx(split.after - split.before, abs=1e-9)
    assert (split.you is None) == (values[4] is None)


def test_who_came_and_who_left_is_told_by_the_cause_that_does_it_alone() -> None:
    sets = {
        (False, False): {"stays", "goes by you", "goes by data", "goes by both"},
        (True, False): {"stays", "goes by data", "goes by both", "comes by you"},
        (False, True): {"stays", "goes by you", "goes by both", "comes by data"},
        (True, True): {"stays", "comes by you", "comes by data", "comes by both"},
    }
    entered, left = split_members(lambda you, data: sets[you, data])
    assert entered == {"comes by you": "you", "comes by data": "data", "comes by both": "together"}
    assert left == {"goes by you": "you", "goes by data": "data", "goes by both": "together"}


def test_days_move_only_for_what_was_there_and_is_there() -> None:
    was = {"a": date(2026, 9, 1), "b": date(2026, 9, 1), "c": None, "gone": date(2026, 1, 1)}
    now = {"b": date(2026, 9, 11), "a": date(2026, 8, 31), "c": date(2026, 9, 1), "new": date(2026, 9, 9)}
    assert [(moved.id, moved.days) for moved in drift(was, now)] == [("b", 10), ("a", -1), ("c", None)]


def test_rows_are_told_apart_by_their_ids_wherever_they_stand() -> None:
    before = {"goals": [{"id": "a", "text": "one", "level": None}, {"id": "b", "text": "two", "level": 0}], "why": ""}
    after = {"goals": [{"id": "b", "text": "two", "level": 1}, {"id": "c", "text": "three", "level": None}]}
    found = [(change.path, change.before, change.after) for change in field_changes(before, after)]
    assert found == [
        (("goals", "a", "text"), "one", None),
        (("goals", "b", "level"), 0, 1),
        (("goals", "c", "text"), None, "three"),
    ]


def test_another_order_is_a_change_and_zero_is_not_nothing() -> None:
    first, second = {"id": "a", "n": 1}, {"id": "b", "n": 2}
    turned = field_changes({"rows": [first, second]}, {"rows": [second, first]})
    assert [(change.path, change.before, change.after) for change in turned] == [
        (("rows", "order"), ["a", "b"], ["b", "a"])
    ]
    assert [change.path for change in field_changes({"n": None, "f": ""}, {"n": 0, "f": False})] == [("n",), ("f",)]
    assert field_changes({"n": None, "rows": []}, {"text": "", "rows": None, "map": {}}) == []


def test_rows_that_share_an_id_are_compared_as_a_whole() -> None:
    before, after = [{"id": "a", "n": 1}, {"id": "a", "n": 2}], [{"id": "a", "n": 1}]
    [change] = field_changes({"rows": before}, {"rows": after})
    assert (change.path, change.before, change.after) == (("rows",), before, after)


_VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "y"])
_ROWS = st.lists(
    st.fixed_dictionaries({"id": st.sampled_from("abcd"), "v": _VALUES, "list": st.lists(_VALUES, max_size=2)}),
    max_size=4,
    unique_by=lambda row: row["id"],
)
_CONTENT = st.fixed_dictionaries(
    {"text": _VALUES, "rows": _ROWS, "map": st.dictionaries(st.sampled_from("pq"), _VALUES, max_size=2)}
)


def _held(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(value, list):
            value = next((row for row in value if row["id"] == part), None)
        elif value is not None:
            value = value.get(part)
    return value


@given(_CONTENT, _CONTENT)
def test_every_listed_field_holds_what_is_said_and_putting_them_in_makes_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    changes = field_changes(before, after)
    for change in changes:
        if change.path[-1] != "order":
            assert _held(before, change.path) == change.before
            assert _held(after, change.path) == change.after
    # Whatever is not listed is the same on both sides, but for what says nothing: so nothing was missed.
    patched = copy.deepcopy(before)
    for change in changes:
        _put(patched, change.path, change.after)
    assert _bare(patched) == _bare(after)


def _put(value: Any, path: tuple[str, ...], what: Any) -> None:
    *outer, last = path
    if last == "order" and outer == ["rows"]:
        value["rows"].sort(key=lambda row: what.index(row["id"]) if row["id"] in what else 99)
        return
    for part in outer:
        if isinstance(value, list):
            row = next((row for row in value if row["id"] == part), None)
            if row is None:
                row = {"id": part}
                value.append(row)
            value = row
        else:
            value = value.setdefault(part, {})
    value[last] = what


def _bare(content: dict[str, Any]) -> dict[str, Any]:
    """The content without what says nothing, rows by id."""

    def said(fields: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in fields.items() if value not in (None, "", [], {})}

    rows = {row["id"]: said(row) for row in content["rows"]}
    filled = {key: row for key, row in rows.items() if len(row) > 1}
    return {"text": said({"text": content["text"]}), "map": said(content["map"]), "rows": filled}
