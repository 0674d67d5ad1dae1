"""Plans that are due for review, made by a few statements so that thousands take no time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from app.domain import access
from app.domain.steps import StepKey
from app.features.reviews.schedule import schedule_new_plans
from app.infra.runtime import Runtime

_STEPS = {"steps": {key.value: {"enabled": True, "guidance": "Do it."} for key in StepKey}}


def make_plans(
    runtime: Runtime,
    organization_id: UUID,
    number: int,
    *,
    started_on: date,
    recipe: Mapping[str, Any] | None = None,
    client: Mapping[str, Any] | None = None,
    schedule: bool = True,
) -> list[UUID]:
    """Clients, each with an active plan of eight steps; `client` overrides columns. Returns the plans' ids."""
    template = uuid4()
    columns = {"time_zone": None, "locale": None, "email": "yes"} | dict(client or {})
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        execute = uow.session.execute
        execute(
            text("INSERT INTO plan_templates (id, name) VALUES (:id, :name)"),
            {"id": template, "name": f"T {template}"},
        )
        execute(
            text(
                "INSERT INTO template_versions (template_id, version, state, content, checksum, published_at)"
                " VALUES (:id, 1, 'published', CAST(:content AS jsonb), 'x', now())"
            ),
            {"id": template, "content": json.dumps(_STEPS | ({"review_policy": recipe} if recipe else {}))},
        )
        execute(
            text(
                "INSERT INTO clients (external_id, given_name, family_name, email, given_folded, family_folded,"
                " external_folded, time_zone, locale) SELECT :t || n, 'Given' || n, 'Family' || n,"
                " CASE WHEN :email = 'yes' THEN 'client' || n || '@example.org' ELSE :email END, 'given', 'family',"
                " :t || n, :zone, :locale FROM generate_series(1, :number) n"
            ),
            {
                "t": str(template)[:8],
                "number": number,
                "email": columns["email"],
                "zone": columns["time_zone"],
                "locale": columns["locale"],
            },
        )
        plans = list(
            execute(
                text(
                    "INSERT INTO plans (client_id, template_id, template_version, started_on)"
                    " SELECT id, :t, 1, :d FROM clients WHERE starts_with(external_id, :x) RETURNING id"
                ),
                {"t": template, "d": started_on, "x": str(template)[:8]},
            ).scalars()
        )
        execute(
            text("INSERT INTO plan_steps (plan_id, step) SELECT p, s FROM unnest(:plans) p, generate_series(1, 8) s"),
            {"plans": plans},
        )
        if schedule:
            schedule_new_plans(uow, plans)
    return plans


def rows(runtime: Runtime, organization_id: UUID, statement: str, **values: Any) -> list[Any]:
    """What a query of the organization returns."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        return list(uow.session.execute(text(statement), values))
