"""Roll-outs of template versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"


def upgrade() -> None:
    op.tenant_table(
        "rollouts",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("most_conflicts", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("standing", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("choice IN ('joiners', 'not_started', 'all')", name=op.f("ck_rollouts_choice")),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'stopped', 'rolled_back') AND (state = 'open') = (ended_at IS NULL)",
            name=op.f("ck_rollouts_state"),
        ),
        sa.CheckConstraint("most_conflicts >= 0", name=op.f("ck_rollouts_most_conflicts")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name=op.f("fk_rollouts_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "template_id", "version"],
            ["template_versions.organization_id", "template_versions.template_id", "template_versions.version"],
            name=op.f("fk_rollouts_organization_id_template_id_version"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_rollouts_organization_id_created_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_rollouts")),
        sa.UniqueConstraint(
            "organization_id", "idempotency_key", name=op.f("uq_rollouts_organization_id_idempotency_key")
        ),
    )
    op.create_index(
        "uq_rollouts_open",
        "rollouts",
        ["organization_id", "template_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        op.f("ix_rollouts_organization_id_template_id_created_at"),
        "rollouts",
        ["organization_id", "template_id", "created_at"],
    )
    op.primary_key_last("rollouts")
    op.tenant_table(
        "rollout_stages",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("rollout_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("percent", sa.SmallInteger(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("conflicts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("percent BETWEEN 1 AND 100", name=op.f("ck_rollout_stages_percent")),
        sa.CheckConstraint("conflicts >= 0", name=op.f("ck_rollout_stages_conflicts")),
        sa.ForeignKeyConstraint(
            ["organization_id", "rollout_id"],
            ["rollouts.organization_id", "rollouts.id"],
            name=op.f("fk_rollout_stages_organization_id_rollout_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["jobs.organization_id", "jobs.id"],
            name=op.f("fk_rollout_stages_organization_id_job_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "rollout_id", "number", name=op.f("pk_rollout_stages")),
        sa.UniqueConstraint("organization_id", "job_id", name=op.f("uq_rollout_stages_organization_id_job_id")),
    )


def downgrade() -> None:
    op.drop_table("rollout_stages")
    op.drop_table("rollouts")
