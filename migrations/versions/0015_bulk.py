"""Bulk work of every kind: jobs that pause, frozen selections, and assignments of more than a template."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
_STATES = ("queued", "running", "finishing", "done", "failed", "cancelled", "undoing", "undone")


def _job_states(states: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_jobs_state"), "jobs", type_="check")
    listed = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(op.f("ck_jobs_state"), "jobs", f"state IN ({listed})")


def _assignment_checks(states: str, *, whole: bool) -> None:
    op.drop_constraint(op.f("ck_assignments_state"), "assignments", type_="check")
    op.create_check_constraint(op.f("ck_assignments_state"), "assignments", f"state IN ({states})")
    if whole:
        op.create_check_constraint(
            op.f("ck_assignments_what"),
            "assignments",
            "what IN ('template', 'step', 'instrument', 'action', 'due')"
            " AND (what = 'template') = (template_id IS NOT NULL)"
            " AND (template_id IS NULL) = (template_version IS NULL)"
            " AND (what IN ('step', 'due')) = (step IS NOT NULL)"
            " AND (what = 'instrument') = (instrument_id IS NOT NULL)",
        )
        op.create_check_constraint(
            op.f("ck_assignments_on_leaving"), "assignments", "on_leaving IN ('keep', 'pause', 'withdraw')"
        )


def upgrade() -> None:
    _job_states((*_STATES, "paused"))
    op.tenant_table(
        "selections",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("not_seen", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("unknown", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("origin IN ('clients', 'cohort', 'filter', 'list')", name=op.f("ck_selections_origin")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name=op.f("fk_selections_organization_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_selections_organization_id_created_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_selections")),
    )
    op.create_index(op.f("ix_selections_organization_id_expires_at"), "selections", ["organization_id", "expires_at"])
    op.primary_key_last("selections")

    op.alter_column("assignments", "template_id", nullable=True)
    op.alter_column("assignments", "template_version", nullable=True)
    op.add_column("assignments", sa.Column("what", sa.Text(), server_default="template", nullable=False))
    op.add_column("assignments", sa.Column("step", sa.SmallInteger(), nullable=True))
    op.add_column("assignments", sa.Column("instrument_id", sa.Uuid(), nullable=True))
    op.add_column(
        "assignments",
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    )
    op.add_column("assignments", sa.Column("on_leaving", sa.Text(), server_default="keep", nullable=False))
    op.create_foreign_key(
        op.f("fk_assignments_organization_id_instrument_id"),
        "assignments",
        "instruments",
        ["organization_id", "instrument_id"],
        ["organization_id", "id"],
    )
    _assignment_checks("'active', 'paused', 'ended', 'undone'", whole=True)

    op.tenant_table(
        "assignment_members",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('given', 'left', 'paused', 'withdrawn', 'kept')", name=op.f("ck_assignment_members_state")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "assignment_id"],
            ["assignments.organization_id", "assignments.id"],
            name=op.f("fk_assignment_members_organization_id_assignment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_assignment_members_organization_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "assignment_id", "client_id", name=op.f("pk_assignment_members")),
    )
    op.create_index(
        op.f("ix_assignment_members_organization_id_client_id"), "assignment_members", ["organization_id", "client_id"]
    )
    op.primary_key_last("assignment_members")

    op.tenant_table(
        "instrument_requests",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("instrument_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_instrument_requests_organization_id_client_id"),
            ondelete="CASCADE",
        ),
        *(
            sa.ForeignKeyConstraint(
                ["organization_id", column],
                [f"{table}.organization_id", f"{table}.id"],
                name=op.f(f"fk_instrument_requests_organization_id_{column}"),
            )
            for column, table in (("instrument_id", "instruments"), ("asked_by", "memberships"), ("job_id", "jobs"))
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_instrument_requests")),
    )
    op.create_index(
        "uq_instrument_requests_open",
        "instrument_requests",
        ["organization_id", "client_id", "instrument_id"],
        unique=True,
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_index(
        op.f("ix_instrument_requests_organization_id_job_id"), "instrument_requests", ["organization_id", "job_id"]
    )
    op.primary_key_last("instrument_requests")
    # Whichever way answers come in, a request they answer is closed with them.
    op.execute(
        "CREATE FUNCTION assessments_answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE instrument_requests r SET answered_at = n.taken_at FROM news n"
        " WHERE r.organization_id = n.organization_id AND r.client_id = n.client_id"
        " AND r.instrument_id = n.instrument_id AND r.answered_at IS NULL AND n.taken_at >= r.asked_at;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER answer AFTER INSERT ON assessments REFERENCING NEW TABLE AS news"
        " FOR EACH STATEMENT EXECUTE FUNCTION assessments_answer()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER answer ON assessments")
    op.execute("DROP FUNCTION assessments_answer()")
    op.drop_table("instrument_requests")
    op.drop_table("assignment_members")
    op.drop_constraint(op.f("ck_assignments_on_leaving"), "assignments", type_="check")
    op.drop_constraint(op.f("ck_assignments_what"), "assignments", type_="check")
    _assignment_checks("'active', 'ended', 'undone'", whole=False)
    op.drop_constraint(op.f("fk_assignments_organization_id_instrument_id"), "assignments", type_="foreignkey")
    for column in ("on_leaving", "detail", "instrument_id", "step", "what"):
        op.drop_column("assignments", column)
    op.alter_column("assignments", "template_version", nullable=False)
    op.alter_column("assignments", "template_id", nullable=False)
    op.drop_table("selections")
    _job_states(_STATES)
