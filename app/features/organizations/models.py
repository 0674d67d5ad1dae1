"""Rows of organizations and the people who work in them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key

_NOW = text("now()")


class Tenant(Base):
    """The directory entry of an organization; everything else about it is its own data."""

    __tablename__ = "tenants"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)


class OrganizationWake(Base):
    """When an organization has something to do next; triggers bring it forward, the sweeper puts it off."""

    __tablename__ = "organization_wakes"
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    wake_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default="-infinity")
    # One more look for what was written, and not yet committed, while the sweeper put it off.
    check_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default="infinity")


class Organization(TenantRow, Base):
    """A career centre: how it is called, where it is and how it works."""

    __tablename__ = "organizations"
    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    # What this organization calls a client and a counsellor: a word of its own or a key of the catalogue.
    client_word: Mapped[str] = mapped_column(Text, server_default="client")
    counsellor_word: Mapped[str] = mapped_column(Text, server_default="counsellor")
    accent: Mapped[str | None] = mapped_column(Text)
    shares_caseloads: Mapped[bool] = mapped_column(server_default=text("false"))
    small_cell_threshold: Mapped[int] = mapped_column(server_default=text("10"))
    # How many messages a client gets in a week, urgent ones aside; see `app.features.messaging.budget`.
    contact_cap: Mapped[int] = mapped_column(SmallInteger, server_default=text("2"))
    # For how many days after their job's end reports and archives are kept.
    reports_kept_days: Mapped[int] = mapped_column(SmallInteger, server_default=text("30"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["tenants.id"]),
        CheckConstraint("small_cell_threshold BETWEEN 5 AND 30", name="threshold"),
        CheckConstraint("contact_cap BETWEEN 1 AND 20", name="contact_cap"),
        CheckConstraint("reports_kept_days BETWEEN 1 AND 3650", name="reports_kept_days"),
    )


class Term(TenantEntity, Base):
    """A named date range of the organization's year; both days belong to it."""

    __tablename__ = "terms"
    name: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    __table_args__ = (
        of_organization(),
        UniqueConstraint("organization_id", "name"),
        CheckConstraint("ends_on >= starts_on", name="order"),
    )


class Membership(TenantEntity, Base):
    """A user's role in this organization, with the name and address it knows them by."""

    __tablename__ = "memberships"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    # How many minutes a week they have for clients; caseloads are shared out by it. None: not said.
    weekly_minutes: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        ForeignKeyConstraint(["user_id", "organization_id"], ["user_places.user_id", "user_places.organization_id"]),
        UniqueConstraint("organization_id", "user_id"),
        CheckConstraint("role IN ('admin', 'counsellor', 'analyst', 'client')", name="role"),
        CheckConstraint("weekly_minutes BETWEEN 0 AND 10080", name="weekly_minutes"),
    )


class Invitation(TenantEntity, Base):
    """A single-use link that makes someone a member; for a client it names the client."""

    __tablename__ = "invitations"
    email: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    client_id: Mapped[UUID | None]
    token_hash: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "token_hash"),
        CheckConstraint("role IN ('admin', 'counsellor', 'analyst', 'client')", name="role"),
    )


class ApiToken(TenantEntity, Base):
    """A personal token for the JSON API; acts as its membership, narrowed to its scopes."""

    __tablename__ = "api_tokens"
    membership_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes]
    scopes: Mapped[list[Any]] = mapped_column(JSONB)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("membership_id", "memberships.id", ondelete="CASCADE"),
        UniqueConstraint("organization_id", "token_hash"),
    )


class IdempotencyKey(TenantRow, Base):
    """The remembered answer to a repeated API request; kept for at least a day."""

    __tablename__ = "idempotency_keys"
    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    request_hash: Mapped[bytes]
    status: Mapped[int | None]
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (tenant_key("membership_id", "memberships.id", ondelete="CASCADE"),)
