"""Rows of bulk work. The row is the truth; a message to a worker is only a doorbell."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, DateTime, Index, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.sentences import SentenceText
from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key

_NOW = text("now()")


class Job(TenantEntity, Base):
    """A bulk operation. `total` is fixed when its items are written; progress is counted from them."""

    __tablename__ = "jobs"
    kind: Mapped[str] = mapped_column(Text)
    # What to do, by ids and options; of a mail to many its text. Not what anybody says of a client.
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    # Repeating a request with the same key finds the same job instead of making a second.
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    total: Mapped[int] = mapped_column(server_default=text("0"))
    result: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    error: Mapped[str | None] = mapped_column(SentenceText)
    # Attempts and lease of the job's own closing act (assembling an archive, say); items have theirs.
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_token: Mapped[UUID | None]
    not_before: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    request_id: Mapped[str] = mapped_column(Text, server_default="")
    # A schedule asked for it, also where it is somebody's: nobody waits for it, and the list of jobs has it apart.
    scheduled: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "kind", "idempotency_key"),
        CheckConstraint(
            "state IN ('queued', 'running', 'finishing', 'done', 'failed', 'cancelled', 'undoing', 'undone', 'paused')",
            name="state",
        ),
        Index(
            "ix_jobs_open",
            "organization_id",
            "not_before",
            postgresql_where=text("state IN ('queued', 'running', 'finishing', 'undoing')"),
        ),
        Index(None, "organization_id", "created_at"),
        Index("ix_jobs_by_people", "organization_id", "created_at", postgresql_where=text("NOT scheduled")),
    )


class JobItem(TenantRow, Base):
    """One subject of a job (a client, an import chunk); unique, so that nothing is done twice."""

    __tablename__ = "job_items"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    # The order in which items are worked on, and that in which they are listed, within the job.
    position: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    listed: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_token: Mapped[UUID | None]
    not_before: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Why it was skipped or failed: a sentence for the page.
    reason: Mapped[str | None] = mapped_column(SentenceText)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    __table_args__ = (
        tenant_key("job_id", "jobs.id", ondelete="CASCADE"),
        CheckConstraint(
            "state IN ('pending', 'leased', 'done', 'skipped', 'failed', 'cancelled', 'undone', 'kept')",
            name="state",
        ),
        Index(
            "ix_job_items_open",
            "organization_id",
            "job_id",
            "position",
            postgresql_where=text("state IN ('pending', 'leased')"),
        ),
    )


class WaitingItems(TenantRow, Base):
    """Subjects of a job that one batch is to work on together: ids until they are settled, and a `JobItem` each then.

    A batch takes the row whole and writes the items in the same transaction, so that a subject is in one of the two
    tables, never in both.
    """

    __tablename__ = "waiting_items"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    # The position of the first of them; the others follow it one by one.
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    subject_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    # The places in which they are listed, in the order of `subject_ids`.
    listed: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    __table_args__ = (
        tenant_key("job_id", "jobs.id", ondelete="CASCADE"),
        CheckConstraint(
            "cardinality(subject_ids) > 0 AND cardinality(listed) = cardinality(subject_ids)", name="as_many"
        ),
    )


class StoredFile(TenantEntity, Base):
    """A file made or received; listed only once it is whole, with the hash it must have."""

    __tablename__ = "stored_files"
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    # Where `app.infra.storage` keeps it; begins with the organization's id.
    location: Mapped[str] = mapped_column(Text)
    job_id: Mapped[UUID | None]
    client_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    # It tells of the whole organization, whoever asked for it: see `policy.may_have_whole`.
    whole: Mapped[bool] = mapped_column(server_default=text("false"))
    # When it was withdrawn: its time of being kept was over. From then on it is offered no more, and is being deleted.
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        tenant_key("job_id", "jobs.id"),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "location"),
        Index(None, "organization_id", "job_id"),
    )
