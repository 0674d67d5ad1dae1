"""Inputs of the use cases of cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.features.clients.commands import ClientChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCohort:
    """A new cohort: a fixed list, or with a `rule` (`app.domain.rules`) one that keeps itself current."""

    name: str
    rule: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCohort:
    """Another name, and for a rule cohort another rule; the kind of a cohort stays."""

    cohort_id: UUID
    name: str
    rule: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMembers:
    """Clients to add to or take off a fixed list."""

    cohort_id: UUID
    clients: ClientChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class PasteMembers:
    """Clients to add to a fixed list, by external id or e-mail: one a line, or separated by commas."""

    cohort_id: UUID
    text: str
