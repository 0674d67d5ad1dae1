"""The recipe in one version of a plan template: what each of the eight steps asks, and the review policy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.cadence import ReviewPolicy, parse_policy, policy_as_json
from app.domain.canonical import digest
from app.domain.errors import FieldProblem
from app.domain.reading import Reader, short
from app.domain.saying import later
from app.domain.steps import AroundTerm, DueRule, StepKey, due_rule_as_json, read_due_rule
from app.domain.terms import Term

MOST_GUIDANCE = 20_000
_INSTRUMENT_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class CompletionParameter:
    """One number of a step's completion rule: its name, standard value and bounds."""

    name: str
    standard: int
    low: int
    high: int


# What "done" can ask of a step's content; the rules themselves live with the steps.
COMPLETION_PARAMETERS: Mapping[StepKey, tuple[CompletionParameter, ...]] = {
    StepKey.AMBITION: (
        CompletionParameter("least_words", 20, 0, 500),
        CompletionParameter("least_ranked_values", 3, 0, 20),
    ),
    StepKey.SELF_ASSESSMENT: (CompletionParameter("days_valid", 365, 30, 3660),),
    StepKey.OPPORTUNITIES: (
        CompletionParameter("least_factors", 4, 0, 50),
        CompletionParameter("least_threats", 1, 0, 10),
        CompletionParameter("least_uncontrollable", 1, 0, 10),
    ),
    StepKey.CAREER_CHOICE: (
        CompletionParameter("least_options", 3, 1, 20),
        CompletionParameter("least_criteria", 3, 1, 20),
    ),
    StepKey.CAREER_PATH: (
        CompletionParameter("least_paths", 2, 1, 10),
        CompletionParameter("least_criteria", 2, 0, 20),
        CompletionParameter("least_milestones", 2, 0, 30),
    ),
    StepKey.GOALS: (
        CompletionParameter("least_goals", 2, 1, 50),
        CompletionParameter("least_horizons", 2, 1, 4),
    ),
    StepKey.ACTION_PLAN: (CompletionParameter("least_actions", 2, 1, 100),),
    StepKey.REVIEW: (CompletionParameter("least_goals_rated", 1, 0, 50),),
}


@dataclass(frozen=True, slots=True)
class StepRecipe:
    """What a template says about one step; `completion` holds every parameter of the step, by name."""

    key: StepKey
    enabled: bool
    guidance: str
    instruments: tuple[str, ...]
    completion: tuple[tuple[str, int], ...]
    due: DueRule | None


@dataclass(frozen=True, slots=True)
class TemplateContent:
    """One version of a template: all eight steps in order (some may be off) and the review policy."""

    steps: tuple[StepRecipe, ...]
    review_policy: ReviewPolicy

    def step(self, key: StepKey) -> StepRecipe:
        """The recipe of one step."""
        return self.steps[key.number - 1]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions: the place and the plain values (None where there is none)."""

    place: str
    before: Any
    after: Any


def parse_content(raw: Mapping[str, Any]) -> TemplateContent:
    """The recipe written in a plain JSON object; `content_as_json` shows the form.

    Steps left out are off; completion parameters and a review policy left out take the standard. Raises
    `InvalidInput` with every problem, also when no step is on.
    """
    reader = Reader(raw)
    reader.only(("steps", "review_policy"))
    known = len(reader.problems)
    # A template without any "steps" gets the sentence below, not one about a missing field.
    steps_reader = Reader(reader.raw.get("steps", {}), "steps", reader.problems)
    steps_reader.only(tuple(StepKey))
    steps = tuple(_read_step(steps_reader, key) for key in StepKey)
    if len(reader.problems) == known and not any(step.enabled for step in steps):
        reader.note("steps", "This template has no steps. Switch on at least one of the eight.")
    policy = ReviewPolicy()
    if "review_policy" in reader.raw:
        policy_reader = reader.inner("review_policy")
        policy = reader.attempt("review_policy", lambda: parse_policy(policy_reader.raw)) or policy
    reader.finish()
    return TemplateContent(steps, policy)


def content_as_json(content: TemplateContent) -> dict[str, Any]:
    """A plain JSON object from which `parse_content` makes the same recipe again."""
    return {
        "steps": {
            step.key.value: {
                "enabled": step.enabled,
                "guidance": step.guidance,
                "instruments": list(step.instruments),
                "completion": dict(step.completion),
                "due": step.due and due_rule_as_json(step.due),
            }
            for step in content.steps
        },
        "review_policy": policy_as_json(content.review_policy),
    }


def missing_terms(content: TemplateContent, terms: Sequence[Term]) -> tuple[FieldProblem, ...]:
    """A problem for each step that is on and due by a term the organization does not have, in the steps' order."""
    known = {term.name for term in terms}
    return tuple(
        FieldProblem(
            f"steps.{step.key.value}.due.term",
            later(
                'Step %(number)s is due by the term "%(term)s", which does not exist. Add the term in the settings, '
                "or change the template.",
                number=step.key.number,
                term=step.due.term,
            ),
        )
        for step in content.steps
        if step.enabled and isinstance(step.due, AroundTerm) and step.due.term not in known
    )


def checksum(content: TemplateContent) -> str:
    """The SHA-256 (hexadecimal) of the recipe's canonical JSON: equal exactly for equal recipes."""
    return digest(content_as_json(content))


def difference(before: TemplateContent, after: TemplateContent) -> tuple[Change, ...]:
    """What changed from one version to another, in the order of the steps; lists change as a whole."""
    return tuple(_differences("", content_as_json(before), content_as_json(after)))


def _differences(place: str, before: Any, after: Any) -> list[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            change
            for key in {**before, **after}
            for change in _differences(f"{place}.{key}" if place else key, before.get(key), after.get(key))
        ]
    return [] if before == after else [Change(place, before, after)]


def _read_step(steps: Reader, key: StepKey) -> StepRecipe:
    step = steps.inner(key) if key in steps.raw else Reader({"enabled": False}, steps.at(key), steps.problems)
    step.only(("enabled", "guidance", "instruments", "completion", "due"))
    enabled = step.flag("enabled", True)
    # A step that is off may keep its guidance, so that switching it on again brings it back.
    guidance = step.text("guidance") if enabled or step.raw.get("guidance") else ""
    if len(guidance) > MOST_GUIDANCE:
        step.note(
            "guidance",
            later("This text is too long. Shorten it to %(most)s characters.", most=MOST_GUIDANCE),
        )
    instruments = step.texts("instruments", ())
    for index, instrument in enumerate(instruments):
        if not _INSTRUMENT_KEY.fullmatch(instrument):
            step.note(f"instruments[{index}]", later("%(value)s is no instrument's key.", value=short(instrument)))
        if instrument in instruments[:index]:
            step.note(
                f"instruments[{index}]",
                later("%(value)s is named twice. Name each once.", value=short(instrument)),
            )
    due = None
    if step.raw.get("due") is not None:
        due = read_due_rule(step.inner("due"))
    return StepRecipe(key, enabled, guidance, instruments, _read_completion(step, key), due)


def _read_completion(step: Reader, key: StepKey) -> tuple[tuple[str, int], ...]:
    parameters = COMPLETION_PARAMETERS[key]
    completion = Reader(step.raw.get("completion", {}), step.at("completion"), step.problems)
    completion.only([parameter.name for parameter in parameters])
    return tuple(
        (
            parameter.name,
            completion.whole(parameter.name, parameter.standard, low=parameter.low, high=parameter.high),
        )
        for parameter in parameters
    )
