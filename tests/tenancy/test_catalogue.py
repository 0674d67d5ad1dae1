"""T1: what the database's own catalogue says about tenancy, and that breaking a rule shows (T6 in the small)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from app.features.models import metadata
from app.infra.db.catalogue import tenancy_problems
from app.infra.db.migrate import admin_engine, check_models, migrate
from app.infra.db.tenancy import GLOBAL_TABLES, POLICY
from tests.harness import Servers


@pytest.fixture
def owner(servers: Servers, shared_database: str) -> Iterator[Connection]:
    """The schema as its owner sees it; whatever a test changes is rolled back."""
    with admin_engine(servers.url("octant_owner", shared_database)).connect() as connection:
        yield connection
        connection.rollback()


def test_every_table_is_a_tenants_or_listed(owner: Connection) -> None:
    tables = {r[0] for r in owner.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))}
    tenant = {t.name for t in metadata.tables.values() if "organization_id" in t.primary_key.columns}
    assert tables == tenant | set(GLOBAL_TABLES)
    assert len(tenant - set(GLOBAL_TABLES)) > 30


def test_t1_the_database_keeps_every_rule(owner: Connection) -> None:
    assert tenancy_problems(owner) == []


def test_the_primary_key_is_the_latest_index_of_every_tenant_table(owner: Connection) -> None:
    # Among indexes that cost the same the planner takes the latest; see migrations/ops.py. A partial one serves only
    # queries that imply its predicate, which no check of a reference does.
    tenant = {t.name for t in metadata.tables.values() if "organization_id" in t.primary_key.columns}
    rows = owner.execute(
        text(
            "SELECT DISTINCT ON (c.relname) c.relname, x.indisprimary FROM pg_index x"
            " JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND x.indpred IS NULL ORDER BY c.relname, x.indexrelid DESC"
        )
    )
    assert {name for name, primary in rows if not primary and name in tenant - set(GLOBAL_TABLES)} == set()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("DROP POLICY organization ON clients", "Table clients: its policy"),
        ("ALTER TABLE plans NO FORCE ROW LEVEL SECURITY", "Table plans: row security"),
        ("ALTER TABLE plans DISABLE ROW LEVEL SECURITY", "Table plans: row security"),
        ("CREATE POLICY other ON jobs USING (true)", "Table jobs: its policy"),
        (f"ALTER POLICY organization ON jobs USING ({POLICY} OR true)", "Table jobs: its policy"),
        ("ALTER POLICY organization ON jobs WITH CHECK (true)", "Table jobs: its policy"),
        ("CREATE TABLE leak (id int PRIMARY KEY)", "Table leak: row security"),
        ("CREATE UNIQUE INDEX leak ON clients (external_id)", "Index leak of clients"),
        ("CREATE VIEW leak AS SELECT * FROM clients", "View leak"),
        ("CREATE MATERIALIZED VIEW leak AS SELECT * FROM clients", "View leak"),
        (
            "CREATE FUNCTION leak() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            "Function leak",
        ),
        ("GRANT TRUNCATE ON clients TO octant_app", "Role octant_app may TRUNCATE on clients"),
        ("GRANT SELECT ON users TO octant_app", "Role octant_app may read or write users"),
        ("GRANT SELECT ON clients TO octant_identity", "Role octant_identity may read or write clients"),
        (
            "ALTER TABLE plans ADD COLUMN other uuid, ADD UNIQUE (organization_id, other);"
            "ALTER TABLE clients ADD COLUMN plan uuid;"
            "ALTER TABLE plans ADD UNIQUE (id);"
            "ALTER TABLE clients ADD CONSTRAINT leak FOREIGN KEY (plan) REFERENCES plans (id)",
            "Reference leak from clients to plans",
        ),
    ],
)
def test_t6_a_broken_rule_is_found(owner: Connection, broken: str, said: str) -> None:
    for statement in broken.split(";"):
        owner.execute(text(statement))
    assert [p for p in tenancy_problems(owner) if p.startswith(said)]


def test_models_equal_migrations_down_and_up_again(servers: Servers) -> None:
    name = servers.clone()
    url = servers.url("octant_owner", name)
    check_models(url, metadata)
    migrate(url, revision="base")
    migrate(url)
    check_models(url, metadata)
    servers.drop(name)
