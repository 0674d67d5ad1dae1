"""One gate for every message: contact slots, digests, the inbox, webhooks, an organization's own words, bounces."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
_STATES = "'queued', 'handed', 'sent', 'failed', 'unknown', 'suppressed'"


def _organization() -> sa.Column[object]:
    return sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def _of_organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organizations.organization_id"], name=op.f(f"fk_{table}_organization_id")
    )


def upgrade() -> None:
    op.add_column(
        "organizations", sa.Column("contact_cap", sa.SmallInteger(), server_default=sa.text("2"), nullable=False)
    )
    op.create_check_constraint(op.f("ck_organizations_contact_cap"), "organizations", "contact_cap BETWEEN 1 AND 20")
    op.add_column(
        "suppressed_addresses", sa.Column("bounced", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    _widen_messages()
    _slots()
    _inbox()
    _webhooks()
    op.tenant_table(
        "message_templates",
        _organization(),
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        _moment("updated_at", now=True),
        _of_organization("message_templates"),
        sa.ForeignKeyConstraint(
            ["organization_id", "updated_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_message_templates_organization_id_updated_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_message_templates")),
        sa.UniqueConstraint(
            "organization_id", "name", "locale", name=op.f("uq_message_templates_organization_id_name_locale")
        ),
    )


def _widen_messages() -> None:
    op.add_column("messages", sa.Column("created_by", sa.Uuid(), nullable=True))
    op.add_column("messages", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.drop_constraint(op.f("ck_messages_state"), "messages", type_="check")
    op.create_check_constraint(op.f("ck_messages_state"), "messages", f"state IN ({_STATES}, 'held', 'merged')")
    op.create_check_constraint(op.f("ck_messages_merged"), "messages", "(state = 'merged') = (merged_into IS NOT NULL)")
    _index_of_open("'queued', 'held', 'handed', 'unknown'")
    op.create_foreign_key(
        op.f("fk_messages_organization_id_created_by"),
        "messages",
        "memberships",
        ["organization_id", "created_by"],
        ["organization_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_messages_organization_id_merged_into"),
        "messages",
        "messages",
        ["organization_id", "merged_into"],
        ["organization_id", "id"],
    )


def _index_of_open(states: str) -> None:
    """The index of what may leave, made anew; the primary key stays the latest (migrations/ops.py)."""
    op.drop_index("ix_messages_open", "messages")
    op.create_index(
        "ix_messages_open",
        "messages",
        ["organization_id", "due_at", "id"],
        postgresql_where=sa.text(f"state IN ({states})"),
    )
    op.drop_constraint(op.f("fk_prompts_organization_id_message_id"), "prompts", type_="foreignkey")
    op.primary_key_last("messages")
    op.create_foreign_key(
        op.f("fk_prompts_organization_id_message_id"),
        "prompts",
        "messages",
        ["organization_id", "message_id"],
        ["organization_id", "id"],
    )


def _slots() -> None:
    op.tenant_table(
        "contact_slots",
        _organization(),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("n", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("n >= 1 AND extract(isodow FROM week) = 1", name=op.f("ck_contact_slots_number")),
        sa.ForeignKeyConstraint(
            ["organization_id", "message_id"],
            ["messages.organization_id", "messages.id"],
            name=op.f("fk_contact_slots_organization_id_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "client_id", "week", "n", name=op.f("pk_contact_slots")),
        sa.UniqueConstraint("organization_id", "message_id", name=op.f("uq_contact_slots_organization_id_message_id")),
        # A slot is taken and given back, never carried over.
        app="SELECT, INSERT, DELETE",
    )
    # The cap is the organization's, so no CHECK can name it. Once for a statement: a batch's slots are one statement.
    op.execute(
        "CREATE FUNCTION contact_slots_capped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT 1 FROM made JOIN organizations o ON o.organization_id = made.organization_id"
        " WHERE made.n > o.contact_cap) THEN"
        " RAISE EXCEPTION 'A client gets no more messages in a week than the organization allows.'"
        " USING ERRCODE = 'check_violation'; END IF; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER capped AFTER INSERT ON contact_slots REFERENCING NEW TABLE AS made"
        " FOR EACH STATEMENT EXECUTE FUNCTION contact_slots_capped()"
    )


def _inbox() -> None:
    op.tenant_table(
        "notices",
        _organization(),
        _id(),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("href", sa.Text(), nullable=False),
        _moment("created_at", now=True),
        _moment("read_at"),
        sa.CheckConstraint("href LIKE '/%' AND href NOT LIKE '//%'", name=op.f("ck_notices_href")),
        sa.ForeignKeyConstraint(
            ["organization_id", "membership_id"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_notices_organization_id_membership_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "organization_id",
            "membership_id",
            "dedupe_key",
            name=op.f("uq_notices_organization_id_membership_id_dedupe_key"),
        ),
    )
    op.create_index(
        op.f("ix_notices_organization_id_membership_id_created_at_id"),
        "notices",
        ["organization_id", "membership_id", "created_at", "id"],
    )
    op.create_index(
        "ix_notices_unread",
        "notices",
        ["organization_id", "membership_id"],
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.primary_key_last("notices")


def _webhooks() -> None:
    op.tenant_table(
        "webhooks",
        _organization(),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("salt", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("troubles", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("rest_until"),
        _moment("updated_at", now=True),
        _of_organization("webhooks"),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_webhooks")),
    )
    op.tenant_table(
        "webhook_deliveries",
        _organization(),
        _id(),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("not_before", now=True),
        _moment("lease_until"),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        _moment("created_at", now=True),
        _moment("sent_at"),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed')", name=op.f("ck_webhook_deliveries_state")),
        _of_organization("webhook_deliveries"),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "organization_id", "dedupe_key", name=op.f("uq_webhook_deliveries_organization_id_dedupe_key")
        ),
    )
    op.create_index(
        "ix_webhook_deliveries_open",
        "webhook_deliveries",
        ["organization_id", "created_at", "id"],
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.primary_key_last("webhook_deliveries")


def downgrade() -> None:
    for table in ("message_templates", "webhook_deliveries", "webhooks", "notices", "contact_slots"):
        op.drop_table(table)
    op.execute("DROP FUNCTION contact_slots_capped()")
    op.drop_constraint(op.f("ck_messages_merged"), "messages", type_="check")
    op.drop_constraint(op.f("ck_messages_state"), "messages", type_="check")
    # Of all organizations, which not even the owner sees while row security is forced.
    op.execute("ALTER TABLE messages NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE messages SET state = 'suppressed', reason = 'left in a digest' WHERE state = 'merged'")
    op.execute("UPDATE messages SET state = 'queued' WHERE state = 'held'")
    op.execute("ALTER TABLE messages FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(op.f("ck_messages_state"), "messages", f"state IN ({_STATES})")
    op.drop_column("messages", "merged_into")
    op.drop_column("messages", "created_by")
    _index_of_open("'queued', 'handed', 'unknown'")
    op.drop_column("suppressed_addresses", "bounced")
    op.drop_column("organizations", "contact_cap")
