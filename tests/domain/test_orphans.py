"""What points at something that is gone."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.orphans import Lost, Orphan, orphans, waits_for
from app.domain.steps import StepKey

WHOLE: dict[StepKey, dict[str, Any]] = {
    StepKey.OPPORTUNITIES: {"factors": [{"id": "f1", "text": "Growing", "occupation": "13-1161.00"}]},
    StepKey.CAREER_CHOICE: {
        "criteria": [{"id": "c1", "name": "Interests"}],
        "options": [
            {"id": "o1", "name": "Analyst", "code": "13-1161.00", "ratings": {"c1": 4}},
            {"id": "o2", "name": "Planner", "ratings": {}},
        ],
        "chosen": "o1",
        "runner_up": "o2",
    },
    StepKey.CAREER_PATH: {
        "paths": [{"id": "p1", "kind": "technical"}, {"id": "p2", "kind": "own", "name": "Art"}],
        "chosen": "p1",
        "milestones": [{"id": "m1", "text": "Trainee", "path": "p1"}],
    },
    StepKey.GOALS: {
        "goals": [
            {"id": "g1", "text": "Lead", "path": "p2"},
            {"id": "g2", "text": "Learn", "parent": "g1", "path": "p1"},
        ]
    },
    StepKey.ACTION_PLAN: {
        "actions": [
            {"id": "a1", "text": "Course", "goal": "g2", "path": "p1"},
            {"id": "a2", "text": "Apply", "goal": "g2", "after": ["a1"]},
        ]
    },
}


def without(step: StepKey, name: str, row: str) -> dict[StepKey, dict[str, Any]]:
    rows = [one for one in WHOLE[step][name] if one["id"] != row]
    return WHOLE | {step: WHOLE[step] | {name: rows}}


def test_a_whole_plan_and_an_empty_one_have_none() -> None:
    # What belongs to a way not taken (g1) is set aside, not lost.
    assert orphans(WHOLE) == []
    assert orphans({}) == []


@pytest.mark.parametrize(
    ("step", "name", "row", "found"),
    [
        (StepKey.CAREER_CHOICE, "criteria", "c1", [(Lost.RATED_CRITERION, "o1", "c1")]),
        (
            StepKey.CAREER_CHOICE,
            "options",
            "o1",
            [(Lost.FACTOR_OCCUPATION, "f1", "13-1161.00"), (Lost.CHOSEN_OPTION, None, "o1")],
        ),
        (StepKey.CAREER_CHOICE, "options", "o2", [(Lost.RUNNER_UP, None, "o2")]),
        (StepKey.CAREER_PATH, "paths", "p2", [(Lost.GOAL_PATH, "g1", "p2")]),
        (
            StepKey.CAREER_PATH,
            "paths",
            "p1",
            [
                (Lost.CHOSEN_PATH, None, "p1"),
                (Lost.MILESTONE_PATH, "m1", "p1"),
                (Lost.GOAL_PATH, "g2", "p1"),
                (Lost.ACTION_PATH, "a1", "p1"),
            ],
        ),
        (StepKey.GOALS, "goals", "g1", [(Lost.GOAL_PARENT, "g2", "g1")]),
        (StepKey.GOALS, "goals", "g2", [(Lost.ACTION_GOAL, "a1", "g2"), (Lost.ACTION_GOAL, "a2", "g2")]),
        (StepKey.ACTION_PLAN, "actions", "a1", [(Lost.ACTION_AFTER, "a2", "a1")]),
    ],
)
def test_taking_a_row_away_leaves_what_pointed_at_it(
    step: StepKey, name: str, row: str, found: list[tuple[Lost, str | None, str]]
) -> None:
    assert [(one.what, one.id, one.lost) for one in orphans(without(step, name, row))] == found


def test_an_open_action_of_a_dropped_goal_is_told_and_one_that_is_over_is_not() -> None:
    goals = [WHOLE[StepKey.GOALS]["goals"][0], WHOLE[StepKey.GOALS]["goals"][1] | {"status": "dropped"}]
    actions = [
        {"id": "a1", "text": "Course", "goal": "g2", "done": True},
        {"id": "a2", "text": "Apply", "goal": "g2", "status": "done"},
        {"id": "a3", "text": "Write", "goal": "g2", "status": "begun"},
    ]
    contents = WHOLE | {StepKey.GOALS: {"goals": goals}, StepKey.ACTION_PLAN: {"actions": actions}}
    assert orphans(contents) == [Orphan(StepKey.ACTION_PLAN, Lost.ACTION_DROPPED_GOAL, "Write", "a3", "g2")]


def test_a_factor_is_no_orphan_before_there_is_a_list() -> None:
    assert orphans({StepKey.OPPORTUNITIES: WHOLE[StepKey.OPPORTUNITIES]}) == []


def test_a_factor_linked_to_an_occupation_looked_up_goes_by_that_list() -> None:
    factor = {"id": "f1", "text": "Growing", "occupation": {"code": "13-1161.00", "release": "starter-30.1"}}
    looked_up = {"id": "k1", "code": "13-1161.00", "name": "Analyst"}

    def found(*occupations: dict[str, Any]) -> list[Lost]:
        content = {"factors": [factor], "occupations": list(occupations)}
        return [one.what for one in orphans({StepKey.OPPORTUNITIES: content})]

    assert found(looked_up) == []
    assert found() == [Lost.FACTOR_OCCUPATION]


def test_what_an_action_waits_for_is_read_in_every_form() -> None:
    assert [waits_for({}), waits_for({"after": "a1"}), waits_for({"after": ["a1", "a2"]})] == [[], ["a1"], ["a1", "a2"]]
