"""Rows of the audit ledger. The application may insert and read them, never change or delete them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantRow, of_organization


class AuditHead(TenantRow, Base):
    """The end of an organization's chain; locked while a transaction appends its batch."""

    __tablename__ = "audit_heads"
    sequence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    hash: Mapped[bytes] = mapped_column(server_default=text("'\\x'::bytea"))
    __table_args__ = (of_organization(),)


class AuditBatch(TenantRow, Base):
    """One transaction's entries: its digest, and the hash that binds it to the batch before."""

    __tablename__ = "audit_batches"
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    actor_kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[UUID | None]
    request_id: Mapped[str] = mapped_column(Text, server_default="")
    entries: Mapped[int]
    digest: Mapped[bytes]
    previous: Mapped[bytes]
    hash: Mapped[bytes]
    __table_args__ = (of_organization(),)


class AuditEntry(TenantRow, Base):
    """One thing done to one subject."""

    __tablename__ = "audit_entries"
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    action: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "sequence"],
            ["audit_batches.organization_id", "audit_batches.sequence"],
            deferrable=True,
            initially="DEFERRED",
        ),
        Index(None, "organization_id", "subject_id"),
    )
