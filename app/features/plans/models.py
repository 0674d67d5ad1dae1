"""Rows of plan templates, of plans with their eight steps, and of frozen revisions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key

_NOW = text("now()")


class PlanTemplate(TenantEntity, Base):
    """A named recipe of the eight steps; its contents are in its versions."""

    __tablename__ = "plan_templates"
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    archived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "name"),
    )


class TemplateVersion(TenantRow, Base):
    """One version of a template. A published one never changes: a trigger refuses it."""

    __tablename__ = "template_versions"
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(Text, server_default="draft")
    # As `app.domain.template_content` writes it.
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    checksum: Mapped[str] = mapped_column(Text)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("template_id", "plan_templates.id"),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint(
            "state IN ('draft', 'published') AND (state = 'published') = (published_at IS NOT NULL)",
            name="state",
        ),
        Index(
            "uq_template_versions_draft",
            "organization_id",
            "template_id",
            unique=True,
            postgresql_where=text("state = 'draft'"),
        ),
    )


class Plan(TenantEntity, Base):
    """A client's own plan. A client has at most one that is active."""

    __tablename__ = "plans"
    client_id: Mapped[UUID]
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    status: Mapped[str] = mapped_column(Text, server_default="active")
    started_on: Mapped[date]
    revision: Mapped[int] = mapped_column(server_default=text("1"))
    # The job that made it; undoing the job removes the plan only while `touched_at` is empty.
    assigned_by_job: Mapped[UUID | None]
    touched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The day of the review in progress or next to come, and the moment of the next prompt for it.
    next_review_on: Mapped[date | None]
    next_prompt_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    next_reminder: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    # A rule the three above follow from has changed since they were worked out; triggers set it.
    review_stale: Mapped[bool] = mapped_column(server_default=text("false"))
    # The day was chosen by a person or an event and not by the policy, so working out anew leaves it.
    review_set: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("client_id", "clients.id"),
        ForeignKeyConstraint(
            ["organization_id", "template_id", "template_version"],
            [
                "template_versions.organization_id",
                "template_versions.template_id",
                "template_versions.version",
            ],
        ),
        tenant_key("assigned_by_job", "jobs.id"),
        CheckConstraint("status IN ('active', 'archived')", name="status"),
        Index(
            "uq_plans_active_client",
            "organization_id",
            "client_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
            postgresql_include=["id"],
        ),
        Index(
            "ix_plans_prompt_due",
            "organization_id",
            "next_prompt_at",
            postgresql_where=text("next_prompt_at IS NOT NULL AND status = 'active'"),
        ),
        Index(
            "ix_plans_review_stale",
            "organization_id",
            postgresql_where=text("review_stale AND status = 'active'"),
        ),
        Index(None, "organization_id", "assigned_by_job"),
    )


class PlanStep(TenantRow, Base):
    """The state of one of the eight steps of a plan; what was written in it is a StepContent."""

    __tablename__ = "plan_steps"
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(Text, server_default="not_started")
    due_on: Mapped[date | None]
    # Why it was skipped or returned: a sentence of the counsellor.
    reason: Mapped[str | None] = mapped_column(Text)
    # It has open marks (StepMark). Triggers keep it so; whatever is written here by hand is put right.
    stale: Mapped[bool] = mapped_column(server_default=text("false"))
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("plan_id", "plans.id", ondelete="CASCADE"),
        CheckConstraint("step BETWEEN 1 AND 8", name="step"),
        CheckConstraint(
            "status IN ('not_started', 'in_progress', 'submitted', 'returned', 'completed', 'skipped')",
            name="status",
        ),
        CheckConstraint("status <> 'skipped' OR reason IS NOT NULL", name="skip_has_reason"),
        # What filters ask for as sets of plans.
        Index(
            "ix_plan_steps_status",
            "organization_id",
            "step",
            "status",
            "plan_id",
            postgresql_where=text("status <> 'not_started'"),
        ),
        Index(
            "ix_plan_steps_undone",
            "organization_id",
            "due_on",
            "plan_id",
            postgresql_where=text("status NOT IN ('completed', 'skipped', 'submitted') AND due_on IS NOT NULL"),
        ),
        Index(
            "ix_plan_steps_changed",
            "organization_id",
            "changed_at",
            "plan_id",
            postgresql_where=text("changed_at IS NOT NULL"),
        ),
        Index("ix_plan_steps_stale", "organization_id", "plan_id", postgresql_where=text("stale")),
    )


class StepMark(TenantRow, Base):
    """An aspect (`app.domain.staleness`) that changed since the step built on it, until somebody has looked again."""

    __tablename__ = "step_marks"
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    aspect: Mapped[str] = mapped_column(Text, primary_key=True)
    # The fingerprint of what the step was built on; empty for a questionnaire's result, which never comes back.
    rested_on: Mapped[str | None] = mapped_column(Text)
    # `before` (what the step was built on) and `after` (what it is now), as plain JSON that pages put into words.
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # When it last changed.
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "plan_id", "step"],
            ["plan_steps.organization_id", "plan_steps.plan_id", "plan_steps.step"],
            ondelete="CASCADE",
        ),
    )


class StepContent(TenantRow, Base):
    """What the client wrote in a step of the current revision, in the shape its room defines."""

    __tablename__ = "step_contents"
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Counts the saves; a save names the version it was typed over, so that two windows never overwrite each other.
    version: Mapped[int] = mapped_column(server_default=text("1"))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "plan_id", "step"],
            ["plan_steps.organization_id", "plan_steps.plan_id", "plan_steps.step"],
            ondelete="CASCADE",
        ),
    )


class StepComment(TenantEntity, Base):
    """A remark of the client or a counsellor in a step's thread; both may read it."""

    __tablename__ = "step_comments"
    plan_id: Mapped[UUID]
    step: Mapped[int] = mapped_column(SmallInteger)
    author_id: Mapped[UUID]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "plan_id", "step"],
            ["plan_steps.organization_id", "plan_steps.plan_id", "plan_steps.step"],
            ondelete="CASCADE",
        ),
        tenant_key("author_id", "memberships.id"),
        Index(None, "organization_id", "plan_id", "step", "created_at"),
    )


class PlanEvent(TenantRow, Base):
    """One line of a plan's history as client and counsellor read it."""

    __tablename__ = "plan_events"
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    # Events of one moment stand in the order they were written.
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    step: Mapped[int | None] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[UUID | None]
    actor_kind: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("plan_id", "plans.id", ondelete="CASCADE"),
        tenant_key("actor_id", "memberships.id"),
    )


class PlanRevision(TenantRow, Base):
    """A revision of a plan, frozen whole. A trigger refuses to change or delete it."""

    __tablename__ = "plan_revisions"
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    checksum: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    frozen_by: Mapped[UUID | None]
    frozen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (tenant_key("plan_id", "plans.id"), tenant_key("frozen_by", "memberships.id"))
