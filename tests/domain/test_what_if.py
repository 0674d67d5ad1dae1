"""What a change would do: on a copy, and only what the change itself brings."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.canonical import canonical_json
from app.domain.orphans import Lost
from app.domain.schedule import State, Why
from app.domain.staleness import Aspect, stale_steps
from app.domain.steps import StepKey
from app.domain.what_if import (
    Impossible,
    Kind,
    Trouble,
    actions_of,
    apply_all,
    clashes,
    fits,
    hours_of,
    outcome,
)

TODAY = date(2026, 9, 7)
S = StepKey
PLAN: dict[StepKey, dict[str, Any]] = {
    S.OPPORTUNITIES: {"factors": [{"id": "f1", "text": "Hiring freeze", "kind": "threat"}], "education": 6},
    S.CAREER_CHOICE: {
        "options": [{"id": "o1", "name": "Analyst", "code": "13-1161.00"}, {"id": "o2", "name": "Planner"}],
        "chosen": "o1",
    },
    S.CAREER_PATH: {
        "paths": [{"id": "p1", "kind": "technical"}, {"id": "p2", "kind": "administration"}],
        "chosen": "p1",
    },
    S.GOALS: {
        "goals": [
            {"id": "g1", "text": "Lead a team", "due_on": "2030-06-01"},
            {"id": "g2", "text": "Finish the course", "due_on": "2027-06-01", "parent": "g1", "path": "p1"},
            {"id": "g3", "text": "Learn to budget", "due_on": "2027-06-01", "path": "p2"},
        ]
    },
    S.ACTION_PLAN: {
        "actions": [
            {"id": "a1", "text": "Course", "start_on": "2026-10-01", "due_on": "2026-10-31", "goal": "g2",
             "hours_week": 10},
            {"id": "a2", "text": "Exam", "start_on": "2026-11-01", "due_on": "2026-11-10", "goal": "g2",
             "after": ["a1"], "path": "p1"},
        ]
    },
}  # fmt: skip


def tried(*changes: dict[str, Any], plan: dict[StepKey, dict[str, Any]] | None = None) -> Any:
    before = PLAN if plan is None else plan
    assert all(fits(change, before) for change in changes)
    return outcome(before, apply_all(before, changes), TODAY, hours_of(changes))


EVERY: list[dict[str, Any]] = [
    {"kind": "occupation", "option": "o2"},
    {"kind": "occupation", "name": "Baker", "code": "51-3011.00", "release": "starter-1"},
    {"kind": "path", "path": "p2"},
    {"kind": "education", "level": 8},
    {"kind": "factor", "factor": "f1", "turned": "opportunity"},
    {"kind": "goal_day", "goal": "g2", "due_on": "2031-01-01"},
    {"kind": "goal_dropped", "goal": "g2"},
    {"kind": "action_days", "action": "a1", "due_on": "2026-12-24"},
    {"kind": "action_dropped", "action": "a1"},
    {"kind": "hours", "hours_week": 5},
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(EVERY), max_size=6))
def test_the_copy_is_changed_and_never_what_was_copied(changes: list[dict[str, Any]]) -> None:
    before, kept = deepcopy(PLAN), canonical_json(PLAN)
    after = apply_all(before, changes)
    found = outcome(before, after, TODAY, hours_of(changes))
    assert canonical_json(before) == kept
    # What becomes stale is what the map reaches from the copy, whatever else happens.
    assert found.stale == stale_steps(PLAN, after)
    if not changes:
        assert found.nothing


def test_another_occupation_makes_what_rests_on_it_stale() -> None:
    found = tried({"kind": "occupation", "option": "o2"})
    assert list(found.stale) == [S.CAREER_PATH, S.GOALS, S.ACTION_PLAN]
    assert {change.aspect for changes in found.stale.values() for change in changes} == {Aspect.OCCUPATION}
    assert (found.late, found.impossible, found.aside) == ([], [], [])
    by_name = tried({"kind": "occupation", "name": "Baker"})
    assert by_name.stale[S.GOALS][0].after == "Baker"


def test_another_way_sets_aside_what_belongs_to_the_first_and_brings_back_the_others() -> None:
    found = tried({"kind": "path", "path": "p2"})
    assert list(found.stale) == [S.GOALS, S.ACTION_PLAN]
    assert found.aside == ["Finish the course", "Exam"]
    assert found.back == ["Learn to budget"]


def test_a_later_end_makes_what_waits_for_it_late() -> None:
    found = tried({"kind": "action_days", "action": "a1", "due_on": "2026-11-20"})
    assert found.stale == {}
    assert [(late.text, late.risk.why, late.other) for late in found.late] == [
        ("Exam", Why.TOO_LITTLE_TIME, ""),
        ("Exam", Why.WAITS, "Course"),
    ]
    assert [late.risk.days for late in found.late] == [20, 20]


def test_what_was_late_already_is_not_told_again_unless_it_gets_worse() -> None:
    late = PLAN | {S.ACTION_PLAN: {"actions": [PLAN[S.ACTION_PLAN]["actions"][0] | {"due_on": "2026-10-20"},
                                               {"id": "a9", "text": "Old", "due_on": "2026-09-01"}]}}  # fmt: skip
    assert tried({"kind": "path", "path": "p2"}, plan=late).late == []
    [worse] = tried({"kind": "action_days", "action": "a9", "due_on": "2026-08-01"}, plan=late).late
    assert (worse.text, worse.risk.why, worse.risk.days) == ("Old", Why.LATE, 37)


def test_fewer_hours_a_week_overload_the_months() -> None:
    assert tried({"kind": "hours", "hours_week": 12}).late == []
    [late] = tried({"kind": "hours", "hours_week": 5}).late
    assert (late.text, late.risk.why, late.risk.month) == ("Course", Why.OVERLOAD, date(2026, 10, 1))
    # The last word counts.
    assert tried({"kind": "hours", "hours_week": 5}, {"kind": "hours", "hours_week": 40}).late == []


def test_the_hours_that_the_plan_says_count_before_and_under_a_change() -> None:
    full = PLAN | {S.ACTION_PLAN: {**PLAN[S.ACTION_PLAN], "hours_a_week": 5}}
    # Too full already: fewer hours do not bring it.
    assert tried({"kind": "hours", "hours_week": 4}, plan=full).late == []
    later = {"kind": "action_days", "action": "a1", "start_on": "2026-12-01", "due_on": "2026-12-31"}
    found = [late.risk.month for late in tried(later, plan=full).late if late.risk.why is Why.OVERLOAD]
    assert found == [date(2026, 12, 1)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            {"kind": "action_days", "action": "a1", "due_on": "2026-09-20"},
            Impossible(Trouble.DUE_BEFORE_START, S.ACTION_PLAN, "Course", "", 11),
        ),
        (
            {"kind": "goal_day", "goal": "g1", "due_on": "2027-05-31"},
            Impossible(Trouble.GOAL_AFTER_PARENT, S.GOALS, "Finish the course", "Lead a team", 1),
        ),
        (
            {"kind": "goal_day", "goal": "g2", "due_on": "2026-11-01"},
            Impossible(Trouble.ACTION_AFTER_GOAL, S.ACTION_PLAN, "Exam", "Finish the course", 9),
        ),
    ],
)
def test_what_cannot_be(change: dict[str, Any], found: Impossible) -> None:
    assert clashes(PLAN) == []
    assert tried(change).impossible == [found]


def test_a_circle_is_told_and_nothing_is_reckoned_with_it() -> None:
    rows = [row | {"after": [other]} for row, other in zip(PLAN[S.ACTION_PLAN]["actions"], ("a2", "a1"), strict=True)]
    circle = PLAN | {S.ACTION_PLAN: {"actions": rows}}
    assert [one.text for one in clashes(circle)] == ["Course → Exam"]
    found = tried({"kind": "action_days", "action": "a1", "due_on": "2026-12-24"}, plan=circle)
    assert (found.late, [one.what for one in found.impossible]) == ([], [])


def test_a_dropped_goal_leaves_its_actions_loose() -> None:
    found = tried({"kind": "goal_dropped", "goal": "g2"})
    assert [(one.what, one.id) for one in found.loose] == [
        (Lost.ACTION_DROPPED_GOAL, "a1"),
        (Lost.ACTION_DROPPED_GOAL, "a2"),
    ]
    assert list(found.stale) == [S.ACTION_PLAN]
    dropped = tried({"kind": "action_dropped", "action": "a1"})
    assert [(late.text, late.risk.why, late.other) for late in dropped.late] == [("Exam", Why.DROPPED_BEFORE, "Course")]


def test_actions_of_older_contents_are_read_too() -> None:
    old = {
        S.ACTION_PLAN: {
            "actions": [
                {"id": "a1", "text": "Write", "due_on": "2026-10-01", "done": True, "evidence": "a file"},
                {"id": "a2", "text": "Apply", "start_on": None, "due_on": "9999-12-31", "done": False},
                {"id": "a3", "text": "Begun", "status": "begun", "hours": 3, "after": "a1"},
                {"id": "a4", "text": "Odd", "status": "unheard of"},
            ]
        }
    }
    found = {action.id: action for action in actions_of(old)}
    assert [found[name].state for name in found] == [State.DONE, State.PLANNED, State.BEGUN, State.PLANNED]
    # A day nobody can mean is not reckoned with.
    assert found["a2"].due_on is None
    assert (found["a3"].after, found["a3"].hours) == (("a1",), 3.0)
    assert outcome(old, old, TODAY).nothing


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"kind": "else"},
        {"kind": ["path"]},
        {"kind": "path", "path": "p9"},
        {"kind": "path", "path": "p2", "more": 1},
        {"kind": "occupation"},
        {"kind": "occupation", "name": "  "},
        {"kind": "occupation", "option": "o9"},
        {"kind": "education", "level": 13},
        {"kind": "education", "level": True},
        {"kind": "factor", "factor": "f1", "turned": "nothing"},
        {"kind": "goal_day", "goal": "g1", "due_on": "2026-99-99"},
        {"kind": "goal_day", "goal": "g1", "due_on": "9999-12-31"},
        {"kind": "action_days", "action": "a1"},
        {"kind": "action_days", "action": "a9", "due_on": "2026-12-24"},
        {"kind": "hours", "hours_week": -1},
        {"kind": "hours", "hours_week": 2.5},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    assert not fits(change, PLAN)


def test_every_kind_is_tried_here_and_fits_the_plan() -> None:
    assert {change["kind"] for change in EVERY} == {kind.value for kind in Kind}
    assert all(fits(change, PLAN) for change in EVERY)


@pytest.mark.parametrize("change", [change for change in EVERY if change["kind"] not in ("occupation", "education")])
def test_what_has_gone_from_the_copy_changes_nothing(change: dict[str, Any]) -> None:
    assert outcome({}, apply_all({}, [change]), TODAY).nothing
