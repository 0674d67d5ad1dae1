"""Rows of schedules, of who gets what they write, and of every occurrence for each of them."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.sentences import SentenceText
from app.infra.db.tenancy import Base, TenantEntity, TenantRow, tenant_key

_NOW = text("now()")


class Schedule(TenantEntity, Base):
    """A report written again and again: `what` says of what, and what of the rest counts for that.

    Kinds: an own report (`extract`), one of the figures asked in one way (`figures`), the screen of all of them
    (`aggregates`), a cohort in figures (`cohort`), reports of the clients of a cohort or saved filter (`clients`).
    """

    __tablename__ = "schedules"
    owner_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    # Empty for other kinds, and once the own report or the filter was deleted.
    extract_id: Mapped[UUID | None]
    cohort_id: Mapped[UUID | None]
    filter_id: Mapped[UUID | None]
    # How it is asked, by kind; see `app.features.schedules.contents`. An own report has that itself.
    question: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    form: Mapped[str] = mapped_column(Text)
    # See `app.domain.recurrence`; weekday, month_day and edge each count for one cadence.
    cadence: Mapped[str] = mapped_column(Text)
    weekday: Mapped[int] = mapped_column(SmallInteger)
    month_day: Mapped[int] = mapped_column(SmallInteger)
    edge: Mapped[str] = mapped_column(Text)
    at_time: Mapped[time]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    when_empty: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="on")
    # Which of its owner's places it has, so that nobody has more than there are; empty once it has ended.
    place: Mapped[int | None] = mapped_column(SmallInteger)
    # Why Octant paused it by itself.
    why: Mapped[str | None] = mapped_column(SentenceText)
    # The next time is to be worked out anew; triggers set it.
    stale: Mapped[bool] = mapped_column(server_default=text("false"))
    # What lay at or before this moment is not made up for.
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    next_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("owner_id", "memberships.id"),
        tenant_key("extract_id", "extracts.id"),
        CheckConstraint("btrim(name) <> '' AND length(name) <= 120", name="name"),
        tenant_key("cohort_id", "cohorts.id"),
        tenant_key("filter_id", "saved_filters.id"),
        CheckConstraint(
            "CASE what WHEN 'extract' THEN question IS NULL AND num_nonnulls(cohort_id, filter_id) = 0"
            " AND form IN ('csv', 'xlsx', 'jsonl', 'parquet')"
            " WHEN 'figures' THEN question IS NOT NULL AND num_nonnulls(extract_id, cohort_id, filter_id) = 0"
            " AND form IN ('csv', 'xlsx')"
            " WHEN 'aggregates' THEN question IS NOT NULL AND num_nonnulls(extract_id, cohort_id, filter_id) = 0"
            " AND form IN ('csv', 'xlsx', 'pdf')"
            " WHEN 'cohort' THEN question IS NOT NULL AND cohort_id IS NOT NULL"
            " AND num_nonnulls(extract_id, filter_id) = 0 AND form = 'both'"
            " WHEN 'clients' THEN question IS NOT NULL AND extract_id IS NULL"
            " AND num_nonnulls(cohort_id, filter_id) <= 1 AND form = 'zip'"
            " ELSE false END",
            name="what",
        ),
        CheckConstraint("(state = 'ended') = (place IS NULL) AND place BETWEEN 1 AND 50", name="place"),
        CheckConstraint(
            "cadence IN ('daily', 'weekly', 'monthly', 'term') AND edge IN ('start', 'end')", name="cadence"
        ),
        CheckConstraint("weekday BETWEEN 0 AND 6 AND month_day BETWEEN 1 AND 31 AND ends_on >= starts_on", name="days"),
        CheckConstraint("when_empty IN ('send', 'say', 'silent')", name="when_empty"),
        CheckConstraint("state IN ('on', 'paused', 'ended') AND (state = 'on' OR next_at IS NULL)", name="state"),
        Index("ix_schedules_due", "organization_id", "next_at", postgresql_where=text("state = 'on'")),
        Index(None, "organization_id", "owner_id"),
        Index(None, "organization_id", "extract_id"),
        Index(None, "organization_id", "cohort_id", postgresql_where=text("cohort_id IS NOT NULL")),
        Index(None, "organization_id", "filter_id", postgresql_where=text("filter_id IS NOT NULL")),
        Index(
            "uq_schedules_place",
            "organization_id",
            "owner_id",
            "place",
            unique=True,
            postgresql_where=text("place IS NOT NULL"),
        ),
    )


class ScheduleRecipient(TenantRow, Base):
    """A member who gets what a schedule writes, as they may see it."""

    __tablename__ = "schedule_recipients"
    schedule_id: Mapped[UUID] = mapped_column(primary_key=True)
    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    __table_args__ = (
        tenant_key("schedule_id", "schedules.id", ondelete="CASCADE"),
        tenant_key("membership_id", "memberships.id"),
        Index(None, "organization_id", "membership_id"),
    )


class ScheduleRun(TenantEntity, Base):
    """One occurrence for one reader: the key is what keeps it from being made twice.

    `occurrence` is a day ("2026-11-30"), a term ("term:…") or a run asked for by hand ("now:…"). States: making, sent
    (the mail is in the outbox), silent (there was nothing, and the owner wants no word of that), refused (the reader
    may not have it any more), failed.
    """

    __tablename__ = "schedule_runs"
    schedule_id: Mapped[UUID]
    membership_id: Mapped[UUID]
    occurrence: Mapped[str] = mapped_column(Text)
    occurrence_on: Mapped[date]
    # How many earlier occurrences it stands for too, because nothing ran then.
    missed: Mapped[int] = mapped_column(server_default=text("0"))
    state: Mapped[str] = mapped_column(Text, server_default="making")
    reason: Mapped[str | None] = mapped_column(SentenceText)
    row_count: Mapped[int | None] = mapped_column(BigInteger)
    job_id: Mapped[UUID | None]
    extract_run_id: Mapped[UUID | None]
    figure_export_id: Mapped[UUID | None]
    # The reader's job that writes a cohort's figures or reports of clients, and keeps what is known of their files.
    report_job_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("schedule_id", "schedules.id"),
        tenant_key("membership_id", "memberships.id"),
        tenant_key("job_id", "jobs.id"),
        tenant_key("extract_run_id", "extract_runs.id"),
        tenant_key("figure_export_id", "figure_exports.id"),
        tenant_key("report_job_id", "jobs.id"),
        tenant_key("message_id", "messages.id"),
        UniqueConstraint("organization_id", "schedule_id", "occurrence", "membership_id", name="uq_schedule_runs_once"),
        CheckConstraint("state IN ('making', 'sent', 'silent', 'refused', 'failed')", name="state"),
        CheckConstraint(
            "(state = 'making') = (settled_at IS NULL) AND (state = 'sent') = (message_id IS NOT NULL)"
            " AND (state IN ('sent', 'silent')) = (row_count IS NOT NULL)"
            " AND num_nonnulls(extract_run_id, figure_export_id) <= CASE WHEN row_count IS NULL THEN 0 ELSE 1 END"
            " AND (row_count IS NULL OR num_nonnulls(extract_run_id, figure_export_id, report_job_id) = 1)",
            name="whole",
        ),
        Index(None, "organization_id", "membership_id", "created_at"),
        Index(None, "organization_id", "job_id"),
        Index(None, "organization_id", "report_job_id"),
        Index(None, "organization_id", "schedule_id", "occurrence_on"),
        Index(None, "organization_id", "schedule_id", "created_at"),
        Index("ix_schedule_runs_making", "organization_id", postgresql_where=text("state = 'making'")),
    )
