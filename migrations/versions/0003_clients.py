"""Clients, caseloads, roster imports and cohorts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.tenant_table(
        "attribute_definitions",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("choices", postgresql.JSONB(), nullable=True),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("key ~ '^[a-z][a-z0-9_]{0,39}$'", name=op.f("ck_attribute_definitions_key")),
        sa.CheckConstraint(
            "kind IN ('text', 'number', 'date', 'choice', 'boolean')",
            name=op.f("ck_attribute_definitions_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_attribute_definitions_organization_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_attribute_definitions")),
        sa.UniqueConstraint("organization_id", "key", name=op.f("uq_attribute_definitions_organization_id_key")),
    )
    op.tenant_table(
        "clients",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("given_folded", sa.Text(collation="C"), nullable=False),
        sa.Column("family_folded", sa.Text(collation="C"), nullable=False),
        sa.Column("email_folded", sa.Text(collation="C"), nullable=True),
        sa.Column("external_folded", sa.Text(collation="C"), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column(
            "attributes",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("row_digest", sa.LargeBinary(), nullable=True),
        sa.Column("membership_id", sa.Uuid(), nullable=True),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "membership_id"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_clients_organization_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name=op.f("fk_clients_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_clients")),
        sa.UniqueConstraint("organization_id", "external_id", name=op.f("uq_clients_organization_id_external_id")),
        sa.UniqueConstraint("organization_id", "membership_id", name=op.f("uq_clients_organization_id_membership_id")),
    )
    op.create_index(
        op.f("ix_clients_organization_id_email_folded"),
        "clients",
        ["organization_id", "email_folded"],
        unique=False,
    )
    op.create_index(
        op.f("ix_clients_organization_id_external_folded"),
        "clients",
        ["organization_id", "external_folded"],
        unique=False,
    )
    op.create_index(
        op.f("ix_clients_organization_id_family_folded_given_folded_id"),
        "clients",
        ["organization_id", "family_folded", "given_folded", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_clients_organization_id_given_folded"),
        "clients",
        ["organization_id", "given_folded"],
        unique=False,
    )
    op.primary_key_last("clients")
    op.tenant_table(
        "cohorts",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", postgresql.JSONB(), nullable=True),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stale", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('fixed', 'rule') AND (kind = 'rule') = (rule IS NOT NULL)", name=op.f("ck_cohorts_kind")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_cohorts_organization_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.organization_id"], name=op.f("fk_cohorts_organization_id")
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_cohorts")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_cohorts_organization_id_name")),
    )
    op.tenant_table(
        "caseload_entries",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="primary", nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('primary', 'supporting')", name=op.f("ck_caseload_entries_kind")),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_caseload_entries_organization_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "membership_id"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_caseload_entries_organization_id_membership_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "membership_id", "client_id", name=op.f("pk_caseload_entries")),
    )
    op.create_index(
        op.f("ix_caseload_entries_organization_id_client_id"),
        "caseload_entries",
        ["organization_id", "client_id"],
        unique=False,
    )
    op.create_index(
        "uq_caseload_entries_primary",
        "caseload_entries",
        ["organization_id", "client_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'primary'"),
    )
    op.primary_key_last("caseload_entries")
    op.tenant_table(
        "cohort_members",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_cohort_members_organization_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "cohort_id"],
            ["cohorts.organization_id", "cohorts.id"],
            name=op.f("fk_cohort_members_organization_id_cohort_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "cohort_id", "client_id", name=op.f("pk_cohort_members")),
    )
    op.create_index(
        op.f("ix_cohort_members_organization_id_client_id"),
        "cohort_members",
        ["organization_id", "client_id"],
        unique=False,
    )
    op.primary_key_last("cohort_members")
    op.tenant_table(
        "roster_imports",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="uploaded", nullable=False),
        sa.Column("source", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("text_location", sa.Text(), nullable=True),
        sa.Column(
            "mapping",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("deactivate_missing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "counts",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "guards",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("check_job_id", sa.Uuid(), nullable=True),
        sa.Column("apply_job_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('uploaded', 'checking', 'checked', 'refused', 'applying', 'applied', 'undone')",
            name=op.f("ck_roster_imports_state"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "apply_job_id"],
            ["jobs.organization_id", "jobs.id"],
            name=op.f("fk_roster_imports_organization_id_apply_job_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "check_job_id"],
            ["jobs.organization_id", "jobs.id"],
            name=op.f("fk_roster_imports_organization_id_check_job_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "confirmed_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_roster_imports_organization_id_confirmed_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_roster_imports_organization_id_created_by"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "file_id"],
            ["stored_files.organization_id", "stored_files.id"],
            name=op.f("fk_roster_imports_organization_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_roster_imports")),
    )
    op.create_index(
        op.f("ix_roster_imports_organization_id_created_at"),
        "roster_imports",
        ["organization_id", "created_at"],
        unique=False,
    )
    op.primary_key_last("roster_imports")
    op.tenant_table(
        "roster_chunks",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("byte_offset", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("byte_length", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_line", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("row_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lines", sa.Text(), server_default="", nullable=False),
        sa.Column("external_ids", sa.Text(), server_default="", nullable=False),
        sa.Column("external_folded", sa.Text(), server_default="", nullable=False),
        sa.Column("given_names", sa.Text(), server_default="", nullable=False),
        sa.Column("given_folded", sa.Text(), server_default="", nullable=False),
        sa.Column("family_names", sa.Text(), server_default="", nullable=False),
        sa.Column("family_folded", sa.Text(), server_default="", nullable=False),
        sa.Column("emails", sa.Text(), server_default="", nullable=False),
        sa.Column("emails_folded", sa.Text(), server_default="", nullable=False),
        sa.Column("time_zones", sa.Text(), server_default="", nullable=False),
        sa.Column("locales", sa.Text(), server_default="", nullable=False),
        sa.Column("actives", sa.Text(), server_default="", nullable=False),
        sa.Column("counsellors", sa.Text(), server_default="", nullable=False),
        sa.Column("attributes", sa.Text(), server_default="", nullable=False),
        sa.Column("created_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "import_id"],
            ["roster_imports.organization_id", "roster_imports.id"],
            name=op.f("fk_roster_chunks_organization_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_roster_chunks")),
        sa.UniqueConstraint(
            "organization_id", "import_id", "number", name=op.f("uq_roster_chunks_organization_id_import_id_number")
        ),
    )
    # Packed columns are written once and read twice; compressing them would take longer than all else of a check.
    for packed in (
        "lines", "external_ids", "external_folded", "given_names", "given_folded", "family_names", "family_folded",
        "emails", "emails_folded", "time_zones", "locales", "actives", "counsellors", "attributes",
    ):  # fmt: skip
        op.execute(f"ALTER TABLE roster_chunks ALTER COLUMN {packed} SET STORAGE EXTERNAL")
    op.tenant_table(
        "roster_rows",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chunk_id", sa.Uuid(), nullable=True),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("problems", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('bad', 'updated', 'deactivated', 'undone', 'kept')", name=op.f("ck_roster_rows_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "import_id"],
            ["roster_imports.organization_id", "roster_imports.id"],
            name=op.f("fk_roster_rows_organization_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "import_id", "line", name=op.f("pk_roster_rows")),
    )
    op.create_index(
        op.f("ix_roster_rows_organization_id_import_id_outcome_line"),
        "roster_rows",
        ["organization_id", "import_id", "outcome", "line"],
        unique=False,
    )
    op.create_index(
        op.f("ix_roster_rows_organization_id_chunk_id"),
        "roster_rows",
        ["organization_id", "chunk_id"],
        unique=False,
    )
    op.primary_key_last("roster_rows")


def downgrade() -> None:
    op.drop_table("roster_rows")
    op.drop_table("roster_chunks")
    op.drop_table("roster_imports")
    op.drop_table("cohort_members")
    op.drop_table("caseload_entries")
    op.drop_table("cohorts")
    op.drop_table("clients")
    op.drop_table("attribute_definitions")
