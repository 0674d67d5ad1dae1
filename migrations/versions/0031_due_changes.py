"""What undoing a change of due days needs is a row for each batch."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_ARRAYS = {"plans": sa.Uuid(), "steps": sa.SmallInteger(), "was": sa.Date(), "became": sa.Date()}
_AS_BEFORE = """
    WITH was AS (
        SELECT i.organization_id, i.job_id, i.subject_id, i.result FROM job_items i
        JOIN jobs j ON j.organization_id = i.organization_id AND j.id = i.job_id AND j.kind = 'edits.due'
        WHERE i.state = 'done' AND jsonb_typeof(i.result -> 'steps') = 'object'
    ), made AS (
        INSERT INTO due_changes (organization_id, job_id, plans, steps, was, became)
        SELECT w.organization_id, w.job_id, array_agg(CAST(w.result ->> 'plan' AS uuid)),
               array_agg(CAST(k.key AS smallint)), array_agg(CAST(k.value ->> 0 AS date)),
               array_agg(CAST(k.value ->> 1 AS date))
        FROM was w, jsonb_each(w.result -> 'steps') k GROUP BY w.organization_id, w.job_id
        RETURNING organization_id, job_id, number
    )
    UPDATE job_items i SET result = jsonb_build_object('batch', m.number)
    FROM was w JOIN made m ON m.organization_id = w.organization_id AND m.job_id = w.job_id
    WHERE i.organization_id = w.organization_id AND i.job_id = w.job_id AND i.subject_id = w.subject_id
"""


def upgrade() -> None:
    op.tenant_table(
        "due_changes",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *(sa.Column(name, postgresql.ARRAY(kind), nullable=False) for name, kind in _ARRAYS.items()),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["jobs.organization_id", "jobs.id"],
            name=op.f("fk_due_changes_organization_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "job_id", "number", name=op.f("pk_due_changes")),
    )
    # Packing them takes longer than writing them.
    for name in _ARRAYS:
        op.execute(f"ALTER TABLE due_changes ALTER {name} SET STORAGE EXTERNAL")
    op.primary_key_last("due_changes")
    # What was changed before can still be taken back: a row for each of those jobs. The owner obeys row security too.
    tables = ("jobs", "job_items", "due_changes")
    for name in tables:
        op.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    op.execute(_AS_BEFORE)
    for name in tables:
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_table("due_changes")
