"""Database roles, migrations and the catalogue check; used by the command line and the tests."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, MetaData, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

ROLES = ("octant_owner", "octant_app", "octant_identity")
# What the planner is told of every tenant table. Statistics of the organization would be wrong for whoever joined
# since the last ANALYZE, and without any PostgreSQL takes a two-hundredth: reading a whole organization then looks
# cheaper than finding a hundred rows by their keys, and work in batches costs n times n. Half is a mistake in the safe
# direction: every index begins with the organization, so that what is read instead is never more than what was asked
# for. Ids of tables that were never analyzed are told too, because without it 200 different ones are taken to be all.
_TELL_PLANNER = text(
    """
    SELECT pg_restore_attribute_stats(
        'schemaname', n.nspname::text, 'relname', c.relname::text, 'attname', a.attname::text, 'inherited', false,
        'null_frac', 0::real, 'avg_width', 16,
        'n_distinct', CASE a.attname WHEN 'organization_id' THEN 2 WHEN 'id' THEN -1 ELSE -0.1 END::real)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute o ON o.attrelid = c.oid AND o.attname = 'organization_id' AND o.attstattarget = 0
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.atttypid = 'uuid'::regtype
    WHERE c.relkind = 'r' AND n.nspname = 'public' AND (a.attname = 'organization_id' OR c.reltuples <= 0)
    """
)
_MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"


def admin_engine(url: str) -> Engine:
    """An engine without a pool for `url`, through psycopg."""
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)


def create_roles(superuser_url: str, passwords: dict[str, str]) -> None:
    """Create the three roles, or set their passwords where they exist. Safe to repeat.

    `passwords` has one entry for each of ROLES. Raises KeyError when one is missing.
    """
    with admin_engine(superuser_url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for role in ROLES:
            exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role}).scalar()
            verb = "ALTER" if exists else "CREATE"
            password = passwords[role].replace("'", "''")
            connection.exec_driver_sql(
                f"{verb} ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION"
                f" PASSWORD '{password}'"
            )


def create_database(superuser_url: str, name: str) -> None:
    """Create database `name` owned by octant_owner unless it exists; only the three roles may connect."""
    with admin_engine(superuser_url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :n"), {"n": name}).scalar():
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" OWNER octant_owner')
        connection.exec_driver_sql(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
        connection.exec_driver_sql(f'GRANT CONNECT ON DATABASE "{name}" TO octant_app, octant_identity')


def migrate(owner_url: str, *, revision: str = "head") -> None:
    """Bring the schema to `revision`; waits for another migration that is running."""
    with admin_engine(owner_url).connect() as connection:
        target = _config(connection)
        if revision == "base" or revision.startswith("-"):
            command.downgrade(target, revision)
        else:
            command.upgrade(target, revision)
            with admin_engine(owner_url).begin() as telling:
                telling.execute(_TELL_PLANNER)


def check_models(owner_url: str, metadata: MetaData) -> None:
    """Raise alembic's CommandError when the row classes and the migrated schema differ."""
    with admin_engine(owner_url).connect() as connection:
        command.check(_config(connection, metadata))


def _config(connection: Connection, metadata: MetaData | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["target_metadata"] = metadata
    return config
