"""Two records of likely one person: linked after review, or known to be two."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"


def upgrade() -> None:
    op.tenant_table(
        "client_pairs",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("linked_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_client_pairs_order")),
        sa.CheckConstraint(
            "state IN ('linked', 'different') AND (state = 'linked') = (linked_id IS NOT NULL)"
            " AND (linked_id IS NULL OR linked_id IN (first_id, second_id))",
            name=op.f("ck_client_pairs_state"),
        ),
        *(
            sa.ForeignKeyConstraint(
                ["organization_id", column],
                ["clients.organization_id", "clients.id"],
                name=op.f(f"fk_client_pairs_organization_id_{column}"),
                ondelete="CASCADE",
            )
            for column in ("first_id", "second_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "decided_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_client_pairs_organization_id_decided_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "first_id", "second_id", name=op.f("pk_client_pairs")),
    )
    op.create_index(op.f("ix_client_pairs_organization_id_second_id"), "client_pairs", ["organization_id", "second_id"])
    # A record is put behind one other at most.
    op.create_index(
        "uq_client_pairs_linked",
        "client_pairs",
        ["organization_id", "linked_id"],
        unique=True,
        postgresql_where=sa.text("state = 'linked'"),
    )
    op.primary_key_last("client_pairs")
    # A roster that names a record put behind another does not bring it back; only unlinking does.
    op.execute(
        "CREATE FUNCTION clients_stay_linked() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT FROM client_pairs p WHERE p.organization_id = NEW.organization_id"
        " AND p.linked_id = NEW.id AND p.state = 'linked') THEN NEW.active := false; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER stay_linked BEFORE UPDATE OF active ON clients FOR EACH ROW"
        " WHEN (NEW.active AND NOT OLD.active) EXECUTE FUNCTION clients_stay_linked()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER stay_linked ON clients")
    op.execute("DROP FUNCTION clients_stay_linked()")
    op.drop_table("client_pairs")
