"""Rows of the outbox. A message is a row with a unique key before anything leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization

_NOW = text("now()")


class Message(TenantEntity, Base):
    """One message to one address. Its Message-ID is derived from its id and the same in every attempt.

    States: queued (may be claimed), handed (committed before the last dot of an attempt), sent,
    failed (refused for good), unknown (the attempt's outcome must be asked for), suppressed.
    """

    __tablename__ = "messages"
    # At most one message per key, for example "prompt:<plan>:<occurrence>:email:<reminder>".
    dedupe_key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(Text)
    recipient_name: Mapped[str] = mapped_column(Text, server_default="")
    locale: Mapped[str] = mapped_column(Text)
    # Ids and dates the text is rendered from at the moment of sending.
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    client_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    # The moment it was meant for: the oldest leave first.
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    not_before: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_token: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        UniqueConstraint("organization_id", "dedupe_key"),
        CheckConstraint("state IN ('queued', 'handed', 'sent', 'failed', 'unknown', 'suppressed')", name="state"),
        Index(
            "ix_messages_open",
            "organization_id",
            "due_at",
            "id",
            postgresql_where=text("state IN ('queued', 'handed', 'unknown')"),
        ),
        Index(None, "organization_id", "client_id"),
    )


class SuppressedAddress(TenantRow, Base):
    """An address this organization may not send optional mail to, and why."""

    __tablename__ = "suppressed_addresses"
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (of_organization(),)
