"""Figures of reviews, changes, scales, goals and outcomes: their names with a release, and what makes them others."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# Table, and the events after which figures may be others.
_WATCHED = (
    ("reviews", "INSERT OR DELETE OR UPDATE OF occurrence_on, answered_at, result"),
    ("revision_changes", "INSERT OR DELETE"),
    ("plan_events", "INSERT OR DELETE"),
    ("assessments", "INSERT OR DELETE OR UPDATE OF version, scores, taken_at"),
    ("outcomes", "INSERT OR DELETE OR UPDATE OF status, occupation_code, known_on, withdrawn_at, class_year"),
    ("plan_references", "INSERT OR DELETE OR UPDATE"),
    ("cohort_members", "INSERT OR DELETE OR UPDATE"),
    ("cohorts", "INSERT OR DELETE OR UPDATE OF name, archived_at"),
)


def upgrade() -> None:
    op.add_column(
        "figure_releases",
        sa.Column("scales", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    )
    # What is kept knows nothing of the new figures.
    op.everywhere("figure_releases", "DELETE FROM figure_releases")
    for table, events in _WATCHED:
        op.execute(
            f"CREATE TRIGGER figures_changed AFTER {events} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION figure_marks_put()"
        )


def downgrade() -> None:
    for table, _ in _WATCHED:
        op.execute(f"DROP TRIGGER figures_changed ON {table}")
    op.everywhere("figure_releases", "DELETE FROM figure_releases")
    op.drop_column("figure_releases", "scales")
