"""Reads of the audit ledger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, tuple_

from app.features.audit.models import AuditBatch, AuditEntry
from app.infra.db.open import UnitOfWork

Cursor = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What to show: actions that begin with `action`, one subject, one member's doing; None shows all."""

    action: str | None = None
    subject_id: UUID | None = None
    actor_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One entry as pages and files show it; `actor` is a member's name or the kind of actor."""

    sequence: int
    position: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: UUID | None
    detail: dict[str, Any]
    request_id: str

    @property
    def cursor(self) -> str:
        """The entry's place in the ledger, as addresses carry it."""
        return f"{self.sequence}-{self.position}"


def read_cursor(given: str | None) -> Cursor | None:
    """The place an address names; None for none or one that is not readable."""
    readable = re.fullmatch(r"(\d{1,18})-(\d{1,9})", given or "", re.ASCII)
    return (int(readable[1]), int(readable[2])) if readable else None


def list_entries(
    uow: UnitOfWork, wanted: AuditFilter, *, before: Cursor | None = None, limit: int = 50
) -> list[AuditLine]:
    """Entries, newest first, older than `before`; within a transaction in the order they were written, last first."""
    statement = (
        select(AuditEntry, AuditBatch.at, AuditBatch.actor_kind, AuditBatch.actor_id, AuditBatch.request_id)
        .join(
            AuditBatch,
            (AuditBatch.organization_id == AuditEntry.organization_id) & (AuditBatch.sequence == AuditEntry.sequence),
        )
        .order_by(AuditEntry.sequence.desc(), AuditEntry.position.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(tuple_(AuditEntry.sequence, AuditEntry.position) < before)
    if wanted.action:
        statement = statement.where(func.starts_with(AuditEntry.action, wanted.action))
    if wanted.subject_id is not None:
        statement = statement.where(AuditEntry.subject_id == wanted.subject_id)
    if wanted.actor_id is not None:
        statement = statement.where(AuditBatch.actor_id == wanted.actor_id)
    rows = uow.session.execute(statement).all()
    names = _names(uow, {row.actor_id for row in rows if row.actor_id is not None})
    return [_line(row, names) for row in rows]


def _line(row: Row[*tuple[Any, ...]], names: dict[UUID, str]) -> AuditLine:
    entry: AuditEntry = row.AuditEntry
    return AuditLine(
        sequence=entry.sequence,
        position=entry.position,
        at=row.at,
        actor=names.get(row.actor_id, row.actor_kind),
        action=entry.action,
        subject_kind=entry.subject_kind,
        subject_id=entry.subject_id,
        detail=entry.detail,
        request_id=row.request_id,
    )


def _names(uow: UnitOfWork, ids: set[UUID]) -> dict[UUID, str]:
    # By name, because organizations stand above audit on the ladder.
    rows = uow.session.execute(text("SELECT id, name FROM memberships WHERE id = ANY(:ids)"), {"ids": list(ids)})
    return {row.id: row.name for row in rows}


def people_to_filter_by(uow: UnitOfWork) -> Sequence[tuple[UUID, str]]:
    """Members who work here, by name."""
    rows = uow.session.execute(text("SELECT id, name FROM memberships WHERE role <> 'client' ORDER BY name, id"))
    return [(row.id, row.name) for row in rows]
