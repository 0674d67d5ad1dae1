"""What a newer version asks of a plan, and how many plans a stage is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.rollouts import STAGES, Outcome, next_percent, share_of, step_changes
from app.domain.steps import StepKey
from app.domain.template_content import TemplateContent, parse_content
from app.domain.terms import Term

START = date(2026, 9, 7)


def content(**steps: Any) -> TemplateContent:
    return parse_content({"steps": {"ambition": {"guidance": "x"}, **steps}})


def test_gains_losses_and_moves_are_told_with_both_days() -> None:
    old = content(
        opportunities={"guidance": "x", "due": {"kind": "after_start", "days": 10}},
        goals={"guidance": "x", "due": {"kind": "after_start", "days": 20}},
        action_plan={"guidance": "x"},
    )
    new = content(
        goals={"guidance": "y", "due": {"kind": "after_start", "days": 30}},
        action_plan={"guidance": "x", "due": {"kind": "after_start", "days": 40}},
        review={"guidance": "x", "due": {"kind": "after_start", "days": 50}},
    )
    told = [(c.step, c.kind, c.before, c.after) for c in step_changes(old, new, START, ())]
    assert told == [
        (StepKey.OPPORTUNITIES, Outcome.LOSE, date(2026, 9, 17), None),
        (StepKey.GOALS, Outcome.MOVE, date(2026, 9, 27), date(2026, 10, 7)),
        (StepKey.ACTION_PLAN, Outcome.MOVE, None, date(2026, 10, 17)),
        (StepKey.REVIEW, Outcome.GAIN, None, date(2026, 10, 27)),
    ]
    assert step_changes(old, old, START, ()) == ()


def test_a_term_that_is_gone_leaves_the_day_of_before_untold() -> None:
    due = {"kind": "term", "term": "Autumn", "edge": "start"}
    old, new = content(goals={"guidance": "x", "due": due}), content(goals={"guidance": "x"})
    terms = [Term("Autumn", date(2026, 10, 1), date(2026, 12, 1))]
    assert [(c.before, c.known) for c in step_changes(old, new, START, terms)] == [(date(2026, 10, 1), True)]
    assert [(c.before, c.known) for c in step_changes(old, new, START, ())] == [(None, False)]
    with pytest.raises(InvalidInput, match="Autumn"):
        step_changes(new, old, START, ())


@given(st.integers(0, 100_000))
def test_shares_grow_with_the_stages_and_end_with_all(plans: int) -> None:
    shares = [share_of(plans, stage) for stage in STAGES]
    assert shares == sorted(shares)
    assert shares[-1] == plans
    assert bool(shares[0]) == bool(plans)
    assert shares[0] - 1 < plans * 0.05 <= shares[0]


def test_stages_follow_one_another() -> None:
    assert [next_percent(stage) for stage in (0, *STAGES)] == [5, 25, 100, None]
