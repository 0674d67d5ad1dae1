"""Rows of own reports: what somebody chose, and each file that was asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, tenant_key

_NOW = text("now()")


class Extract(TenantEntity, Base):
    """Rows, columns, conditions, grouping and order that somebody keeps to ask for again; all may use a shared one."""

    __tablename__ = "extracts"
    owner_id: Mapped[UUID]
    shared: Mapped[bool] = mapped_column(server_default=text("false"))
    name: Mapped[str] = mapped_column(Text)
    # As `app.features.extracts.definition` writes it.
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("owner_id", "memberships.id"),
        UniqueConstraint("organization_id", "owner_id", "name"),
        CheckConstraint("btrim(name) <> '' AND length(name) <= 120", name="name"),
    )


class ExtractRun(TenantEntity, Base):
    """One file of an own report: asked for by whom, with what, and, once it is there, of which moment.

    `definition` stays what it was, whatever becomes of the report, and what is known of the file when it is deleted.
    """

    __tablename__ = "extract_runs"
    # Empty once the report was removed; what it asked for stays here.
    extract_id: Mapped[UUID | None]
    owner_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    form: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    job_id: Mapped[UUID]
    # The moment of the data, how many rows they were, and whether small cells were withheld from whoever asked.
    data_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    row_count: Mapped[int | None] = mapped_column(BigInteger)
    withheld: Mapped[bool | None]
    sha256: Mapped[bytes | None]
    # The layout that was in use; see `app.features.extracts.writing`. Empty for files of earlier releases.
    template: Mapped[str | None] = mapped_column(Text)
    # Empty again once the organization's days of keeping it are over.
    file_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("extract_id", "extracts.id"),
        tenant_key("owner_id", "memberships.id"),
        tenant_key("job_id", "jobs.id"),
        tenant_key("file_id", "stored_files.id"),
        UniqueConstraint("organization_id", "job_id"),
        CheckConstraint("form IN ('csv', 'xlsx', 'jsonl', 'parquet')", name="form"),
        CheckConstraint(
            "num_nulls(data_at, row_count, withheld, sha256) IN (0, 4) AND (file_id IS NULL OR data_at IS NOT NULL)",
            name="whole",
        ),
        Index(None, "organization_id", "owner_id", "created_at"),
        Index(None, "organization_id", "extract_id"),
    )
