"""What stands beside a room's content on its pages: results read from other features for this plan, now.

A room's content, its completion rule and its report are pure (`app.features.plans.rooms`). What needs the database is
made here, by a room's own `tools.py`, and drawn by `app/templates/steps/tools/<key>.html`, above the form of the
client and above the content for the counsellor; the form's template may use it too.

A button of a room's form that does more than save is an act: `<button name="act" value="<place>/<verb>:<what>">`. The
form is read, the room's act changes what was typed, the whole is saved, and the page comes back at `<place>`. What is
typed into a field named `ask` comes back with it as `desk.ask`: a search, say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.steps import StepKey
from app.features.steps.action_plan.tools import beside_actions
from app.features.steps.ambition import tools as ambition
from app.features.steps.career_choice import tools as career_choice
from app.features.steps.career_path import tools as career_path
from app.features.steps.desk import Desk
from app.features.steps.goals.tools import beside_goals
from app.features.steps.opportunities import tools as opportunities
from app.features.steps.self_assessment.tools import questionnaires

__all__ = ["Desk", "act_on", "has_tools", "tools_of"]

Tool = Callable[[Desk], Mapping[str, Any]]
Act = Callable[[Desk, str, str], Mapping[str, Any]]

# One line per room that has something to show beside its content.
_TOOLS: dict[StepKey, Tool] = {
    StepKey.AMBITION: ambition.look,
    StepKey.SELF_ASSESSMENT: questionnaires,
    StepKey.OPPORTUNITIES: opportunities.look,
    StepKey.CAREER_PATH: career_path.look,
    StepKey.CAREER_CHOICE: career_choice.look,
    StepKey.GOALS: beside_goals,
    StepKey.ACTION_PLAN: beside_actions,
}
# One line per room whose form has buttons that do more than save.
_ACTS: dict[StepKey, Act] = {
    StepKey.AMBITION: ambition.act,
    StepKey.OPPORTUNITIES: opportunities.act,
    StepKey.CAREER_PATH: career_path.act,
    StepKey.CAREER_CHOICE: career_choice.act,
}


def tools_of(desk: Desk) -> Mapping[str, Any] | None:
    """What the room's tool found, as its template reads it; None for a room without one."""
    tool = _TOOLS.get(desk.key)
    return None if tool is None else tool(desk)


def has_tools(key: StepKey) -> bool:
    """Whether the room has something to show beside its content."""
    return key in _TOOLS


def act_on(desk: Desk, act: str) -> dict[str, Any]:
    """The desk's content after a button of the room's form was pressed; an act the room does not know changes nothing.

    Raises InvalidInput where the room refuses it.
    """
    verb, _, what = act.partition("/")[2].partition(":")
    known = _ACTS.get(desk.key)
    return dict(known(desk, verb, what)) if known else dict(desk.content)
