"""What a newer version of a template asks of a plan that follows an older one, step by step, and how stages share it.

Whether a step of a plan still is as its version made it, so that it may change, is decided where the rows are
(`app.features.rollouts.statements`); the words for what comes of it are here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.domain.errors import InvalidInput
from app.domain.steps import DueRule, StepKey, due_date
from app.domain.template_content import TemplateContent
from app.domain.terms import Term

# How much of the plans a stage has reached when it ends, in percent.
STAGES: Final = (5, 25, 100)


class Choice(StrEnum):
    """Which plans and steps a roll-out changes: none that is there, steps nobody has begun, or all."""

    JOINERS = "joiners"
    NOT_STARTED = "not_started"
    ALL = "all"


class Outcome(StrEnum):
    """What becomes of one step of one plan.

    The first three are what a version asks for and what is then done. `SAME`: nothing is left to do. `LEFT`: begun
    already, and steps begun were not chosen. The others are conflicts: what a person did stays.
    """

    GAIN = "gain"
    LOSE = "lose"
    MOVE = "move"
    SAME = "same"
    LEFT = "left"
    DUE_BY_HAND = "due_by_hand"
    SKIPPED_BY_HAND = "skipped_by_hand"
    TAKEN_UP = "taken_up"
    WORKED_ON = "worked_on"


CHANGES: Final = (Outcome.GAIN, Outcome.LOSE, Outcome.MOVE)
CONFLICTS: Final = (Outcome.DUE_BY_HAND, Outcome.SKIPPED_BY_HAND, Outcome.TAKEN_UP, Outcome.WORKED_ON)


@dataclass(frozen=True, slots=True)
class StepChange:
    """What a step is asked to become: `kind` is one of `CHANGES`, the days are those the two versions give.

    `known` is false where the older version's day cannot be told, because its term is gone.
    """

    step: StepKey
    kind: Outcome
    before: date | None
    after: date | None
    known: bool = True


def step_changes(
    old: TemplateContent, new: TemplateContent, started_on: date, terms: Sequence[Term]
) -> tuple[StepChange, ...]:
    """What a plan begun on this day is asked to change, in the order of the steps; empty where nothing differs.

    Raises `InvalidInput` when the newer version names a term that does not exist.
    """
    found = []
    for was, becomes in zip(old.steps, new.steps, strict=True):
        if not (was.enabled or becomes.enabled):
            continue
        known, before = _day_before(was.due, started_on, terms) if was.enabled else (True, None)
        after = due_date(becomes.due, started_on, terms) if becomes.enabled and becomes.due is not None else None
        if not was.enabled:
            found.append(StepChange(was.key, Outcome.GAIN, None, after))
        elif not becomes.enabled:
            found.append(StepChange(was.key, Outcome.LOSE, before, None, known))
        elif not known or before != after:
            found.append(StepChange(was.key, Outcome.MOVE, before, after, known))
    return tuple(found)


def _day_before(rule: DueRule | None, started_on: date, terms: Sequence[Term]) -> tuple[bool, date | None]:
    try:
        return True, None if rule is None else due_date(rule, started_on, terms)
    except InvalidInput:
        return False, None


def share_of(plans: int, percent: int) -> int:
    """How many of so many plans a stage of so many percent reaches: rounded up, so that a stage is never of nobody."""
    return -(-plans * percent // 100)


def next_percent(percent: int) -> int | None:
    """The stage after one of so many percent; None after all."""
    return next((stage for stage in STAGES if stage > percent), None)
