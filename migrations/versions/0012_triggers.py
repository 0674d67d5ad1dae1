"""Triggers beside the calendar: what plans refer to, rules, external events, and what was found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"

# What a step's content refers to. Lax paths: what is missing, or not of the shape, refers to nothing.
_REFERENCES = """
    CREATE FUNCTION plan_references_in(step smallint, content jsonb)
    RETURNS TABLE (kind text, ref text, place text, release text, way text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT DISTINCT g.kind, g.ref, g.place, coalesce(g.release, ''), coalesce(g.way, '')
    FROM (
        SELECT 'occupation' AS kind, r ->> 'code' AS ref, 'looked_up' AS place, r ->> 'release' AS release,
               NULL AS way
        FROM jsonb_path_query(content, '$.occupations[*]') r WHERE step = 3
        UNION ALL
        SELECT 'occupation', r #>> '{occupation,code}', 'factor', r #>> '{occupation,release}', NULL
        FROM jsonb_path_query(content, '$.factors[*]') r
        WHERE step = 3 AND r ->> 'text' <> '' AND r ->> 'state' IS DISTINCT FROM 'gone'
        UNION ALL
        SELECT 'occupation', r ->> 'code', CASE r ->> 'id' WHEN content ->> 'chosen' THEN 'chosen'
               WHEN content ->> 'runner_up' THEN 'runner_up' ELSE 'option' END, r ->> 'release', NULL
        FROM jsonb_path_query(content, '$.options[*]') r WHERE step = 4
        UNION ALL
        SELECT 'path', r ->> 'kind', 'chosen', NULL, r ->> 'id'
        FROM jsonb_path_query(content, '$.paths[*]') r WHERE step = 5 AND r ->> 'id' = content ->> 'chosen'
        UNION ALL
        SELECT 'occupation', content #>> ARRAY[p, 'code'], p, content #>> ARRAY[p, 'release'], NULL
        FROM unnest(ARRAY['start', 'target']) p WHERE step = 5
        UNION ALL
        SELECT 'occupation', s ->> 'code', 'stage', s ->> 'release', r ->> 'path'
        FROM jsonb_path_query(content, '$.routes[*]') r, jsonb_path_query(r, '$.stages[*]') s WHERE step = 5
        UNION ALL
        SELECT 'occupation', r ->> 'code', 'milestone', r ->> 'release', r ->> 'path'
        FROM jsonb_path_query(content, '$.milestones[*]') r WHERE step = 5
        UNION ALL
        SELECT 'action', r ->> 'kind', 'action', NULL, r ->> 'path'
        FROM jsonb_path_query(content, '$.actions[*]') r
        WHERE step = 7 AND r ->> 'text' <> ''
          AND coalesce(r ->> 'status', CASE WHEN r ->> 'done' = 'true' THEN 'done' ELSE 'planned' END)
              IN ('planned', 'begun')
    ) g WHERE g.ref <> ''
    $$
"""
_STEPS = "(3, 4, 5, 7)"
_ADD = (
    "INSERT INTO plan_references (organization_id, plan_id, step, kind, ref, place, release, way)"
    " SELECT n.organization_id, n.plan_id, n.step, g.kind, g.ref, g.place, g.release, g.way"
    " FROM {source} n CROSS JOIN LATERAL plan_references_in(n.step, n.content) g"
)


def _organization() -> sa.Column[object]:
    return sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False)


def _member(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        ["memberships.organization_id", "memberships.id"],
        name=op.f(f"fk_{table}_organization_id_{column}"),
    )


def _of_organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organizations.organization_id"], name=op.f(f"fk_{table}_organization_id")
    )


def upgrade() -> None:
    op.tenant_table(
        "plan_references",
        _organization(),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.SmallInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "ref", "place", "release", "way")),
        sa.CheckConstraint("kind IN ('occupation', 'path', 'action')", name=op.f("ck_plan_references_kind")),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id", "step"],
            ["step_contents.organization_id", "step_contents.plan_id", "step_contents.step"],
            name=op.f("fk_plan_references_organization_id_plan_id_step"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            *("organization_id", "plan_id", "step", "kind", "ref", "place", "release", "way"),
            name=op.f("pk_plan_references"),
        ),
    )
    op.execute(_REFERENCES)
    # By statement and by a join of what was and what is, so that a bulk of contents costs one insert.
    add = _ADD.format(source="fresh")
    op.execute(
        "CREATE FUNCTION step_contents_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {add} WHERE n.step IN {_STEPS}; RETURN NULL; END $$"
    )
    changed = _ADD.format(
        source="(SELECT n.* FROM fresh n JOIN former o USING (organization_id, plan_id, step)"
        f" WHERE n.step IN {_STEPS} AND n.content IS DISTINCT FROM o.content)"
    )
    op.execute(
        "CREATE FUNCTION step_contents_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " DELETE FROM plan_references r USING former o JOIN fresh n USING (organization_id, plan_id, step)"
        " WHERE r.organization_id = n.organization_id AND r.plan_id = n.plan_id AND r.step = n.step"
        " AND n.content IS DISTINCT FROM o.content;"
        f" {changed}; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER referred AFTER INSERT ON step_contents REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION step_contents_added()"
    )
    op.execute(
        "CREATE TRIGGER referred_anew AFTER UPDATE ON step_contents REFERENCING OLD TABLE AS former NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION step_contents_changed()"
    )
    # A content stays with its step, so that what it refers to is found again by the same key.
    op.execute(
        "CREATE FUNCTION step_contents_stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'A content stays with its step.' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER stay BEFORE UPDATE OF organization_id, plan_id, step ON step_contents FOR EACH ROW"
        " WHEN ((OLD.organization_id, OLD.plan_id, OLD.step) IS DISTINCT FROM"
        " (NEW.organization_id, NEW.plan_id, NEW.step)) EXECUTE FUNCTION step_contents_stay()"
    )
    _fill()
    op.create_index(
        op.f("ix_plan_references_organization_id_kind_ref"), "plan_references", ["organization_id", "kind", "ref"]
    )
    op.primary_key_last("plan_references")

    op.tenant_table(
        "trigger_rules",
        _organization(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=True),
        sa.Column("reach", sa.Text(), server_default="any", nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("reach IN ('any', 'chosen')", name=op.f("ck_trigger_rules_reach")),
        _of_organization("trigger_rules"),
        _member("trigger_rules", "updated_by"),
        sa.PrimaryKeyConstraint("organization_id", "kind", name=op.f("pk_trigger_rules")),
    )
    op.tenant_table(
        "trigger_settings",
        _organization(),
        sa.Column("a_day", sa.SmallInteger(), nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("a_day BETWEEN 1 AND 10000", name=op.f("ck_trigger_settings_a_day")),
        _of_organization("trigger_settings"),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_trigger_settings")),
    )
    op.tenant_table(
        "external_events",
        _organization(),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        *(
            sa.Column(name, postgresql.ARRAY(sa.Text()), nullable=False)
            for name in ("occupations", "families", "paths", "actions")
        ),
        sa.Column("cohort_id", sa.Uuid(), nullable=True),
        sa.Column("reach", sa.Text(), server_default="any", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("reach IN ('any', 'chosen')", name=op.f("ck_external_events_reach")),
        sa.CheckConstraint(
            "cohort_id IS NOT NULL OR cardinality(occupations || families || paths || actions) > 0",
            name=op.f("ck_external_events_touches"),
        ),
        _of_organization("external_events"),
        sa.ForeignKeyConstraint(
            ["organization_id", "cohort_id"],
            ["cohorts.organization_id", "cohorts.id"],
            name=op.f("fk_external_events_organization_id_cohort_id"),
        ),
        _member("external_events", "created_by"),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_external_events")),
    )
    op.create_index(
        op.f("ix_external_events_organization_id_created_at"), "external_events", ["organization_id", "created_at"]
    )
    op.primary_key_last("external_events")
    op.tenant_table(
        "trigger_findings",
        _organization(),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'external_event') = (event_id IS NOT NULL)", name=op.f("ck_trigger_findings_event")
        ),
        sa.CheckConstraint(
            "(review_id IS NULL) = (reviewed_at IS NULL) AND (opened_on IS NULL OR review_id IS NOT NULL)",
            name=op.f("ck_trigger_findings_reviewed"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"],
            ["plans.organization_id", "plans.id"],
            name=op.f("fk_trigger_findings_organization_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "event_id"],
            ["external_events.organization_id", "external_events.id"],
            name=op.f("fk_trigger_findings_organization_id_event_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "review_id"],
            ["reviews.organization_id", "reviews.id"],
            name=op.f("fk_trigger_findings_organization_id_review_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_trigger_findings")),
        sa.UniqueConstraint(
            *("organization_id", "plan_id", "kind", "subject"),
            name=op.f("uq_trigger_findings_organization_id_plan_id_kind_subject"),
        ),
    )
    op.create_index(
        "ix_trigger_findings_waiting",
        "trigger_findings",
        ["organization_id", "kind"],
        postgresql_where=sa.text("review_id IS NULL"),
    )
    for column in ("review_id", "opened_on", "event_id"):
        op.create_index(
            op.f(f"ix_trigger_findings_organization_id_{column}"), "trigger_findings", ["organization_id", column]
        )
    op.primary_key_last("trigger_findings")


def _fill() -> None:
    """Refer what is stored already. Row security is forced on the owner too, so each organization is named in turn."""
    connection = op.get_bind()
    for organization in connection.execute(sa.text("SELECT id FROM tenants")).scalars().all():
        connection.execute(
            sa.text("SELECT set_config('octant.organization_id', :organization, true)"),
            {"organization": str(organization)},
        )
        connection.execute(sa.text(_ADD.format(source="step_contents") + f" WHERE n.step IN {_STEPS}"))
    connection.execute(sa.text("SELECT set_config('octant.organization_id', '', true)"))


def downgrade() -> None:
    for table in ("trigger_findings", "external_events", "trigger_settings", "trigger_rules", "plan_references"):
        op.drop_table(table)
    for trigger in ("referred", "referred_anew", "stay"):
        op.execute(f"DROP TRIGGER {trigger} ON step_contents")
    op.execute("DROP FUNCTION step_contents_added(), step_contents_changed(), step_contents_stay()")
    op.execute("DROP FUNCTION plan_references_in(smallint, jsonb)")
