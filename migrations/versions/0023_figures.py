"""Figures by attributes: what was published, and a note that what they count has changed since."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
# Table, and the events after which figures may be others.
_WATCHED = (
    ("plan_steps", "INSERT OR DELETE OR UPDATE OF status, due_on, changed_at"),
    ("plans", "INSERT OR DELETE OR UPDATE OF status, client_id, started_on"),
    ("clients", "INSERT OR DELETE OR UPDATE OF attributes, active"),
    ("caseload_entries", "INSERT OR DELETE OR UPDATE OF membership_id, client_id, kind"),
    ("attribute_definitions", "INSERT OR DELETE OR UPDATE"),
)


def upgrade() -> None:
    op.tenant_table(
        "figure_releases",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("withheld", sa.Boolean(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("withheld = (threshold IS NOT NULL)", name=op.f("ck_figure_releases_threshold")),
        sa.PrimaryKeyConstraint("organization_id", "withheld", name=op.f("pk_figure_releases")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_figure_releases_organization_id_organizations"),
        ),
    )
    op.tenant_table(
        "figure_tables",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("withheld", sa.Boolean(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), server_default="", nullable=False),
        sa.Column("second", sa.Text(), server_default="", nullable=False),
        sa.Column("parts", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint(
            "organization_id", "withheld", "figure", "first", "second", name=op.f("pk_figure_tables")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "withheld"],
            ["figure_releases.organization_id", "figure_releases.withheld"],
            name=op.f("fk_figure_tables_organization_id_withheld"),
            ondelete="CASCADE",
        ),
    )
    op.tenant_table(
        "figure_marks",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_figure_marks")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_figure_marks_organization_id_organizations"),
        ),
    )
    # A row of its own for every statement: one row to count up would make all who work on plans wait for each other.
    op.execute(
        "CREATE FUNCTION figure_marks_put() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" INSERT INTO figure_marks (organization_id) SELECT {_ORGANIZATION} WHERE {_ORGANIZATION} IS NOT NULL;"
        " RETURN NULL; END $$"
    )
    for table, events in _WATCHED:
        op.execute(
            f"CREATE TRIGGER figures_changed AFTER {events} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION figure_marks_put()"
        )


def downgrade() -> None:
    for table, _ in _WATCHED:
        op.execute(f"DROP TRIGGER figures_changed ON {table}")
    op.execute("DROP FUNCTION figure_marks_put()")
    op.drop_table("figure_marks")
    op.drop_table("figure_tables")
    op.drop_table("figure_releases")
