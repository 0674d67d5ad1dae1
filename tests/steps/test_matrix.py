"""The decision matrix that rooms share: weights direct and by pairs, totals with their basis, what they hang on."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.domain.saying import plain
from app.features.plans.rooms import Listing, Table
from app.features.steps.matrix import (
    Comparison,
    Criterion,
    Matrix,
    Rated,
    comparisons,
    matrix_of,
    pairs_to_compare,
    settle_pairs,
    weighting_field,
    weights_of,
)
from app.features.steps.matrix_forms import PairRow, dealt_pairs
from app.features.steps.matrix_words import blocks_of, missing_of, sensitivity_words, weights_words
from app.features.steps.parts import StrictSchema, rows

CRITERIA = [{"id": "a", "name": "Pay"}, {"id": "b", "name": "Freedom"}, {"id": "c", "name": "Time"}]


class Content(StrictSchema):
    """What a room that uses the matrix has."""

    criteria = rows(Criterion)
    weighting = weighting_field()
    pairs = comparisons()
    options = rows(Rated)


def content(weights: dict[str, int | None] | None = None, **more: Any) -> dict[str, Any]:
    criteria = [row | {"weight": (weights or {}).get(row["id"])} for row in CRITERIA]
    return {"criteria": criteria, "weighting": None, "pairs": []} | more


def pair(first: str, second: str, times: float | None, why: str = "") -> dict[str, Any]:
    return {"first": first, "second": second, "times": times, "why": why}


def made(stored: dict[str, Any], **ratings: dict[str, int]) -> Matrix:
    return matrix_of(stored, [{"id": name, "ratings": rated} for name, rated in ratings.items()], lambda r: r["id"])


def test_direct_weights_totals_and_the_smallest_change() -> None:
    matrix = made(content({"a": 5, "b": 3, "c": 2}), x={"a": 5, "b": 2, "c": 3}, y={"a": 3, "b": 4, "c": 3})
    assert matrix.totals == pytest.approx({"x": 3.7, "y": 3.3})
    assert matrix.leaders == ("x",)
    assert matrix.flat == ("c",)
    nearest = matrix.shifts[0]
    # Lead .4: x is 2 ahead on a and 2 behind on b, c is level. With b at w the rest keeps 5 : 2, so that the lead is
    # 2 x (1 - w) x 5/7 - 2 w = 0 at w = 5/12.
    assert (nearest.criterion, nearest.rival, nearest.becomes) == ("b", "y", pytest.approx(5 / 12))
    said = "\n".join(sensitivity_words(matrix, plain))
    assert "If “Freedom” counted more than 41.7 percent (now 30), “y” would lead." in said
    assert "“Time” decides nothing" in said
    assert missing_of(matrix, 3, plain) == []


def test_a_missing_rating_shrinks_the_basis_and_names_no_leader() -> None:
    matrix = made(content({"a": 5, "b": 5}), x={"a": 5}, y={"a": 4, "b": 4})
    assert matrix.totals == {"x": 5.0, "y": 4.0}
    assert matrix.basis == {"x": 0.5, "y": 1.0}
    assert (matrix.leaders, matrix.shifts, matrix.unrated) == ((), (), ("x",))
    assert sensitivity_words(matrix, plain) == []
    assert missing_of(matrix, 2, plain) == ["Rate “x” on every criterion that counts."]
    table = next(b for b in blocks_of(matrix, content(), plain, heading="T", option="O") if isinstance(b, Table))
    assert table.rows[0] == ("x", "5.00", "50%", "5", "not rated", "not rated")


def test_nothing_known_is_not_zero() -> None:
    matrix = made(content({"a": 1}), x={})
    assert matrix.totals == {"x": None}
    block = blocks_of(matrix, content(), plain, heading="T", option="O")[0]
    assert isinstance(block, Table)
    assert block.rows[0][1] == "not known"
    assert made(content(), x={"a": 5}).totals == {}


def test_a_criterion_without_weight_needs_no_rating() -> None:
    matrix = made(content({"a": 2, "b": 0}), x={"a": 4}, y={"a": 5})
    assert matrix.leaders == ("y",)
    assert matrix.dominated == {"x": ("y",)}
    assert "never better than “y”" in "\n".join(sensitivity_words(matrix, plain))


def test_weights_by_pairs_with_reasons() -> None:
    # SCIENCE 3.8: 3, 5, 2 gives .648 .230 .122 with CR .0032.
    compared = [pair("a", "b", 3, "rent comes first"), pair("a", "c", 5), pair("c", "b", 0.5)]
    stored = content(weighting="pairs", pairs=compared)
    weights = weights_of(stored)
    assert weights.shares == pytest.approx({"a": 0.648, "b": 0.230, "c": 0.122}, abs=1e-3)
    matrix = made(stored, x={"a": 3, "b": 5, "c": 5}, y={"a": 4, "b": 2, "c": 2})
    assert "0.00" in weights_words(matrix, plain)
    lines = next(
        block.lines
        for block in blocks_of(matrix, stored, plain, heading="T", option="O")
        if isinstance(block, Listing) and block.heading == "Criteria compared"
    )
    assert "“Pay” matters 3 times as much as “Freedom”: rent comes first" in lines
    assert "“Freedom” matters 2 times as much as “Time”" in lines


def test_open_pairs_and_contradictions_are_refused_as_weights_and_explained() -> None:
    half = content(weighting="pairs", pairs=[pair("a", "b", 3)])
    assert weights_of(half).lack == "open"
    assert "Still to compare: 2 of 3" in missing_of(made(half, x={"a": 1, "b": 1, "c": 1}), 3, plain)[0]
    # SCIENCE 3.8: the circle 3, 1/5, 4 has CR 1.87.
    circle = content(weighting="pairs", pairs=[pair("a", "b", 3), pair("a", "c", 1 / 5), pair("b", "c", 4)])
    matrix = made(circle, x={"a": 1, "b": 2, "c": 3}, y={"a": 3, "b": 2, "c": 1})
    assert matrix.weights.lack == "inconsistent"
    assert (matrix.totals, matrix.leaders) == ({}, ())
    said = missing_of(matrix, 3, plain)[0]
    assert "1.87" in said
    assert "Look at this pair again" in said
    many = [{"id": f"c{n}", "name": f"C{n}", "weight": None} for n in range(11)]
    assert weights_of({"criteria": many, "weighting": "pairs"}).lack == "too_many"
    assert pairs_to_compare({"criteria": many}) == []


RATING = st.integers(1, 5)
RATED = st.fixed_dictionaries({"a": RATING, "b": RATING, "c": RATING})


@given(
    weights=st.fixed_dictionaries({key: st.integers(0, 10) for key in "abc"}),
    options=st.dictionaries(st.sampled_from("uvwxyz"), RATED, min_size=1),
)
def test_the_smallest_change_is_where_the_lead_is_lost(
    weights: dict[str, int], options: dict[str, dict[str, int]]
) -> None:
    matrix = made(content(dict(weights)), **options)
    if not any(weights.values()):
        assert matrix.totals == {}
        return
    shares = {key: value / sum(weights.values()) for key, value in weights.items()}
    by_hand = {name: sum(shares[key] * rated[key] for key in "abc") for name, rated in options.items()}
    assert matrix.totals == pytest.approx(by_hand)
    assert set(matrix.leaders) == {n for n, total in by_hand.items() if max(by_hand.values()) - total <= 1e-9}
    for shift in matrix.shifts:
        beyond = shift.becomes + (1e-6 if shift.becomes > shift.weight else -1e-6)
        rest = 1 - shift.weight
        moved = {k: beyond if k == shift.criterion else v * (1 - beyond) / rest for k, v in shares.items()}
        lead, rival = (
            sum(moved[key] * options[name][key] for key in "abc") for name in (matrix.leaders[0], shift.rival)
        )
        assert rival > lead
        before = shift.becomes - (1e-6 if shift.becomes > shift.weight else -1e-6)
        moved = {k: before if k == shift.criterion else v * (1 - before) / rest for k, v in shares.items()}
        lead, rival = (
            sum(moved[key] * options[name][key] for key in "abc") for name in (matrix.leaders[0], shift.rival)
        )
        assert rival < lead


@pytest.mark.parametrize(
    "raw",
    [
        {"pairs": [pair("a", "a", 3)]},
        {"pairs": [pair("a", "b", 3), pair("b", "a", 3)]},
        {"pairs": [pair("a", "b", 0)]},
        {"pairs": [pair("a", "b", 10)]},
        {"pairs": [pair("a", "b", float("nan"))]},
        {"pairs": [pair("A B", "b", 1)]},
        {"weighting": "guess"},
        {"options": [{"id": "x", "ratings": {"a": 6}}]},
    ],
)
def test_s10_what_cannot_be_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Content().load(raw)


def test_comparisons_go_with_their_criterion_and_the_form_deals_every_pair() -> None:
    stored = content(weighting="pairs", pairs=[pair("b", "a", 3, "why"), pair("a", "gone", 1)])
    assert settle_pairs(stored)["pairs"] == [pair("b", "a", 3, "why")]
    dealt = dealt_pairs(stored)
    assert len(dealt) == 3
    assert pair("b", "a", 3, "why") in dealt
    assert Comparison(many=True).load(dealt)


@given(times=st.sampled_from((9, 7, 5, 3, 1, 1 / 3, 1 / 5, 1 / 7, 1 / 9, 4.0, 2.5)))
def test_what_was_compared_comes_back_from_the_form_exactly(times: float) -> None:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        form = PairRow(data=PairRow.from_content(pair("a", "b", times, "because")))
        form.choose({"a": "Pay", "b": "Time"})
        assert form.content() == pair("a", "b", times, "because")
        assert str(form.times.data) in [str(choice.value) for choice in form.times.choices]
