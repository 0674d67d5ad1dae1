"""Real servers for tests: PostgreSQL and Valkey, a migrated template database, and databases cloned from it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from app.config import Settings
from app.domain.access import Actor
from app.features.occupations.starter import load_starter
from app.infra.db.migrate import ROLES, admin_engine, create_database, create_roles, migrate
from app.infra.db.open import Database, Doorbell
from app.infra.db.tenancy import TenantSession
from app.infra.embedded import PostgresServer, ValkeyServer, remove_data, start_postgres, start_valkey

TEMPLATE = "octant_template"
# May become either role, and nothing else: one connection then serves both inside one outer transaction.
TEST_ROLE = "octant_test"


class Servers:
    """The servers of one test process."""

    def __init__(self, root: Path) -> None:
        self.postgres: PostgresServer = start_postgres(root / "postgres", durable=False)
        self.valkey: ValkeyServer = start_valkey(root / "valkey")
        self.passwords = {role: secrets.token_hex(8) for role in (*ROLES, TEST_ROLE)}
        superuser = self.postgres.superuser_url
        create_roles(superuser, self.passwords)
        create_database(superuser, TEMPLATE)
        migrate(self.url("octant_owner", TEMPLATE))
        load_starter(self.url("octant_owner", TEMPLATE))
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute(
                f"CREATE ROLE {TEST_ROLE} LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS"
                f" PASSWORD '{self.passwords[TEST_ROLE]}'"
            )
            connection.execute(f"GRANT octant_app, octant_identity TO {TEST_ROLE}")

    def url(self, role: str, database: str) -> str:
        """The address of a database as one of the roles."""
        url = make_url(self.postgres.superuser_url).set(username=role, password=self.passwords[role], database=database)
        return url.render_as_string(hide_password=False)

    def clone(self) -> str:
        """Make a database of its own from the migrated template and return its name."""
        name = f"octant_{secrets.token_hex(6)}"
        with psycopg.connect(self.postgres.superuser_url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER octant_owner")
            connection.execute(f"GRANT CONNECT ON DATABASE {name} TO octant_app, octant_identity, {TEST_ROLE}")
        return name

    def drop(self, name: str) -> None:
        """Remove a cloned database, ending whoever is still connected."""
        with psycopg.connect(self.postgres.superuser_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def settings(self, database: str, storage: Path) -> Settings:
        """Settings of an installation on a database of these servers."""
        return Settings(
            database_url=self.url("octant_app", database),
            identity_database_url=self.url("octant_identity", database),
            owner_database_url=self.url("octant_owner", database),
            broker_url=self.valkey.url,
            # New each time, so that attempts counted in the shared Valkey are one test's own.
            secret_key="test-secret-" + secrets.token_hex(24),
            public_url="http://localhost",
            storage_dir=storage,
            smtp_url="smtp://127.0.0.1:1",
            mail_from="Octant <octant@example.org>",
            environment="test",
            log_format="text",
        )

    def stop(self) -> None:
        """Stop both servers and delete their data: run by root they lie outside pytest's own folder."""
        self.postgres.stop("immediate")
        self.valkey.stop()
        remove_data(self.postgres.data_dir)
        remove_data(self.valkey.data_dir)


class OuterTransactionDatabase(Database):
    """Both roles on one connection inside one transaction that is rolled back: a test leaves nothing behind."""

    def __init__(self, settings: Settings, doorbell: Doorbell, connection: Connection, clock: Callable[[], datetime]):
        super().__init__(settings, doorbell, clock=clock)
        self._connection = connection

    def tenant_session(self, actor: Actor, moment: datetime) -> TenantSession:
        session = TenantSession(
            actor.organization_id,
            member_id=actor.membership_id,
            moment=moment,
            bind=self._connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )
        session.execute(text("SET LOCAL ROLE octant_app"))
        return session

    def directory_session(self) -> Session:
        return self._session("octant_app")

    def sign_in_session(self) -> Session:
        return self._session("octant_identity")

    def _session(self, role: str) -> Session:
        session = Session(self._connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        session.execute(text(f"SET LOCAL ROLE {role}"))
        session.execute(text("SELECT set_config('octant.organization_id', '', true)"))
        return session


class Clock:
    """A clock a test sets; begins at a working morning."""

    def __init__(self) -> None:
        self.now = datetime(2026, 9, 7, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_engine(servers: Servers, database: str):  # type: ignore[no-untyped-def] # a SQLAlchemy engine
    """An engine of the test role, without a pool."""
    return admin_engine(servers.url(TEST_ROLE, database))


__all__ = ["Clock", "OuterTransactionDatabase", "Servers", "replace", "test_engine"]
