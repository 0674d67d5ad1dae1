"""Runs of schedules are found by index, however many there are."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("occurrence_on", "created_at"):
        op.create_index(
            op.f(f"ix_schedule_runs_organization_id_schedule_id_{column}"),
            "schedule_runs",
            ["organization_id", "schedule_id", column],
        )
    op.primary_key_last("schedule_runs")
    op.create_index(
        "ix_schedule_runs_making", "schedule_runs", ["organization_id"], postgresql_where=sa.text("state = 'making'")
    )


def downgrade() -> None:
    op.drop_index("ix_schedule_runs_making", "schedule_runs")
    for column in ("occurrence_on", "created_at"):
        op.drop_index(op.f(f"ix_schedule_runs_organization_id_schedule_id_{column}"), "schedule_runs")
