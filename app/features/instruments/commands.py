"""What the use cases of instruments take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadDefinition:
    """A definition as `app.domain.instruments.parse_definition` reads it."""

    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResponses:
    """Answers to an instrument's latest version in a file that is already stored.

    `person` is the 0-based column with the clients' external ids (None: guess it); `taken_at` is when they were given.
    """

    instrument_id: UUID
    file_id: UUID
    person: int | None = None
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveAnswers:
    """Answers of a sitting by the item's id (0 takes an answer back).

    `shown_at` is when the questions were put on the screen, for the time they took; `position` the set of questions
    the client is at.
    """

    sitting_id: UUID
    answers: Mapping[str, int]
    position: int | None = None
    shown_at: datetime | None = None
