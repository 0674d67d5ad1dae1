"""Giving a step, or a due day: the step becomes part of the plan if it was not, and is due by the day given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext
from sqlalchemy import text

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.assignments.commands import Assign, What
from app.features.assignments.days import check_due, due_day
from app.features.assignments.gifts import Gift, left_out, lock_plans
from app.features.assignments.models import Assignment
from app.features.audit.service import record
from app.features.jobs.claims import note_written, places_of
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.features.plans.rooms import step_of
from app.features.plans.words import step_names
from app.infra.db.open import UnitOfWork

# What was there before is kept with the item, for undoing. Steps that were just read are found again by where they lie,
# not by their key: their plans are locked.
_GIVE = """
    , given AS (
        UPDATE plan_steps s
        SET status = CASE WHEN s.status = 'skipped' THEN 'not_started' ELSE s.status END,
            reason = CASE WHEN s.status = 'skipped' THEN NULL ELSE s.reason END,
            due_on = coalesce(CAST(:due AS date), s.due_on)
        FROM chosen g
        WHERE g.outcome IS NULL AND s.ctid = g.step_at
        RETURNING g.client_id, g.position, g.listed, g.plan_id, g.status AS old_status, g.due_on AS old_due,
                  g.reason AS old_reason, s.status, s.due_on
    ), told AS (
        INSERT INTO plan_events (plan_id, step, kind, actor_id, actor_kind, detail, at)
        SELECT plan_id, :step, :event, CAST(:by AS uuid), :role,
               jsonb_build_object('from', old_due, 'to', due_on, 'job', CAST(:job AS text)), :now FROM given
    ), settled AS (
        INSERT INTO job_items (job_id, subject_id, position, listed, state, result)
        SELECT CAST(:job AS uuid), client_id, position, listed, 'done',
               jsonb_build_object('status', old_status, 'due_on', old_due, 'reason', old_reason,
                                  'now_status', status, 'now_due_on', due_on)
        FROM given RETURNING 1
    )
    SELECT NULL AS client_id, NULL AS outcome, count(*) AS given FROM settled
    UNION ALL SELECT client_id, outcome, 0 FROM chosen WHERE outcome IS NOT NULL
"""
# Only where the step still is as it was given.
_TAKE_BACK = text(
    """
    UPDATE plan_steps s
    SET status = i.result ->> 'status', due_on = CAST(i.result ->> 'due_on' AS date), reason = i.result ->> 'reason'
    FROM job_items i
    JOIN plans p ON p.organization_id = i.organization_id AND p.client_id = i.subject_id AND p.status = 'active'
    WHERE i.job_id = :job AND i.subject_id = ANY(CAST(:clients AS uuid[]))
      AND s.organization_id = p.organization_id AND s.plan_id = p.id AND s.step = :step
      AND s.status = i.result ->> 'now_status'
      AND s.due_on IS NOT DISTINCT FROM CAST(i.result ->> 'now_due_on' AS date)
    RETURNING i.subject_id AS client_id, p.id
    """
)


def _check(_: UnitOfWork, command: Assign) -> None:
    if command.step is None or not 1 <= command.step <= 8:
        raise InvalidInput([FieldProblem("step", "Choose one of the eight steps.")])
    check_due(command, needed=command.what == "due")


def _values(uow: UnitOfWork, assignment: Assignment) -> Mapping[str, Any]:
    return {"due": due_day(uow, assignment)}


def _give(
    gift: Gift, uow: UnitOfWork, job: Job, assignment: Assignment, clients: Sequence[UUID]
) -> dict[UUID, Settled]:
    (counted, *refused) = gift.run(
        uow,
        assignment,
        clients,
        _GIVE,
        event="step_given" if assignment.what == "step" else "due_changed",
        by=job.created_by,
        role="counsellor" if job.created_by else "system",
        job=str(job.id),
        now=uow.now,
        **places_of(uow, clients),
    )
    note_written(uow, counted.given)
    if counted.given:
        action = "step.given" if assignment.what == "step" else "step.due_changed"
        # One line a batch: each plan's history has its own, and the job's items say what became of whom.
        record(uow, action, "job", job.id, step=assignment.step, plans=counted.given)
    return {row.client_id: left_out(row.outcome) for row in refused}


def _take_back(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    lock_plans(uow, clients)
    rows = uow.session.execute(_TAKE_BACK, {"job": job.id, "clients": list(clients), "step": job.params["step"]}).all()
    if rows:
        record(uow, "step.taken_back", "job", job.id, step=job.params["step"], plans=len(rows))
    gone = {row.client_id for row in rows}
    kept = Settled("kept", later("The step was worked on or its due day moved since, so it stays."))
    return {client: Settled("undone") if client in gone else kept for client in clients}


def _title(_: UnitOfWork, assignment: Assignment) -> str:
    assert assignment.step is not None
    key = step_of(assignment.step)
    return str(gettext("Step %(number)s, %(step)s", number=key.number, step=step_names(gettext)[key]))


def _gift(what: What, outcome: str) -> Gift:
    def give(uow: UnitOfWork, job: Job, assignment: Assignment, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
        return _give(made, uow, job, assignment, clients)

    made = Gift(
        what=what,
        batch=5000,
        outcome=outcome,
        values=_values,
        check=_check,
        title=_title,
        give=give,
        take_back=_take_back,
    )
    return made


_SAME_DAY = "CAST(:due AS date) IS NULL OR s.due_on = CAST(:due AS date)"
STEP = _gift(
    "step",
    "CASE WHEN p.id IS NULL THEN 'no_plan' WHEN s.status IN ('submitted', 'completed') THEN 'step_done'"
    f" WHEN s.status <> 'skipped' AND ({_SAME_DAY}) THEN 'step_open' END",
)
DUE = _gift(
    "due",
    "CASE WHEN p.id IS NULL THEN 'no_plan' WHEN s.status IN ('submitted', 'completed', 'skipped') THEN 'step_closed'"
    f" WHEN {_SAME_DAY} THEN 'same_day' END",
)
