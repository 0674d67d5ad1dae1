"""Giving a template: a plan with its eight steps for everybody who has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, cast, func, select, text

from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.reading import check_day
from app.domain.saying import later
from app.domain.steps import StepStatus
from app.domain.template_content import parse_content
from app.features.assignments.commands import Assign
from app.features.assignments.days import first_day
from app.features.assignments.gifts import Gift, left_out
from app.features.assignments.models import Assignment
from app.features.audit.service import record_each
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.features.plans.models import PlanTemplate, TemplateVersion
from app.features.plans.queries import step_due_dates, terms_of
from app.features.plans.templates import refuse_missing_terms
from app.infra.db.open import Bell, UnitOfWork

_NOT_ASKED = later("Not part of this template.")

# One statement for many clients. A client who has an active plan meets the unique index and is left out.
_GIVE = text(
    """
    WITH made AS (
        INSERT INTO plans (client_id, template_id, template_version, started_on, assigned_by_job,
                           created_at, updated_at)
        SELECT c.id, :template_id, :version, :started_on, :job_id, :now, :now
        FROM clients c
        WHERE c.id = ANY(:clients) AND c.active
        ON CONFLICT DO NOTHING
        RETURNING id, client_id
    ), steps AS (
        INSERT INTO plan_steps (plan_id, step, status, due_on, reason)
        SELECT made.id, s.step, s.status, s.due_on, s.reason
        FROM made
        CROSS JOIN unnest(cast(:steps AS smallint[]), cast(:statuses AS text[]), cast(:dues AS date[]),
                          cast(:reasons AS text[])) AS s(step, status, due_on, reason)
    )
    SELECT client_id, id FROM made
    """
).bindparams(bindparam("clients", type_=ARRAY(Uuid)))

# A plan is untouched while nobody has worked on it, nothing more was given in it, and no prompt for it has left.
_TAKE_BACK = text(
    """
    DELETE FROM plans p
    WHERE p.assigned_by_job = :job_id AND p.client_id = ANY(:clients) AND p.touched_at IS NULL AND p.revision = 1
      AND NOT EXISTS (SELECT FROM prompts q WHERE q.organization_id = p.organization_id AND q.plan_id = p.id)
      AND NOT EXISTS (SELECT FROM plan_events e WHERE e.organization_id = p.organization_id AND e.plan_id = p.id)
    RETURNING p.client_id, p.id
    """
).bindparams(bindparam("clients", type_=ARRAY(Uuid)))


def published_version(uow: UnitOfWork, template_id: UUID, version: int) -> tuple[PlanTemplate, TemplateVersion]:
    """The template and its published version. Raises NotFound for a draft or a template that is not there."""
    row = uow.session.execute(
        select(PlanTemplate, TemplateVersion)
        .join(TemplateVersion, TemplateVersion.template_id == PlanTemplate.id)
        .where(
            PlanTemplate.id == template_id,
            TemplateVersion.version == version,
            TemplateVersion.state == "published",
        )
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such published version of a template.")
    template, found = row
    return template, found


def _check(uow: UnitOfWork, command: Assign) -> None:
    if command.template_id is None or command.version is None:
        raise InvalidInput([FieldProblem("template", "Choose a template.")])
    if command.started_on is None:
        raise InvalidInput([FieldProblem("started_on", "Give the day on which the plans start.")])
    if problems := check_day("started_on", command.started_on):
        raise InvalidInput(problems)
    _, version = published_version(uow, command.template_id, command.version)
    # A recipe that cannot be followed is refused before a job exists, with the places to mend.
    refuse_missing_terms(uow, parse_content(version.content))


def _version(uow: UnitOfWork, assignment: Assignment) -> TemplateVersion:
    assert assignment.template_id is not None
    assert assignment.template_version is not None
    return published_version(uow, assignment.template_id, assignment.template_version)[1]


def _give(uow: UnitOfWork, job: Job, assignment: Assignment, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    content = parse_content(_version(uow, assignment).content)
    # A term may be gone since the assignment was made; then the job ends with the sentence that says so.
    refuse_missing_terms(uow, content)
    started_on = first_day(uow, assignment)
    steps = step_due_dates(content, started_on, terms_of(uow))
    rows = uow.session.execute(
        _GIVE,
        {
            "template_id": assignment.template_id,
            "version": assignment.template_version,
            "started_on": started_on,
            "job_id": job.id,
            "now": uow.now,
            "clients": list(clients),
            "steps": [key.number for key, _, _ in steps],
            "statuses": [status.value for _, status, _ in steps],
            "dues": [due for _, _, due in steps],
            "reasons": [_NOT_ASKED if status is StepStatus.SKIPPED else None for _, status, _ in steps],
        },
    ).all()
    given = {row.client_id for row in rows}
    if rows:
        ids = cast([row.id for row in rows], ARRAY(Uuid))
        record_each(uow, "plan.assigned", "plan", select(func.unnest(ids)), job=str(job.id))
        # Reviews of new plans are scheduled by the sweep, because reviews stand above assignments on the ladder.
        uow.ring(Bell.SWEEP)
    settled = dict.fromkeys(given, Settled())
    if missed := [client for client in clients if client not in given]:
        codes = GIFT.outcomes(uow, assignment, missed)
        # Who could have had it a moment ago got a plan from somebody else in it.
        settled |= {client: left_out(codes[client] or "other_plan") for client in missed}
    return settled


def _take_back(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    rows = uow.session.execute(_TAKE_BACK, {"job_id": job.id, "clients": list(clients)}).all()
    if rows:
        ids = cast([row.id for row in rows], ARRAY(Uuid))
        record_each(uow, "plan.assignment_undone", "plan", select(func.unnest(ids)), job=str(job.id))
    gone = {row.client_id for row in rows}
    kept = Settled("kept", later("The plan was worked on or prompted for since, so it stays."))
    return {client: Settled("undone") if client in gone else kept for client in clients}


def _values(_: UnitOfWork, assignment: Assignment) -> Mapping[str, Any]:
    return {"template_id": assignment.template_id}


def _title(uow: UnitOfWork, assignment: Assignment) -> str:
    return uow.session.scalars(select(PlanTemplate.name).where(PlanTemplate.id == assignment.template_id)).one()


GIFT = Gift(
    what="template",
    # Large enough that a batch's fixed cost is small, small enough that a page shows it moving.
    batch=2000,
    outcome="CASE WHEN p.template_id = :template_id THEN 'this_plan' WHEN p.id IS NOT NULL THEN 'other_plan' END",
    values=_values,
    check=_check,
    title=_title,
    give=_give,
    take_back=_take_back,
)
