"""Inputs of the use cases of organizations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domain.access import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Invite somebody by e-mail; `client_id` when it is a client who gets the portal."""

    email: str
    name: str
    role: Role
    client_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    """How the organization is called and works; every field is written."""

    name: str
    time_zone: str
    locale: str
    client_word: str
    counsellor_word: str
    accent: str | None
    shares_caseloads: bool
    small_cell_threshold: int
    contact_cap: int
    reports_kept_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTerm:
    """Add a term, or change the one with `term_id`."""

    name: str
    starts_on: date
    ends_on: date
    term_id: UUID | None = None
