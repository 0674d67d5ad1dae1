"""A plan's history is found by plan and number; its lines have no other name."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A random name for each line, and an index of those names beside that of the plans, were half of what writing it took.
    op.drop_index("ix_plan_events_organization_id_plan_id_at", "plan_events")
    op.drop_constraint("pk_plan_events", "plan_events")
    op.drop_column("plan_events", "id")
    op.create_primary_key("pk_plan_events", "plan_events", ["organization_id", "plan_id", "number"])


def downgrade() -> None:
    op.drop_constraint("pk_plan_events", "plan_events")
    op.add_column(
        "plan_events", sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    )
    op.create_index("ix_plan_events_organization_id_plan_id_at", "plan_events", ["organization_id", "plan_id", "at"])
    op.create_primary_key("pk_plan_events", "plan_events", ["organization_id", "id"])
