"""Files that tell of the whole organization say so."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_KINDS = "('extract', 'figures', 'cohort_figures_pdf', 'cohort_figures_workbook')"


def upgrade() -> None:
    op.add_column("stored_files", sa.Column("whole", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    # Of those there are nobody knows; who lost a file by this asks for it again.
    op.everywhere("stored_files", f"UPDATE stored_files SET whole = true WHERE kind IN {_KINDS}")


def downgrade() -> None:
    op.drop_column("stored_files", "whole")
