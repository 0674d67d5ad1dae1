"""What became of graduates: graduations, outcomes with their history, links to tell of them, and files of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ORGANIZATION = "nullif(current_setting('octant.organization_id', true), '')::uuid"
_EMPLOYED = "status IN ('employed_full_time', 'employed_part_time')"


def _organization() -> sa.Column:
    return sa.Column("organization_id", sa.Uuid(), server_default=sa.text(_ORGANIZATION), nullable=False)


def _entity(table: str) -> list[sa.Column | sa.Constraint]:
    return [
        _organization(),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f(f"pk_{table}")),
    ]


def _id(name: str, *, needed: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=not needed)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _json(name: str, empty: str = "{}") -> sa.Column:
    return sa.Column(name, postgresql.JSONB(), server_default=sa.text(f"'{empty}'::jsonb"), nullable=False)


def _moment(name: str, *, now: bool = False, needed: bool = False) -> sa.Column:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not (now or needed))


def _key(table: str, column: str, parent: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{parent}.organization_id", f"{parent}.id"],
        name=op.f(f"fk_{table}_organization_id_{column}"),
        ondelete=ondelete,
    )


def _of_graduation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "client_id", "class_year"],
        ["graduations.organization_id", "graduations.client_id", "graduations.class_year"],
        name=op.f(f"fk_{table}_organization_id_client_id_class_year"),
        ondelete="CASCADE",
        onupdate="CASCADE",
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _graduations() -> None:
    op.tenant_table(
        "graduations",
        _organization(),
        _id("client_id", needed=True),
        sa.Column("class_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("graduated_on", sa.Date(), nullable=False),
        _id("job_id"),
        _id("created_by"),
        _moment("created_at", now=True),
        sa.CheckConstraint(
            "class_year = extract(year FROM graduated_on)::int + (extract(month FROM graduated_on) >= 7)::int",
            name=op.f("ck_graduations_class"),
        ),
        _key("graduations", "client_id", "clients", ondelete="CASCADE"),
        _key("graduations", "job_id", "jobs"),
        _key("graduations", "created_by", "memberships"),
        sa.PrimaryKeyConstraint("organization_id", "client_id", "class_year", name=op.f("pk_graduations")),
    )
    _index("graduations", "organization_id", "class_year")
    op.primary_key_last("graduations")


def _outcomes() -> None:
    op.tenant_table(
        "outcomes",
        *_entity("outcomes"),
        _id("client_id", needed=True),
        sa.Column("class_year", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("employment", sa.Text(), nullable=True),
        _text("employer"),
        _text("title"),
        sa.Column("occupation_release", sa.Text(), nullable=True),
        sa.Column("occupation_code", sa.Text(), nullable=True),
        _text("place"),
        sa.Column("salary", sa.Integer(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("known_on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        _moment("recorded_at", now=True),
        _id("recorded_by"),
        _id("job_id"),
        _moment("withdrawn_at"),
        _id("withdrawn_by"),
        sa.CheckConstraint(
            "status IN ('employed_full_time', 'employed_part_time', 'service', 'military', 'continuing_education',"
            " 'seeking_employment', 'seeking_education', 'not_seeking')",
            name=op.f("ck_outcomes_status"),
        ),
        sa.CheckConstraint(
            "employment IS NULL OR (employment IN ('organization', 'entrepreneur', 'temporary', 'freelance',"
            f" 'internship') AND {_EMPLOYED})",
            name=op.f("ck_outcomes_employment"),
        ),
        sa.CheckConstraint(
            "(salary IS NULL) = (currency IS NULL) AND (salary IS NULL OR (salary BETWEEN 0 AND 1000000000"
            f" AND currency ~ '^[A-Z]{{3}}$' AND {_EMPLOYED}))",
            name=op.f("ck_outcomes_salary"),
        ),
        sa.CheckConstraint(
            "(occupation_code IS NULL) = (occupation_release IS NULL)", name=op.f("ck_outcomes_occupation")
        ),
        sa.CheckConstraint(
            "source IN ('survey', 'counsellor', 'employer', 'social_profile', 'institution', 'other')",
            name=op.f("ck_outcomes_source"),
        ),
        _of_graduation("outcomes"),
        _key("outcomes", "recorded_by", "memberships"),
        _key("outcomes", "job_id", "jobs"),
        _key("outcomes", "withdrawn_by", "memberships"),
    )
    newest = [sa.text("known_on DESC"), sa.text("recorded_at DESC"), sa.text("id DESC")]
    op.create_index(
        "ix_outcomes_newest",
        "outcomes",
        ["organization_id", "client_id", "class_year", *newest],
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    _index("outcomes", "organization_id", "job_id")
    op.primary_key_last("outcomes")
    op.tenant_table(
        "outcome_links",
        *_entity("outcome_links"),
        _id("client_id", needed=True),
        sa.Column("class_year", sa.Integer(), nullable=False),
        _id("job_id"),
        _moment("created_at", now=True),
        _moment("expires_at", needed=True),
        _moment("used_at"),
        _of_graduation("outcome_links"),
        _key("outcome_links", "job_id", "jobs"),
    )
    _index("outcome_links", "organization_id", "client_id", "class_year")
    op.primary_key_last("outcome_links")


def _imports() -> None:
    op.tenant_table(
        "outcome_imports",
        *_entity("outcome_imports"),
        _id("file_id", needed=True),
        sa.Column("state", sa.Text(), server_default="uploaded", nullable=False),
        _json("source"),
        _json("mapping"),
        _json("pieces", "[]"),
        sa.Column("text_location", sa.Text(), nullable=True),
        _json("counts"),
        sa.Column("refusal", sa.Text(), nullable=True),
        _id("check_job_id"),
        _id("apply_job_id"),
        _id("created_by"),
        _moment("created_at", now=True),
        sa.CheckConstraint(
            "state IN ('uploaded', 'checking', 'checked', 'refused', 'applying', 'applied', 'undone')",
            name=op.f("ck_outcome_imports_state"),
        ),
        _key("outcome_imports", "file_id", "stored_files"),
        _key("outcome_imports", "check_job_id", "jobs"),
        _key("outcome_imports", "apply_job_id", "jobs"),
        _key("outcome_imports", "created_by", "memberships"),
    )
    _index("outcome_imports", "organization_id", "created_at")
    op.primary_key_last("outcome_imports")
    op.tenant_table(
        "outcome_rows",
        _organization(),
        _id("import_id", needed=True),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("piece", sa.Integer(), nullable=False),
        _text("external_id"),
        sa.Column("verdict", sa.Text(), nullable=False),
        _json("problems", "[]"),
        _id("client_id"),
        _json("given"),
        sa.CheckConstraint("verdict IN ('good', 'known', 'bad')", name=op.f("ck_outcome_rows_verdict")),
        _key("outcome_rows", "import_id", "outcome_imports", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("organization_id", "import_id", "line", name=op.f("pk_outcome_rows")),
    )
    _index("outcome_rows", "organization_id", "import_id", "verdict", "line")
    op.primary_key_last("outcome_rows")


def upgrade() -> None:
    _graduations()
    _outcomes()
    _imports()


def downgrade() -> None:
    for table in ("outcome_rows", "outcome_imports", "outcome_links", "outcomes", "graduations"):
        op.drop_table(table)
