"""Templates, plans, steps and revisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.tenant_table(
        "plan_templates",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_plan_templates_organization_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_plan_templates_organization_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_plan_templates")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_plan_templates_organization_id_name")),
    )
    op.tenant_table(
        "template_versions",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'published') AND (state = 'published') = (published_at IS NOT NULL)",
            name=op.f("ck_template_versions_state"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_template_versions_organization_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "template_id"],
            ["plan_templates.organization_id", "plan_templates.id"],
            name=op.f("fk_template_versions_organization_id_template_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "template_id", "version", name=op.f("pk_template_versions")),
    )
    op.create_index(
        "uq_template_versions_draft",
        "template_versions",
        ["organization_id", "template_id"],
        unique=True,
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.primary_key_last("template_versions")
    op.tenant_table(
        "assignments",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("cohort_id", sa.Uuid(), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("standing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('active', 'ended', 'undone')", name=op.f("ck_assignments_state")),
        sa.CheckConstraint("NOT standing OR cohort_id IS NOT NULL", name=op.f("ck_assignments_standing_has_cohort")),
        sa.ForeignKeyConstraint(
            ["organization_id", "cohort_id"],
            ["cohorts.organization_id", "cohorts.id"],
            name=op.f("fk_assignments_organization_id_cohort_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_assignments_organization_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["jobs.organization_id", "jobs.id"],
            name=op.f("fk_assignments_organization_id_job_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "template_id", "template_version"],
            [
                "template_versions.organization_id",
                "template_versions.template_id",
                "template_versions.version",
            ],
            name=op.f("fk_assignments_organization_id_template_id_template_version"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_assignments_organization_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_assignments")),
    )
    op.create_index(
        op.f("ix_assignments_organization_id_cohort_id"),
        "assignments",
        ["organization_id", "cohort_id"],
        unique=False,
    )
    op.primary_key_last("assignments")
    op.tenant_table(
        "plans",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("assigned_by_job", sa.Uuid(), nullable=True),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_review_on", sa.Date(), nullable=True),
        sa.Column("next_prompt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_reminder", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('active', 'archived')", name=op.f("ck_plans_status")),
        sa.ForeignKeyConstraint(
            ["organization_id", "assigned_by_job"],
            ["jobs.organization_id", "jobs.id"],
            name=op.f("fk_plans_organization_id_assigned_by_job"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_plans_organization_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "template_id", "template_version"],
            [
                "template_versions.organization_id",
                "template_versions.template_id",
                "template_versions.version",
            ],
            name=op.f("fk_plans_organization_id_template_id_template_version"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_plans")),
    )
    op.create_index(
        op.f("ix_plans_organization_id_assigned_by_job"),
        "plans",
        ["organization_id", "assigned_by_job"],
        unique=False,
    )
    op.create_index(
        "ix_plans_prompt_due",
        "plans",
        ["organization_id", "next_prompt_at"],
        unique=False,
        postgresql_where=sa.text("next_prompt_at IS NOT NULL AND status = 'active'"),
    )
    op.create_index(
        "uq_plans_active_client",
        "plans",
        ["organization_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.primary_key_last("plans")
    op.tenant_table(
        "plan_events",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "actor_id"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_plan_events_organization_id_actor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"],
            ["plans.organization_id", "plans.id"],
            name=op.f("fk_plan_events_organization_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_plan_events")),
    )
    op.create_index(
        op.f("ix_plan_events_organization_id_plan_id_at"),
        "plan_events",
        ["organization_id", "plan_id", "at"],
        unique=False,
    )
    op.primary_key_last("plan_events")
    op.tenant_table(
        "plan_revisions",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("snapshot", postgresql.JSONB(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("frozen_by", sa.Uuid(), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "frozen_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_plan_revisions_organization_id_frozen_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"],
            ["plans.organization_id", "plans.id"],
            name=op.f("fk_plan_revisions_organization_id_plan_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "plan_id", "revision", name=op.f("pk_plan_revisions")),
        app="SELECT, INSERT",
    )
    op.tenant_table(
        "plan_steps",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), server_default="not_started", nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status <> 'skipped' OR reason IS NOT NULL", name=op.f("ck_plan_steps_skip_has_reason")),
        sa.CheckConstraint(
            "status IN ('not_started', 'in_progress', 'submitted', 'returned', 'completed', 'skipped')",
            name=op.f("ck_plan_steps_status"),
        ),
        sa.CheckConstraint("step BETWEEN 1 AND 8", name=op.f("ck_plan_steps_step")),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"],
            ["plans.organization_id", "plans.id"],
            name=op.f("fk_plan_steps_organization_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "plan_id", "step", name=op.f("pk_plan_steps")),
    )
    op.tenant_table(
        "step_comments",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "author_id"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_step_comments_organization_id_author_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id", "step"],
            ["plan_steps.organization_id", "plan_steps.plan_id", "plan_steps.step"],
            name=op.f("fk_step_comments_organization_id_plan_id_step"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_step_comments")),
    )
    op.create_index(
        op.f("ix_step_comments_organization_id_plan_id_step_created_at"),
        "step_comments",
        ["organization_id", "plan_id", "step", "created_at"],
        unique=False,
    )
    op.primary_key_last("step_comments")
    op.tenant_table(
        "step_contents",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id", "step"],
            ["plan_steps.organization_id", "plan_steps.plan_id", "plan_steps.step"],
            name=op.f("fk_step_contents_organization_id_plan_id_step"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "plan_id", "step", name=op.f("pk_step_contents")),
    )

    op.freeze_rows(
        "template_versions",
        when="OLD.state = 'published'",
        sentence="A published template version never changes; make a new draft instead.",
    )
    op.freeze_rows(
        "plan_revisions",
        when="true",
        sentence="A frozen revision of a plan never changes and is never deleted.",
    )


def downgrade() -> None:
    op.drop_table("step_contents")
    op.drop_table("step_comments")
    op.drop_table("plan_steps")
    op.drop_table("plan_revisions")
    op.drop_table("plan_events")
    op.drop_table("plans")
    op.drop_table("assignments")
    op.drop_table("template_versions")
    op.drop_table("plan_templates")
    op.execute("DROP FUNCTION template_versions_frozen(), plan_revisions_frozen()")
