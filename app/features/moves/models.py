"""Rows of caseloads handed over: what was previewed, cover for a time, and who looked after whom when."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, of_organization, tenant_key

_NOW = text("now()")


class CaseloadMove(TenantEntity, Base):
    """Who takes whom, as it was previewed: the job or the cover does exactly this.

    The two arrays stand side by side: the receiver at a place takes the client at it.
    """

    __tablename__ = "caseload_moves"
    # Whose caseload is handed over; none where the clients were chosen in another way.
    source_id: Mapped[UUID | None]
    # `primary` in place of whoever is now, `supporting` beside them, `same` as the source was, or `cover` for a time.
    kind: Mapped[str] = mapped_column(Text)
    client_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    receiver_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    # What the preview showed: before and after of each receiver, and who was left out for which reason.
    numbers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    job_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    # Until when it can be started; none once it was.
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        tenant_key("source_id", "memberships.id"),
        tenant_key("job_id", "jobs.id"),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint("kind IN ('primary', 'supporting', 'same', 'cover')", name="kind"),
        CheckConstraint("cardinality(client_ids) = cardinality(receiver_ids)", name="each_to_one"),
        CheckConstraint(
            "(kind = 'cover') = (first_on IS NOT NULL) AND (kind = 'cover') = (last_on IS NOT NULL)"
            " AND (last_on IS NULL OR last_on >= first_on)",
            name="days",
        ),
        Index(None, "organization_id", "expires_at"),
    )


class Cover(TenantEntity, Base):
    """That others look after clients beside whoever does, from a first to a last day."""

    __tablename__ = "covers"
    move_id: Mapped[UUID]
    source_id: Mapped[UUID | None]
    first_on: Mapped[date]
    # May be moved while it has not ended.
    last_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text, server_default="planned")
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    begun_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        tenant_key("move_id", "caseload_moves.id"),
        tenant_key("source_id", "memberships.id"),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "move_id"),
        CheckConstraint("last_on >= first_on", name="days"),
        CheckConstraint(
            "CASE state WHEN 'planned' THEN begun_at IS NULL AND ended_at IS NULL"
            " WHEN 'active' THEN begun_at IS NOT NULL AND ended_at IS NULL"
            " WHEN 'ended' THEN ended_at IS NOT NULL ELSE false END",
            name="state",
        ),
        Index("ix_covers_open", "organization_id", "first_on", postgresql_where=text("state <> 'ended'")),
    )


class CaseloadHistory(TenantEntity, Base):
    """Who looked after a client, as what, from when until when. Triggers write it with every change of a caseload.

    The rows without an end are those of `caseload_entries`.
    """

    __tablename__ = "caseload_history"
    client_id: Mapped[UUID]
    membership_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The person behind it (of a job whoever asked for it), none where Octant did it by itself.
    began_by: Mapped[UUID | None]
    ended_by: Mapped[UUID | None]
    began_job_id: Mapped[UUID | None]
    ended_job_id: Mapped[UUID | None]
    # The cover it began by, and ends with.
    cover_id: Mapped[UUID | None]
    __table_args__ = (
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        tenant_key("membership_id", "memberships.id"),
        tenant_key("began_by", "memberships.id"),
        tenant_key("ended_by", "memberships.id"),
        tenant_key("began_job_id", "jobs.id"),
        tenant_key("ended_job_id", "jobs.id"),
        tenant_key("cover_id", "covers.id"),
        CheckConstraint("kind IN ('primary', 'supporting')", name="kind"),
        CheckConstraint("ended_at >= began_at", name="order"),
        Index(None, "organization_id", "client_id", "began_at"),
        Index(
            "uq_caseload_history_open",
            "organization_id",
            "client_id",
            "membership_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_caseload_history_cover",
            "organization_id",
            "cover_id",
            postgresql_where=text("cover_id IS NOT NULL AND ended_at IS NULL"),
        ),
    )
