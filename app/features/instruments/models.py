"""Rows of questionnaires and of the times clients took them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    REAL,
    CheckConstraint,
    DateTime,
    Double,
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


class Instrument(TenantEntity, Base):
    """A questionnaire this organization has loaded; its items and scales are in its versions."""

    __tablename__ = "instruments"
    key: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (of_organization(), UniqueConstraint("organization_id", "key"))


class InstrumentVersion(TenantRow, Base):
    """One definition file as it was loaded. A trigger refuses to change it: old answers keep their meaning."""

    __tablename__ = "instrument_versions"
    instrument_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # As `app.domain.scoring` reads it.
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    checksum: Mapped[str] = mapped_column(Text)
    loaded_by: Mapped[UUID | None]
    loaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("instrument_id", "instruments.id"),
        tenant_key("loaded_by", "memberships.id"),
        UniqueConstraint("organization_id", "instrument_id", "checksum"),
    )


class Assessment(TenantEntity, Base):
    """One client's taking of an instrument.

    `responses` are in the order of the version's items (0: missed), `scores` in the order of its
    scales (null: too few items answered).
    """

    __tablename__ = "assessments"
    client_id: Mapped[UUID]
    instrument_id: Mapped[UUID]
    version: Mapped[int]
    taken_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    source: Mapped[str] = mapped_column(Text)
    # Names the import or the sitting, so that repeating it stores nothing twice.
    source_key: Mapped[str] = mapped_column(Text)
    responses: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    scores: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    answered: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("client_id", "clients.id"),
        ForeignKeyConstraint(
            ["organization_id", "instrument_id", "version"],
            [
                "instrument_versions.organization_id",
                "instrument_versions.instrument_id",
                "instrument_versions.version",
            ],
        ),
        UniqueConstraint("organization_id", "client_id", "instrument_id", "source_key"),
        CheckConstraint("source IN ('import', 'portal', 'counsellor')", name="source"),
        Index(None, "organization_id", "client_id", "taken_at"),
    )


class Sitting(TenantEntity, Base):
    """One client's way through an instrument: what is answered so far, kept until it becomes an assessment.

    `responses` and `seconds` are in the order of the version's items (0: not answered; seconds null: not timed).
    """

    __tablename__ = "sittings"
    client_id: Mapped[UUID]
    instrument_id: Mapped[UUID]
    version: Mapped[int]
    # Where the client was: the number of the set of questions, from 1.
    position: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    responses: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    seconds: Mapped[list[float | None]] = mapped_column(ARRAY(REAL))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    assessment_id: Mapped[UUID | None]
    __table_args__ = (
        tenant_key("client_id", "clients.id"),
        tenant_key("assessment_id", "assessments.id"),
        ForeignKeyConstraint(
            ["organization_id", "instrument_id", "version"],
            [
                "instrument_versions.organization_id",
                "instrument_versions.instrument_id",
                "instrument_versions.version",
            ],
        ),
        CheckConstraint("(finished_at IS NULL) = (assessment_id IS NULL)", name="finished"),
        # A client goes on with what is begun: there is one at a time.
        Index(
            "ux_sittings_open",
            "organization_id",
            "client_id",
            "instrument_id",
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index(None, "organization_id", "assessment_id"),
    )


class InstrumentRequest(TenantEntity, Base):
    """That a client was asked to answer an instrument, perhaps by a day; a trigger notes when they have.

    There is one open request at a time for a client and an instrument.
    """

    __tablename__ = "instrument_requests"
    client_id: Mapped[UUID]
    instrument_id: Mapped[UUID]
    due_on: Mapped[date | None]
    asked_by: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # When an assessment taken since was stored.
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        tenant_key("instrument_id", "instruments.id"),
        tenant_key("asked_by", "memberships.id"),
        tenant_key("job_id", "jobs.id"),
        Index(
            "uq_instrument_requests_open",
            "organization_id",
            "client_id",
            "instrument_id",
            unique=True,
            postgresql_where=text("answered_at IS NULL"),
        ),
        Index(None, "organization_id", "job_id"),
    )


class FormerScoring(TenantRow, Base):
    """How an assessment was scored before it was scored again with a later version; nothing of it is lost."""

    __tablename__ = "former_scorings"
    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    # Counts the scorings of an assessment, from 1.
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    responses: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    scores: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    answered: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    replaced_by: Mapped[UUID | None]
    replaced_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("assessment_id", "assessments.id"),
        tenant_key("replaced_by", "memberships.id"),
    )
