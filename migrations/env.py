"""Runs migrations as the owner: one at a time, each in one transaction, never waiting long for a lock."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

import migrations.ops  # noqa: F401 # registers op.tenant_table and its kin

# One number for the whole project; any constant serves that nothing else in the database uses.
_ADVISORY_LOCK = 7_001_408


def _run(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.execute(text("SET lock_timeout = '2s'"))
    connection.execute(text("SET statement_timeout = '10min'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes.get("target_metadata"),
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=False,
    )
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
        connection.commit()


_run(context.config.attributes["connection"])
