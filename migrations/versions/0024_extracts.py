"""Own reports: what somebody chose, and each file that was asked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"


def _organization() -> sa.Column[object]:
    return sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=op.f(f"fk_{table}_organization_id_{column}"),
    )


def upgrade() -> None:
    op.tenant_table(
        "extracts",
        _organization(),
        _id(),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        _moment("created_at"),
        _moment("changed_at"),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 120", name=op.f("ck_extracts_name")),
        _key("extracts", "owner_id", "memberships"),
        sa.UniqueConstraint(
            "organization_id", "owner_id", "name", name=op.f("uq_extracts_organization_id_owner_id_name")
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_extracts")),
    )
    op.tenant_table(
        "extract_runs",
        _organization(),
        _id(),
        sa.Column("extract_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "form", "locale")),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("data_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_count", sa.BigInteger(), nullable=True),
        sa.Column("withheld", sa.Boolean(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        _moment("created_at"),
        sa.CheckConstraint("form IN ('csv', 'xlsx', 'jsonl', 'parquet')", name=op.f("ck_extract_runs_form")),
        # A file is there with all that is kept of it, or not at all.
        sa.CheckConstraint(
            "num_nulls(data_at, row_count, withheld, sha256) IN (0, 4) AND (file_id IS NULL OR data_at IS NOT NULL)",
            name=op.f("ck_extract_runs_whole"),
        ),
        _key("extract_runs", "extract_id", "extracts"),
        _key("extract_runs", "owner_id", "memberships"),
        _key("extract_runs", "job_id", "jobs"),
        _key("extract_runs", "file_id", "stored_files"),
        sa.UniqueConstraint("organization_id", "job_id", name=op.f("uq_extract_runs_organization_id_job_id")),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_extract_runs")),
    )
    op.create_index(
        op.f("ix_extract_runs_organization_id_owner_id_created_at"),
        "extract_runs",
        ["organization_id", "owner_id", "created_at"],
    )
    op.create_index(
        op.f("ix_extract_runs_organization_id_extract_id"), "extract_runs", ["organization_id", "extract_id"]
    )
    op.primary_key_last("extract_runs")


def downgrade() -> None:
    op.drop_table("extract_runs")
    op.drop_table("extracts")
