"""Who declined mail and whose mail came back are two things: one ends when the address works again, the other not."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_CHECK = "ck_suppressed_addresses_has_cause"


def upgrade() -> None:
    op.add_column(
        "suppressed_addresses", sa.Column("declined", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    # Until now a mail that came back took the place of what a person had declined, so of those rows nobody knows.
    # Row security is lifted for this statement alone, because the owner obeys it too and is in no organization.
    op.execute("ALTER TABLE suppressed_addresses NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE suppressed_addresses SET declined = false WHERE bounced")
    op.execute("ALTER TABLE suppressed_addresses FORCE ROW LEVEL SECURITY")
    op.alter_column("suppressed_addresses", "declined", server_default=sa.text("false"))
    op.create_check_constraint(op.f(_CHECK), "suppressed_addresses", "declined OR bounced")


def downgrade() -> None:
    op.drop_constraint(op.f(_CHECK), "suppressed_addresses", type_="check")
    op.drop_column("suppressed_addresses", "declined")
