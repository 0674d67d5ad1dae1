"""Rows of the catalogue. They are nobody's: every organization reads the same ones and only the operator writes.

A release is written once, whole, and never changed, so that what was matched with it can be read again and a
process may keep what it has read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base


class CatalogueRelease(Base):
    """One import: of occupations (an O*NET release or the starter), or of an outlook (BLS projections)."""

    __tablename__ = "catalogue_releases"
    id: Mapped[int] = mapped_column(SmallInteger, Identity(always=True), primary_key=True)
    # What saved matches and addresses name it by, such as "onet-30.1"; a second, fuller import is "onet-30.1-2".
    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    # For each table read: its release, file, rows and left-out rows, first and last date of its figures.
    tables: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Figures of the whole: names of the skills, or national growth, median wage and median openings.
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Of what was read, not of the files: the same content with other line ends is the same release.
    checksum: Mapped[str] = mapped_column(Text)
    current: Mapped[bool]
    imported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    __table_args__ = (
        CheckConstraint("kind IN ('onet', 'starter', 'bls')", name="kind"),
        UniqueConstraint("key"),
        UniqueConstraint("checksum"),
        # One set of occupations and one outlook are what pages show when nobody names a release.
        Index("ix_catalogue_releases_current", text("(kind = 'bls')"), unique=True, postgresql_where=text("current")),
    )


class Occupation(Base):
    """One occupation of one release with its profiles; what the release does not rate is null."""

    __tablename__ = "occupations"
    release_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("catalogue_releases.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    job_zone: Mapped[int | None] = mapped_column(SmallInteger)
    # Realistic, investigative, artistic, social, enterprising, conventional; 1 to 7.
    interests: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    # 1 to 6 for the areas in that order; 0 says that there is no second or third high point.
    high_points: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    # Achievement, working conditions, recognition, relationships, support, independence; 1 to 7.
    work_values: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    # Percent of the jobs in each category: 12 of required education, 11 of experience, 9 and 9 of training.
    education: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    experience: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    plant_training: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    job_training: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    # By kind of figure ("interests", "values", ...): who said it and when, as [source, "MM/YYYY"].
    sources: Mapped[dict[str, Any]] = mapped_column(JSONB)


class OccupationTitle(Base):
    """A name an occupation is searched by; number 0 is its title."""

    __tablename__ = "occupation_titles"
    release_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(Text)
    # Its different folded words with spaces between them.
    folded: Mapped[str] = mapped_column(Text)
    __table_args__ = (ForeignKeyConstraint(["release_id", "code"], ["occupations.release_id", "occupations.code"]),)


class OccupationRelation(Base):
    """A related occupation, the closest first."""

    __tablename__ = "occupation_relations"
    release_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    related_code: Mapped[str] = mapped_column(Text)
    tier: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        ForeignKeyConstraint(["release_id", "code"], ["occupations.release_id", "occupations.code"]),
        ForeignKeyConstraint(["release_id", "related_code"], ["occupations.release_id", "occupations.code"]),
    )


class OccupationSkill(Base):
    """What an occupation asks of one skill; the skill's name is among the release's figures."""

    __tablename__ = "occupation_skills"
    release_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    element_id: Mapped[str] = mapped_column(Text, primary_key=True)
    importance: Mapped[float | None] = mapped_column(Double)
    level: Mapped[float | None] = mapped_column(Double)
    # The publisher advises against the importance, or the level, because too few agreed on it.
    suppressed: Mapped[bool]
    not_relevant: Mapped[bool]
    __table_args__ = (ForeignKeyConstraint(["release_id", "code"], ["occupations.release_id", "occupations.code"]),)


class OccupationTask(Base):
    """A sentence about what people in the occupation do."""

    __tablename__ = "occupation_tasks"
    release_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    task_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    task: Mapped[str] = mapped_column(Text)
    core: Mapped[bool | None]
    __table_args__ = (ForeignKeyConstraint(["release_id", "code"], ["occupations.release_id", "occupations.code"]),)


class OutlookFigure(Base):
    """Growth, openings, pay and education of one six-digit occupation in a BLS projection."""

    __tablename__ = "outlook_figures"
    release_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("catalogue_releases.id"), primary_key=True)
    soc_code: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    # Jobs and yearly openings are counts (the source counts thousands); growth and share are percent over the period.
    jobs: Mapped[int | None]
    growth: Mapped[float | None] = mapped_column(Double)
    openings: Mapped[int | None]
    # Median dollars a year; where the source withholds it the words it gives instead, such as ">=$239,200".
    wage: Mapped[float | None] = mapped_column(Numeric(12, 2, asdecimal=False))
    wage_text: Mapped[str | None] = mapped_column(Text)
    education: Mapped[str | None] = mapped_column(Text)
    experience: Mapped[str | None] = mapped_column(Text)
    training: Mapped[str | None] = mapped_column(Text)
    self_employed: Mapped[float | None] = mapped_column(Double)
