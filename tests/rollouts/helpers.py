"""A template with versions, plans that follow the first, and a digest of everything a roll-out may change."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.rollouts import Choice
from app.domain.steps import StepKey
from app.domain.template_content import checksum, content_as_json, parse_content
from app.features.jobs.runner import work
from app.features.plans.models import TemplateVersion
from app.features.rollouts import service
from app.features.rollouts.commands import RollOut
from app.infra.runtime import Runtime
from tests.factories import World

START = date(2026, 9, 7)
# Every column but the moment the plan was last written, by which calendars know that days moved.
_DIGEST = """
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
        SELECT (to_jsonb(p) - 'updated_at')::text AS line FROM plans p
        UNION ALL SELECT to_jsonb(s)::text FROM plan_steps s
        UNION ALL SELECT to_jsonb(c)::text FROM step_contents c
        UNION ALL SELECT to_jsonb(m)::text FROM step_marks m
        UNION ALL SELECT to_jsonb(a)::text FROM assignments a
    ) rows
"""


def recipe(**changes: Any) -> dict[str, Any]:
    """A recipe of the eight steps, due every 14 days; `changes` by step's key: None takes it out, else its days."""
    steps: dict[str, Any] = {
        key.value: {"enabled": True, "guidance": f"How to do {key}.", "due": {"kind": "after_start", "days": 14 * n}}
        for n, key in enumerate(StepKey, start=1)
    }
    for key, days in changes.items():
        if days is None:
            steps[key] = {"enabled": False}
        elif isinstance(days, dict):
            steps[key] = days
        else:
            steps[key]["due"] = {"kind": "after_start", "days": days}
    return {"steps": steps}


def add_version(runtime: Runtime, organization: UUID, template: UUID, version: int, raw: dict[str, Any]) -> None:
    """A further version of the template, published."""
    content = parse_content(deepcopy(raw))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.add(
            TemplateVersion(
                template_id=template,
                version=version,
                state="published",
                content=content_as_json(content),
                checksum=checksum(content),
                published_at=uow.now,
            )
        )


def two_versions(
    world: World, organization: UUID, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> UUID:
    """A template whose second version takes out opportunities, brings in the review and moves the goals' day."""
    before = recipe(review=None) if before is None else before
    after = recipe(opportunities=None, goals=100) if after is None else after
    template = world.template(organization, raw=before)
    add_version(world.runtime, organization, template, 2, after)
    return template


def plans(world: World, organization: UUID, template: UUID, number: int) -> list[UUID]:
    """So many new clients, each with a plan of the template's first version."""
    return [world.plan(organization, client, template) for client in world.clients(organization, number)]


def begin(runtime: Runtime, actor: access.Actor, template: UUID, **values: Any) -> UUID:
    """Begin to roll out version 2, to all steps unless `choice` says otherwise."""
    command = RollOut(**{"template_id": template, "version": 2, "choice": Choice.ALL} | values)
    with runtime.database.unit_of_work(actor) as uow:
        return service.start_rollout(uow, command).id


def finish(runtime: Runtime, organization: UUID) -> None:
    """Work as a worker does until nothing is left to do now."""
    work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(seconds=30))


def digest(runtime: Runtime, organization: UUID) -> str:
    """Of all plans and assignments as they stand."""
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return str(uow.session.execute(text(_DIGEST)).scalar_one())


def steps_of(runtime: Runtime, organization: UUID, plan: UUID) -> dict[int, tuple[str, date | None, str | None]]:
    """Status, due day and reason of each step of a plan."""
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        rows = uow.session.execute(
            text("SELECT step, status, due_on, reason FROM plan_steps WHERE plan_id = :plan ORDER BY step"),
            {"plan": plan},
        )
        return {row.step: (row.status, row.due_on, row.reason) for row in rows}


def version_of(runtime: Runtime, organization: UUID, plan: UUID) -> int:
    """The version a plan follows."""
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return int(
            uow.session.execute(
                text("SELECT template_version FROM plans WHERE id = :plan"), {"plan": plan}
            ).scalar_one()
        )
