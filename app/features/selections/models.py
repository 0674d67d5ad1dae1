"""Rows of whom a bulk act is for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, of_organization, tenant_key


class Selection(TenantEntity, Base):
    """Clients as they were chosen: what was previewed is what the job works on, whatever a cohort's rule does since.

    One row however many people, in the order of their names; its owner alone may use it, until it expires.
    """

    __tablename__ = "selections"
    client_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    # How many were named besides whom the owner may not see.
    not_seen: Mapped[int] = mapped_column(server_default=text("0"))
    # What it was made from: people ticked, a cohort, a saved filter, or a list or file of ids.
    origin: Mapped[str] = mapped_column(Text)
    origin_id: Mapped[UUID | None]
    # The name of the cohort or filter then, for headings and the job's title.
    name: Mapped[str] = mapped_column(Text, server_default="")
    # Of a list: the lines nobody was found for, as [line, what was written].
    unknown: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint("origin IN ('clients', 'cohort', 'filter', 'list')", name="origin"),
        Index(None, "organization_id", "expires_at"),
    )

    @property
    def clients(self) -> int:
        """How many people it holds."""
        return len(self.client_ids)


class SavedFilter(TenantEntity, Base):
    """A rule over clients and their plans that somebody keeps to use again; a shared one everybody may use."""

    __tablename__ = "saved_filters"
    owner_id: Mapped[UUID]
    shared: Mapped[bool] = mapped_column(server_default=text("false"))
    name: Mapped[str] = mapped_column(Text)
    # As `app.domain.rules` writes it.
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    __table_args__ = (
        tenant_key("owner_id", "memberships.id"),
        UniqueConstraint("organization_id", "owner_id", "name"),
        CheckConstraint("btrim(name) <> '' AND length(name) <= 120", name="name"),
    )
