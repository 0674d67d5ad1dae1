"""Reasons as a page's reader reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import format_date, gettext

from app.domain.saying import Say
from app.features.triggers.queries import reasons_of
from app.features.triggers.words import reason
from app.infra.db.open import UnitOfWork


def say() -> Say:
    """The reader's language."""
    here: Callable[..., str] = gettext
    return here


def reason_words(kind: str, evidence: Mapping[str, Any]) -> str:
    """A reason as a sentence in the reader's language."""
    return reason(kind, evidence, say(), _day)


def reasons_shown(uow: UnitOfWork, plan_id: UUID | None) -> list[str]:
    """Why the open review of a plan was asked for, in sentences; empty where it came by the calendar or is none."""
    if plan_id is None:
        return []
    return [reason_words(found.kind, found.evidence) for found in reasons_of(uow, plan_id)]


def _day(written: str | None) -> str:
    return str(format_date(date.fromisoformat(written), "long")) if written else "–"
