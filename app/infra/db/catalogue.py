"""What PostgreSQL's own catalogue says about tenancy: run by the tests and, deployed, by `octant db check`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from app.infra.db.tenancy import GLOBAL_TABLES

_POLICY = "(organization_id = (NULLIF(current_setting('octant.organization_id'::text, true), ''::text))::uuid)"
_ROLES = ("octant_app", "octant_identity")
_PRIVATE = ("users", "user_sessions", "user_tokens")


def tenancy_problems(connection: Connection) -> list[str]:
    """A sentence for every place where the database breaks a rule of tenancy; empty when it keeps them all."""
    checks: tuple[Callable[[Connection], list[str]], ...] = (_policies, _keys, _references, _roles, _holes)
    return [problem for check in checks for problem in check(connection)]


def _rows(connection: Connection, statement: str, **values: Any) -> list[Any]:
    return list(connection.execute(text(statement), values).all())


def _policies(connection: Connection) -> list[str]:
    rows = _rows(
        connection,
        "SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,"
        " (SELECT array_agg(pg_get_expr(p.polqual, c.oid) || '|' || pg_get_expr(p.polwithcheck, c.oid))"
        "  FROM pg_policy p WHERE p.polrelid = c.oid) AS policies"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1",
    )
    tenant = [row for row in rows if row.name not in GLOBAL_TABLES]
    return [f"Table {row.name}: row security is not enabled and forced." for row in tenant if not row.forced] + [
        f"Table {row.name}: its policy is not the one policy of Octant."
        for row in tenant
        if row.policies != [f"{_POLICY}|{_POLICY}"]
    ]


def _keys(connection: Connection) -> list[str]:
    rows = _rows(
        connection,
        "SELECT c.relname AS name, i.relname AS index, a.attname AS first FROM pg_index x"
        " JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')",
    )
    return [
        f"Index {row.index} of {row.name} does not begin with the organization."
        for row in rows
        if row.name not in GLOBAL_TABLES and row.first != "organization_id"
    ]


def _references(connection: Connection) -> list[str]:
    rows = _rows(
        connection,
        "SELECT k.conname AS name, c.relname AS child, f.relname AS parent,"
        " EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(k.conkey)"
        "         AND a.attname = 'organization_id') AS composite"
        " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid"
        " WHERE k.contype = 'f'",
    )
    return [
        f"Reference {row.name} from {row.child} to {row.parent} could cross organizations."
        for row in rows
        if row.child not in GLOBAL_TABLES and row.parent not in GLOBAL_TABLES and not row.composite
    ]


def _roles(connection: Connection) -> list[str]:
    problems = [
        f"Role {row.rolname} could bypass row security."
        for row in _rows(connection, "SELECT * FROM pg_roles WHERE rolname = ANY(:roles)", roles=list(_ROLES))
        if row.rolsuper or row.rolbypassrls or row.rolcreaterole or row.rolcreatedb
    ]
    granted = _rows(
        connection,
        "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE table_schema = 'public' AND grantee = ANY(:roles)",
        roles=[*_ROLES, "PUBLIC"],
    )
    for row in granted:
        if row.privilege_type not in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            problems.append(f"Role {row.grantee} may {row.privilege_type} on {row.table_name}.")
        if row.grantee == "octant_app" and row.table_name in _PRIVATE:
            problems.append(f"Role octant_app may read or write {row.table_name}.")
        if row.grantee == "octant_identity" and row.table_name not in GLOBAL_TABLES:
            problems.append(f"Role octant_identity may read or write {row.table_name}.")
    return problems


def _holes(connection: Connection) -> list[str]:
    views = _rows(
        connection,
        "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND (c.relkind = 'm' OR (c.relkind = 'v'"
        "  AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}'))",
    )
    definers = _rows(
        connection,
        "SELECT p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'public' AND p.prosecdef",
    )
    return [f"View {row.name} shows rows past row security." for row in views] + [
        f"Function {row.name} runs with its owner's rights." for row in definers
    ]
