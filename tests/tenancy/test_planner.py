"""T7: what is read is never more than the rows asked for, also right after an organization's first import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.domain import access
from app.features.models import metadata
from app.infra.db.migrate import admin_engine
from app.infra.db.open import UnitOfWork
from app.infra.db.tenancy import GLOBAL_TABLES
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import TEMPLATE, Servers

# As PostgreSQL asks it for each row of a referring table.
_CHECK_OF_A_REFERENCE = "SELECT 1 FROM ONLY {table} x WHERE organization_id = $1 AND id = $2 FOR KEY SHARE OF x"
_PUT = text(
    "INSERT INTO clients (external_id, given_name, family_name, given_folded, family_folded, email_folded,"
    " external_folded) SELECT i::text, 'G' || i, 'F' || i, 'g' || i, 'f' || i, '', i::text"
    " FROM generate_series(CAST(:first AS int), :last) i RETURNING id"
)


def _plan(uow: UnitOfWork, statement: str, kinds: str, values: Sequence[str], mode: str) -> list[dict[str, Any]]:
    """The nodes of the plan of a prepared statement, the outermost first."""
    name = f"p{uuid4().hex}"
    run = uow.session.connection().exec_driver_sql
    run(f"SET LOCAL plan_cache_mode = {mode}")
    run(f"PREPARE {name} ({kinds}) AS {statement}")
    [(found,)] = run(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name} ({', '.join(values)})").all()
    run(f"DEALLOCATE {name}")
    nodes, node = [], found[0]["Plan"]
    while node:
        nodes.append(node)
        node = (node.get("Plans") or [None])[0]
    return nodes


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("rows", [1, 50, 200, 3_000])
def test_a_reference_is_checked_by_the_primary_key_while_the_table_has_no_statistics(
    live: Runtime, rows: int, mode: str
) -> None:
    organization = World(live).organization()
    with live.database.unit_of_work(access.system(organization)) as uow:
        ids = list(uow.session.execute(_PUT, {"first": 1, "last": rows}).scalars())
        assert uow.session.execute(text("SELECT relpages FROM pg_class WHERE relname = 'clients'")).scalar_one() == 0
        statement = _CHECK_OF_A_REFERENCE.format(table="clients")
        nodes = _plan(uow, statement, "uuid, uuid", [f"'{organization}'", f"'{ids[0]}'"], mode)
    assert nodes[-1].get("Index Name") == "pk_clients"
    assert "Rows Removed by Filter" not in nodes[-1]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_a_batch_is_found_by_its_keys_and_not_by_reading_the_organization(live: Runtime, mode: str) -> None:
    organization = World(live).organization()
    with live.database.unit_of_work(access.system(organization)) as uow:
        ids: list[UUID] = list(uow.session.execute(_PUT, {"first": 1, "last": 20_000}).scalars())
        given = "'{" + ",".join(str(i) for i in ids[::200]) + "}'"
        nodes = _plan(uow, "SELECT time_zone FROM clients WHERE id = ANY($1)", "uuid[]", [given], mode)
    assert nodes[-1]["Index Name"] == "pk_clients"
    assert nodes[0]["Actual Rows"] == 100


def test_the_planner_is_told_the_same_share_for_every_table(servers: Servers) -> None:
    # As a superuser: the view leaves out tables whose rows the reader may not see.
    url = make_url(servers.postgres.superuser_url).set(database=TEMPLATE)
    with admin_engine(url.render_as_string(hide_password=False)).connect() as connection:
        rows = connection.execute(
            text("SELECT tablename, n_distinct FROM pg_stats WHERE attname = 'organization_id'")
        ).all()
    tenant = {t.name for t in metadata.tables.values() if "organization_id" in t.primary_key.columns}
    assert tenant - set(GLOBAL_TABLES) - {row.tablename for row in rows if row.n_distinct == 2} == set()
