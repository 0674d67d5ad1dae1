"""The eight rooms: strict content, sentences of what is missing, blocks of the report. No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.domain.template_content import COMPLETION_PARAMETERS
from app.features.plans.rooms import Paragraph, Surroundings, Table
from app.features.steps.career_choice.content import matrix_of_options
from app.features.steps.parts import words
from app.features.steps.registry import ROOMS

GOAL = {"id": "g1", "horizon": "short", "text": "Finish the thesis", "measure": "handed in", "due_on": "2027-06-01"}
COMPLETE: dict[StepKey, dict[str, Any]] = {
    StepKey.AMBITION: {
        "statement": " ".join(["word"] * 20),
        "why": "It matters.",
        "values": [{"id": f"v{n}", "name": name} for n, name in enumerate(("Time", "Craft", "People"))],
    },
    StepKey.SELF_ASSESSMENT: {"fits": "I like order."},
    StepKey.OPPORTUNITIES: {
        "factors": [
            {"id": f"f{n}", "text": f"Factor {n}", "kind": kind, "controllable": control, "likelihood": n, "impact": 2}
            for n, (kind, control) in enumerate(
                [("opportunity", "yes"), ("threat", "no"), ("strength", "partly"), ("weakness", "yes")], start=1
            )
        ]
    },
    StepKey.CAREER_CHOICE: {
        "criteria": [{"id": f"c{n}", "name": f"Criterion {n}", "weight": n} for n in (1, 2, 3)],
        "options": [
            {"id": f"o{n}", "name": f"Option {n}", "ratings": {"c1": n, "c2": 3, "c3": 5 - n}} for n in (1, 2, 3)
        ],
        "chosen": "o1",
        "runner_up": "o2",
        "reason": "The best fit.",
    },
    StepKey.CAREER_PATH: {
        "criteria": [{"id": "c1", "name": "Freedom", "weight": 6}, {"id": "c2", "name": "Income", "weight": 4}],
        "paths": [
            {"id": "p1", "kind": "technical", "ratings": {"c1": 3, "c2": 4}},
            {"id": "p2", "kind": "own", "name": "Politics", "ratings": {"c1": 5, "c2": 3}},
        ],
        "chosen": "p2",
        "reason": "I like debate.",
        "milestones": [{"id": "m1", "text": "Council", "due_on": "2030-01-01"}, {"id": "m2", "text": "Mayor"}],
    },
    StepKey.GOALS: {
        "goals": [GOAL, {"id": "g2", "horizon": "life", "text": "Teach", "measure": "a class of my own"}],
    },
    StepKey.ACTION_PLAN: {
        "actions": [
            {"id": "a1", "kind": "work", "text": "Write", "due_on": "2027-01-01", "goal": "g1"},
            {"id": "a2", "kind": "training", "text": "Course", "start_on": "2027-01-01", "due_on": "2027-02-01"},
        ]
    },
    StepKey.REVIEW: {},
}
AROUND = Surroundings(
    contents={StepKey.GOALS: {"goals": [GOAL]}},
    instruments={"big5": "Big Five"},
    assessments={"big5": (date(2026, 9, 1), [("Openness", 3.4), ("Order", None)])},
    reviews=[(date(2026, 9, 1), "confirm")],
    today=date(2026, 9, 7),
)


def around(key: StepKey) -> Surroundings:
    return replace(AROUND, parameters={p.name: p.standard for p in COMPLETION_PARAMETERS[key]})


@pytest.mark.parametrize("key", list(StepKey))
def test_s10_unknown_fields_are_refused(key: StepKey) -> None:
    with pytest.raises(InvalidInput) as caught:
        ROOMS[key].read({"surprise": 1})
    assert [problem.field for problem in caught.value.problems] == ["surprise"]


def test_s10_unknown_fields_in_rows_and_wrong_types_are_refused_by_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        ROOMS[StepKey.GOALS].read({"goals": [GOAL, GOAL | {"id": "g2", "mood": "high"}]})
    assert [problem.field for problem in caught.value.problems] == ["goals[1].mood"]
    for wrong in ({"factors": [{"id": "x", "likelihood": "3"}]}, {"factors": [{"id": "x", "impact": 6}]}):
        with pytest.raises(InvalidInput):
            ROOMS[StepKey.OPPORTUNITIES].read(wrong)
    with pytest.raises(InvalidInput):
        ROOMS[StepKey.ACTION_PLAN].read({"actions": [{"id": "a", "done": "yes"}]})


@pytest.mark.parametrize("key", list(StepKey))
def test_complete_content_misses_nothing_and_empty_content_says_what(key: StepKey) -> None:
    room = ROOMS[key]
    content = room.read(COMPLETE[key])
    assert room.read(content) == content
    assert room.missing(content, around(key), plain) == []
    bare = replace(around(key), reviews=(), assessments={})
    said = room.missing(room.empty(), bare, plain)
    assert said
    assert all(sentence.endswith(".") for sentence in said)


@pytest.mark.parametrize("key", list(StepKey))
def test_the_report_is_plain_data_with_rows_as_wide_as_the_columns(key: StepKey) -> None:
    room = ROOMS[key]
    section = room.report(room.read(COMPLETE[key]), around(key), plain)
    assert section.title
    assert section.blocks
    assert section.lines()
    for block in section.blocks:
        if isinstance(block, Table):
            assert all(len(row) == len(block.columns) for row in block.rows)
    nothing = room.report(room.empty(), Surroundings(), plain)
    assert nothing.blocks == ()


def test_sentences_name_what_to_mend() -> None:
    room = ROOMS[StepKey.ACTION_PLAN]
    content = room.read(
        {"actions": [{"id": "a", "kind": "work", "text": "X", "start_on": "2027-02-01", "due_on": "2027-01-01"}]}
    )
    said = room.missing(content, around(StepKey.ACTION_PLAN), plain)
    assert said == [
        "Actions so far: 1. Plan at least 2.",
        "“X” is due before it starts. Change one of the two days.",
    ]


def test_old_answers_to_a_questionnaire_are_told() -> None:
    late = replace(around(StepKey.SELF_ASSESSMENT), today=date(2028, 9, 7))
    assert ROOMS[StepKey.SELF_ASSESSMENT].missing({"fits": "x"}, late, plain) == [
        "Your answers to “Big Five” are old. Answer it again."
    ]


def test_the_weighted_mean_is_the_definition() -> None:
    content = COMPLETE[StepKey.CAREER_CHOICE]
    # By hand: the products 1, 6 and 12 over the weights 1, 2 and 3.
    assert next(iter(matrix_of_options(content).totals.values())) == pytest.approx(19 / 6)
    partly = matrix_of_options(content | {"options": [{"id": "x", "name": "x", "ratings": {"c1": 3}}]})
    assert (partly.totals, partly.basis) == ({"x": 3.0}, {"x": pytest.approx(1 / 6)})
    assert matrix_of_options({"criteria": [], "options": content["options"]}).totals == {}


@given(
    st.lists(st.integers(1, 10), min_size=1, max_size=6),
    st.data(),
)
def test_the_weighted_mean_lies_between_the_ratings(weights: list[int], data: st.DataObject) -> None:
    ratings = {f"c{n}": data.draw(st.integers(1, 5)) for n in range(len(weights))}
    criteria = [{"id": f"c{n}", "name": "x", "weight": weight} for n, weight in enumerate(weights)]
    options = [{"id": "o", "name": "o", "ratings": ratings}]
    mean = matrix_of_options({"options": options, "criteria": criteria}).totals["o"]
    assert mean is not None
    assert min(ratings.values()) - 1e-9 <= mean <= max(ratings.values()) + 1e-9


def test_words_are_counted_in_both_scripts() -> None:
    assert words("I want to build bridges.") == 5
    assert words("我想建桥") == 2
    assert words("") == 0


def test_the_choice_stands_first_in_its_report() -> None:
    section = ROOMS[StepKey.CAREER_CHOICE].report(COMPLETE[StepKey.CAREER_CHOICE], Surroundings(), plain)
    assert section.blocks[0] == Paragraph("First choice", "Option 1")
