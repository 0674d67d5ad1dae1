"""Review policies, reviews, links and prompts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.tenant_table(
        "review_policies",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "scope IN ('organization', 'template', 'cohort', 'plan') AND (scope = 'organization') = (subject_id IS NULL)",
            name=op.f("ck_review_policies_scope"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_review_policies_organization_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_review_policies_organization_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_review_policies")),
        sa.UniqueConstraint(
            "organization_id",
            "scope",
            "subject_id",
            name=op.f("uq_review_policies_organization_id_scope_subject_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.tenant_table(
        "reviews",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("occurrence_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column(
            "answers",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision_before", sa.Integer(), nullable=True),
        sa.Column("revision_after", sa.Integer(), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("outcome IN ('confirm', 'revise')", name=op.f("ck_reviews_outcome")),
        sa.CheckConstraint(
            "state IN ('open', 'started', 'answered', 'closed', 'lapsed')", name=op.f("ck_reviews_state")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"],
            ["plans.organization_id", "plans.id"],
            name=op.f("fk_reviews_organization_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_reviews")),
        sa.UniqueConstraint(
            "organization_id",
            "plan_id",
            "occurrence_on",
            name=op.f("uq_reviews_organization_id_plan_id_occurrence_on"),
        ),
    )
    op.tenant_table(
        "prompts",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=True),
        sa.Column("occurrence_on", sa.Date(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="email", nullable=False),
        sa.Column("reminder", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("channel IN ('email')", name=op.f("ck_prompts_channel")),
        sa.ForeignKeyConstraint(
            ["organization_id", "message_id"],
            ["messages.organization_id", "messages.id"],
            name=op.f("fk_prompts_organization_id_message_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"],
            ["plans.organization_id", "plans.id"],
            name=op.f("fk_prompts_organization_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "policy_id"],
            ["review_policies.organization_id", "review_policies.id"],
            name=op.f("fk_prompts_organization_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "review_id"],
            ["reviews.organization_id", "reviews.id"],
            name=op.f("fk_prompts_organization_id_review_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_prompts")),
        sa.UniqueConstraint(
            "organization_id",
            "plan_id",
            "occurrence_on",
            "channel",
            "reminder",
            name=op.f("uq_prompts_organization_id_plan_id_occurrence_on_channel_reminder"),
        ),
    )
    op.create_index(
        op.f("ix_prompts_organization_id_message_id"), "prompts", ["organization_id", "message_id"], unique=False
    )
    op.create_index(
        op.f("ix_prompts_organization_id_review_id"), "prompts", ["organization_id", "review_id"], unique=False
    )
    op.primary_key_last("prompts")
    op.tenant_table(
        "review_links",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "review_id"],
            ["reviews.organization_id", "reviews.id"],
            name=op.f("fk_review_links_organization_id_review_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_review_links")),
    )
    op.create_index(
        op.f("ix_review_links_organization_id_review_id"),
        "review_links",
        ["organization_id", "review_id"],
        unique=False,
    )
    op.primary_key_last("review_links")


def downgrade() -> None:
    op.drop_table("review_links")
    op.drop_table("prompts")
    op.drop_table("reviews")
    op.drop_table("review_policies")
