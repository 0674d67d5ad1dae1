"""The parts of a job's archive, whole or growing."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantRow, tenant_key


class ReportPart(TenantRow, Base):
    """One part of a job's archive: it grows, a piece at a time, until `file_id` names what was made of it.

    It holds what became of the job's items from `first_position` to before `next_position`, in their order.
    """

    __tablename__ = "report_parts"
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    first_position: Mapped[int] = mapped_column(BigInteger)
    next_position: Mapped[int] = mapped_column(BigInteger)
    location: Mapped[str] = mapped_column(Text)
    # How much of the growing file counts; more may have been written by an attempt that was cut short.
    size: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # What the part will weigh with its directory.
    weight: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    entries: Mapped[int] = mapped_column(server_default=text("0"))
    file_id: Mapped[UUID | None]
    __table_args__ = (
        tenant_key("job_id", "jobs.id", ondelete="CASCADE"),
        # What was made of it goes first; then nobody asks any more which part somebody was in.
        tenant_key("file_id", "stored_files.id", ondelete="CASCADE"),
        CheckConstraint("number >= 1 AND next_position >= first_position", name="order"),
        # Only one part of an archive grows at a time.
        Index(
            "uq_report_parts_growing",
            "organization_id",
            "job_id",
            unique=True,
            postgresql_where=text("file_id IS NULL"),
        ),
        Index(None, "organization_id", "file_id"),
    )
