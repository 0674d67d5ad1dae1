"""A new release of the catalogue: find the plans that rest on an occupation it moved, and note why.

The floor is the bare indexed query for the same plans, without row security, as a plain program would ask it.
"""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from app.bench.assign import START
from app.bench.harness import Measured, Place, interleaved, stopwatch
from app.domain import access
from app.domain.triggers import Rule, Trigger
from app.features.occupations import store
from app.features.occupations.content import Content, Release
from app.features.triggers.rules import set_a_day, set_rule
from app.features.triggers.service import look

_OCCUPATIONS = 923
_MOVED = 30
_AT_MOST_SECONDS = 10.0
_TEMPLATE = "INSERT INTO plan_templates (organization_id, id, name) VALUES (%(o)s, %(t)s, 'Bench')"
_VERSION = """
    INSERT INTO template_versions (organization_id, template_id, version, state, content, checksum, published_at)
    VALUES (%(o)s, %(t)s, 1, 'published', '{"steps": {}}', 'bench', now())
"""
_PLANS = """
    WITH made AS (
        INSERT INTO plans (organization_id, client_id, template_id, template_version, started_on, created_at)
        SELECT organization_id, id, %(t)s, 1, %(d)s, %(d)s FROM clients WHERE organization_id = %(o)s
        RETURNING organization_id, id
    )
    INSERT INTO plan_steps (organization_id, plan_id, step)
    SELECT organization_id, id, s FROM made CROSS JOIN generate_series(1, 8) s
"""
# Three options, one of them chosen and aimed at by a route of three stages: seven references a plan.
_CHOICE = """
    INSERT INTO step_contents (organization_id, plan_id, step, content)
    SELECT organization_id, plan_id, 4, jsonb_build_object('chosen', 'o1', 'options', (
        SELECT jsonb_agg(jsonb_build_object('id', 'o' || k, 'name', 'Option', 'release', %(r)s::text, 'code',
                         (%(c)s::text[])[1 + (n * 7 + k * 131) %% cardinality(%(c)s::text[])]))
        FROM generate_series(1, 3) k))
    FROM (SELECT *, row_number() OVER (ORDER BY plan_id) AS n FROM plan_steps
          WHERE organization_id = %(o)s AND step = 4) s
"""
_PATH = """
    INSERT INTO step_contents (organization_id, plan_id, step, content)
    SELECT organization_id, plan_id, 5, jsonb_build_object(
        'chosen', 'p1', 'paths', '[{"id": "p1", "kind": "technical"}]'::jsonb,
        'routes', jsonb_build_array(jsonb_build_object('id', 'r1', 'path', 'p1', 'stages', (
            SELECT jsonb_agg(jsonb_build_object('name', 'Stage', 'release', %(r)s::text, 'code',
                             (%(c)s::text[])[1 + (n * 11 + k * 57) %% cardinality(%(c)s::text[])]))
            FROM generate_series(1, 3) k))))
    FROM (SELECT *, row_number() OVER (ORDER BY plan_id) AS n FROM plan_steps
          WHERE organization_id = %(o)s AND step = 5) s
"""
_BARE = (
    "SELECT DISTINCT r.plan_id, r.ref FROM plan_references r JOIN plans p ON p.organization_id = r.organization_id"
    " AND p.id = r.plan_id AND p.status = 'active'"
    " WHERE r.organization_id = %(o)s AND r.kind = 'occupation' AND r.ref = ANY(%(c)s)"
)


def _release(label: str, moved: frozenset[str], codes: list[str]) -> Content:
    chance = random.Random(3)  # noqa: S311 - profiles to measure with, no secret
    rows: list[dict[str, Any]] = []
    for code in codes:
        interests = [chance.uniform(1, 7) for _ in range(6)]
        zone = chance.randint(1, 4) + (code in moved)
        rows.append(
            {
                "code": code,
                "title": f"Occupation {code}",
                "description": "Generated.",
                "job_zone": zone,
                "interests": interests,
                "sources": {},
            }
        )
    return Content(
        release=Release("onet", label, {"occupations": {"release": label}}, {}),
        occupations=rows,
        titles=[(code, f"Occupation {code}") for code in codes],
    )


def measure(place: Place, plans: int, *, limit: float | None, runs: int = 5) -> Measured:
    """From a release that is current to the reasons noted of every plan it touches."""
    codes = [f"{11 + 2 * (n % 23)}-{1000 + n // 23:04d}.00" for n in range(_OCCUPATIONS)]
    moved = frozenset(random.Random(4).sample(codes, _MOVED))  # noqa: S311 - which ones, no secret
    owner = place.settings.owner_database_url
    assert owner is not None
    former = store.store(owner, _release(f"before-{plans}", frozenset(), codes)).key
    organization, template = place.organization(), uuid4()
    place.clients(organization, plans)
    values = {"o": organization, "t": template, "d": START, "c": codes, "r": former}
    with place.superuser() as connection:
        for statement in (_TEMPLATE, _VERSION, _PLANS, _CHOICE, _PATH):
            connection.execute(statement, values)
    store.store(owner, _release(f"after-{plans}", moved, codes))
    actor = access.system(organization)
    with place.runtime.database.unit_of_work(actor) as uow:
        set_rule(uow, Rule(Trigger.CATALOGUE_MOVED, active=True))
        set_a_day(uow, 1)
    place.settle()

    def floor(_: int) -> float:
        with place.superuser() as connection, stopwatch() as seconds:
            found = connection.execute(_BARE, {"o": organization, "c": sorted(moved)}).fetchall()
            taken = seconds()
        assert found
        return taken

    def ours(_: int) -> float:
        with place.runtime.database.unit_of_work(actor) as uow:
            # What the run before found, so that each finds everything anew.
            uow.session.execute(text("DELETE FROM trigger_findings"))
        with stopwatch() as seconds, place.runtime.database.unit_of_work(actor) as uow:
            found = look(uow).found[Trigger.CATALOGUE_MOVED]
        taken = seconds()
        with place.superuser() as connection:
            bare = len(connection.execute(_BARE, {"o": organization, "c": sorted(moved)}).fetchall())
        assert found == bare, (found, bare)
        return taken

    return interleaved(
        "plans a release touches", plans, floor, ours, limit=limit, runs=runs, at_most_seconds=_AT_MOST_SECONDS
    )
