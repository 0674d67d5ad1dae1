"""The catalogue of occupations, which is no organization's."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _of_occupation(table: str, column: str = "code") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["release_id", column],
        ["occupations.release_id", "occupations.code"],
        name=op.f(f"fk_{table}_release_id_{column}"),
    )


def upgrade() -> None:
    op.global_table(
        "catalogue_releases",
        sa.Column("id", sa.SmallInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("tables", postgresql.JSONB(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('onet', 'starter', 'bls')", name=op.f("ck_catalogue_releases_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_releases")),
        sa.UniqueConstraint("key", name=op.f("uq_catalogue_releases_key")),
        sa.UniqueConstraint("checksum", name=op.f("uq_catalogue_releases_checksum")),
        app="SELECT",
    )
    op.create_index(
        "ix_catalogue_releases_current",
        "catalogue_releases",
        [sa.text("(kind = 'bls')")],
        unique=True,
        postgresql_where=sa.text("current"),
    )
    op.global_table(
        "occupations",
        sa.Column("release_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("job_zone", sa.SmallInteger(), nullable=True),
        sa.Column("interests", postgresql.ARRAY(sa.Double()), nullable=True),
        sa.Column("high_points", postgresql.ARRAY(sa.SmallInteger()), nullable=True),
        sa.Column("work_values", postgresql.ARRAY(sa.Double()), nullable=True),
        sa.Column("education", postgresql.ARRAY(sa.Double()), nullable=True),
        sa.Column("experience", postgresql.ARRAY(sa.Double()), nullable=True),
        sa.Column("plant_training", postgresql.ARRAY(sa.Double()), nullable=True),
        sa.Column("job_training", postgresql.ARRAY(sa.Double()), nullable=True),
        sa.Column("sources", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["catalogue_releases.id"], name=op.f("fk_occupations_release_id")),
        sa.PrimaryKeyConstraint("release_id", "code", name=op.f("pk_occupations")),
        app="SELECT",
    )
    op.global_table(
        "occupation_titles",
        sa.Column("release_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        _of_occupation("occupation_titles"),
        sa.PrimaryKeyConstraint("release_id", "code", "number", name=op.f("pk_occupation_titles")),
        app="SELECT",
    )
    op.global_table(
        "occupation_relations",
        sa.Column("release_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("related_code", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        _of_occupation("occupation_relations"),
        _of_occupation("occupation_relations", "related_code"),
        sa.PrimaryKeyConstraint("release_id", "code", "rank", name=op.f("pk_occupation_relations")),
        app="SELECT",
    )
    op.global_table(
        "occupation_skills",
        sa.Column("release_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("importance", sa.Double(), nullable=True),
        sa.Column("level", sa.Double(), nullable=True),
        sa.Column("suppressed", sa.Boolean(), nullable=False),
        sa.Column("not_relevant", sa.Boolean(), nullable=False),
        _of_occupation("occupation_skills"),
        sa.PrimaryKeyConstraint("release_id", "code", "element_id", name=op.f("pk_occupation_skills")),
        app="SELECT",
    )
    op.global_table(
        "occupation_tasks",
        sa.Column("release_id", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("core", sa.Boolean(), nullable=True),
        _of_occupation("occupation_tasks"),
        sa.PrimaryKeyConstraint("release_id", "code", "task_id", name=op.f("pk_occupation_tasks")),
        app="SELECT",
    )
    op.global_table(
        "outlook_figures",
        sa.Column("release_id", sa.SmallInteger(), nullable=False),
        sa.Column("soc_code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=True),
        sa.Column("growth", sa.Double(), nullable=True),
        sa.Column("openings", sa.Integer(), nullable=True),
        sa.Column("wage", sa.Numeric(12, 2), nullable=True),
        sa.Column("wage_text", sa.Text(), nullable=True),
        sa.Column("education", sa.Text(), nullable=True),
        sa.Column("experience", sa.Text(), nullable=True),
        sa.Column("training", sa.Text(), nullable=True),
        sa.Column("self_employed", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["release_id"], ["catalogue_releases.id"], name=op.f("fk_outlook_figures_release_id")),
        sa.PrimaryKeyConstraint("release_id", "soc_code", name=op.f("pk_outlook_figures")),
        app="SELECT",
    )


def downgrade() -> None:
    for table in (
        "outlook_figures",
        "occupation_tasks",
        "occupation_skills",
        "occupation_relations",
        "occupation_titles",
        "occupations",
        "catalogue_releases",
    ):
        op.drop_table(table)
