"""Caseloads handed over: minutes a week, plans of who takes whom, cover for a time, and the history of caseloads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
# Who acts, for which job or cover, and when, as the transaction says; see `app/infra/db/tenancy.py`.
_NAMED = """
    moment timestamptz := coalesce(nullif(current_setting('octant.moment', true), '')::timestamptz, now());
    job uuid := nullif(current_setting('octant.job_id', true), '')::uuid;
    cover uuid := nullif(current_setting('octant.cover_id', true), '')::uuid;
    person uuid := coalesce(nullif(current_setting('octant.member_id', true), '')::uuid,
                            (SELECT j.created_by FROM jobs j WHERE j.id = job));
"""
_END = (
    "UPDATE caseload_history h SET ended_at = greatest(h.began_at, moment), ended_by = person, ended_job_id = job"
    " FROM {rows} WHERE h.organization_id = o.organization_id AND h.client_id = o.client_id"
    " AND h.membership_id = o.membership_id AND h.ended_at IS NULL"
)
_BEGIN = (
    "INSERT INTO caseload_history"
    " (organization_id, client_id, membership_id, kind, began_at, began_by, began_job_id, cover_id)"
    " SELECT n.organization_id, n.client_id, n.membership_id, n.kind, moment, person, job, cover FROM {rows}"
)
_CHANGED = "news n JOIN olds o USING (organization_id, client_id, membership_id)"
_HISTORY = {
    "insert": (_BEGIN.format(rows="news n"), "NEW TABLE AS news"),
    "delete": (_END.format(rows="olds o"), "OLD TABLE AS olds"),
    "update": (
        _END.format(rows=f"(SELECT * FROM {_CHANGED} WHERE n.kind <> o.kind) o")
        + "; "
        + _BEGIN.format(rows=f"{_CHANGED} WHERE n.kind <> o.kind"),
        "OLD TABLE AS olds NEW TABLE AS news",
    ),
}


def _key(table: str, column: str, parent: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{parent}.organization_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_organization_id_{column}"),
        ondelete=ondelete,
    )


def _entity(table: str) -> list[sa.Column | sa.Constraint]:
    return [
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f(f"pk_{table}")),
    ]


def _moment(name: str, *, now: bool = False) -> sa.Column:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()") if now else None, nullable=not now
    )


def upgrade() -> None:
    op.add_column("memberships", sa.Column("weekly_minutes", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_memberships_weekly_minutes"), "memberships", "weekly_minutes BETWEEN 0 AND 10080"
    )
    op.tenant_table(
        "caseload_moves",
        *_entity("caseload_moves"),
        sa.Column("source_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("client_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("receiver_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("numbers", postgresql.JSONB(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=True),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _moment("created_at", now=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('primary', 'supporting', 'same', 'cover')", name=op.f("ck_caseload_moves_kind")),
        sa.CheckConstraint(
            "cardinality(client_ids) = cardinality(receiver_ids)", name=op.f("ck_caseload_moves_each_to_one")
        ),
        sa.CheckConstraint(
            "(kind = 'cover') = (first_on IS NOT NULL) AND (kind = 'cover') = (last_on IS NOT NULL)"
            " AND (last_on IS NULL OR last_on >= first_on)",
            name=op.f("ck_caseload_moves_days"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name=op.f("fk_caseload_moves_organization_id")
        ),
        _key("caseload_moves", "source_id", "memberships"),
        _key("caseload_moves", "job_id", "jobs"),
        _key("caseload_moves", "created_by", "memberships"),
    )
    op.create_index(
        op.f("ix_caseload_moves_organization_id_expires_at"), "caseload_moves", ["organization_id", "expires_at"]
    )
    op.primary_key_last("caseload_moves")
    op.tenant_table(
        "covers",
        *_entity("covers"),
        sa.Column("move_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=True),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _moment("created_at", now=True),
        _moment("begun_at"),
        _moment("ended_at"),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_covers_days")),
        sa.CheckConstraint(
            "CASE state WHEN 'planned' THEN begun_at IS NULL AND ended_at IS NULL"
            " WHEN 'active' THEN begun_at IS NOT NULL AND ended_at IS NULL"
            " WHEN 'ended' THEN ended_at IS NOT NULL ELSE false END",
            name=op.f("ck_covers_state"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name=op.f("fk_covers_organization_id")
        ),
        _key("covers", "move_id", "caseload_moves"),
        _key("covers", "source_id", "memberships"),
        _key("covers", "created_by", "memberships"),
        sa.UniqueConstraint("organization_id", "move_id", name=op.f("uq_covers_organization_id_move_id")),
    )
    op.create_index(
        "ix_covers_open", "covers", ["organization_id", "first_on"], postgresql_where=sa.text("state <> 'ended'")
    )
    op.primary_key_last("covers")
    # The application may write it because triggers write as whoever changes a caseload; the guard below sees to it
    # that nothing else does.
    op.tenant_table(
        "caseload_history",
        *_entity("caseload_history"),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("began_by", sa.Uuid(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("began_job_id", sa.Uuid(), nullable=True),
        sa.Column("ended_job_id", sa.Uuid(), nullable=True),
        sa.Column("cover_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('primary', 'supporting')", name=op.f("ck_caseload_history_kind")),
        sa.CheckConstraint("ended_at >= began_at", name=op.f("ck_caseload_history_order")),
        _key("caseload_history", "client_id", "clients", ondelete="CASCADE"),
        _key("caseload_history", "membership_id", "memberships"),
        _key("caseload_history", "began_by", "memberships"),
        _key("caseload_history", "ended_by", "memberships"),
        _key("caseload_history", "began_job_id", "jobs"),
        _key("caseload_history", "ended_job_id", "jobs"),
        _key("caseload_history", "cover_id", "covers"),
        app="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        op.f("ix_caseload_history_organization_id_client_id_began_at"),
        "caseload_history",
        ["organization_id", "client_id", "began_at"],
    )
    op.create_index(
        "uq_caseload_history_open",
        "caseload_history",
        ["organization_id", "client_id", "membership_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_caseload_history_cover",
        "caseload_history",
        ["organization_id", "cover_id"],
        postgresql_where=sa.text("cover_id IS NOT NULL AND ended_at IS NULL"),
    )
    op.primary_key_last("caseload_history")
    # Caseloads that are there begin their history as they stand. The policy is lifted for this statement alone, because
    # the owner obeys it too and is in no organization.
    for table in ("caseload_entries", "caseload_history"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO caseload_history (organization_id, client_id, membership_id, kind, began_at)"
        " SELECT organization_id, client_id, membership_id, kind, since FROM caseload_entries"
    )
    for table in ("caseload_entries", "caseload_history"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for event, (body, tables) in _HISTORY.items():
        op.execute(
            f"CREATE FUNCTION caseload_{event}_kept() RETURNS trigger LANGUAGE plpgsql AS $$"
            f" DECLARE {_NAMED} BEGIN {body}; RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER history_{event} AFTER {event.upper()} ON caseload_entries REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION caseload_{event}_kept()"
        )
    op.execute(
        "CREATE FUNCTION caseload_history_by_triggers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'The history of caseloads is written by changing caseload_entries.'"
        " USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER by_triggers BEFORE INSERT OR UPDATE ON caseload_history"
        " FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION caseload_history_by_triggers()"
    )


def downgrade() -> None:
    for event in _HISTORY:
        op.execute(f"DROP TRIGGER history_{event} ON caseload_entries")
        op.execute(f"DROP FUNCTION caseload_{event}_kept()")
    op.drop_table("caseload_history")
    op.execute("DROP FUNCTION caseload_history_by_triggers()")
    op.drop_table("covers")
    op.drop_table("caseload_moves")
    op.drop_constraint(op.f("ck_memberships_weekly_minutes"), "memberships", type_="check")
    op.drop_column("memberships", "weekly_minutes")
