"""Rows of what was given to whom in bulk."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, of_organization, tenant_key

_NOW = text("now()")


class Assignment(TenantEntity, Base):
    """A published template given to clients or a cohort; a standing one reaches members who join later."""

    __tablename__ = "assignments"
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    cohort_id: Mapped[UUID | None]
    started_on: Mapped[date]
    standing: Mapped[bool] = mapped_column(server_default=text("false"))
    state: Mapped[str] = mapped_column(Text, server_default="active")
    # The job that gave it first; later joiners' jobs name this assignment in their parameters.
    job_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        ForeignKeyConstraint(
            ["organization_id", "template_id", "template_version"],
            [
                "template_versions.organization_id",
                "template_versions.template_id",
                "template_versions.version",
            ],
        ),
        tenant_key("cohort_id", "cohorts.id"),
        tenant_key("job_id", "jobs.id"),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint("state IN ('active', 'ended', 'undone')", name="state"),
        CheckConstraint("NOT standing OR cohort_id IS NOT NULL", name="standing_has_cohort"),
        Index(None, "organization_id", "cohort_id"),
    )
