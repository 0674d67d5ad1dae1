"""Rows leave as they are found: nothing is sorted whole before the first of them, and they are the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.saying import plain as in_english
from app.features.extracts.definition import stored_definition
from app.features.extracts.queries import offered, reading_of
from app.features.extracts.statements import Reading, plain
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from tests.extracts.scene import WHO, definition
from tests.factories import Person, World

# Half of them share their names, so that their order is told by what stands last in it.
PEOPLE = 3_000
_CLIENTS = text(
    "INSERT INTO clients (external_id, given_name, family_name, given_folded, family_folded, external_folded)"
    " SELECT i::text, 'Kim', 'Lee', n, n, i::text FROM (SELECT i, CASE i % 2 WHEN 0 THEN 'same' ELSE md5(i::text) END n"
    " FROM generate_series(1, CAST(:people AS int)) i) numbered"
)
_PLANS = text(
    "WITH made AS (INSERT INTO plans (client_id, template_id, template_version, started_on)"
    " SELECT id, CAST(:template AS uuid), 1, date '2026-09-07' FROM clients RETURNING id)"
    " INSERT INTO plan_steps (plan_id, step) SELECT made.id, s FROM made CROSS JOIN generate_series(8, 1, -1) s"
)
HERE = {"all": [{"field": "@active", "is": "is", "values": [True]}]}
PLANNED = {"all": [{"field": "@plan", "is": "is", "values": [True]}]}
TO_DO = {"all": [{"field": "row.status", "is": "is_not", "values": ["completed"]}]}


def read(uow: UnitOfWork, person: Person, raw: dict[str, Any]) -> Reading:
    return reading_of(uow, stored_definition(raw), person.actor, in_english)


def nodes(uow: UnitOfWork, reading: Reading) -> list[str]:
    """The nodes of the plan by which PostgreSQL reads, as it names them; without what it asks for each row."""
    statement = plain(reading).compile(uow.session.connection().engine, compile_kwargs={"literal_binds": True})
    ((found,),) = uow.session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}").all()

    def of(node: dict[str, Any]) -> Iterator[str]:
        yield node["Node Type"]
        for one in node.get("Plans", ()):
            if one["Parent Relationship"] != "SubPlan":
                yield from of(one)

    return list(of(found[0]["Plan"]))


@pytest.mark.parametrize("kind", ["clients", "steps"])
@pytest.mark.parametrize("rule", [None, HERE], ids=["all", "who is active"])
def test_nothing_is_sorted_whole_before_the_first_row(world: World, runtime: Runtime, kind: str, rule: Any) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    here = admin.actor.organization_id
    template = world.template(here)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(_CLIENTS, {"people": PEOPLE})
        uow.session.execute(_PLANS, {"template": template})
    with runtime.database.unit_of_work(admin.actor) as uow:
        columns = list(offered(uow, kind, in_english))
        reading = read(uow, admin, definition(kind, columns, rule=rule))
        assert reading.in_turn
        sorts = [node for node in nodes(uow, reading) if "Sort" in node]
        assert sorts == (["Incremental Sort"] if kind == "steps" else []), nodes(uow, reading)
        sorted_whole = replace(reading, in_turn=False)
        assert "Limit" not in nodes(uow, sorted_whole)
        rows = uow.session.execute(plain(reading)).all()
        assert len(rows) == PEOPLE * (8 if kind == "steps" else 1)
        assert rows == uow.session.execute(plain(sorted_whole)).all()


@pytest.mark.parametrize(
    ("raw", "in_turn"),
    [
        (definition("steps", [*WHO, "step"], rule=TO_DO), True),
        (definition("steps", [*WHO, "step"], rule=PLANNED), False),
        (definition("steps", [*WHO, "due_on"], order=[{"column": "due_on", "descending": True}]), False),
        (definition("steps", group=["status"]), False),
        (definition("remarks", [*WHO, "author"]), False),
    ],
    ids=["by their own column", "by what other tables say", "ordered", "counted", "no index leads there"],
)
def test_what_cannot_leave_in_turn_is_read_as_sets(
    world: World, runtime: Runtime, raw: dict[str, Any], in_turn: bool
) -> None:
    here = world.organization()
    admin, counsellor = world.person(here, Role.ADMIN), world.person(here, Role.COUNSELLOR)
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert read(uow, admin, raw).in_turn is in_turn
    # Whose people they are is asked of other tables.
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        assert not read(uow, counsellor, raw).in_turn
