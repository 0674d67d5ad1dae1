"""Schedules of every kind of report, at most so many each; jobs say that a schedule asked for them."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_WHAT_WAS = (
    "CASE what WHEN 'extract' THEN question IS NULL AND form IN ('csv', 'xlsx', 'jsonl', 'parquet')"
    " WHEN 'figures' THEN question IS NOT NULL AND extract_id IS NULL AND form IN ('csv', 'xlsx')"
    " ELSE false END"
)
_WHAT = (
    "CASE what WHEN 'extract' THEN question IS NULL AND num_nonnulls(cohort_id, filter_id) = 0"
    " AND form IN ('csv', 'xlsx', 'jsonl', 'parquet')"
    " WHEN 'figures' THEN question IS NOT NULL AND num_nonnulls(extract_id, cohort_id, filter_id) = 0"
    " AND form IN ('csv', 'xlsx')"
    " WHEN 'aggregates' THEN question IS NOT NULL AND num_nonnulls(extract_id, cohort_id, filter_id) = 0"
    " AND form IN ('csv', 'xlsx')"
    " WHEN 'cohort' THEN question IS NOT NULL AND cohort_id IS NOT NULL"
    " AND num_nonnulls(extract_id, filter_id) = 0 AND form = 'both'"
    " WHEN 'clients' THEN question IS NOT NULL AND extract_id IS NULL"
    " AND num_nonnulls(cohort_id, filter_id) <= 1 AND form = 'zip'"
    " ELSE false END"
)
_WHOLE_WAS = (
    "(state = 'making') = (settled_at IS NULL) AND (state = 'sent') = (message_id IS NOT NULL)"
    " AND (state IN ('sent', 'silent')) = (row_count IS NOT NULL)"
    " AND num_nonnulls(extract_run_id, figure_export_id) = CASE WHEN row_count IS NULL THEN 0 ELSE 1 END"
)
_WHOLE = (
    "(state = 'making') = (settled_at IS NULL) AND (state = 'sent') = (message_id IS NOT NULL)"
    " AND (state IN ('sent', 'silent')) = (row_count IS NOT NULL)"
    " AND num_nonnulls(extract_run_id, figure_export_id) <= CASE WHEN row_count IS NULL THEN 0 ELSE 1 END"
    " AND (row_count IS NULL OR num_nonnulls(extract_run_id, figure_export_id, report_job_id) = 1)"
)


def _key(table: str, column: str, target: str, where: str | None = None) -> None:
    op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f(f"fk_{table}_organization_id_{column}"),
        table,
        target,
        ["organization_id", column],
        ["organization_id", "id"],
    )
    op.create_index(
        op.f(f"ix_{table}_organization_id_{column}"),
        table,
        ["organization_id", column],
        postgresql_where=None if where is None else sa.text(where),
    )


def _check(table: str, name: str, rule: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)


def upgrade() -> None:
    op.add_column("jobs", sa.Column("scheduled", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.everywhere("jobs", "UPDATE jobs SET scheduled = true WHERE kind = 'schedules.write'")
    op.create_index(
        "ix_jobs_by_people", "jobs", ["organization_id", "created_at"], postgresql_where=sa.text("NOT scheduled")
    )
    # Partial, because the primary key of a table that others refer to cannot be made anew, and has to be the latest.
    _key("schedules", "cohort_id", "cohorts", "cohort_id IS NOT NULL")
    _key("schedules", "filter_id", "saved_filters", "filter_id IS NOT NULL")
    _check("schedules", "what", _WHAT)
    op.add_column("schedules", sa.Column("place", sa.SmallInteger(), nullable=True))
    op.everywhere(
        "schedules",
        "UPDATE schedules s SET place = n.place FROM (SELECT organization_id, id, row_number() OVER ("
        "PARTITION BY organization_id, owner_id ORDER BY created_at, id) AS place FROM schedules"
        " WHERE state <> 'ended') n WHERE n.organization_id = s.organization_id AND n.id = s.id",
    )
    # Who has more than there may be keeps the oldest.
    op.everywhere("schedules", "UPDATE schedules SET state = 'ended', place = NULL, next_at = NULL WHERE place > 50")
    op.create_check_constraint(
        op.f("ck_schedules_place"),
        "schedules",
        "(state = 'ended') = (place IS NULL) AND place BETWEEN 1 AND 50",
    )
    op.create_index(
        "uq_schedules_place",
        "schedules",
        ["organization_id", "owner_id", "place"],
        unique=True,
        postgresql_where=sa.text("place IS NOT NULL"),
    )
    _key("schedule_runs", "report_job_id", "jobs")
    _check("schedule_runs", "whole", _WHOLE)
    op.primary_key_last("schedule_runs")
    op.create_index(
        "ix_figure_exports_from_pages",
        "figure_exports",
        ["organization_id", "created_at"],
        postgresql_where=sa.text("job_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_figure_exports_from_pages", "figure_exports")
    # The owner obeys row security too; the statement looks at two tables.
    op.execute("ALTER TABLE schedules NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE schedule_runs NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "DELETE FROM schedule_runs r USING schedules s WHERE s.organization_id = r.organization_id"
        " AND s.id = r.schedule_id AND s.what IN ('aggregates', 'cohort', 'clients')"
    )
    op.execute("DELETE FROM schedules WHERE what IN ('aggregates', 'cohort', 'clients')")
    op.execute("ALTER TABLE schedule_runs FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE schedules FORCE ROW LEVEL SECURITY")
    _check("schedule_runs", "whole", _WHOLE_WAS)
    op.drop_column("schedule_runs", "report_job_id")
    op.drop_column("schedules", "place")
    _check("schedules", "what", _WHAT_WAS)
    for column in ("cohort_id", "filter_id"):
        op.drop_column("schedules", column)
    op.drop_index("ix_jobs_by_people", "jobs")
    op.drop_column("jobs", "scheduled")
