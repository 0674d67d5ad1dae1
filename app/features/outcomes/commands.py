"""What use cases of outcomes take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.outcomes import Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGraduation:
    """Say on which day a client graduated; with `class_year` the day of that graduation is put right."""

    client_id: UUID
    graduated_on: date
    class_year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """Say what became of a client who graduated with a class."""

    client_id: UUID
    class_year: int
    destination: Destination
