"""Rows of step 8: when plans are reviewed, the prompts for it, and what clients answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
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


class ReviewPolicy(TenantEntity, Base):
    """How often plans are reviewed; the nearest to a plan wins: plan, cohort, template, organization."""

    __tablename__ = "review_policies"
    scope: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[UUID | None]
    # As `app.domain.cadence` reads it.
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_by: Mapped[UUID | None]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "scope", "subject_id", postgresql_nulls_not_distinct=True),
        CheckConstraint(
            "scope IN ('organization', 'template', 'cohort', 'plan')"
            " AND (scope = 'organization') = (subject_id IS NULL)",
            name="scope",
        ),
    )


class ReviewPause(TenantEntity, Base):
    """Days on which nobody is asked: one person's leave, or (without a client) a holiday of the organization.

    One that has begun is ended and never removed, so that what it shifted can be told later.
    """

    __tablename__ = "review_pauses"
    client_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date]
    # The last paused day; empty until somebody ends it.
    ends_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(Text, server_default="")
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint(
            "kind IN ('leave', 'exchange', 'graduation', 'other', 'holiday')"
            " AND (kind = 'holiday') = (client_id IS NULL)",
            name="kind",
        ),
        # A holiday without an end would stop everybody's prompts for good, and nobody would notice.
        CheckConstraint("ends_on >= starts_on AND (ends_on IS NOT NULL OR client_id IS NOT NULL)", name="days"),
        Index(None, "organization_id", "client_id", "starts_on"),
    )


class Review(TenantEntity, Base):
    """A dated reassessment of one plan; at most one per plan and day."""

    __tablename__ = "reviews"
    plan_id: Mapped[UUID]
    occurrence_on: Mapped[date]
    state: Mapped[str] = mapped_column(Text, server_default="open")
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    # What the client asked for: to keep the plan or to change it.
    outcome: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # When it was answered first; a check-in that was returned and answered again keeps the moment.
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # What the answers came to, computed when they were sent (`app.features.reviews.result`).
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # What the counsellor wrote when they gave it back.
    returned_note: Mapped[str | None] = mapped_column(Text)
    returned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # When the two talk about it, and what the counsellor wrote to the client about that.
    meeting_on: Mapped[date | None]
    meeting_note: Mapped[str | None] = mapped_column(Text)
    # The counsellor's decision: they agreed that the plan stays, or took changes into a new revision.
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_by: Mapped[UUID | None]
    revision_before: Mapped[int | None]
    revision_after: Mapped[int | None]
    escalated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    escalated_admin_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("plan_id", "plans.id", ondelete="CASCADE"),
        tenant_key("closed_by", "memberships.id"),
        UniqueConstraint("organization_id", "plan_id", "occurrence_on"),
        CheckConstraint("state IN ('open', 'started', 'answered', 'closed', 'lapsed')", name="state"),
        CheckConstraint("outcome IN ('confirm', 'revise')", name="outcome"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_moment"),
        CheckConstraint("(returned_at IS NULL) = (returned_note IS NULL)", name="returned_with_words"),
        CheckConstraint("meeting_on IS NOT NULL OR meeting_note IS NULL", name="meeting_has_day"),
        # What filters and queues ask for as sets of plans.
        Index(
            "ix_reviews_waiting",
            "organization_id",
            "state",
            "occurrence_on",
            "plan_id",
            postgresql_where=text("state IN ('open', 'started', 'answered')"),
        ),
    )


class RevisionChange(TenantRow, Base):
    """Why a revision ended: one change that a check-in brought, with its reason. Written once, with the revision.

    `revision` is the one that was closed; `number` counts its changes from 1.
    """

    __tablename__ = "revision_changes"
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    review_id: Mapped[UUID]
    # A key of the review's result: "step:goals", "factor:f1", "new:0", "scale:<instrument>:<scale>", "data".
    subject: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    # What it is about and what became of it, as the result told it then.
    label: Mapped[str] = mapped_column(Text)
    change: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    controllable: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "plan_id", "revision"],
            ["plan_revisions.organization_id", "plan_revisions.plan_id", "plan_revisions.revision"],
        ),
        tenant_key("review_id", "reviews.id"),
        UniqueConstraint("organization_id", "review_id", "subject"),
        CheckConstraint("kind IN ('step', 'factor', 'new_factor', 'scale', 'data')", name="kind"),
        CheckConstraint("controllable IN ('yes', 'partly', 'no')", name="controllable"),
        CheckConstraint("btrim(reason) <> ''", name="has_reason"),
    )


class ReviewLink(TenantEntity, Base):
    """A signed link that opens one review without a password, once, until it expires.

    The address carries this row's id and a signature over it, so nothing secret is stored.
    """

    __tablename__ = "review_links"
    review_id: Mapped[UUID]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # SHA-256 of the random token of the browser that opened it; the check-in goes on in that browser only.
    browser_hash: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("review_id", "reviews.id", ondelete="CASCADE"),
        Index(None, "organization_id", "review_id"),
    )


class Prompt(TenantEntity, Base):
    """One planned send of a review's message: the unique key is what keeps it from leaving twice.

    The policy is not part of the key: a policy changed between two reminders must not prompt anew.
    """

    __tablename__ = "prompts"
    plan_id: Mapped[UUID]
    # Empty when the template's recipe or the standard decided.
    policy_id: Mapped[UUID | None]
    occurrence_on: Mapped[date]
    channel: Mapped[str] = mapped_column(Text, server_default="email")
    reminder: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    review_id: Mapped[UUID]
    # The outbox row that carries it; empty when it could not be sent, with the reason.
    message_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("plan_id", "plans.id", ondelete="CASCADE"),
        tenant_key("policy_id", "review_policies.id"),
        tenant_key("review_id", "reviews.id", ondelete="CASCADE"),
        tenant_key("message_id", "messages.id"),
        UniqueConstraint("organization_id", "plan_id", "occurrence_on", "channel", "reminder"),
        CheckConstraint("channel IN ('email')", name="channel"),
        Index(None, "organization_id", "message_id"),
        Index(None, "organization_id", "review_id"),
    )
