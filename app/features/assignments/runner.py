"""What workers do to assign: plans and steps of a whole batch in one statement, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask_babel import lazy_gettext
from sqlalchemy import ARRAY, Uuid, bindparam, cast, func, select, text

from app.domain import access
from app.domain.saying import later
from app.domain.steps import StepStatus
from app.domain.template_content import TemplateContent, parse_content
from app.features.assignments.models import Assignment
from app.features.assignments.service import ASSIGN, extend_standing
from app.features.audit.service import record_each
from app.features.jobs.kinds import JobKind
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.features.plans.models import TemplateVersion
from app.features.plans.queries import step_due_dates, terms_of
from app.features.plans.templates import refuse_missing_terms
from app.infra.db.open import Bell, UnitOfWork
from app.infra.runtime import Runtime

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

# A plan is untouched while nobody has worked on it and no prompt for it has left.
_TAKE_BACK = text(
    """
    DELETE FROM plans p
    WHERE p.assigned_by_job = :job_id AND p.client_id = ANY(:clients) AND p.touched_at IS NULL AND p.revision = 1
      AND NOT EXISTS (SELECT 1 FROM prompts q WHERE q.plan_id = p.id)
    RETURNING p.client_id, p.id
    """
).bindparams(bindparam("clients", type_=ARRAY(Uuid)))


def _give(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    assignment, content = _recipe(uow, job)
    # A term may be gone since the assignment was made; then the job ends with the sentence that says so.
    refuse_missing_terms(uow, content)
    steps = step_due_dates(content, assignment.started_on, terms_of(uow))
    rows = uow.session.execute(
        _GIVE,
        {
            "template_id": assignment.template_id,
            "version": assignment.template_version,
            "started_on": assignment.started_on,
            "job_id": job.id,
            "now": uow.now,
            "clients": list(clients),
            "steps": [key.number for key, _, _ in steps],
            "statuses": [status.value for _, status, _ in steps],
            "dues": [due for _, _, due in steps],
            "reasons": [_NOT_ASKED if status is StepStatus.SKIPPED else None for _, status, _ in steps],
        },
    ).all()
    plan_ids = [row.id for row in rows]
    given = {row.client_id for row in rows}
    if plan_ids:
        ids = cast(plan_ids, ARRAY(Uuid))
        record_each(uow, "plan.assigned", "plan", select(func.unnest(ids)), job=str(job.id))
        # Reviews of new plans are scheduled by the sweep, because reviews stand above assignments on the ladder.
        uow.ring(Bell.SWEEP)
    left_out = Settled("skipped", "Has an active plan already, or is no longer active.")
    return {client: Settled() if client in given else left_out for client in clients}


def _take_back(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    rows = uow.session.execute(_TAKE_BACK, {"job_id": job.id, "clients": list(clients)}).all()
    if rows:
        ids = cast([row.id for row in rows], ARRAY(Uuid))
        record_each(uow, "plan.assignment_undone", "plan", select(func.unnest(ids)), job=str(job.id))
    gone = {row.client_id for row in rows}
    kept = Settled("kept", "The plan was worked on or prompted for since, so it stays.")
    assignment = uow.session.scalars(select(Assignment).where(Assignment.job_id == job.id)).one_or_none()
    if assignment is not None:
        assignment.state = "undone"
    return {client: Settled("undone") if client in gone else kept for client in clients}


def _recipe(uow: UnitOfWork, job: Job) -> tuple[Assignment, TemplateContent]:
    assignment, content = uow.session.execute(
        select(Assignment, TemplateVersion.content)
        .join(
            TemplateVersion,
            (TemplateVersion.template_id == Assignment.template_id)
            & (TemplateVersion.version == Assignment.template_version),
        )
        .where(Assignment.id == UUID(job.params["assignment"]))
    ).one()
    return assignment, parse_content(content)


def assign_to_joiners(runtime: Runtime, organization_id: UUID) -> None:
    """Give standing assignments to clients who joined their cohort since; part of the sweep."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        extend_standing(uow)


KIND = JobKind(
    name=ASSIGN,
    label=lazy_gettext("Assign a template"),
    # Large enough that a batch's fixed cost is small, small enough that a page shows it moving.
    batch_size=2000,
    batch=_give,
    undo_batch=_take_back,
)
