"""What figures with small groups withheld were worked out of is kept, for tables by two attributes and a period."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.tenant_table(
        "figure_kinds",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("withheld", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("figure", sa.Text(), server_default="", nullable=False),
        sa.Column("part", sa.Text(), server_default="", nullable=False),
        sa.Column("about", postgresql.JSONB(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("withheld", name=op.f("ck_figure_kinds_withheld")),
        sa.ForeignKeyConstraint(
            ["organization_id", "withheld"],
            ["figure_releases.organization_id", "figure_releases.withheld"],
            name=op.f("fk_figure_kinds_organization_id_withheld"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "withheld", "figure", "part", name=op.f("pk_figure_kinds")),
    )
    # They are packed already.
    op.execute("ALTER TABLE figure_kinds ALTER content SET STORAGE EXTERNAL")
    # What was kept before has none; it is worked out anew when somebody asks.
    op.everywhere("figure_releases", "DELETE FROM figure_releases WHERE withheld")


def downgrade() -> None:
    op.drop_table("figure_kinds")
