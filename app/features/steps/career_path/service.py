"""Use cases of step 5: taking another way, with what that sets aside and brings back told before."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.domain.errors import NotFound
from app.domain.saying import Say, plain
from app.domain.steps import StepKey
from app.features.audit.service import record
from app.features.plans.commands import SaveContent
from app.features.plans.models import StepContent
from app.features.plans.queries import view_plan
from app.features.plans.rooms import Room
from app.features.plans.service import note_event, save_by_button
from app.features.steps.career_path.content import CareerPath, missing, settle
from app.features.steps.career_path.report import changes_block, report_section
from app.features.steps.career_path.ways import switched, way_of
from app.infra.db.open import UnitOfWork

ROOM = Room(StepKey.CAREER_PATH, CareerPath, missing, report_section, settle, changes_block)


@dataclass(frozen=True, slots=True)
class SwitchPath:
    """Take another way of step 5; `over` is the version of the step the preview was made from."""

    plan_id: UUID
    path: str
    over: int


def switch_path(uow: UnitOfWork, command: SwitchPath, say: Say = plain) -> StepContent:
    """Take a way. Steps 6 and 7 are not touched: what belongs to another way is aside by what is chosen here.

    Raises NotFound for a way that is not there, Conflict when the step was saved since the preview, and what
    `save_content` raises.
    """
    view = view_plan(uow, command.plan_id)
    content = view.content(StepKey.CAREER_PATH)
    if way_of(content, command.path) is None:
        raise NotFound(say("There is no such way. Load the step again."))
    saving = SaveContent(
        plan_id=command.plan_id,
        step=StepKey.CAREER_PATH,
        content=switched(content, command.path),
        over=command.over,
    )
    version = view.version(StepKey.CAREER_PATH)
    stored = save_by_button(uow, saving, ROOM, say)
    if stored.version != version:
        before = content.get("chosen")
        note_event(uow, view.plan, StepKey.CAREER_PATH, "path_switched", {"from": before, "to": command.path})
        record(uow, "path.switched", "plan", command.plan_id, before=before, after=command.path)
    return stored
