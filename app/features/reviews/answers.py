"""What a check-in asks and what was answered: reading a form into answers, and what the answers ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import Say
from app.domain.steps import StepKey

Outcome = Literal["confirm", "revise"]
LEVELS = (-2, -1, 0, 1, 2)
CHANGES = ("same", "stronger", "weaker", "came_true", "gone")
CONTROL = ("yes", "partly", "no")
CHOICES = ("keep", "adjust", "rethink")
KINDS = ("opportunity", "threat", "strength", "weakness")
NEW_FACTORS = 2
_MOST_WORDS = 2000
_MOST_LINE = 300


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is asked: goals and factors as (id, text), and the steps that have begun."""

    goals: Sequence[tuple[str, str]]
    factors: Sequence[tuple[str, str]]
    steps: Sequence[StepKey]


def read_answers(form: Mapping[str, str], sheet: Sheet) -> dict[str, Any]:
    """The answers typed so far, as plain JSON; what is not asked or not a choice is left out.

    goals: id to level -2..2 · factors: id to a change · control: id to whether one can do something about the factor ·
    new_factors: rows of text, kind and controllable · confidence: 0..10 · steps: step to keep, adjust or rethink ·
    why: the reason for changing steps · words: a text.
    """
    answers: dict[str, Any] = {"goals": {}, "factors": {}, "control": {}, "new_factors": [], "steps": {}}
    for goal, _ in sheet.goals:
        level = _whole(form.get(f"goal-{goal}", ""))
        if level in LEVELS:
            answers["goals"][goal] = level
    for factor, _ in sheet.factors:
        if (change := form.get(f"factor-{factor}", "")) in CHANGES:
            answers["factors"][factor] = change
        if (control := form.get(f"control-{factor}", "")) in CONTROL:
            answers["control"][factor] = control
    for number in range(NEW_FACTORS):
        text = form.get(f"new-{number}-text", "").strip()[:_MOST_LINE]
        kind, control = form.get(f"new-{number}-kind", ""), form.get(f"new-{number}-control", "")
        if text:
            answers["new_factors"].append(
                {
                    "text": text,
                    "kind": kind if kind in KINDS else None,
                    "controllable": control if control in CONTROL else None,
                }
            )
    confidence = _whole(form.get("confidence", ""))
    if confidence is not None and 0 <= confidence <= 10:
        answers["confidence"] = confidence
    for step in sheet.steps:
        if (choice := form.get(f"step-{step.value}", "")) in CHOICES:
            answers["steps"][step.value] = choice
    answers["why"] = form.get("why", "").strip()[:_MOST_LINE]
    answers["words"] = form.get("words", "").strip()[:_MOST_WORDS]
    return answers


def outcome_of(answers: Mapping[str, Any], sheet: Sheet, say: Say) -> Outcome:
    """Whether the plan is confirmed as it is or revised; raises InvalidInput naming each answer that is missing."""
    problems = [
        FieldProblem(f"goal-{goal}", say("Say how “%(text)s” is going.", text=text))
        for goal, text in sheet.goals
        if goal not in answers["goals"]
    ]
    if "confidence" not in answers:
        problems.append(FieldProblem("confidence", say("Choose a number from 0 to 10 for how sure you feel.")))
    problems += [
        FieldProblem(f"step-{step.value}", say("Choose what to do with each step: keep, adjust or rethink."))
        for step in sheet.steps
        if step.value not in answers["steps"]
    ][:1]
    if problems:
        raise InvalidInput(problems)
    return "revise" if steps_to_reopen(answers) else "confirm"


def steps_to_reopen(answers: Mapping[str, Any]) -> dict[StepKey, str]:
    """The steps the client wants to adjust or rethink, in order."""
    chosen = answers.get("steps", {})
    return {step: chosen[step] for step in StepKey if chosen.get(step, "keep") != "keep"}


def figures_said(row: Mapping[str, Any], change: str, control: str | None) -> dict[str, Any]:
    """What a change of a factor of step 3 makes of its figures; empty where it is the same.

    Stronger is one more of impact (of likelihood where impact is at its end), weaker one less, each within 1 to 5;
    figures that were never given stay so.
    """
    said: dict[str, Any] = {}
    if change in ("stronger", "weaker"):
        by, end = (1, 5) if change == "stronger" else (-1, 1)
        name = next((name for name in ("impact", "likelihood") if row.get(name) not in (None, end)), None)
        if name is not None:
            said[name] = row[name] + by
    elif change in ("came_true", "gone"):
        said["state"] = change
    if control is not None and control != row.get("controllable"):
        said["controllable"] = control
    return said


def _whole(written: str) -> int | None:
    try:
        return int(written)
    except ValueError:
        return None
