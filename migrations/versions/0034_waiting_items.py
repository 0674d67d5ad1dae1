"""What of a job waits for a batch is a row of ids for each; an item becomes a row of its own once it is settled."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_ARRAYS = {"subject_ids": sa.Uuid(), "listed": sa.BigInteger()}
_AS_BEFORE = """
    INSERT INTO job_items (organization_id, job_id, subject_id, position, listed)
    SELECT w.organization_id, w.job_id, t.subject_id, w.number + t.place - 1, t.listed
    FROM waiting_items w, unnest(w.subject_ids, w.listed) WITH ORDINALITY AS t(subject_id, listed, place)
"""


def upgrade() -> None:
    # The items of jobs under way wait as the rows they are: batches take those too.
    op.tenant_table(
        "waiting_items",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, postgresql.ARRAY(kind), nullable=False) for name, kind in _ARRAYS.items()),
        sa.CheckConstraint(
            "cardinality(subject_ids) > 0 AND cardinality(listed) = cardinality(subject_ids)",
            name=op.f("ck_waiting_items_as_many"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["jobs.organization_id", "jobs.id"],
            name=op.f("fk_waiting_items_organization_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "job_id", "number", name=op.f("pk_waiting_items")),
    )
    # Packing them takes longer than writing them.
    for name in _ARRAYS:
        op.execute(f"ALTER TABLE waiting_items ALTER {name} SET STORAGE EXTERNAL")
    op.primary_key_last("waiting_items")


def downgrade() -> None:
    # The owner obeys row security too.
    tables = ("jobs", "job_items", "waiting_items")
    for name in tables:
        op.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    op.execute(_AS_BEFORE)
    for name in tables:
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.drop_table("waiting_items")
