"""What the actions of a plan come to: which count now, when they happen, what is late or at risk, the load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.goals import Goal, Share, roll_up
from app.domain.schedule import (
    Action,
    Load,
    Moved,
    Risk,
    Schedule,
    State,
    find_risks,
    load_by_month,
    plan_schedule,
    slip,
)
from app.domain.steps import StepKey
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.parts import action_status, aside, day_of, live_actions, written

Rows = Sequence[Mapping[str, Any]]
# The most days a slip may be asked for; ten years are beyond any plan.
MOST_SLIP = 3660


@dataclass(frozen=True, slots=True)
class Work:
    """The actions that count on a day: their rows, the network worked through, the risks, and the load.

    `rows` are all that were written for the way taken, given-up ones too; `hours_a_week` is what the client has for
    them (None: not said). `load` leaves out what is done: it is the load still to come.
    """

    today: date
    rows: Rows
    nodes: Sequence[Action]
    schedule: Schedule
    risks: Mapping[str, Sequence[Risk]]
    load: Load
    hours_a_week: int | None

    @property
    def names(self) -> dict[str, str]:
        """What each action is called, by id."""
        return {row["id"]: row["text"] for row in self.rows}

    def open(self) -> Rows:
        """The actions still to be done, those that end first at the top."""
        found = [row for row in self.rows if action_status(row) in ("planned", "begun")]
        return sorted(found, key=lambda row: self.schedule.slots[row["id"]].finish)

    def moved_by(self, action: str, days: int) -> list[Moved]:
        """What else ends later when an open action ends so many days later, itself first; ValueError for another."""
        return slip(self.nodes, self.today, action, days)


def counted(content: Content, around: Surroundings) -> Rows:
    """The actions of the way that is taken, given-up ones too."""
    return [row for row in written(content, "actions", "text") if aside(row, around.contents) is None]


def set_aside(content: Content, around: Surroundings) -> Rows:
    """The actions kept for a way that is not taken now."""
    return [row for row in written(content, "actions", "text") if aside(row, around.contents) is not None]


def node(row: Mapping[str, Any]) -> Action:
    """An action as the network has it."""
    return Action(
        row["id"],
        day_of(row.get("start_on")),
        day_of(row.get("due_on")),
        tuple(row.get("after") or ()),
        State(action_status(row)),
        day_of(row.get("done_on")),
        row.get("hours"),
        row.get("hours_week"),
    )


def work_of(content: Content, around: Surroundings, today: date) -> Work:
    """All figures of the actions that count, seen from a day."""
    counting = counted(content, around)
    nodes = [node(row) for row in counting]
    hours = content.get("hours_a_week")
    return Work(
        today=today,
        rows=counting,
        nodes=nodes,
        schedule=plan_schedule(nodes, today),
        risks=_still_ahead(find_risks(nodes, today, hours), today),
        load=load_by_month(action for action in nodes if action.open),
        hours_a_week=hours,
    )


def _still_ahead(risks: Mapping[str, Sequence[Risk]], today: date) -> dict[str, Sequence[Risk]]:
    """The risks without months that were too full and are over: nothing can be done about them."""
    month = today.replace(day=1)
    ahead = {name: [risk for risk in found if not (risk.month and risk.month < month)] for name, found in risks.items()}
    return {name: found for name, found in ahead.items() if found}


def goal_shares(content: Content, around: Surroundings) -> list[tuple[str, Share]]:
    """Per goal of step 6 that counts, by its words: the actions done of those planned for it and the goals below it."""
    goals = written(around.contents.get(StepKey.GOALS, {}), "goals", "text")
    live = [row for row in goals if row.get("status") != "dropped" and aside(row, around.contents) is None]
    actions = live_actions({**around.contents, StepKey.ACTION_PLAN: content})
    done = [(row.get("goal") or "", action_status(row) == "done") for row in actions]
    shares = roll_up([Goal(row["id"], row.get("parent")) for row in live], done)
    return [(row["text"], shares[row["id"]]) for row in live]
