"""What a factor's change makes of its figures, and which words the fields of two revisions have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields

from app.domain.environment import CONTROL
from app.domain.saying import plain
from app.features.reviews.answers import CHANGES, figures_said
from app.features.steps.field_words import field_names
from app.features.steps.registry import ROOMS


@pytest.mark.parametrize(
    ("row", "change", "control", "said"),
    [
        ({"impact": 3, "likelihood": 2}, "stronger", None, {"impact": 4}),
        ({"impact": 5, "likelihood": 2}, "stronger", None, {"likelihood": 3}),
        ({"impact": 5, "likelihood": 5}, "stronger", None, {}),
        ({"impact": None, "likelihood": 2}, "weaker", None, {"likelihood": 1}),
        ({"impact": 1, "likelihood": 1}, "weaker", None, {}),
        ({"impact": None, "likelihood": None}, "stronger", None, {}),
        ({"impact": 3}, "gone", None, {"state": "gone"}),
        ({"impact": 3}, "came_true", "no", {"state": "came_true", "controllable": "no"}),
        ({"impact": 3, "controllable": "no"}, "same", "no", {}),
        ({"impact": 3, "controllable": "no"}, "same", "partly", {"controllable": "partly"}),
    ],
)
def test_a_change_moves_one_figure_by_one(
    row: dict[str, Any], change: str, control: str | None, said: dict[str, Any]
) -> None:
    assert figures_said(row, change, control) == said


_FIGURE = st.none() | st.integers(1, 5)


@given(_FIGURE, _FIGURE, st.sampled_from(CHANGES), st.none() | st.sampled_from(CONTROL))
def test_figures_stay_in_their_range(
    impact: int | None, likelihood: int | None, change: str, control: str | None
) -> None:
    said = figures_said({"impact": impact, "likelihood": likelihood}, change, control)
    assert set(said) <= {"impact", "likelihood", "state", "controllable"}
    assert all(1 <= said[name] <= 5 for name in ("impact", "likelihood") if name in said)


def _names(schema: Schema) -> Iterator[str]:
    for name, field in schema.fields.items():
        yield name
        inner = field
        while isinstance(inner, fields.List):
            inner = inner.inner
        if isinstance(inner, fields.Dict) and inner.value_field is not None:
            inner = inner.value_field
        if isinstance(inner, fields.Nested):
            yield from _names(inner.schema)


def test_every_field_of_every_room_has_words() -> None:
    known = field_names(plain)
    asked = {name for room in ROOMS.values() for name in _names(room.schema())} - {"id"}
    assert asked - set(known) == set()
    assert len(asked) > 80
