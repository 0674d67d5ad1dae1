"""The phase of a new version of the template, brought to one plan in four; some keep days their counsellors set."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from app.demo.build import Build
from app.demo.cohort import COUNSELLORS
from app.domain.rollouts import Choice
from app.domain.steps import StepKey
from app.domain.template_content import content_as_json, parse_content
from app.features.plans.commands import SaveDraft, SetDueDate
from app.features.plans.service import set_due_date
from app.features.plans.templates import find_template, publish_template, save_draft, versions_of
from app.features.rollouts.commands import RollOut
from app.features.rollouts.models import RolloutStage
from app.features.rollouts.queries import view_rollout
from app.features.rollouts.service import start_rollout
from app.infra.db.open import UnitOfWork

# One in so many plans has a day that its counsellor set, so that the first stage meets a few conflicts.
_ONE_IN = 10
_LATER = 14
# The version that plans were given (`app.demo.cohort`).
_FOLLOWED = 2
_UNBEGUN = text(
    """
    SELECT g.plan_id, g.due_on FROM (
        SELECT s.plan_id, s.due_on, row_number() OVER (ORDER BY s.plan_id) AS n
        FROM plan_steps s JOIN plans p ON p.organization_id = s.organization_id AND p.id = s.plan_id
        WHERE s.step = :step AND s.status = 'not_started' AND p.status = 'active' AND p.template_id = :template
          AND EXISTS (SELECT FROM caseload_entries e JOIN memberships m ON m.organization_id = e.organization_id
                      AND m.id = e.membership_id WHERE e.organization_id = p.organization_id
                      AND e.client_id = p.client_id AND m.email = :counsellor)
    ) g WHERE g.n % :one_in = 0 ORDER BY g.plan_id
    """
)


def roll_out_new_version(build: Build) -> dict[str, Any]:
    """Counsellors set some days, an administrator publishes a new version and rolls it out to one plan in four."""
    template_id = UUID(build.fact("assignment", "template"))
    for email in COUNSELLORS:
        with build.runtime.database.unit_of_work(build.actor(email)) as uow:
            values = {"step": StepKey.GOALS.number, "template": template_id, "one_in": _ONE_IN, "counsellor": email}
            for plan_id, due_on in uow.session.execute(_UNBEGUN, values).all():
                day = due_on.replace(day=28)
                set_due_date(uow, SetDueDate(plan_id=plan_id, step=StepKey.GOALS, due_on=day))
    with build.runtime.database.unit_of_work(build.actor()) as uow:
        version = _new_version(uow, template_id)
        rollout = start_rollout(
            uow,
            RollOut(
                template_id=template_id,
                version=version,
                choice=Choice.NOT_STARTED,
                percent=25,
                most_conflicts=100,
                # People who come next go on getting the version of before until somebody has looked at the roll-out.
                standing=False,
                idempotency_key="demonstration",
            ),
        ).id
        job_id = uow.session.scalars(select(RolloutStage.job_id).where(RolloutStage.rollout_id == rollout)).one()
    build.wait_for_job(job_id)
    with build.runtime.database.unit_of_work(build.actor()) as uow:
        view = view_rollout(uow, rollout)
    return {"rollout": str(rollout), "plans": view.done, "conflicts": view.conflicts}


def _new_version(uow: UnitOfWork, template_id: UUID) -> int:
    """Goals and actions two weeks later than before, and a sentence more; made once."""
    latest = versions_of(uow, template_id)[0]
    if latest.version > _FOLLOWED:
        return latest.version
    raw = content_as_json(parse_content(latest.content))
    for key in (StepKey.GOALS, StepKey.ACTION_PLAN):
        raw["steps"][key]["due"]["days"] += _LATER
    raw["steps"][StepKey.GOALS]["guidance"] += "\n\nWrite down for each goal how you will know that it is reached."
    template = find_template(uow, template_id)
    command = SaveDraft(
        template_id=template_id,
        name=template.name,
        description=template.description,
        content=raw,
        over=latest.checksum,
    )
    save_draft(uow, command)
    return publish_template(uow, template_id).version
