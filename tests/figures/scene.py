"""An organization with attributes of which one follows from another, and plans in every state."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text

from app.domain import access
from app.features.clients.commands import DefineAttribute
from app.features.clients.service import define_attribute
from app.infra.runtime import Runtime
from tests.factories import World

PROGRAMMES = {"Law": "Arts", "History": "Arts", "Music": "Arts", "Physics": "Science", "Biology": "Science"}
_STATUSES = ("not_started", "in_progress", "submitted", "returned", "completed", "skipped")
_CLIENTS = """
    INSERT INTO clients (external_id, given_name, family_name, given_folded, family_folded, external_folded, attributes)
    SELECT 'F' || n, 'G', 'F' || n, 'g', 'f' || n, 'f' || n, given::jsonb
    FROM unnest(cast(:attributes AS text[])) WITH ORDINALITY AS u(given, n)
"""
_PLANS = """
    INSERT INTO plans (client_id, template_id, template_version, started_on)
    SELECT c.id, :template, 1, given::date
    FROM unnest(cast(:days AS text[])) WITH ORDINALITY AS u(given, n) JOIN clients c ON c.external_id = 'F' || n
"""
_STEPS = """
    INSERT INTO plan_steps (plan_id, step, status, due_on, changed_at, reason)
    SELECT p.id, s, given[s], CASE WHEN s < 5 THEN date '2020-01-01' ELSE date '2099-01-01' END,
           CASE WHEN u.n % 3 > 0 THEN timestamptz '2026-06-01 12:00Z' ELSE timestamptz '2026-09-05 12:00Z' END,
           CASE WHEN given[s] = 'skipped' THEN 'Not needed' END
    FROM unnest(cast(:plans AS text[])) WITH ORDINALITY AS u(line, n)
    CROSS JOIN LATERAL (SELECT string_to_array(line, ' ') AS given) g
    JOIN clients c ON c.external_id = 'F' || n JOIN plans p ON p.client_id = c.id
    CROSS JOIN generate_series(1, 8) s
"""


def make_organization(runtime: Runtime, world: World, people: int, seed: int, *, few: bool = False) -> UUID:
    """So many people with programme (of one faculty each), faculty and year, some without a year, all with plans.

    With `few` attributes they have only the programme, one of three.
    """
    organization = world.organization()
    template = world.template(organization)
    rng = np.random.default_rng(seed)
    names = list(PROGRAMMES)
    shares = [0.5, 0.35, 0.15, 0, 0] if few else [0.4, 0.08, 0.02, 0.3, 0.2]
    programme = rng.choice(len(names), size=people, p=shares)
    year = rng.choice(4, size=people, p=[0.45, 0.3, 0.2, 0.05])
    attributes: list[dict[str, Any]] = [
        {"programme": names[p]} | ({} if few else {"faculty": PROGRAMMES[names[p]]} | ({"year": int(y)} if y else {}))
        for p, y in zip(programme, year, strict=True)
    ]
    days = [date(2026, 2, 1) if early else date(2026, 5, 1) for early in rng.random(people) < 0.7]
    plans = []
    for p in programme:
        done = rng.integers(0, 5 + p % 3)
        rest = rng.choice(_STATUSES, size=8, p=[0.4, 0.2, 0.1, 0.15, 0.05, 0.1])
        plans.append(" ".join(["completed"] * done + list(rest[done:])))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for key, kind, choices in (
            ("programme", "choice", tuple(names)),
            ("faculty", "choice", ("Arts", "Science")),
            ("year", "number", ()),
        )[: 1 if few else 3]:
            define_attribute(uow, DefineAttribute(key=key, label=key.title(), kind=kind, choices=choices))
        uow.session.execute(text(_CLIENTS), {"attributes": [json.dumps(one) for one in attributes]})
        uow.session.execute(text(_PLANS), {"template": template, "days": [day.isoformat() for day in days]})
        uow.session.execute(text(_STEPS), {"plans": plans})
    return organization
