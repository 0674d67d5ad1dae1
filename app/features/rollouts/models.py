"""Rows of roll-outs. What each plan was before stands with its item of the stage's job."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
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


class Rollout(TenantEntity, Base):
    """A published version brought to the plans that follow older ones. A template has at most one under way."""

    __tablename__ = "rollouts"
    template_id: Mapped[UUID]
    version: Mapped[int]
    choice: Mapped[str] = mapped_column(Text)
    # Which plans come first follows from their ids and this number, so that each stage adds to the one before.
    seed: Mapped[int] = mapped_column(BigInteger)
    # Once more conflicts than this were met nothing goes on until a person allows more; empty: however many.
    most_conflicts: Mapped[int | None]
    state: Mapped[str] = mapped_column(Text, server_default="open")
    # Standing assignments that went over to the version, as [assignment, the version it gave before].
    standing: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    # Repeating a request with the same key finds the same roll-out instead of making a second.
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        ForeignKeyConstraint(
            ["organization_id", "template_id", "version"],
            [
                "template_versions.organization_id",
                "template_versions.template_id",
                "template_versions.version",
            ],
        ),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "idempotency_key"),
        CheckConstraint("choice IN ('joiners', 'not_started', 'all')", name="choice"),
        CheckConstraint(
            "state IN ('open', 'done', 'stopped', 'rolled_back') AND (state = 'open') = (ended_at IS NULL)",
            name="state",
        ),
        CheckConstraint("most_conflicts >= 0", name="most_conflicts"),
        Index(
            "uq_rollouts_open",
            "organization_id",
            "template_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(None, "organization_id", "template_id", "created_at"),
    )


class RolloutStage(TenantRow, Base):
    """One stage of a roll-out: the share of plans reached when its job ends."""

    __tablename__ = "rollout_stages"
    rollout_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    percent: Mapped[int] = mapped_column(SmallInteger)
    job_id: Mapped[UUID]
    # Conflicts met so far: steps of plans that keep what a person did. Written by the job's batches alone.
    conflicts: Mapped[int] = mapped_column(server_default=text("0"))
    __table_args__ = (
        tenant_key("rollout_id", "rollouts.id"),
        tenant_key("job_id", "jobs.id"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
        CheckConstraint("conflicts >= 0", name="conflicts"),
        UniqueConstraint("organization_id", "job_id"),
    )
