"""Pauses and holidays, what marks a plan's next prompt as out of date, telling administrators, and who is to be woken."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
# Which plans a changed rule reaches. The statements run under row security, so each sees its organization's rows only;
# the organization is named nevertheless, for whoever writes as superuser. Plans are locked in the order of their ids;
# also those that are marked: a worker may be working one out at this moment from the rules as they were.
_EVERY_PLAN = "p.organization_id IN (SELECT organization_id FROM changed)"
_OF_CLIENTS = "EXISTS (SELECT FROM changed g WHERE g.organization_id = p.organization_id AND g.client_id = p.client_id)"
_OF_CLIENTS_OR_ALL = (
    "EXISTS (SELECT FROM changed g WHERE g.organization_id = p.organization_id"
    " AND (g.client_id IS NULL OR g.client_id = p.client_id))"
)
_OF_POLICIES = (
    "EXISTS (SELECT FROM changed g WHERE g.organization_id = p.organization_id AND CASE g.scope"
    " WHEN 'organization' THEN true WHEN 'template' THEN g.subject_id = p.template_id"
    " WHEN 'plan' THEN g.subject_id = p.id ELSE EXISTS (SELECT FROM cohort_members m"
    " WHERE m.organization_id = p.organization_id AND m.cohort_id = g.subject_id AND m.client_id = p.client_id) END)"
)
_OF_MEMBERS = (
    "EXISTS (SELECT FROM changed g JOIN review_policies q ON q.organization_id = g.organization_id"
    " AND q.scope = 'cohort' AND q.subject_id = g.cohort_id AND q.active"
    " WHERE g.organization_id = p.organization_id AND g.client_id = p.client_id)"
)
_OF_PLANS = "EXISTS (SELECT FROM changed g WHERE g.organization_id = p.organization_id AND g.plan_id = p.id)"


def _marker(name: str, changed: str, reached: str) -> None:
    """A trigger function that marks the active plans `reached` by the rows of `changed`."""
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" WITH changed AS ({changed}), held AS (SELECT p.organization_id, p.id FROM plans p"
        f" WHERE p.status = 'active' AND {reached} ORDER BY p.id FOR UPDATE)"
        " UPDATE plans p SET review_stale = true FROM held h WHERE p.organization_id = h.organization_id"
        " AND p.id = h.id; RETURN NULL; END $$"
    )


# When something of a table's row is to be done; what is never to be done has no moment.
_DUE = {
    "plans": "CASE WHEN n.status = 'active' THEN CASE WHEN n.review_stale THEN '-infinity' ELSE n.next_prompt_at END END",
    "messages": "CASE WHEN n.state IN ('queued', 'unknown') THEN n.not_before"
    " WHEN n.state = 'handed' THEN n.lease_until END",
    "jobs": "CASE WHEN n.state IN ('queued', 'running', 'finishing', 'undoing')"
    " THEN greatest(n.not_before, n.lease_until) END",
    "cohorts": "CASE WHEN n.stale AND n.archived_at IS NULL THEN '-infinity'::timestamptz END",
}


def _waker(table: str) -> None:
    """Triggers that bring an organization's moment forward when something of this table comes due before it."""
    op.execute(
        f"CREATE FUNCTION {table}_wake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE organization_wakes w SET wake_at = g.due"
        f" FROM (SELECT n.organization_id, min({_DUE[table]}) AS due FROM news n GROUP BY n.organization_id) g"
        " WHERE w.organization_id = g.organization_id AND w.wake_at > g.due; RETURN NULL; END $$"
    )
    for event in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER wake_{event.lower()} AFTER {event} ON {table} REFERENCING NEW TABLE AS news"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {table}_wake()"
        )


def _trigger(table: str, event: str, function: str, tables: str) -> None:
    op.execute(
        f"CREATE TRIGGER reviews_{event.lower()} AFTER {event} ON {table} REFERENCING {tables}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


def upgrade() -> None:
    op.tenant_table(
        "review_pauses",
        sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('leave', 'exchange', 'graduation', 'other', 'holiday')"
            " AND (kind = 'holiday') = (client_id IS NULL)",
            name=op.f("ck_review_pauses_kind"),
        ),
        sa.CheckConstraint(
            "ends_on >= starts_on AND (ends_on IS NOT NULL OR client_id IS NOT NULL)",
            name=op.f("ck_review_pauses_days"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_review_pauses_organization_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_review_pauses_organization_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_review_pauses_organization_id_created_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_review_pauses")),
    )
    op.create_index(
        op.f("ix_review_pauses_organization_id_client_id_starts_on"),
        "review_pauses",
        ["organization_id", "client_id", "starts_on"],
    )
    op.primary_key_last("review_pauses")

    op.add_column("reviews", sa.Column("escalated_admin_at", sa.DateTime(timezone=True), nullable=True))
    # True for the plans that are there: the standard has mails before the due day now. No UPDATE would reach them,
    # for row security holds for the owner too.
    op.add_column("plans", sa.Column("review_stale", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.alter_column("plans", "review_stale", server_default=sa.text("false"))
    op.add_column("plans", sa.Column("review_set", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        "ix_plans_review_stale",
        "plans",
        ["organization_id"],
        postgresql_where=sa.text("review_stale AND status = 'active'"),
    )

    both = "SELECT * FROM olds UNION ALL SELECT * FROM news"
    _marker("review_pauses_new", "SELECT * FROM news", _OF_CLIENTS_OR_ALL)
    _marker("review_pauses_changed", both, _OF_CLIENTS_OR_ALL)
    _marker("review_pauses_gone", "SELECT * FROM olds", _OF_CLIENTS_OR_ALL)
    _marker("review_policies_new", "SELECT * FROM news", _OF_POLICIES)
    _marker("review_policies_changed", both, _OF_POLICIES)
    _marker("terms_new", "SELECT * FROM news", _EVERY_PLAN)
    _marker("terms_changed", both, _EVERY_PLAN)
    _marker("terms_gone", "SELECT * FROM olds", _EVERY_PLAN)
    _marker("cohort_members_new", "SELECT * FROM news", _OF_MEMBERS)
    _marker("cohort_members_gone", "SELECT * FROM olds", _OF_MEMBERS)
    _marker(
        "organizations_zone",
        "SELECT n.organization_id FROM news n JOIN olds o USING (organization_id) WHERE n.time_zone <> o.time_zone",
        _EVERY_PLAN,
    )
    _marker(
        "clients_zone",
        "SELECT n.organization_id, n.id AS client_id FROM news n JOIN olds o USING (organization_id, id)"
        " WHERE n.time_zone IS DISTINCT FROM o.time_zone OR n.active <> o.active",
        _OF_CLIENTS,
    )
    # An answer that comes by whatever way; a review that gives way to a newer one is the engine's own doing.
    _marker(
        "reviews_answered",
        "SELECT n.organization_id, n.plan_id FROM news n JOIN olds o USING (organization_id, id)"
        " WHERE n.state IN ('answered', 'closed') AND o.state IN ('open', 'started')",
        _OF_PLANS,
    )
    old_and_new = "OLD TABLE AS olds NEW TABLE AS news"
    for table in ("review_pauses", "terms"):
        _trigger(table, "INSERT", f"{table}_new", "NEW TABLE AS news")
        _trigger(table, "UPDATE", f"{table}_changed", old_and_new)
        _trigger(table, "DELETE", f"{table}_gone", "OLD TABLE AS olds")
    # A policy is never deleted: the prompts it made name it.
    _trigger("review_policies", "INSERT", "review_policies_new", "NEW TABLE AS news")
    _trigger("review_policies", "UPDATE", "review_policies_changed", old_and_new)
    _trigger("cohort_members", "INSERT", "cohort_members_new", "NEW TABLE AS news")
    _trigger("cohort_members", "DELETE", "cohort_members_gone", "OLD TABLE AS olds")
    _trigger("organizations", "UPDATE", "organizations_zone", old_and_new)
    _trigger("clients", "UPDATE", "clients_zone", old_and_new)
    _trigger("reviews", "UPDATE", "reviews_answered", old_and_new)

    op.global_table(
        "organization_wakes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), server_default="-infinity", nullable=False),
        sa.Column("check_at", sa.DateTime(timezone=True), server_default="infinity", nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["tenants.id"],
            name=op.f("fk_organization_wakes_organization_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_organization_wakes")),
        app="SELECT, INSERT, UPDATE",
    )
    op.execute("INSERT INTO organization_wakes (organization_id) SELECT id FROM tenants")
    op.execute(
        "CREATE FUNCTION tenants_wake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO organization_wakes (organization_id) VALUES (NEW.id); RETURN NULL; END $$"
    )
    op.execute("CREATE TRIGGER wake AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION tenants_wake()")
    for table in _DUE:
        _waker(table)


def downgrade() -> None:
    op.execute("DROP TRIGGER wake ON tenants")
    for table in _DUE:
        op.execute(f"DROP TRIGGER wake_insert ON {table}")
        op.execute(f"DROP TRIGGER wake_update ON {table}")
        op.execute(f"DROP FUNCTION {table}_wake()")
    op.execute("DROP FUNCTION tenants_wake()")
    op.drop_table("organization_wakes")
    for table, event in (
        *((table, event) for table in ("terms", "review_pauses") for event in ("insert", "update", "delete")),
        ("review_policies", "insert"),
        ("review_policies", "update"),
        ("cohort_members", "insert"),
        ("cohort_members", "delete"),
        ("organizations", "update"),
        ("clients", "update"),
        ("reviews", "update"),
    ):
        op.execute(f"DROP TRIGGER reviews_{event} ON {table}")
    op.execute(
        "DROP FUNCTION review_pauses_new(), review_pauses_changed(), review_pauses_gone(), review_policies_new(),"
        " review_policies_changed(), terms_new(), terms_changed(), terms_gone(), cohort_members_new(),"
        " cohort_members_gone(), organizations_zone(), clients_zone(), reviews_answered()"
    )
    op.drop_index("ix_plans_review_stale", table_name="plans")
    op.drop_column("plans", "review_set")
    op.drop_column("plans", "review_stale")
    op.drop_column("reviews", "escalated_admin_at")
    op.drop_table("review_pauses")
