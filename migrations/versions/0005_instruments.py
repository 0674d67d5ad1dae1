"""Instruments and assessments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.tenant_table(
        "instruments",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.organization_id"],
            name=op.f("fk_instruments_organization_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_instruments")),
        sa.UniqueConstraint("organization_id", "key", name=op.f("uq_instruments_organization_id_key")),
    )
    op.tenant_table(
        "instrument_versions",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("instrument_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("loaded_by", sa.Uuid(), nullable=True),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "instrument_id"],
            ["instruments.organization_id", "instruments.id"],
            name=op.f("fk_instrument_versions_organization_id_instrument_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "loaded_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_instrument_versions_organization_id_loaded_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "instrument_id", "version", name=op.f("pk_instrument_versions")),
        sa.UniqueConstraint(
            "organization_id",
            "instrument_id",
            "checksum",
            name=op.f("uq_instrument_versions_organization_id_instrument_id_checksum"),
        ),
        app="SELECT, INSERT",
    )
    op.tenant_table(
        "assessments",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("instrument_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("responses", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("scores", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("answered", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("source IN ('import', 'portal', 'counsellor')", name=op.f("ck_assessments_source")),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_assessments_organization_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "instrument_id", "version"],
            [
                "instrument_versions.organization_id",
                "instrument_versions.instrument_id",
                "instrument_versions.version",
            ],
            name=op.f("fk_assessments_organization_id_instrument_id_version"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_assessments")),
        sa.UniqueConstraint(
            "organization_id",
            "client_id",
            "instrument_id",
            "source_key",
            name=op.f("uq_assessments_organization_id_client_id_instrument_id_source_key"),
        ),
    )
    op.create_index(
        op.f("ix_assessments_organization_id_client_id_taken_at"),
        "assessments",
        ["organization_id", "client_id", "taken_at"],
        unique=False,
    )
    op.primary_key_last("assessments")

    op.tenant_table(
        "sittings",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("instrument_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("responses", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("seconds", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assessment_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (assessment_id IS NULL)",
            name=op.f("ck_sittings_finished"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            name=op.f("fk_sittings_organization_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "assessment_id"],
            ["assessments.organization_id", "assessments.id"],
            name=op.f("fk_sittings_organization_id_assessment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "instrument_id", "version"],
            [
                "instrument_versions.organization_id",
                "instrument_versions.instrument_id",
                "instrument_versions.version",
            ],
            name=op.f("fk_sittings_organization_id_instrument_id_version"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_sittings")),
    )
    op.create_index(
        "ux_sittings_open",
        "sittings",
        ["organization_id", "client_id", "instrument_id"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index(
        op.f("ix_sittings_organization_id_assessment_id"),
        "sittings",
        ["organization_id", "assessment_id"],
        unique=False,
    )
    op.primary_key_last("sittings")
    op.tenant_table(
        "former_scorings",
        sa.Column(
            "organization_id",
            sa.Uuid(),
            server_default=sa.text("nullif(current_setting('octant.organization_id', true), '')::uuid"),
            nullable=False,
        ),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("responses", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("scores", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("answered", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "assessment_id"],
            ["assessments.organization_id", "assessments.id"],
            name=op.f("fk_former_scorings_organization_id_assessment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "replaced_by"],
            ["memberships.organization_id", "memberships.id"],
            name=op.f("fk_former_scorings_organization_id_replaced_by"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "assessment_id", "number", name=op.f("pk_former_scorings")),
        app="SELECT, INSERT",
    )

    op.freeze_rows(
        "instrument_versions",
        when="true",
        sentence="A loaded instrument version never changes; load the definition again as a new version.",
    )


def downgrade() -> None:
    op.drop_table("former_scorings")
    op.drop_table("sittings")
    op.drop_table("assessments")
    op.drop_table("instrument_versions")
    op.drop_table("instruments")
    op.execute("DROP FUNCTION instrument_versions_frozen()")
