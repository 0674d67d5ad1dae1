"""Labels and saved filters, what a counsellor has time for, and indexes that filters over plans are read from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
_TONES = "tone IN ('plain', 'ok', 'brass', 'bad', 'wait')"
# What is still to be done in a step, as the caseload counts it.
_UNDONE = "status NOT IN ('completed', 'skipped', 'submitted') AND due_on IS NOT NULL"


def _organization() -> sa.Column[object]:
    return sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _key(table: str, column: str, target: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=op.f(f"fk_{table}_organization_id_{column}"),
        ondelete=ondelete,
    )


def _of_organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organizations.organization_id"], name=op.f(f"fk_{table}_organization_id")
    )


def _labels() -> None:
    op.tenant_table(
        "labels",
        _organization(),
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tone", sa.Text(), server_default="plain", nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _moment("created_at"),
        sa.CheckConstraint(_TONES, name=op.f("ck_labels_tone")),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 60", name=op.f("ck_labels_name")),
        _of_organization("labels"),
        _key("labels", "owner_id", "memberships"),
        _key("labels", "created_by", "memberships"),
        sa.UniqueConstraint(
            "organization_id",
            "owner_id",
            "name",
            name=op.f("uq_labels_organization_id_owner_id_name"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_labels")),
    )
    op.tenant_table(
        "client_labels",
        _organization(),
        sa.Column("label_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        _moment("since"),
        _key("client_labels", "label_id", "labels", ondelete="CASCADE"),
        _key("client_labels", "client_id", "clients", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("organization_id", "label_id", "client_id", name=op.f("pk_client_labels")),
    )
    op.create_index(
        op.f("ix_client_labels_organization_id_client_id"), "client_labels", ["organization_id", "client_id"]
    )
    op.primary_key_last("client_labels")


def _filters() -> None:
    op.tenant_table(
        "saved_filters",
        _organization(),
        _id(),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", postgresql.JSONB(), nullable=False),
        _moment("created_at"),
        _moment("changed_at"),
        sa.CheckConstraint("btrim(name) <> '' AND length(name) <= 120", name=op.f("ck_saved_filters_name")),
        _key("saved_filters", "owner_id", "memberships"),
        sa.UniqueConstraint(
            "organization_id", "owner_id", "name", name=op.f("uq_saved_filters_organization_id_owner_id_name")
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_saved_filters")),
    )


def _active_plans(beside: list[str]) -> None:
    op.drop_index("uq_plans_active_client", "plans")
    op.create_index(
        "uq_plans_active_client",
        "plans",
        ["organization_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
        postgresql_include=beside,
    )


def upgrade() -> None:
    _labels()
    _filters()
    # A filter asks for sets of plans; each is read from an index alone, whatever else the rows hold.
    # None holds what most rows are, and none can be taken for the primary key by a planner who knows no statistics yet.
    op.create_index(
        "ix_plan_steps_status",
        "plan_steps",
        ["organization_id", "step", "status", "plan_id"],
        postgresql_where=sa.text("status <> 'not_started'"),
    )
    # With the plan in it, whose plan is whose is read without the plans themselves.
    _active_plans(["id"])
    op.create_index(
        "ix_plan_steps_undone",
        "plan_steps",
        ["organization_id", "due_on", "plan_id"],
        postgresql_where=sa.text(_UNDONE),
    )
    op.create_index(
        "ix_plan_steps_changed",
        "plan_steps",
        ["organization_id", "changed_at", "plan_id"],
        postgresql_where=sa.text("changed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_plan_steps_stale", "plan_steps", ["organization_id", "plan_id"], postgresql_where=sa.text("stale")
    )
    op.create_index(
        "ix_reviews_waiting",
        "reviews",
        ["organization_id", "state", "occurrence_on", "plan_id"],
        postgresql_where=sa.text("state IN ('open', 'started', 'answered')"),
    )


def downgrade() -> None:
    op.drop_index("ix_reviews_waiting", "reviews")
    _active_plans([])
    for name in ("stale", "changed", "undone", "status"):
        op.drop_index(f"ix_plan_steps_{name}", "plan_steps")
    op.drop_table("saved_filters")
    op.drop_table("client_labels")
    op.drop_table("labels")
