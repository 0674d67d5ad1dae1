"""Inputs of assigning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from app.features.selections.commands import Target

What = Literal["template", "step", "instrument", "action", "due"]
OnLeaving = Literal["keep", "pause", "withdraw"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAction:
    """An action as it is put into step 7: one of the four kinds, what is to be done, and the effort in hours."""

    kind: str
    text: str
    hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Give something to clients: a template's published version, a step, a questionnaire, an action or a due day.

    Whom it is for is said in exactly one way (see `selections.Target`). A template has `started_on`, the others may
    have a day: `due_on`, or `due_in_days` after each is given it. `standing` gives it to later members of the cohort
    too, `from_joining` counts a template's days from each one's joining, and `on_leaving` says what becomes of it for
    those who leave. `starts_at` puts the job off, `tell` writes a mail to each who gets it. Repeating the command
    with the same `idempotency_key` finds the job made before.
    """

    what: What = "template"
    template_id: UUID | None = None
    version: int | None = None
    started_on: date | None = None
    step: int | None = None
    instrument_id: UUID | None = None
    action: GivenAction | None = None
    due_on: date | None = None
    due_in_days: int | None = None
    cohort_id: UUID | None = None
    client_ids: tuple[UUID, ...] = ()
    filter_id: UUID | None = None
    selection_id: UUID | None = None
    standing: bool = False
    from_joining: bool = False
    on_leaving: OnLeaving = "keep"
    starts_at: datetime | None = None
    tell: bool = False
    idempotency_key: str | None = None

    @property
    def target(self) -> Target:
        """Whom it is for."""
        return Target(
            client_ids=self.client_ids,
            cohort_id=self.cohort_id,
            filter_id=self.filter_id,
            selection_id=self.selection_id,
        )
