"""Inputs of handing caseloads over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from app.features.selections.commands import Target

# In place of whoever is the primary one now, beside them, as the one who leaves was, or for a time.
MoveKind = Literal["primary", "supporting", "same", "cover"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMove:
    """Who is to take whom: `receiver_ids` share the clients of a member (`source_id`), of a target, or those of both.

    With a first and a last day it is cover: the receivers support for that time, and nobody loses anybody.
    `supporting` counts only without a source: what somebody leaves is taken over as they had it.
    """

    receiver_ids: tuple[UUID, ...]
    source_id: UUID | None = None
    target: Target = field(default_factory=Target)
    supporting: bool = False
    first_on: date | None = None
    last_on: date | None = None

    @property
    def kind(self) -> MoveKind:
        """What becomes of whoever looks after the clients now."""
        if self.first_on is not None or self.last_on is not None:
            return "cover"
        if self.source_id is not None:
            return "same"
        return "supporting" if self.supporting else "primary"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendCover:
    """Another last day for a cover that has not ended."""

    cover_id: UUID
    last_on: date
