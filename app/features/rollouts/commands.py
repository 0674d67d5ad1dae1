"""Inputs of rolling out."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.domain.rollouts import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class RollOut:
    """Bring a published version to the plans that follow older ones, the first stage of it.

    `percent` is the share the first stage reaches. `standing` lets standing assignments give the version to those who
    join later. With `most_conflicts` nothing goes on once more were met. Repeating the command with the same
    `idempotency_key` finds the roll-out made before.
    """

    template_id: UUID
    version: int
    choice: Choice
    percent: int = 100
    most_conflicts: int | None = None
    standing: bool = True
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStage:
    """Begin stage `number` of a roll-out; naming one that has begun already changes nothing.

    `percent` is the share it reaches (None: the next of 5, 25 and 100). `most_conflicts` allows more than before
    (None: what was chosen stays).
    """

    rollout_id: UUID
    number: int
    percent: int | None = None
    most_conflicts: int | None = None
