"""The order in which the items of a job are listed, apart from that in which they are worked on."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_items", sa.Column("listed", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.everywhere("job_items", "UPDATE job_items SET listed = position")


def downgrade() -> None:
    op.drop_column("job_items", "listed")
