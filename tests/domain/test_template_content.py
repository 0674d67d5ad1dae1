"""The recipe of a template: read whole, written back, compared."""

import json
from typing import Any

import pytest

from app.domain.cadence import EveryMonths, ReviewPolicy
from app.domain.errors import InvalidInput
from app.domain.steps import AroundTerm, DaysAfterStart, StepKey
from app.domain.template_content import (
    COMPLETION_PARAMETERS,
    Change,
    checksum,
    content_as_json,
    difference,
    parse_content,
)


def recipe(**goals: Any) -> dict[str, Any]:
    return {
        "steps": {
            "ambition": {"guidance": "Write what you want.", "due": {"kind": "after_start", "days": 14}},
            "self_assessment": {"guidance": "Take both.", "instruments": ["interests", "values-1.2"]},
            "goals": {
                "guidance": "Set goals.",
                "completion": {"least_goals": 4},
                "due": {"kind": "term", "term": "Autumn", "edge": "end", "offset_days": -7},
                **goals,
            },
            "review": {"enabled": False, "guidance": "Look back."},
        },
        "review_policy": {"cadence": {"kind": "every_months", "months": 4}},
    }


def problems(raw: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        parse_content(raw)
    return {problem.field: problem.sentence for problem in caught.value.problems}


def test_a_recipe_is_read_with_its_standards() -> None:
    content = parse_content(recipe())
    assert [step.key for step in content.steps] == list(StepKey)
    assert [step.key.value for step in content.steps if step.enabled] == [
        "ambition",
        "self_assessment",
        "goals",
    ]
    goals = content.step(StepKey.GOALS)
    assert dict(goals.completion) == {"least_goals": 4, "least_horizons": 2}
    assert goals.due == AroundTerm("Autumn", "end", -7)
    assert content.step(StepKey.AMBITION).due == DaysAfterStart(14)
    assert content.step(StepKey.SELF_ASSESSMENT).instruments == ("interests", "values-1.2")
    assert content.step(StepKey.REVIEW).guidance == "Look back."
    assert content.review_policy.cadence == EveryMonths(4)
    assert parse_content({"steps": recipe()["steps"]}).review_policy == ReviewPolicy()


def test_a_recipe_survives_json_and_order_does_not_change_its_checksum() -> None:
    content = parse_content(recipe())
    written = json.loads(json.dumps(content_as_json(content)))
    assert parse_content(written) == content
    written["steps"] = dict(reversed(written["steps"].items()))
    assert checksum(parse_content(written)) == checksum(content)
    assert checksum(parse_content(recipe(guidance="Set two goals."))) != checksum(content)


def test_a_template_without_steps_is_refused_with_a_clear_sentence() -> None:
    off = {key.value: {"enabled": False} for key in StepKey}
    none: tuple[dict[str, Any], ...] = ({}, {"steps": {}}, {"steps": off})
    for raw in none:
        assert problems(raw) == {"steps": "This template has no steps. Switch on at least one of the eight."}


@pytest.mark.parametrize(
    ("change", "field", "remedy"),
    [
        ({"guidance": ""}, "guidance", "a text"),
        ({"guidance": "x" * 20_001}, "guidance", "Shorten"),
        ({"enabled": "yes"}, "enabled", "true or false"),
        ({"instruments": "interests"}, "instruments", "a list"),
        ({"instruments": ["a", "a"]}, "instruments[1]", "once"),
        ({"instruments": ["a b"]}, "instruments[0]", "key"),
        ({"completion": {"least_goals": 0}}, "completion.least_goals", "from 1 to 50"),
        ({"completion": {"most_goals": 3}}, "completion.most_goals", "least_goals"),
        ({"completion": []}, "completion", "object"),
        ({"due": {"kind": "after_start", "days": -2}}, "due.days", "0 to 3660"),
        ({"due": "soon"}, "due", "object"),
        ({"colour": "red"}, "colour", "Remove it"),
    ],
)
def test_a_mistake_in_a_step_is_named(change: dict[str, Any], field: str, remedy: str) -> None:
    assert remedy in problems(recipe(**change))[f"steps.goals.{field}"]


def test_all_mistakes_are_reported_at_once() -> None:
    raw = recipe(guidance=7, due={"kind": "never"})
    raw["steps"]["golas"] = {}
    raw["review_policy"] = {"cadence": {"kind": "every_months", "months": 1}, "weekdays": []}
    raw["name"] = "x"
    assert problems(raw).keys() == {
        "steps.goals.guidance",
        "steps.goals.due.kind",
        "steps.golas",
        "review_policy.cadence.months",
        "review_policy.weekdays",
        "name",
    }
    assert problems({"steps": []}).keys() == {"steps"}
    assert "review_policy" in problems({**recipe(), "review_policy": None})


def test_a_difference_names_what_changed() -> None:
    before = parse_content(recipe())
    raw = recipe(guidance="Set two.", due=None)
    raw["steps"]["self_assessment"]["instruments"] = ["interests"]
    raw["review_policy"] = {}
    changes = difference(before, parse_content(raw))
    assert changes == (
        Change("steps.self_assessment.instruments", ["interests", "values-1.2"], ["interests"]),
        Change("steps.goals.guidance", "Set goals.", "Set two."),
        Change("steps.goals.due", {"kind": "term", "term": "Autumn", "edge": "end", "offset_days": -7}, None),
        Change("review_policy.cadence.months", 4, 6),
    )
    assert difference(before, before) == ()


def test_every_step_has_completion_parameters_within_their_bounds() -> None:
    assert set(COMPLETION_PARAMETERS) == set(StepKey)
    for parameters in COMPLETION_PARAMETERS.values():
        assert all(parameter.low <= parameter.standard <= parameter.high for parameter in parameters)
