"""What a plan's steps rest on, and copies to try a change on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"


def upgrade() -> None:
    op.tenant_table(
        "step_marks",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("aspect", sa.Text(), nullable=False),
        sa.Column("rested_on", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id", "step"],
            ["plan_steps.organization_id", "plan_steps.plan_id", "plan_steps.step"],
            name=op.f("fk_step_marks_organization_id_plan_id_step"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "plan_id", "step", "aspect", name=op.f("pk_step_marks")),
    )
    # `stale` is "has open marks". The statement triggers tell the steps; the row trigger decides. It runs once the
    # step's row is locked and reads what is committed by then, so that of two transactions that set and take away
    # marks of one step the second sees what the first left. Hence the update also where nothing seems to change: it
    # is what makes them wait for each other. On the insert of plans (thousands at once) nothing runs.
    op.execute(
        "CREATE FUNCTION plan_steps_stale() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " NEW.stale := EXISTS (SELECT 1 FROM step_marks m WHERE m.organization_id = NEW.organization_id"
        " AND m.plan_id = NEW.plan_id AND m.step = NEW.step); RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER stale_new BEFORE INSERT ON plan_steps"
        " FOR EACH ROW WHEN (NEW.stale) EXECUTE FUNCTION plan_steps_stale()"
    )
    op.execute(
        "CREATE TRIGGER stale_is_marked BEFORE UPDATE OF stale ON plan_steps"
        " FOR EACH ROW EXECUTE FUNCTION plan_steps_stale()"
    )
    for name, transition, value in (("set", "NEW", "true"), ("taken", "OLD", "false")):
        op.execute(
            f"CREATE FUNCTION step_marks_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" UPDATE plan_steps s SET stale = {value}"
            " FROM (SELECT DISTINCT organization_id, plan_id, step FROM marks) m"
            " WHERE s.organization_id = m.organization_id AND s.plan_id = m.plan_id AND s.step = m.step;"
            " RETURN NULL; END $$"
        )
        event = "INSERT" if transition == "NEW" else "DELETE"
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON step_marks REFERENCING {transition} TABLE AS marks"
            f" FOR EACH STATEMENT EXECUTE FUNCTION step_marks_{name}()"
        )
    # A mark is set and taken away, never carried over to another step.
    op.execute(
        "CREATE FUNCTION step_marks_stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'A mark stays with its step.' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER stay BEFORE UPDATE OF organization_id, plan_id, step ON step_marks"
        " FOR EACH ROW EXECUTE FUNCTION step_marks_stay()"
    )

    op.tenant_table(
        "plan_scratches",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("base", postgresql.JSONB(), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"],
            ["plans.organization_id", "plans.id"],
            name=op.f("fk_plan_scratches_organization_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_plan_scratches_organization_id_created_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_plan_scratches")),
    )
    op.create_index(op.f("ix_plan_scratches_organization_id_plan_id"), "plan_scratches", ["organization_id", "plan_id"])
    op.create_index(
        op.f("ix_plan_scratches_organization_id_expires_at"), "plan_scratches", ["organization_id", "expires_at"]
    )
    op.primary_key_last("plan_scratches")


def downgrade() -> None:
    op.drop_table("plan_scratches")
    op.drop_table("step_marks")
    op.execute("DROP TRIGGER stale_is_marked ON plan_steps")
    op.execute("DROP TRIGGER stale_new ON plan_steps")
    op.execute("DROP FUNCTION plan_steps_stale(), step_marks_set(), step_marks_taken(), step_marks_stay()")
