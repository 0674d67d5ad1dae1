"""Operations that write the tenancy rule into PostgreSQL, so that no migration does it by hand.

Application code is never imported here: a migration must mean the same in a year.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import PrimaryKeyConstraint, Table, inspect

POLICY = "organization_id = nullif(current_setting('octant.organization_id', true), '')::uuid"
APP = "octant_app"
IDENTITY = "octant_identity"


@Operations.register_operation("tenant_table")
class TenantTable(MigrateOperation):
    """`op.tenant_table(name, *columns_and_constraints, app=...)`.

    Creates the table, enables and forces row security with the one policy, and grants the
    application role what `app` lists (default: select, insert, update, delete).
    """

    def __init__(self, name: str, *parts: Any, app: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
        self.name = name
        self.parts = parts
        self.app = app

    @classmethod
    def tenant_table(cls, operations: Operations, name: str, *parts: Any, **options: Any) -> Table:
        return operations.invoke(cls(name, *parts, **options))


@Operations.implementation_for(TenantTable)
def _tenant_table(operations: Operations, operation: TenantTable) -> Table:
    name = operation.name
    keys = [part for part in operation.parts if isinstance(part, PrimaryKeyConstraint)]
    table = operations.create_table(
        name, *(part for part in operation.parts if not isinstance(part, PrimaryKeyConstraint))
    )
    # The primary key comes after the unique constraints. Every index begins with the organization, and while a
    # table is new the planner sees no difference between them; among equals it takes the latest. With another
    # choice the check of a reference reads all the organization's rows, and the first bulk insert costs n times n.
    for key in keys:
        operations.create_primary_key(key.name, name, [str(column) for column in key._pending_colargs])
    # No statistics by ANALYZE: by them one that joined since counts for nothing, every index looks equal for it, and
    # its first import costs n times n. What the planner is told instead stands in `app/infra/db/migrate.py`.
    operations.execute(f"ALTER TABLE {name} ALTER COLUMN organization_id SET STATISTICS 0")
    operations.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    operations.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    operations.execute(f"CREATE POLICY organization ON {name} USING ({POLICY}) WITH CHECK ({POLICY})")
    operations.execute(f"GRANT {operation.app} ON {name} TO {APP}")
    return table


@Operations.register_operation("primary_key_last")
class PrimaryKeyLast(MigrateOperation):
    """`op.primary_key_last(name)`: to be called after the indexes of a new tenant table, for the reason given above."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def primary_key_last(cls, operations: Operations, name: str) -> None:
        operations.invoke(cls(name))


@Operations.implementation_for(PrimaryKeyLast)
def _primary_key_last(operations: Operations, operation: PrimaryKeyLast) -> None:
    key = inspect(operations.get_bind()).get_pk_constraint(operation.name)
    operations.drop_constraint(key["name"], operation.name, type_="primary")
    operations.create_primary_key(key["name"], operation.name, key["constrained_columns"])


@Operations.register_operation("everywhere")
class Everywhere(MigrateOperation):
    """`op.everywhere(table, statement)`: change rows of a tenant table in all organizations.

    The owner obeys row security too and is in no organization: without this a statement finds no row.
    """

    def __init__(self, table: str, statement: str) -> None:
        self.table = table
        self.statement = statement

    @classmethod
    def everywhere(cls, operations: Operations, table: str, statement: str) -> None:
        operations.invoke(cls(table, statement))


@Operations.implementation_for(Everywhere)
def _everywhere(operations: Operations, operation: Everywhere) -> None:
    operations.execute(f"ALTER TABLE {operation.table} NO FORCE ROW LEVEL SECURITY")
    operations.execute(operation.statement)
    operations.execute(f"ALTER TABLE {operation.table} FORCE ROW LEVEL SECURITY")


@Operations.register_operation("global_table")
class GlobalTable(MigrateOperation):
    """`op.global_table(name, *parts, app="", identity="")`: a listed table without an organization."""

    def __init__(self, name: str, *parts: Any, app: str = "", identity: str = "") -> None:
        self.name = name
        self.parts = parts
        self.grants = {APP: app, IDENTITY: identity}

    @classmethod
    def global_table(cls, operations: Operations, name: str, *parts: Any, **options: Any) -> Table:
        return operations.invoke(cls(name, *parts, **options))


@Operations.implementation_for(GlobalTable)
def _global_table(operations: Operations, operation: GlobalTable) -> Table:
    table = operations.create_table(operation.name, *operation.parts)
    for role, privileges in operation.grants.items():
        if privileges:
            operations.execute(f"GRANT {privileges} ON {operation.name} TO {role}")
    return table


@Operations.register_operation("freeze_rows")
class FreezeRows(MigrateOperation):
    """`op.freeze_rows(table, when)`: a trigger that refuses UPDATE and DELETE of rows where `when` holds for OLD."""

    def __init__(self, table: str, when: str, sentence: str) -> None:
        self.table = table
        self.when = when
        self.sentence = sentence

    @classmethod
    def freeze_rows(cls, operations: Operations, table: str, *, when: str, sentence: str) -> None:
        operations.invoke(cls(table, when, sentence))


@Operations.implementation_for(FreezeRows)
def _freeze_rows(operations: Operations, operation: FreezeRows) -> None:
    function = f"{operation.table}_frozen"
    operations.execute(
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION '{operation.sentence}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    operations.execute(
        f"CREATE TRIGGER frozen BEFORE UPDATE OR DELETE ON {operation.table}"
        f" FOR EACH ROW WHEN ({operation.when}) EXECUTE FUNCTION {function}()"
    )
