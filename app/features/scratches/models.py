"""Rows of scratch copies."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, tenant_key


class PlanScratch(TenantEntity, Base):
    """A copy of what a plan's steps say, and the changes tried on it. It is forgotten at `expires_at`."""

    __tablename__ = "plan_scratches"
    plan_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(Text, server_default="")
    # {"contents": {step key: content}, "versions": {step key: how often it was saved}, "statuses": ...} at the copy.
    base: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # The changes in their order, as `app.domain.what_if` reads them.
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    # Whether the others who may see the plan may see this too.
    shared: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("plan_id", "plans.id", ondelete="CASCADE"),
        tenant_key("created_by", "memberships.id"),
        Index(None, "organization_id", "plan_id"),
        Index(None, "organization_id", "expires_at"),
    )
