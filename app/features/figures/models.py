"""Rows of what was published of an organization's figures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key


class FigureRelease(TenantRow, Base):
    """All figures of an organization as of one moment: with small groups withheld, or exact."""

    __tablename__ = "figure_releases"
    withheld: Mapped[bool] = mapped_column(primary_key=True)
    # The organization's day it is of.
    day: Mapped[date]
    moment: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    threshold: Mapped[int | None]
    # A list of {key, label, kind, values}: what the figures can be asked by, values in their order.
    attributes: Mapped[list[Any]] = mapped_column(JSONB)
    # The scales there are figures of, in their order: [key, label, whether changed beyond error is known].
    scales: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    __table_args__ = (
        of_organization(),
        CheckConstraint("withheld = (threshold IS NOT NULL)", name="threshold"),
    )


class FigureTable(TenantRow, Base):
    """One figure by no, one or two attributes; `parts` holds the numbers of each part, null where withheld."""

    __tablename__ = "figure_tables"
    withheld: Mapped[bool] = mapped_column(primary_key=True)
    figure: Mapped[str] = mapped_column(Text, primary_key=True)
    first: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    second: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    parts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "withheld"],
            ["figure_releases.organization_id", "figure_releases.withheld"],
            ondelete="CASCADE",
        ),
    )


class FigureKinds(TenantRow, Base):
    """What figures with small groups withheld were worked out of: the kinds of people there are, as packed arrays.

    Of figure and part "" their attributes, with what is not an array in `about`; of any other how many of each kind are
    so, or what was measured of them, and what of it is withheld.
    """

    __tablename__ = "figure_kinds"
    withheld: Mapped[bool] = mapped_column(primary_key=True, server_default=true())
    figure: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    part: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    about: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    content: Mapped[bytes]
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "withheld"],
            ["figure_releases.organization_id", "figure_releases.withheld"],
            ondelete="CASCADE",
        ),
        CheckConstraint("withheld", name="withheld"),
    )


class FigureMark(TenantEntity, Base):
    """That something figures count has changed since the exact ones were worked out; triggers put it."""

    __tablename__ = "figure_marks"
    __table_args__ = (of_organization(),)


class FigureExport(TenantEntity, Base):
    """A file of figures that was made for a member: with what, of which moment, and its checksum.

    One made by a job is kept for the organization's days, and this row stays; one taken from the page is not kept
    itself (`file_id` is empty), and this row goes with those days.
    """

    __tablename__ = "figure_exports"
    owner_id: Mapped[UUID]
    question: Mapped[dict[str, Any]] = mapped_column(JSONB)
    form: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    # The layout that was in use; see `app.features.figures.exports`.
    template: Mapped[str] = mapped_column(Text)
    data_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    threshold: Mapped[int | None]
    row_count: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    job_id: Mapped[UUID | None]
    file_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    __table_args__ = (
        tenant_key("owner_id", "memberships.id"),
        tenant_key("job_id", "jobs.id"),
        tenant_key("file_id", "stored_files.id"),
        UniqueConstraint("organization_id", "job_id"),
        CheckConstraint("form IN ('csv', 'xlsx', 'pdf')", name="form"),
        Index(None, "organization_id", "owner_id", "created_at"),
        Index("ix_figure_exports_from_pages", "organization_id", "created_at", postgresql_where=text("job_id IS NULL")),
    )
