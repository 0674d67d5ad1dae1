"""Rows of step 7 beside its content: files that show what was done, and addresses calendars are read from."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, tenant_key

_NOW = text("now()")


class ActionEvidence(TenantEntity, Base):
    """A file that shows that an action is done; `action` is its id in the content of step 7.

    A removed file can be brought back for some days; then the file itself is deleted and `location` is empty.
    """

    __tablename__ = "action_evidence"
    plan_id: Mapped[UUID]
    action: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    # Where `app.infra.storage` keeps it; begins with the organization's id.
    location: Mapped[str | None] = mapped_column(Text)
    uploaded_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    removed_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("plan_id", "plans.id", ondelete="CASCADE"),
        tenant_key("uploaded_by", "memberships.id"),
        tenant_key("removed_by", "memberships.id"),
        CheckConstraint("location IS NOT NULL OR removed_at IS NOT NULL", name="whole_until_removed"),
        CheckConstraint("(removed_at IS NULL) = (removed_by IS NULL)", name="removed_by_somebody"),
        UniqueConstraint("organization_id", "location"),
        Index(None, "organization_id", "plan_id", "action"),
        Index(
            "ix_action_evidence_to_erase",
            "organization_id",
            "removed_at",
            postgresql_where=text("removed_at IS NOT NULL AND location IS NOT NULL"),
        ),
    )


class CalendarFeed(TenantEntity, Base):
    """An address from which a calendar program reads a client's dates; only the hash of its secret is kept."""

    __tablename__ = "calendar_feeds"
    client_id: Mapped[UUID]
    token_hash: Mapped[bytes]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    # When a calendar program last read it, noted at most once an hour.
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_by: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        tenant_key("created_by", "memberships.id"),
        tenant_key("revoked_by", "memberships.id"),
        UniqueConstraint("organization_id", "token_hash"),
        Index(
            "uq_calendar_feeds_live",
            "organization_id",
            "client_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )
