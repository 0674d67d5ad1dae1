"""Giving an action: it is put into step 7 of the client's plan, as one more row that is theirs from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, cast, func, select, text

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.domain.steps import StepKey
from app.features.assignments.commands import Assign
from app.features.assignments.days import check_due, due_day
from app.features.assignments.gifts import Gift, left_out
from app.features.assignments.models import Assignment
from app.features.audit.service import record_each
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.features.plans.models import Plan, StepContent
from app.features.plans.service import note_event, put_content
from app.features.steps.action_plan.content import KINDS
from app.features.steps.action_plan.service import ROOM
from app.features.steps.parts import MOST_LINE, MOST_ROWS
from app.infra.db.open import UnitOfWork

_STEP = StepKey.ACTION_PLAN.number
_OUTCOME = f"""
    CASE WHEN p.id IS NULL THEN 'no_plan' WHEN s.status = 'skipped' THEN 'actions_off' ELSE (
        SELECT CASE WHEN w.content @> jsonb_build_object('actions', jsonb_build_array(
                        jsonb_build_object('text', CAST(:words AS text)))) THEN 'same_action'
                    WHEN jsonb_array_length(w.content -> 'actions') >= {MOST_ROWS} THEN 'actions_full' END
        FROM step_contents w WHERE w.organization_id = p.organization_id AND w.plan_id = p.id AND w.step = {_STEP}
    ) END
"""


@dataclass(slots=True)
class _Plans:
    """The active plans of a batch, locked in one order, by client, with what step 7 says."""

    plans: Mapping[UUID, Plan]
    contents: Mapping[UUID, StepContent]


def _lock(uow: UnitOfWork, clients: Sequence[UUID]) -> _Plans:
    plans = uow.session.scalars(
        select(Plan)
        .where(Plan.client_id == func.any(cast(list(clients), ARRAY(Uuid))), Plan.status == "active")
        .order_by(Plan.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    ids = [plan.id for plan in plans]
    contents = uow.session.scalars(
        select(StepContent)
        .where(StepContent.plan_id == func.any(cast(ids, ARRAY(Uuid))), StepContent.step == _STEP)
        .execution_options(populate_existing=True)
    )
    return _Plans({plan.client_id: plan for plan in plans}, {row.plan_id: row for row in contents})


def _check(_: UnitOfWork, command: Assign) -> None:
    action = command.action
    problems = []
    if action is None or action.kind not in KINDS:
        problems.append(FieldProblem("action_kind", "Choose what kind of action it is."))
    if action is None or not 0 < len(action.text.strip()) <= MOST_LINE:
        problems.append(
            FieldProblem("action_text", later("Say what is to be done in at most %(most)s characters.", most=MOST_LINE))
        )
    if action is not None and action.hours is not None and not 1 <= action.hours <= 10_000:
        problems.append(FieldProblem("action_hours", "Give the effort in whole hours, from 1 to 10,000."))
    if problems:
        raise InvalidInput(problems)
    check_due(command, needed=False)


def _values(_: UnitOfWork, assignment: Assignment) -> Mapping[str, Any]:
    return {"step": _STEP, "words": assignment.detail["action"]["text"]}


def _row(uow: UnitOfWork, assignment: Assignment) -> dict[str, Any]:
    due = due_day(uow, assignment)
    given = assignment.detail["action"] | {"id": assignment.id.hex, "due_on": due.isoformat() if due else None}
    row: dict[str, Any] = ROOM.read({"actions": [given]})["actions"][0]
    return row


def _give(uow: UnitOfWork, job: Job, assignment: Assignment, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    found = _lock(uow, clients)
    codes = GIFT.outcomes(uow, assignment, clients)
    row = _row(uow, assignment)
    settled, given = {}, []
    for client in clients:
        code, plan = codes[client], found.plans.get(client)
        if code is not None or plan is None:
            settled[client] = left_out(code or "no_plan")
            continue
        stored = found.contents.get(plan.id)
        before = ROOM.read(stored.content) if stored else ROOM.empty()
        content = ROOM.read(before | {"actions": [*before["actions"], row]})
        put_content(uow, plan, StepKey.ACTION_PLAN, stored, content, empty=ROOM.empty())
        note_event(uow, plan, StepKey.ACTION_PLAN, "action_given", {"action": row["id"], "job": str(job.id)})
        given.append(plan.id)
        settled[client] = Settled(result={"action": row})
    if given:
        ids = select(func.unnest(cast(given, ARRAY(Uuid))))
        record_each(uow, "action.given", "plan", ids, job=str(job.id))
    return settled


_RESULTS = text(
    "SELECT subject_id, result -> 'action' AS action FROM job_items"
    " WHERE job_id = :job AND subject_id = ANY(CAST(:clients AS uuid[]))"
)


def _take_back(uow: UnitOfWork, job: Job, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    found = _lock(uow, clients)
    results = uow.session.execute(_RESULTS, {"job": job.id, "clients": list(clients)})
    given = {row.subject_id: row.action for row in results}
    settled, gone = {}, []
    for client in clients:
        plan = found.plans.get(client)
        stored = found.contents.get(plan.id) if plan else None
        before = ROOM.read(stored.content) if stored else ROOM.empty()
        if plan is None or not _untouched(before["actions"], given[client]):
            settled[client] = Settled("kept", later("The action was worked on since, so it stays."))
            continue
        left = [row for row in before["actions"] if row["id"] != given[client]["id"]]
        put_content(uow, plan, StepKey.ACTION_PLAN, stored, before | {"actions": left}, empty=ROOM.empty())
        note_event(uow, plan, StepKey.ACTION_PLAN, "action_taken_back", {"action": given[client]["id"]})
        gone.append(plan.id)
        settled[client] = Settled("undone")
    if gone:
        record_each(uow, "action.taken_back", "plan", select(func.unnest(cast(gone, ARRAY(Uuid)))), job=str(job.id))
    return settled


def _untouched(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> bool:
    """Whether the action stands as it was given and no other waits for it."""
    return given in rows and not any(given["id"] in row["after"] for row in rows)


def _title(_: UnitOfWork, assignment: Assignment) -> str:
    return str(assignment.detail["action"]["text"])


GIFT = Gift(
    what="action",
    # Each plan's content is read and written by itself, so a batch is small.
    batch=200,
    outcome=_OUTCOME,
    values=_values,
    check=_check,
    title=_title,
    give=_give,
    take_back=_take_back,
)
