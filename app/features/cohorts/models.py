"""Rows of cohorts and their members."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key

_NOW = text("now()")


class Cohort(TenantEntity, Base):
    """A named group of clients: a fixed list, or a rule over their attributes."""

    __tablename__ = "cohorts"
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    # As `app.domain.rules` writes it: {"all": [{"field": "programme", "is": "any_of", "values": [...]}]}; null for
    # a fixed list.
    rule: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # When a rule's members were last brought up to date; older than a client's change means stale.
    refreshed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    stale: Mapped[bool] = mapped_column(server_default=text("false"))
    archived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "name"),
        CheckConstraint("kind IN ('fixed', 'rule') AND (kind = 'rule') = (rule IS NOT NULL)", name="kind"),
    )


class CohortMember(TenantRow, Base):
    """That a client belongs to a cohort."""

    __tablename__ = "cohort_members"
    cohort_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("cohort_id", "cohorts.id", ondelete="CASCADE"),
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        Index(None, "organization_id", "client_id"),
    )
