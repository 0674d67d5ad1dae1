"""Archives of reports that grow in parts, and for how long reports are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"


def upgrade() -> None:
    op.add_column(
        "organizations", sa.Column("reports_kept_days", sa.SmallInteger(), server_default=sa.text("30"), nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_organizations_reports_kept_days"), "organizations", "reports_kept_days BETWEEN 1 AND 3650"
    )
    op.tenant_table(
        "report_parts",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("next_position", sa.BigInteger(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("weight", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("entries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("number >= 1 AND next_position >= first_position", name=op.f("ck_report_parts_order")),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["jobs.organization_id", "jobs.id"],
            name=op.f("fk_report_parts_organization_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "file_id"],
            ["stored_files.organization_id", "stored_files.id"],
            name=op.f("fk_report_parts_organization_id_file_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "job_id", "number", name=op.f("pk_report_parts")),
    )
    op.create_index(op.f("ix_report_parts_organization_id_file_id"), "report_parts", ["organization_id", "file_id"])
    op.create_index(
        "uq_report_parts_growing",
        "report_parts",
        ["organization_id", "job_id"],
        unique=True,
        postgresql_where=sa.text("file_id IS NULL"),
    )
    op.primary_key_last("report_parts")


def downgrade() -> None:
    op.drop_table("report_parts")
    op.drop_column("organizations", "reports_kept_days")
