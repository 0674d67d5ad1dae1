"""Frozen inputs of the use cases of reviews: policies, and what a counsellor decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from app.domain.cadence import ReviewPolicy
from app.domain.pauses import PauseKind
from app.domain.steps import StepKey

Scope = Literal["organization", "template", "cohort", "plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPolicy:
    """The policy of an organization (no subject), a template, a cohort or a plan; None takes it away."""

    scope: Scope
    subject_id: UUID | None
    policy: ReviewPolicy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPause:
    """A time in which a client is not asked, or (without a client) a holiday of the organization.

    Without a last day it goes on until it is ended; a holiday has one.
    """

    client_id: UUID | None
    kind: PauseKind
    starts_on: date
    ends_on: date | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPause:
    """The last day of a pause, which may be another than it had; one that has not begun can be taken away whole."""

    pause_id: UUID
    last_on: date | None


@dataclass(frozen=True, slots=True)
class TakenChange:
    """A change of a check-in's result (by its key) taken into a new revision, with why and whether it can be steered.

    `controllable` is yes, partly or no.
    """

    key: str
    reason: str
    controllable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptChanges:
    """The counsellor takes changes of a check-in into a new revision and opens steps for them again.

    `read` is the mark of the answers they have read (None: they name each change by its key and need none).
    """

    review_id: UUID
    changes: tuple[TakenChange, ...]
    reopen: tuple[StepKey, ...]
    read: str | None = None
