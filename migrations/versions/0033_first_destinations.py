"""Figures tell of graduates: who graduated, with which salary, and whose second record is put behind make them others."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# Table, and the events after which figures may be others.
_WATCHED = (
    ("graduations", "INSERT OR DELETE OR UPDATE OF class_year"),
    ("client_pairs", "INSERT OR DELETE OR UPDATE OF state, linked_id"),
)
_OUTCOMES = "INSERT OR DELETE OR UPDATE OF status, occupation_code, known_on, withdrawn_at, class_year"


def upgrade() -> None:
    # What is kept knows nothing of the new figures.
    op.everywhere("figure_releases", "DELETE FROM figure_releases")
    op.execute("DROP TRIGGER figures_changed ON outcomes")
    _watch("outcomes", f"{_OUTCOMES}, salary")
    for table, events in _WATCHED:
        _watch(table, events)


def _watch(table: str, events: str) -> None:
    op.execute(
        f"CREATE TRIGGER figures_changed AFTER {events} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION figure_marks_put()"
    )


def downgrade() -> None:
    op.everywhere("figure_releases", "DELETE FROM figure_releases")
    for table in ("outcomes", *(table for table, _ in _WATCHED)):
        op.execute(f"DROP TRIGGER figures_changed ON {table}")
    _watch("outcomes", _OUTCOMES)
