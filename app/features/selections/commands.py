"""Inputs of choosing whom a bulk act is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

Origin = Literal["clients", "cohort", "filter", "list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom an act is for: exactly one of clients by id, a cohort, a saved filter, or a selection frozen before."""

    client_ids: tuple[UUID, ...] = ()
    cohort_id: UUID | None = None
    filter_id: UUID | None = None
    selection_id: UUID | None = None

    @property
    def named(self) -> int:
        """How many of the ways to say it are used; one is right."""
        ways = (self.client_ids or None, self.cohort_id, self.filter_id, self.selection_id)
        return sum(way is not None for way in ways)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveFilter:
    """A filter to keep: its name, its rule (`app.domain.rules`), and whether everybody may use it."""

    name: str
    rule: Mapping[str, Any]
    shared: bool = False
