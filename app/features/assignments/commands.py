"""Inputs of assigning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignTemplate:
    """Give a template's published version to clients, or to a cohort; exactly one of the two is named.

    `standing` gives it to later members of the cohort too. Repeating the command with the same
    `idempotency_key` finds the job made before.
    """

    template_id: UUID
    version: int
    started_on: date
    cohort_id: UUID | None = None
    client_ids: tuple[UUID, ...] = ()
    standing: bool = False
    idempotency_key: str | None = None
