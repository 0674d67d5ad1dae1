"""What a room's tool works with; apart from `app.features.steps.tools`, which knows every tool."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.steps import StepKey
from app.features.plans.queries import PlanView
from app.features.plans.rooms import Content, Surroundings
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Desk:
    """The open unit of work, the plan, the room's content and what it may know."""

    uow: UnitOfWork
    view: PlanView
    key: StepKey
    content: Content
    around: Surroundings
    # Whether the reader may write in the step now: a client whose step is open.
    open: bool
    # What the reader asks the tool for, as typed.
    ask: str = ""
