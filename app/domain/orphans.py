"""What in a plan points at something that is not there any more: never mended silently, listed with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.domain.steps import StepKey

Contents = Mapping[StepKey, Mapping[str, Any]]


class Lost(StrEnum):
    """What an orphan points at."""

    FACTOR_OCCUPATION = "factor_occupation"
    RATED_CRITERION = "rated_criterion"
    CHOSEN_OPTION = "chosen_option"
    RUNNER_UP = "runner_up"
    CHOSEN_PATH = "chosen_path"
    MILESTONE_PATH = "milestone_path"
    GOAL_PARENT = "goal_parent"
    GOAL_PATH = "goal_path"
    ACTION_GOAL = "action_goal"
    ACTION_DROPPED_GOAL = "action_dropped_goal"
    ACTION_PATH = "action_path"
    ACTION_AFTER = "action_after"


@dataclass(frozen=True, slots=True)
class Orphan:
    """A row (`text`, and `id` where it has one) of a step, and the id `lost` it points at."""

    step: StepKey
    what: Lost
    text: str
    id: str | None
    lost: str


def orphans(contents: Contents) -> list[Orphan]:
    """Everything that points at what is gone, in the order of the steps. Fields a room does not have are no orphans.

    What belongs to a way of step 5 that is there but not taken is set aside, not lost.
    """
    return [
        *_factors(contents),
        *_choice(contents),
        *_path(contents),
        *_goals(contents),
        *_actions(contents),
    ]


def waits_for(action: Mapping[str, Any]) -> list[str]:
    """The ids of the actions that an action of step 7 waits for; content of before has none."""
    after = action.get("after") or ()
    return [after] if isinstance(after, str) else [str(other) for other in after]


def _rows(contents: Contents, step: StepKey, name: str, key: str = "text") -> list[Mapping[str, Any]]:
    return [row for row in contents.get(step, {}).get(name) or () if row.get(key)]


def _ids(contents: Contents, step: StepKey, name: str) -> set[str]:
    return {row["id"] for row in contents.get(step, {}).get(name) or () if row.get("id")}


def _factors(contents: Contents) -> Iterator[Orphan]:
    content = contents.get(StepKey.OPPORTUNITIES, {})
    # The occupations looked up in the step itself; content of before links to an option of step 4.
    options = contents.get(StepKey.CAREER_CHOICE, {}).get("options") or ()
    listed = content.get("occupations", options)
    names = {name for row in listed for name in (row.get("id"), row.get("code")) if name}
    for row in _rows(contents, StepKey.OPPORTUNITIES, "factors"):
        linked = row.get("occupation")
        code = linked.get("code") if isinstance(linked, Mapping) else linked
        if code and code not in names and (names or "occupations" in content):
            yield Orphan(StepKey.OPPORTUNITIES, Lost.FACTOR_OCCUPATION, row["text"], row["id"], str(code))


def _choice(contents: Contents) -> Iterator[Orphan]:
    step, content = StepKey.CAREER_CHOICE, contents.get(StepKey.CAREER_CHOICE, {})
    criteria, options = _ids(contents, step, "criteria"), _ids(contents, step, "options")
    for row in _rows(contents, step, "options", "name"):
        for criterion in row.get("ratings") or {}:
            if criterion not in criteria:
                yield Orphan(step, Lost.RATED_CRITERION, row["name"], row["id"], criterion)
    for name, what in (("chosen", Lost.CHOSEN_OPTION), ("runner_up", Lost.RUNNER_UP)):
        if content.get(name) and content[name] not in options:
            yield Orphan(step, what, "", None, content[name])


def _path(contents: Contents) -> Iterator[Orphan]:
    step, content = StepKey.CAREER_PATH, contents.get(StepKey.CAREER_PATH, {})
    paths = _ids(contents, step, "paths")
    if content.get("chosen") and content["chosen"] not in paths:
        yield Orphan(step, Lost.CHOSEN_PATH, "", None, content["chosen"])
    for row in _rows(contents, step, "milestones"):
        if row.get("path") and row["path"] not in paths:
            yield Orphan(step, Lost.MILESTONE_PATH, row["text"], row["id"], row["path"])


def _goals(contents: Contents) -> Iterator[Orphan]:
    step = StepKey.GOALS
    goals, paths = _ids(contents, step, "goals"), _ids(contents, StepKey.CAREER_PATH, "paths")
    for row in _rows(contents, step, "goals"):
        if row.get("parent") and row["parent"] not in goals:
            yield Orphan(step, Lost.GOAL_PARENT, row["text"], row["id"], row["parent"])
        if row.get("path") and row["path"] not in paths:
            yield Orphan(step, Lost.GOAL_PATH, row["text"], row["id"], row["path"])


def _actions(contents: Contents) -> Iterator[Orphan]:
    step = StepKey.ACTION_PLAN
    goals = {row["id"]: row.get("status") for row in contents.get(StepKey.GOALS, {}).get("goals") or ()}
    actions, paths = _ids(contents, step, "actions"), _ids(contents, StepKey.CAREER_PATH, "paths")
    for row in _rows(contents, step, "actions"):
        goal, over = row.get("goal"), bool(row.get("done")) or row.get("status") in ("done", "dropped")
        if goal and goal not in goals:
            yield Orphan(step, Lost.ACTION_GOAL, row["text"], row["id"], goal)
        elif goal and goals[goal] == "dropped" and not over:
            yield Orphan(step, Lost.ACTION_DROPPED_GOAL, row["text"], row["id"], goal)
        if row.get("path") and row["path"] not in paths:
            yield Orphan(step, Lost.ACTION_PATH, row["text"], row["id"], row["path"])
        for other in waits_for(row):
            if other not in actions:
                yield Orphan(step, Lost.ACTION_AFTER, row["text"], row["id"], other)
