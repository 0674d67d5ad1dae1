"""Reports by the calendar: schedules, who gets them, each occurrence for each of them, and kept figures."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
# When something of a schedule is to be done; see the migration that made the moments of organizations.
_DUE = "CASE WHEN n.state = 'on' THEN CASE WHEN n.stale THEN '-infinity' ELSE n.next_at END END"


def _organization() -> sa.Column[object]:
    return sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()") if now else None, nullable=not now
    )


def _uuid(name: str, *, empty: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=empty)


def _text(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _key(table: str, column: str, target: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{target}.organization_id", f"{target}.id"],
        name=op.f(f"fk_{table}_organization_id_{column}"),
        ondelete=ondelete,
    )


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    op.add_column("extract_runs", sa.Column("template", sa.Text(), nullable=True))
    op.tenant_table(
        "figure_exports",
        _organization(),
        _id(),
        _uuid("owner_id"),
        sa.Column("question", postgresql.JSONB(), nullable=False),
        *_text("form", "locale", "template"),
        sa.Column("data_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=True),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        _uuid("job_id", empty=True),
        _uuid("file_id", empty=True),
        _moment("created_at", now=True),
        _check("figure_exports", "form", "form IN ('csv', 'xlsx', 'pdf')"),
        _key("figure_exports", "owner_id", "memberships"),
        _key("figure_exports", "job_id", "jobs"),
        _key("figure_exports", "file_id", "stored_files"),
        sa.UniqueConstraint("organization_id", "job_id", name=op.f("uq_figure_exports_organization_id_job_id")),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_figure_exports")),
    )
    op.create_index(
        op.f("ix_figure_exports_organization_id_owner_id_created_at"),
        "figure_exports",
        ["organization_id", "owner_id", "created_at"],
    )
    op.primary_key_last("figure_exports")
    op.tenant_table(
        "schedules",
        _organization(),
        _id(),
        _uuid("owner_id"),
        *_text("name", "what", "form", "cadence", "edge", "when_empty"),
        _uuid("extract_id", empty=True),
        sa.Column("question", postgresql.JSONB(), nullable=True),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("month_day", sa.SmallInteger(), nullable=False),
        sa.Column("at_time", sa.Time(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), server_default="on", nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        _moment("next_at"),
        _moment("created_at", now=True),
        _moment("changed_at", now=True),
        _check("schedules", "name", "btrim(name) <> '' AND length(name) <= 120"),
        _check(
            "schedules",
            "what",
            "CASE what WHEN 'extract' THEN question IS NULL AND form IN ('csv', 'xlsx', 'jsonl', 'parquet')"
            " WHEN 'figures' THEN question IS NOT NULL AND extract_id IS NULL AND form IN ('csv', 'xlsx')"
            " ELSE false END",
        ),
        _check(
            "schedules", "cadence", "cadence IN ('daily', 'weekly', 'monthly', 'term') AND edge IN ('start', 'end')"
        ),
        _check("schedules", "days", "weekday BETWEEN 0 AND 6 AND month_day BETWEEN 1 AND 31 AND ends_on >= starts_on"),
        _check("schedules", "when_empty", "when_empty IN ('send', 'say', 'silent')"),
        _check("schedules", "state", "state IN ('on', 'paused', 'ended') AND (state = 'on' OR next_at IS NULL)"),
        _key("schedules", "owner_id", "memberships"),
        _key("schedules", "extract_id", "extracts"),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_schedules")),
    )
    op.create_index(
        "ix_schedules_due", "schedules", ["organization_id", "next_at"], postgresql_where=sa.text("state = 'on'")
    )
    op.create_index(op.f("ix_schedules_organization_id_owner_id"), "schedules", ["organization_id", "owner_id"])
    op.create_index(op.f("ix_schedules_organization_id_extract_id"), "schedules", ["organization_id", "extract_id"])
    op.primary_key_last("schedules")
    op.tenant_table(
        "schedule_recipients",
        _organization(),
        _uuid("schedule_id"),
        _uuid("membership_id"),
        _key("schedule_recipients", "schedule_id", "schedules", ondelete="CASCADE"),
        _key("schedule_recipients", "membership_id", "memberships"),
        sa.PrimaryKeyConstraint("organization_id", "schedule_id", "membership_id", name=op.f("pk_schedule_recipients")),
    )
    op.create_index(
        op.f("ix_schedule_recipients_organization_id_membership_id"),
        "schedule_recipients",
        ["organization_id", "membership_id"],
    )
    op.primary_key_last("schedule_recipients")
    op.tenant_table(
        "schedule_runs",
        _organization(),
        _id(),
        _uuid("schedule_id"),
        _uuid("membership_id"),
        *_text("occurrence"),
        sa.Column("occurrence_on", sa.Date(), nullable=False),
        sa.Column("missed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default="making", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("row_count", sa.BigInteger(), nullable=True),
        _uuid("job_id", empty=True),
        _uuid("extract_run_id", empty=True),
        _uuid("figure_export_id", empty=True),
        _uuid("message_id", empty=True),
        _moment("created_at", now=True),
        _moment("settled_at"),
        _check("schedule_runs", "state", "state IN ('making', 'sent', 'silent', 'refused', 'failed')"),
        _check(
            "schedule_runs",
            "whole",
            "(state = 'making') = (settled_at IS NULL) AND (state = 'sent') = (message_id IS NOT NULL)"
            " AND (state IN ('sent', 'silent')) = (row_count IS NOT NULL)"
            " AND num_nonnulls(extract_run_id, figure_export_id) = CASE WHEN row_count IS NULL THEN 0 ELSE 1 END",
        ),
        _key("schedule_runs", "schedule_id", "schedules"),
        _key("schedule_runs", "membership_id", "memberships"),
        _key("schedule_runs", "job_id", "jobs"),
        _key("schedule_runs", "extract_run_id", "extract_runs"),
        _key("schedule_runs", "figure_export_id", "figure_exports"),
        _key("schedule_runs", "message_id", "messages"),
        # Whoever makes an occurrence, however often and at whatever a clock says: it is made once for each reader.
        sa.UniqueConstraint(
            "organization_id", "schedule_id", "occurrence", "membership_id", name="uq_schedule_runs_once"
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_schedule_runs")),
    )
    op.create_index(
        op.f("ix_schedule_runs_organization_id_membership_id_created_at"),
        "schedule_runs",
        ["organization_id", "membership_id", "created_at"],
    )
    op.create_index(op.f("ix_schedule_runs_organization_id_job_id"), "schedule_runs", ["organization_id", "job_id"])
    op.primary_key_last("schedule_runs")
    op.execute(
        "CREATE FUNCTION schedules_wake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE organization_wakes w SET wake_at = g.due"
        f" FROM (SELECT n.organization_id, min({_DUE}) AS due FROM news n GROUP BY n.organization_id) g"
        " WHERE w.organization_id = g.organization_id AND w.wake_at > g.due; RETURN NULL; END $$"
    )
    for event in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER wake_{event.lower()} AFTER {event} ON schedules REFERENCING NEW TABLE AS news"
            " FOR EACH STATEMENT EXECUTE FUNCTION schedules_wake()"
        )
    # Another zone moves every next time, and other terms those once a term: they are worked out anew.
    op.execute(
        "CREATE FUNCTION schedules_zone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE schedules s SET stale = true WHERE s.organization_id = NEW.organization_id AND s.state = 'on';"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER schedules_zone AFTER UPDATE ON organizations FOR EACH ROW"
        " WHEN (OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION schedules_zone()"
    )
    op.execute(
        "CREATE FUNCTION schedules_terms() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE schedules s SET stale = true WHERE s.state = 'on' AND s.cadence = 'term'"
        " AND s.organization_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.organization_id ELSE NEW.organization_id END;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER schedules_terms AFTER INSERT OR UPDATE OR DELETE ON terms FOR EACH ROW"
        " EXECUTE FUNCTION schedules_terms()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER schedules_terms ON terms")
    op.execute("DROP FUNCTION schedules_terms()")
    op.execute("DROP TRIGGER schedules_zone ON organizations")
    op.execute("DROP FUNCTION schedules_zone()")
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER wake_{event} ON schedules")
    op.execute("DROP FUNCTION schedules_wake()")
    for table in ("schedule_runs", "schedule_recipients", "schedules", "figure_exports"):
        op.drop_table(table)
    op.drop_column("extract_runs", "template")
