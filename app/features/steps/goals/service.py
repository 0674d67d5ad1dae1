"""Use cases of step 6: changing levels that are locked, with a reason that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.saying import Say, plain
from app.domain.steps import StepKey
from app.features.audit.service import record
from app.features.plans.commands import SaveContent
from app.features.plans.models import StepContent
from app.features.plans.queries import view_plan
from app.features.plans.rooms import Content, Room, Settling
from app.features.plans.service import note_event, save_by_button
from app.features.steps.goals.content import LEVELS, Goals, missing, settle, settle_with
from app.features.steps.goals.report import report_section
from app.infra.db.open import UnitOfWork

ROOM = Room(StepKey.GOALS, Goals, missing, report_section, settle)


@dataclass(frozen=True, slots=True)
class ChangeLevels:
    """Describe the five levels of a goal anew: all of them, by -2 to 2 as text, and why."""

    plan_id: UUID
    goal: str
    levels: Mapping[str, str]
    why: str


def change_levels(uow: UnitOfWork, command: ChangeLevels, say: Say = plain) -> StepContent:
    """Change a goal's levels, also locked ones; the reason and what they were are kept in the goal and the history.

    Raises InvalidInput without a reason or with a level missing, NotFound for a goal that is not there, Conflict when
    the step was saved meanwhile, and what `save_content` raises.
    """
    levels = {level: command.levels.get(level, "").strip() for level in LEVELS}
    problems = [
        FieldProblem(f"levels.{level}", say("Describe all five levels.")) for level, said in levels.items() if not said
    ][:1]
    if not command.why.strip():
        problems.append(FieldProblem("why", say("Write why the levels change; it is kept with them.")))
    if problems:
        raise InvalidInput(problems)
    view = view_plan(uow, command.plan_id)
    content = view.content(StepKey.GOALS)
    if not any(row["id"] == command.goal for row in content.get("goals", ())):
        raise NotFound(say("There is no such goal. Load the page again."))
    version = view.version(StepKey.GOALS)
    goals = [row | {"levels": levels} if row["id"] == command.goal else row for row in content["goals"]]

    def settle_told(before: Content, after: dict[str, Any], settling: Settling) -> dict[str, Any]:
        return settle_with(before, after, settling, {command.goal: command.why})

    saving = SaveContent(plan_id=command.plan_id, step=StepKey.GOALS, content={"goals": goals}, over=version)
    stored = save_by_button(uow, saving, replace(ROOM, settle=settle_told), say)
    if stored.version != version:
        detail = {"goal": command.goal, "reason": command.why.strip()}
        note_event(uow, view.plan, StepKey.GOALS, "levels_changed", detail)
        record(uow, "goal.levels_changed", "plan", command.plan_id, goal=command.goal)
    return stored
