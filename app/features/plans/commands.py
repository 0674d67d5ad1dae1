"""Frozen inputs of the use cases of plans and templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.domain.steps import StepAction, StepKey


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStep:
    """Do `action` to a step; returning and skipping need a `reason`, which the client reads."""

    plan_id: UUID
    step: StepKey
    action: StepAction
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveContent:
    """Store what the client wrote, `over` the version it was typed over (0: nothing was there)."""

    plan_id: UUID
    step: StepKey
    content: Mapping[str, Any]
    over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmStep:
    """Say that a step is still right; `seen` names the marks that were read (`marks.seen_token`)."""

    plan_id: UUID
    step: StepKey
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment:
    """A remark in a step's thread."""

    plan_id: UUID
    step: StepKey
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDueDate:
    """A new due day of a step; None takes it away."""

    plan_id: UUID
    step: StepKey
    due_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft:
    """A template's draft as typed, over the checksum of the version it was typed over (empty: a new template)."""

    template_id: UUID
    name: str
    description: str
    content: Mapping[str, Any]
    over: str
