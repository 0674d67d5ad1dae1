"""Aggregates come by the calendar in print too."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_NAME = "ck_schedules_what"


def _rule(forms: str) -> str:
    return (
        "CASE what WHEN 'extract' THEN question IS NULL AND num_nonnulls(cohort_id, filter_id) = 0"
        " AND form IN ('csv', 'xlsx', 'jsonl', 'parquet')"
        " WHEN 'figures' THEN question IS NOT NULL AND num_nonnulls(extract_id, cohort_id, filter_id) = 0"
        " AND form IN ('csv', 'xlsx')"
        " WHEN 'aggregates' THEN question IS NOT NULL AND num_nonnulls(extract_id, cohort_id, filter_id) = 0"
        f" AND form IN ({forms})"
        " WHEN 'cohort' THEN question IS NOT NULL AND cohort_id IS NOT NULL"
        " AND num_nonnulls(extract_id, filter_id) = 0 AND form = 'both'"
        " WHEN 'clients' THEN question IS NOT NULL AND extract_id IS NULL"
        " AND num_nonnulls(cohort_id, filter_id) <= 1 AND form = 'zip'"
        " ELSE false END"
    )


def upgrade() -> None:
    _check("'csv', 'xlsx', 'pdf'")


def downgrade() -> None:
    op.everywhere("schedules", "UPDATE schedules SET form = 'xlsx' WHERE what = 'aggregates' AND form = 'pdf'")
    _check("'csv', 'xlsx'")


def _check(forms: str) -> None:
    op.drop_constraint(op.f(_NAME), "schedules", type_="check")
    op.create_check_constraint(op.f(_NAME), "schedules", sa.text(_rule(forms)))
