"""Reasons as a page's reader reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.features.reviews.reasons import Reason
from app.features.reviews.shown import day_here, reasons_said
from app.features.triggers.queries import reasons_of
from app.features.triggers.words import reason
from app.infra.db.open import UnitOfWork
from app.infra.web.words import say_here


def reason_words(kind: str, evidence: Mapping[str, Any]) -> str:
    """A reason as a sentence for staff, in the reader's language."""
    return reason(kind, evidence, say_here, day_here)


def reasons_shown(uow: UnitOfWork, plan_id: UUID | None) -> list[str]:
    """Why the open review of a plan was asked for, for staff; empty where it came by the calendar or is none."""
    if plan_id is None:
        return []
    return [reason_words(found.kind, found.evidence) for found in reasons_of(uow, plan_id)]


def reasons_to_client(uow: UnitOfWork, plan_id: UUID) -> list[str]:
    """The same to the client whose plan it is."""
    return reasons_said(Reason(found.kind, found.evidence) for found in reasons_of(uow, plan_id))
