"""Frozen inputs of the use cases of review policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.domain.cadence import ReviewPolicy

Scope = Literal["organization", "template", "cohort", "plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPolicy:
    """The policy of an organization (no subject), a template, a cohort or a plan; None takes it away."""

    scope: Scope
    subject_id: UUID | None
    policy: ReviewPolicy | None
