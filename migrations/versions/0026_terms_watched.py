"""Figures tell of the end of the last term: a changed term makes them others."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TRIGGER figures_changed AFTER INSERT OR DELETE OR UPDATE ON terms"
        " FOR EACH STATEMENT EXECUTE FUNCTION figure_marks_put()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER figures_changed ON terms")
