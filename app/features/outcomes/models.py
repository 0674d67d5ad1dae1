"""Rows of graduations and of what became of graduates, with how it came in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.sentences import SentenceText
from app.infra.db.tenancy import Base, TenantEntity, TenantRow, tenant_key

_NOW = text("now()")
_MOMENT = DateTime(timezone=True)
# The class begins on 1 July; said in the table too, so that no row can be counted in another.
_CLASS = "class_year = extract(year FROM graduated_on)::int + (extract(month FROM graduated_on) >= 7)::int"


def _of_graduation() -> ForeignKeyConstraint:
    # Where the day of graduation was wrong and the class changes, what is known goes along.
    return ForeignKeyConstraint(
        ["organization_id", "client_id", "class_year"],
        ["graduations.organization_id", "graduations.client_id", "graduations.class_year"],
        ondelete="CASCADE",
        onupdate="CASCADE",
    )


class Graduation(TenantRow, Base):
    """That a client graduated with a class; somebody who graduates twice belongs to two."""

    __tablename__ = "graduations"
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    class_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    graduated_on: Mapped[date]
    # The job that brought it in, so that undoing the job can take it back.
    job_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=_NOW)
    __table_args__ = (
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        tenant_key("job_id", "jobs.id"),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint(_CLASS, name="class"),
        Index(None, "organization_id", "class_year"),
    )


class Outcome(TenantEntity, Base):
    """One thing that was known of a graduate. The newest by `known_on` that is not withdrawn counts; all are kept."""

    __tablename__ = "outcomes"
    client_id: Mapped[UUID]
    class_year: Mapped[int]
    status: Mapped[str] = mapped_column(Text)
    employment: Mapped[str | None] = mapped_column(Text)
    employer: Mapped[str] = mapped_column(Text, server_default="")
    title: Mapped[str] = mapped_column(Text, server_default="")
    # An occupation of the catalogue: the release it was found in, and its code.
    occupation_release: Mapped[str | None] = mapped_column(Text)
    occupation_code: Mapped[str | None] = mapped_column(Text)
    place: Mapped[str] = mapped_column(Text, server_default="")
    salary: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(Text)
    known_on: Mapped[date]
    source: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=_NOW)
    # None for what a graduate said themselves by a link, and for what Octant did.
    recorded_by: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    withdrawn_by: Mapped[UUID | None]
    __table_args__ = (
        _of_graduation(),
        tenant_key("recorded_by", "memberships.id"),
        tenant_key("job_id", "jobs.id"),
        tenant_key("withdrawn_by", "memberships.id"),
        CheckConstraint(
            "status IN ('employed_full_time', 'employed_part_time', 'service', 'military', 'continuing_education',"
            " 'seeking_employment', 'seeking_education', 'not_seeking')",
            name="status",
        ),
        CheckConstraint(
            "employment IS NULL OR (employment IN ('organization', 'entrepreneur', 'temporary', 'freelance',"
            " 'internship') AND status IN ('employed_full_time', 'employed_part_time'))",
            name="employment",
        ),
        CheckConstraint(
            "(salary IS NULL) = (currency IS NULL) AND (salary IS NULL OR (salary BETWEEN 0 AND 1000000000"
            " AND currency ~ '^[A-Z]{3}$' AND status IN ('employed_full_time', 'employed_part_time')))",
            name="salary",
        ),
        CheckConstraint("(occupation_code IS NULL) = (occupation_release IS NULL)", name="occupation"),
        CheckConstraint(
            "source IN ('survey', 'counsellor', 'employer', 'social_profile', 'institution', 'other')", name="source"
        ),
        # The order in which the newest is found.
        Index(
            "ix_outcomes_newest",
            "organization_id",
            "client_id",
            "class_year",
            text("known_on DESC"),
            text("recorded_at DESC"),
            text("id DESC"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index(None, "organization_id", "job_id"),
    )


class OutcomeLink(TenantEntity, Base):
    """A link by which one graduate says once what became of them; it holds no secret, its signature is the proof."""

    __tablename__ = "outcome_links"
    client_id: Mapped[UUID]
    class_year: Mapped[int]
    job_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=_NOW)
    expires_at: Mapped[datetime] = mapped_column(_MOMENT)
    used_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    __table_args__ = (
        _of_graduation(),
        tenant_key("job_id", "jobs.id"),
        Index(None, "organization_id", "client_id", "class_year"),
    )


class OutcomeImport(TenantEntity, Base):
    """One file of outcomes: checked whole, then taken by a job, and taken back by undoing that."""

    __tablename__ = "outcome_imports"
    file_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(Text, server_default="uploaded")
    # How the file is written, as `clients.roster_reader.Source`, and which column feeds which field.
    source: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    # Where the runs of its records lie: [offset, bytes, first line, records]; and in what text, while it is checked.
    pieces: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    text_location: Mapped[str | None] = mapped_column(Text)
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    refusal: Mapped[str | None] = mapped_column(SentenceText)
    check_job_id: Mapped[UUID | None]
    apply_job_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(_MOMENT, server_default=_NOW)
    __table_args__ = (
        tenant_key("file_id", "stored_files.id"),
        tenant_key("check_job_id", "jobs.id"),
        tenant_key("apply_job_id", "jobs.id"),
        tenant_key("created_by", "memberships.id"),
        CheckConstraint(
            "state IN ('uploaded', 'checking', 'checked', 'refused', 'applying', 'applied', 'undone')", name="state"
        ),
        Index(None, "organization_id", "created_at"),
    )


class OutcomeRow(TenantRow, Base):
    """One line of a file: good with what it says, known already, or bad with why."""

    __tablename__ = "outcome_rows"
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # Which thousand of the file it is in: what one item of a job works on.
    piece: Mapped[int]
    external_id: Mapped[str] = mapped_column(Text, server_default="")
    verdict: Mapped[str] = mapped_column(Text)
    # As a roster has them: [column, sentence, value], and behind them what says it in another language.
    problems: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    client_id: Mapped[UUID | None]
    # What an outcome takes, by column; the day of graduation where the file has one.
    given: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    __table_args__ = (
        tenant_key("import_id", "outcome_imports.id", ondelete="CASCADE"),
        CheckConstraint("verdict IN ('good', 'known', 'bad')", name="verdict"),
        Index(None, "organization_id", "import_id", "verdict", "line"),
    )

    @property
    def faults(self) -> list[list[str]]:
        """What is wrong as [column, sentence in English, value]."""
        return [problem[:3] for problem in self.problems]
