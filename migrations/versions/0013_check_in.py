"""What a check-in came to, the counsellor's decision about it, and why revisions ended."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
_COLUMNS = (
    sa.Column("result", postgresql.JSONB(), nullable=True),
    sa.Column("returned_note", sa.Text(), nullable=True),
    sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("meeting_on", sa.Date(), nullable=True),
    sa.Column("meeting_note", sa.Text(), nullable=True),
    sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("closed_by", sa.Uuid(), nullable=True),
)
_CHECKS = (
    ("closed_has_moment", "(state = 'closed') = (closed_at IS NOT NULL)"),
    ("returned_with_words", "(returned_at IS NULL) = (returned_note IS NULL)"),
    ("meeting_has_day", "meeting_on IS NOT NULL OR meeting_note IS NULL"),
)


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("reviews", column)
    op.create_foreign_key(
        op.f("fk_reviews_organization_id_closed_by"),
        "reviews",
        "memberships",
        ["organization_id", "closed_by"],
        ["organization_id", "id"],
    )
    # Until now an answer took effect at once: those that were given wait for nobody. The policy is lifted for this
    # statement alone, because the owner obeys it too and is in no organization.
    op.execute("ALTER TABLE reviews NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE reviews SET state = 'closed', closed_at = coalesce(answered_at, created_at)"
        " WHERE state IN ('answered', 'closed')"
    )
    op.execute("ALTER TABLE reviews FORCE ROW LEVEL SECURITY")
    for name, holds in _CHECKS:
        op.create_check_constraint(op.f(f"ck_reviews_{name}"), "reviews", holds)

    # Written once and never changed: the application may add and read.
    op.tenant_table(
        "revision_changes",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("controllable", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('step', 'factor', 'new_factor', 'scale', 'data')", name=op.f("ck_revision_changes_kind")
        ),
        sa.CheckConstraint("controllable IN ('yes', 'partly', 'no')", name=op.f("ck_revision_changes_controllable")),
        sa.CheckConstraint("btrim(reason) <> ''", name=op.f("ck_revision_changes_has_reason")),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id", "revision"],
            ["plan_revisions.organization_id", "plan_revisions.plan_id", "plan_revisions.revision"],
            name=op.f("fk_revision_changes_organization_id_plan_id_revision"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "review_id"],
            ["reviews.organization_id", "reviews.id"],
            name=op.f("fk_revision_changes_organization_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "plan_id", "revision", "number", name=op.f("pk_revision_changes")),
        sa.UniqueConstraint(
            "organization_id",
            "review_id",
            "subject",
            name=op.f("uq_revision_changes_organization_id_review_id_subject"),
        ),
        app="SELECT, INSERT",
    )


def downgrade() -> None:
    op.drop_table("revision_changes")
    for name, _ in _CHECKS:
        op.drop_constraint(op.f(f"ck_reviews_{name}"), "reviews", type_="check")
    op.drop_constraint(op.f("fk_reviews_organization_id_closed_by"), "reviews", type_="foreignkey")
    for column in _COLUMNS:
        op.drop_column("reviews", column.name)
