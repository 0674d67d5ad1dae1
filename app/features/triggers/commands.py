"""Frozen inputs of the use cases of triggers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.triggers import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvent:
    """Something that happened outside: what those it touches read, and what of their plans it touches.

    `occupations` are codes, `families` their first two digits, `paths` and `actions` kinds. With a cohort only its
    members' plans; with a cohort alone all of them. `reach`: any occupation a plan names, or the chosen one.
    """

    title: str
    words: str
    happened_on: date
    occupations: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    cohort_id: UUID | None = None
    reach: Reach = "any"
