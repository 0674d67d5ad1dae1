"""What the use cases of schedules take."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.domain.recurrence import Recurrence
from app.features.schedules.contents import Content

WHEN_EMPTY = ("send", "say", "silent")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSchedule:
    """A schedule to keep: what it writes, when, for whom, and what if there is nothing in it."""

    name: str
    recurrence: Recurrence
    content: Content
    form: str
    recipients: tuple[UUID, ...]
    when_empty: str = "say"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNow:
    """Write what a schedule writes now; the same key twice is one run."""

    schedule_id: UUID
    key: str
