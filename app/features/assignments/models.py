"""Rows of what was given to whom in bulk."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key

_NOW = text("now()")


class Assignment(TenantEntity, Base):
    """Something given to many: a published template, a step, a questionnaire, an action or a due day.

    A standing one reaches members of its cohort who join later, and says what becomes of it for those who leave.
    """

    __tablename__ = "assignments"
    what: Mapped[str] = mapped_column(Text, server_default="template")
    template_id: Mapped[UUID | None]
    template_version: Mapped[int | None]
    step: Mapped[int | None] = mapped_column(SmallInteger)
    instrument_id: Mapped[UUID | None]
    # What is said of it beside: the due day or how it counts from joining, the action's own fields.
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    cohort_id: Mapped[UUID | None]
    started_on: Mapped[date]
    standing: Mapped[bool] = mapped_column(server_default=text("false"))
    on_leaving: Mapped[str] = mapped_column(Text, server_default="keep")
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
        tenant_key("instrument_id", "instruments.id"),
        tenant_key("job_id", "jobs.id"),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint(
            "what IN ('template', 'step', 'instrument', 'action', 'due')"
            " AND (what = 'template') = (template_id IS NOT NULL)"
            " AND (template_id IS NULL) = (template_version IS NULL)"
            " AND (what IN ('step', 'due')) = (step IS NOT NULL)"
            " AND (what = 'instrument') = (instrument_id IS NOT NULL)",
            name="what",
        ),
        CheckConstraint("on_leaving IN ('keep', 'pause', 'withdraw')", name="on_leaving"),
        CheckConstraint("state IN ('active', 'paused', 'ended', 'undone')", name="state"),
        CheckConstraint("NOT standing OR cohort_id IS NOT NULL", name="standing_has_cohort"),
        Index(None, "organization_id", "cohort_id"),
    )


class AssignmentMember(TenantRow, Base):
    """That a client has what a standing assignment gives, or what became of it when they left the cohort."""

    __tablename__ = "assignment_members"
    assignment_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    # `given`; after leaving `left` (they keep it), `paused`, `withdrawn`, or `kept` (touched, so it could not be
    # withdrawn).
    state: Mapped[str] = mapped_column(Text)
    # What pausing must take back when they join again.
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("assignment_id", "assignments.id"),
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        CheckConstraint("state IN ('given', 'left', 'paused', 'withdrawn', 'kept')", name="state"),
        Index(None, "organization_id", "client_id"),
    )
