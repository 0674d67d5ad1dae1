"""Rows of triggers: what plans rest on, the organization's rules, recorded events, and what was found."""

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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key

_NOW = text("now()")


class PlanReference(TenantRow, Base):
    """Something outside a plan that a step of it names: an occupation, the kind of its way, a kind of action.

    Triggers of the database keep it equal to the contents, whoever writes them; nobody writes here by hand.
    """

    __tablename__ = "plan_references"
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    # "occupation" (its code), "path" (the kind of the chosen way), "action" (the kind of one that is not done).
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    ref: Mapped[str] = mapped_column(Text, primary_key=True)
    # Where in the step: chosen, runner_up, option, looked_up, factor, start, target, stage, milestone, action.
    place: Mapped[str] = mapped_column(Text, primary_key=True)
    # The release it was taken from; empty where the content names none.
    release: Mapped[str] = mapped_column(Text, primary_key=True)
    # The way of step 5 it belongs to; it does not count while another one is chosen. Empty: to none in particular.
    way: Mapped[str] = mapped_column(Text, primary_key=True)
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "plan_id", "step"],
            ["step_contents.organization_id", "step_contents.plan_id", "step_contents.step"],
            ondelete="CASCADE",
        ),
        CheckConstraint("kind IN ('occupation', 'path', 'action')", name="kind"),
        Index(None, "organization_id", "kind", "ref"),
    )


class TriggerRule(TenantRow, Base):
    """A rule as the organization has set it; one that is missing is the standard, which is off."""

    __tablename__ = "trigger_rules"
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    active: Mapped[bool]
    number: Mapped[int | None] = mapped_column(SmallInteger)
    reach: Mapped[str] = mapped_column(Text, server_default="any")
    updated_by: Mapped[UUID | None]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("updated_by", "memberships.id"),
        CheckConstraint("reach IN ('any', 'chosen')", name="reach"),
    )


class TriggerSettings(TenantRow, Base):
    """How many reviews may open in a day, and the day on which was last looked; its lock is held while reviews open."""

    __tablename__ = "trigger_settings"
    a_day: Mapped[int] = mapped_column(SmallInteger)
    # In the organization's zone; empty: to be looked at once.
    looked_on: Mapped[date | None]
    looked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (of_organization(), CheckConstraint("a_day BETWEEN 1 AND 10000", name="a_day"))


class ExternalEvent(TenantEntity, Base):
    """Something that happened outside, with what it touches. It touches nobody before its reviews are opened."""

    __tablename__ = "external_events"
    title: Mapped[str] = mapped_column(Text)
    # What it means, as those it touches read it.
    words: Mapped[str] = mapped_column(Text)
    happened_on: Mapped[date]
    occupations: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # The first two digits of occupations' codes.
    families: Mapped[list[str]] = mapped_column(ARRAY(Text))
    paths: Mapped[list[str]] = mapped_column(ARRAY(Text))
    actions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    # Only plans of its members; with nothing else named all of them.
    cohort_id: Mapped[UUID | None]
    reach: Mapped[str] = mapped_column(Text, server_default="any")
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        tenant_key("cohort_id", "cohorts.id"),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint("reach IN ('any', 'chosen')", name="reach"),
        CheckConstraint(
            "cohort_id IS NOT NULL OR cardinality(occupations || families || paths || actions) > 0", name="touches"
        ),
        Index(None, "organization_id", "created_at"),
    )


class TriggerFinding(TenantEntity, Base):
    """A reason to look at a plan again, found once; it waits until a review was opened for it."""

    __tablename__ = "trigger_findings"
    plan_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    # Names the very thing, so that a plan is never opened twice for it.
    subject: Mapped[str] = mapped_column(Text)
    severity: Mapped[int] = mapped_column(SmallInteger)
    # What was seen, as plain JSON that pages put into words.
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB)
    event_id: Mapped[UUID | None]
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    review_id: Mapped[UUID | None]
    reviewed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The day its review counts on; empty for one that joined a review which was open already.
    opened_on: Mapped[date | None]
    __table_args__ = (
        tenant_key("plan_id", "plans.id", ondelete="CASCADE"),
        tenant_key("event_id", "external_events.id"),
        tenant_key("review_id", "reviews.id", ondelete="CASCADE"),
        UniqueConstraint("organization_id", "plan_id", "kind", "subject"),
        CheckConstraint("(kind = 'external_event') = (event_id IS NOT NULL)", name="event"),
        CheckConstraint(
            "(review_id IS NULL) = (reviewed_at IS NULL) AND (opened_on IS NULL OR review_id IS NOT NULL)",
            name="reviewed",
        ),
        Index(
            "ix_trigger_findings_waiting",
            "organization_id",
            "kind",
            postgresql_where=text("review_id IS NULL"),
        ),
        Index(None, "organization_id", "review_id"),
        Index(None, "organization_id", "opened_on"),
        Index(None, "organization_id", "event_id"),
    )
