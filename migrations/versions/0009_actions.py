"""Evidence of actions, and calendar feeds."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.tenant_table(
        "action_evidence",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "location IS NOT NULL OR removed_at IS NOT NULL", name=op.f("ck_action_evidence_whole_until_removed")
        ),
        sa.CheckConstraint(
            "(removed_at IS NULL) = (removed_by IS NULL)", name=op.f("ck_action_evidence_removed_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"],
            ["plans.organization_id", "plans.id"],
            name=op.f("fk_action_evidence_organization_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "uploaded_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_action_evidence_organization_id_uploaded_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "removed_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_action_evidence_organization_id_removed_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_action_evidence")),
        sa.UniqueConstraint("organization_id", "location", name=op.f("uq_action_evidence_organization_id_location")),
    )
    op.create_index(
        op.f("ix_action_evidence_organization_id_plan_id_action"),
        "action_evidence",
        ["organization_id", "plan_id", "action"],
    )
    op.create_index(
        "ix_action_evidence_to_erase",
        "action_evidence",
        ["organization_id", "removed_at"],
        postgresql_where=sa.text("removed_at IS NOT NULL AND location IS NOT NULL"),
    )
    op.primary_key_last("action_evidence")
    op.tenant_table(
        "calendar_feeds",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_calendar_feeds_organization_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_calendar_feeds_organization_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "revoked_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_calendar_feeds_organization_id_revoked_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("organization_id", "token_hash", name=op.f("uq_calendar_feeds_organization_id_token_hash")),
    )
    op.create_index(
        "uq_calendar_feeds_live",
        "calendar_feeds",
        ["organization_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.primary_key_last("calendar_feeds")


def downgrade() -> None:
    op.drop_table("calendar_feeds")
    op.drop_table("action_evidence")
