"""What undoing a bulk edit needs, where keeping it with each item would cost too much."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Date, Identity, SmallInteger, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantRow, tenant_key


class DueChange(TenantRow, Base):
    """The steps whose due day one batch of a job changed: arrays of one length, a place in each for every step."""

    __tablename__ = "due_changes"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    plans: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    steps: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    was: Mapped[list[date | None]] = mapped_column(ARRAY(Date))
    became: Mapped[list[date | None]] = mapped_column(ARRAY(Date))
    __table_args__ = (tenant_key("job_id", "jobs.id", ondelete="CASCADE"),)
