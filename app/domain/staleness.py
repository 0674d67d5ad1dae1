"""What rests on what in a plan, and what a change of one thing makes worth another look.

The map joins *aspects*: what a step says that others build on (the occupation chosen, the order of the values), and
what is built (the rating of matches, the goals). A change marks each step whose aspects can be reached from it along
the map, and no other. A decision does not follow from what it was made with: a new profile makes the matches worth
another look, and not the occupation the client chose, so that nothing behind the choice moves until the choice does.
Docs: docs/adr/0006-staleness.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from app.domain.canonical import digest
from app.domain.circles import below
from app.domain.folding import fold
from app.domain.steps import StepKey

Content = Mapping[str, Any]
_NO_CONTENT: Final[Content] = MappingProxyType({})


class Aspect(StrEnum):
    """What is said or built in a plan, as far as other parts build on it."""

    VALUES = "values"
    INTERESTS = "interests"
    WORK_VALUES = "work_values"
    SKILLS = "skills"
    ORIENTATION = "orientation"
    FACTORS = "factors"
    EDUCATION = "education"
    CATALOGUE = "catalogue"
    MATCHES = "matches"
    OCCUPATION = "occupation"
    WAYS = "ways"
    PATH = "path"
    MILESTONES = "milestones"
    GOALS = "goals"
    ACTIONS = "actions"


# In which step an aspect is; the catalogue is in none.
HOME: Final[Mapping[Aspect, StepKey | None]] = {
    Aspect.VALUES: StepKey.AMBITION,
    Aspect.INTERESTS: StepKey.SELF_ASSESSMENT,
    Aspect.WORK_VALUES: StepKey.SELF_ASSESSMENT,
    Aspect.SKILLS: StepKey.SELF_ASSESSMENT,
    Aspect.ORIENTATION: StepKey.SELF_ASSESSMENT,
    Aspect.FACTORS: StepKey.OPPORTUNITIES,
    Aspect.EDUCATION: StepKey.OPPORTUNITIES,
    Aspect.CATALOGUE: None,
    # The options rated against what is known of the client.
    Aspect.MATCHES: StepKey.CAREER_CHOICE,
    Aspect.OCCUPATION: StepKey.CAREER_CHOICE,
    # The ways compared with each other.
    Aspect.WAYS: StepKey.CAREER_PATH,
    Aspect.PATH: StepKey.CAREER_PATH,
    Aspect.MILESTONES: StepKey.CAREER_PATH,
    Aspect.GOALS: StepKey.GOALS,
    Aspect.ACTIONS: StepKey.ACTION_PLAN,
}
# The map: what each aspect rests on. What is not named rests on nothing but the client's own word.
RESTS_ON: Final[Mapping[Aspect, tuple[Aspect, ...]]] = {
    Aspect.MATCHES: (
        Aspect.VALUES,
        Aspect.INTERESTS,
        Aspect.WORK_VALUES,
        Aspect.SKILLS,
        Aspect.FACTORS,
        Aspect.EDUCATION,
        Aspect.CATALOGUE,
    ),
    Aspect.WAYS: (Aspect.ORIENTATION, Aspect.EDUCATION),
    Aspect.PATH: (Aspect.OCCUPATION,),
    Aspect.GOALS: (Aspect.PATH, Aspect.MILESTONES),
    Aspect.ACTIONS: (Aspect.GOALS,),
}
# Which aspect the newest result of a questionnaire is, by what the questionnaire measures; others carry nothing.
RESULTS: Final[Mapping[str, Aspect]] = {
    "interests": Aspect.INTERESTS,
    "values": Aspect.WORK_VALUES,
    "skills": Aspect.SKILLS,
    "paths": Aspect.ORIENTATION,
}
_BUILT_ON: Final[Mapping[str, tuple[str, ...]]] = {
    aspect: tuple(built for built, under in RESTS_ON.items() if aspect in under) for aspect in Aspect
}


def reach(changed: Iterable[Aspect]) -> frozenset[Aspect]:
    """All aspects that rest on a changed one, directly or through others; the changed ones are not among them."""
    return frozenset(Aspect(name) for name in below(_BUILT_ON, changed))


def steps_reached(changed: Aspect) -> tuple[StepKey, ...]:
    """The steps of the aspects that rest on a changed one, in order."""
    reached = {HOME[aspect] for aspect in reach([changed])}
    return tuple(step for step in StepKey if step in reached)


def _written(content: Content, name: str, key: str) -> list[Mapping[str, Any]]:
    return [row for row in content.get(name) or () if row.get(key)]


def _chosen(content: Content, rows: str) -> Mapping[str, Any] | None:
    chosen = content.get("chosen")
    return next((row for row in content.get(rows) or () if chosen and row.get("id") == chosen), None)


def _values(content: Content) -> list[dict[str, str]]:
    return [
        {"card": row["card"]} if row.get("card") else {"name": row["name"]}
        for row in content.get("values") or ()
        if row.get("card") or row.get("name")
    ]


def _values_print(content: Content) -> Any:
    return [[value.get("card"), fold(value.get("name", ""))] for value in _values(content)]


def _factors(content: Content) -> list[Mapping[str, Any]]:
    # One that is gone counts as one that is not there.
    return [row for row in _written(content, "factors", "text") if row.get("state") != "gone"]


def _factors_print(content: Content) -> Any:
    counts = ("kind", "controllable", "likelihood", "impact")
    rows = _factors(content)
    return sorted([row["id"], fold(row["text"]), *(str(row.get(name) or "") for name in counts)] for row in rows)


def _education(content: Content) -> Any:
    level = content.get("education")
    return level if isinstance(level, int) else None


def _occupation_print(content: Content) -> Any:
    row = _chosen(content, "options")
    return None if row is None else row.get("code") or fold(row.get("name") or "")


def _path_print(content: Content) -> Any:
    row = _chosen(content, "paths")
    if row is None:
        return None
    # A way of one's own is what it is called; the other kinds are what they are under any name.
    return [row["id"], row.get("kind"), fold(row.get("name") or "") if row.get("kind") == "own" else ""]


def _path_told(content: Content) -> Any:
    row = _chosen(content, "paths")
    return None if row is None else {"kind": row.get("kind") or "", "name": row.get("name") or ""}


def _milestones_print(content: Content) -> Any:
    return sorted([row.get("due_on") or "", fold(row["text"])] for row in _written(content, "milestones", "text"))


def _goals_print(content: Content) -> Any:
    counts = ("horizon", "due_on", "parent", "path")
    # Where a goal stands (its level, its answers to the five questions, that it is reached) is no change of the plan.
    return sorted(
        [row["id"], fold(row["text"]), str(row.get("status") == "dropped"), *(row.get(name) or "" for name in counts)]
        for row in _written(content, "goals", "text")
    )


def _texts(name: str) -> Callable[[Content], Any]:
    return lambda content: [row["text"] for row in _written(content, name, "text")]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How an aspect is read from its step's content: what counts of it, and how it is told to people (plain JSON)."""

    counts: Callable[[Content], Any]
    told: Callable[[Content], Any]


_READ: Final[Mapping[Aspect, _Reading]] = {
    Aspect.VALUES: _Reading(_values_print, _values),
    Aspect.FACTORS: _Reading(_factors_print, lambda content: [row["text"] for row in _factors(content)]),
    Aspect.EDUCATION: _Reading(_education, _education),
    Aspect.OCCUPATION: _Reading(
        _occupation_print, lambda content: (row := _chosen(content, "options")) and (row.get("name") or row.get("code"))
    ),
    Aspect.PATH: _Reading(_path_print, _path_told),
    Aspect.MILESTONES: _Reading(_milestones_print, _texts("milestones")),
    Aspect.GOALS: _Reading(_goals_print, _texts("goals")),
}


def fingerprints(step: StepKey, content: Content) -> dict[Aspect, str]:
    """Each aspect that the step's content says, as the SHA-256 of what counts of it.

    Case, accents and spacing of words do not count, nor what nothing rests on: remarks, sources, levels reached.
    """
    return {aspect: digest(reading.counts(content)) for aspect, reading in _READ.items() if HOME[aspect] is step}


@dataclass(frozen=True, slots=True)
class Change:
    """An aspect that is not what it was: its fingerprints and how both are told (plain JSON; None: nothing there).

    A questionnaire's result has no fingerprint: it never comes back to what it was.
    """

    aspect: Aspect
    before: Any
    after: Any
    print_before: str | None = None
    print_after: str | None = None


def changed(step: StepKey, before: Content, after: Content) -> list[Change]:
    """What the step says otherwise in `after` than in `before`, in the order of the aspects."""
    old, new = fingerprints(step, before), fingerprints(step, after)
    return [
        Change(aspect, _READ[aspect].told(before), _READ[aspect].told(after), old[aspect], new[aspect])
        for aspect in old
        if old[aspect] != new[aspect]
    ]


@dataclass(frozen=True, slots=True)
class Turn:
    """What becomes of a plan's marks: those to set, those whose latest value changes, those that hold no longer."""

    opened: Sequence[tuple[StepKey, Change]] = field(default=())
    moved: Sequence[tuple[StepKey, Change]] = field(default=())
    settled: Sequence[tuple[StepKey, Aspect]] = field(default=())


def turn(
    open_marks: Mapping[tuple[StepKey, Aspect], str | None], changes: Iterable[Change], holding: Collection[StepKey]
) -> Turn:
    """What changes do to the open marks (step and aspect, with the fingerprint of what the step was built on).

    A step that holds no content has built on nothing and gets no mark. An aspect that is again what the step was built
    on takes its mark away: switching back restores all.
    """
    opened, moved, settled = [], [], []
    for change in changes:
        for step in steps_reached(change.aspect):
            if (step, change.aspect) not in open_marks:
                if step in holding:
                    opened.append((step, change))
            elif change.print_after is not None and open_marks[step, change.aspect] == change.print_after:
                settled.append((step, change.aspect))
            else:
                moved.append((step, change))
    return Turn(opened, moved, settled)


def stale_steps(before: Mapping[StepKey, Content], after: Mapping[StepKey, Content]) -> dict[StepKey, list[Change]]:
    """Which steps of a plan an imagined change would mark, each with what it rests on that changes.

    `before` and `after` are the contents by step; a step without content is never marked.
    """
    changes = [
        change
        for step in StepKey
        for change in changed(step, before.get(step, _NO_CONTENT), after.get(step, _NO_CONTENT))
    ]
    found: dict[StepKey, list[Change]] = {}
    for step, change in turn({}, changes, [step for step in StepKey if before.get(step)]).opened:
        found.setdefault(step, []).append(change)
    return {step: found[step] for step in StepKey if step in found}


def moved_figures(codes: Iterable[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The occupations of a plan whose figures differ between two releases of the catalogue, or that the later lacks.

    `before` and `after` have each occupation's figures by code, as plain JSON. A code that the earlier release did not
    have has no figures that could have moved. Only these make `Aspect.CATALOGUE` a change of the plan.
    """
    wanted = dict.fromkeys(code for code in codes if code in before)
    return [code for code in wanted if code not in after or digest(before[code]) != digest(after[code])]
