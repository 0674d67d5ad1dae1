"""What the goals of a plan come to: which count now, since when levels are locked, T and its course, shares done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.goals import Goal, Rating, Share, attainment, attainment_over_time, roll_up
from app.domain.steps import StepKey
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.parts import action_status, aside, live_actions, live_goals, written

_LEVELS = 5


def counted(content: Content, around: Surroundings) -> list[Mapping[str, Any]]:
    """The goals of the way that is taken, dropped ones too."""
    return [row for row in written(content, "goals", "text") if aside(row, around.contents) is None]


def set_aside(content: Content, around: Surroundings) -> list[Mapping[str, Any]]:
    """The goals kept for a way that is not taken now."""
    return [row for row in written(content, "goals", "text") if aside(row, around.contents) is not None]


def node(row: Mapping[str, Any], around: Surroundings) -> Goal:
    """A goal's place in the tree; it is live while it is neither reached, dropped nor set aside."""
    live = (row.get("status") or "open") == "open" and aside(row, around.contents) is None
    return Goal(row["id"], row.get("parent"), row.get("horizon"), live)


def shares_of(goals: Sequence[Mapping[str, Any]], around: Surroundings) -> dict[str, Share]:
    """Per goal the actions done of those planned for it and for the goals below it."""
    nodes = [node(row, around) for row in goals]
    return roll_up(
        nodes, [(row.get("goal") or "", action_status(row) == "done") for row in live_actions(around.contents)]
    )


def described(row: Mapping[str, Any]) -> bool:
    """Whether all five levels of the goal are described, without which no level means anything."""
    return len(row.get("levels") or {}) == _LEVELS


def locked_since(row: Mapping[str, Any], around: Surroundings) -> str | None:
    """Since when (a moment, ISO 8601) the goal's levels are locked: None while they may still be written.

    They lock when the first action on the goal begins, or when the counsellor accepts the step with them in it. Levels
    written only after work had begun are told as such instead (`written_late`) and lock when they are accepted.
    """
    if row.get("locked_at"):
        return str(row["locked_at"])
    if not row.get("levels_at"):
        return None
    accepted = (moment.isoformat(timespec="seconds") for moment in around.accepted)
    moments = [moment for moment in (_begun(row, around), *accepted) if moment and moment >= row["levels_at"]]
    return min(moments, default=None)


def written_late(row: Mapping[str, Any], around: Surroundings) -> bool:
    """Whether the levels were written after work on the goal had begun, so that they say less."""
    begun = _begun(row, around)
    return bool(begun and row.get("levels_at") and row["levels_at"] > begun and not row.get("changes"))


def _begun(row: Mapping[str, Any], around: Surroundings) -> str | None:
    rows = written(around.contents.get(StepKey.ACTION_PLAN, {}), "actions", "text")
    return min(
        (one["begun_at"] for one in rows if one.get("goal") == row.get("id") and one.get("begun_at")), default=None
    )


@dataclass(frozen=True, slots=True)
class Attainment:
    """T of the goals that can be measured (None: of none), how many those are, and its course over time.

    `unmeasured` are goals that count but have no level yet, or whose levels are not described.
    """

    value: float | None
    measured: int
    unmeasured: Sequence[Mapping[str, Any]]
    course: Sequence[tuple[date, float, int]]


def attain(content: Content, around: Surroundings) -> Attainment:
    """Goal attainment over the live goals whose five levels are described; see `app.domain.goals.attainment`."""
    goals = live_goals({**around.contents, StepKey.GOALS: content})
    measured = [row for row in goals if described(row) and row.get("level") is not None]
    weights = {row["id"]: float(row.get("weight") or 1) for row in goals if described(row)}
    ratings = [
        Rating(row["id"], date.fromisoformat(rating["on"]), rating["level"])
        for row in goals
        for rating in row.get("ratings") or ()
    ]
    return Attainment(
        value=attainment([row["level"] for row in measured], [weights[row["id"]] for row in measured]),
        measured=len(measured),
        unmeasured=[row for row in goals if row not in measured],
        course=attainment_over_time(sorted(ratings, key=lambda rating: rating.on), weights),
    )
