"""Marks: which steps rest on something that changed since, kept in the transaction in which it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, cast, delete, func, select, text
from sqlalchemy.orm.attributes import set_committed_value

from app.domain.canonical import digest
from app.domain.errors import Conflict
from app.domain.staleness import RESULTS, Aspect, changed, steps_reached, turn
from app.domain.steps import StepKey
from app.features.audit.service import record, record_each
from app.features.instruments.hooks import NewResults
from app.features.plans.acting import note, open_step
from app.features.plans.commands import ConfirmStep
from app.features.plans.models import Plan, PlanStep, StepContent, StepMark
from app.features.plans.policy import kind_of
from app.features.plans.rooms import step_of
from app.infra.db.open import UnitOfWork

Content = Mapping[str, Any]


def marks_of(uow: UnitOfWork, plan_id: UUID, step: StepKey | None = None) -> list[StepMark]:
    """The open marks of a plan the actor was shown to see, by step, the latest change first."""
    statement = select(StepMark).where(StepMark.plan_id == plan_id)
    if step is not None:
        statement = statement.where(StepMark.step == step.number)
    return list(uow.session.scalars(statement.order_by(StepMark.step, StepMark.changed_at.desc(), StepMark.aspect)))


def seen_token(marks: Iterable[StepMark]) -> str:
    """Names what a page showed of a step's marks, so that nobody confirms what they have not read."""
    return digest(sorted([mark.aspect, mark.changed_at.isoformat()] for mark in marks))[:16]


def mark_dependents(uow: UnitOfWork, plan: Plan, key: StepKey, before: Content, after: Content) -> None:
    """Set and take away the marks of the steps that rest on what this step says, now that it says otherwise.

    The caller holds the plan's lock and stores `after` in this transaction.
    """
    changes = changed(key, before, after)
    if not changes:
        return
    holding = uow.session.scalars(select(StepContent.step).where(StepContent.plan_id == plan.id))
    aspects = [change.aspect.value for change in changes]
    known = {
        (step_of(mark.step), Aspect(mark.aspect)): mark
        for mark in uow.session.scalars(
            select(StepMark)
            .where(StepMark.plan_id == plan.id, StepMark.aspect.in_(aspects))
            .execution_options(populate_existing=True)
        )
    }
    now = turn({place: mark.rested_on for place, mark in known.items()}, changes, {step_of(n) for n in holding})
    for place in now.settled:
        uow.session.delete(known[place])
    for step, change in now.moved:
        mark = known[step, change.aspect]
        mark.detail, mark.changed_at = mark.detail | {"after": change.after}, uow.now
    for step, change in now.opened:
        uow.session.add(
            StepMark(
                plan_id=plan.id,
                step=step.number,
                aspect=change.aspect.value,
                rested_on=change.print_before,
                detail={"before": change.before, "after": change.after},
                changed_at=uow.now,
            )
        )
    uow.session.flush()
    for step, aspect in now.settled:
        note(uow, plan, step.number, "unmarked", {"aspect": aspect.value})
    for step, change in now.opened:
        note(uow, plan, step.number, "marked", {"aspect": change.aspect.value})
    if now.opened or now.settled:
        record(
            uow,
            "step.marked",
            "plan",
            plan.id,
            step=key.number,
            marked=[[step.number, change.aspect.value] for step, change in now.opened],
            unmarked=[[step.number, aspect.value] for step, aspect in now.settled],
        )


def clear_marks(uow: UnitOfWork, row: PlanStep) -> list[str]:
    """Take away the marks of a step that was worked on again; returns their aspects. The caller holds the lock."""
    if not row.stale:
        return []
    gone = uow.session.scalars(
        delete(StepMark)
        .where(StepMark.plan_id == row.plan_id, StepMark.step == row.step)
        .returning(StepMark.aspect)
        .execution_options(synchronize_session=False)
    ).all()
    # The trigger has written it already.
    set_committed_value(row, "stale", False)
    return sorted(gone)


def confirm_step(uow: UnitOfWork, command: ConfirmStep) -> list[str]:
    """Say that a step is still right although what it rests on changed; returns the aspects looked at.

    Client and counsellor may say so. Confirming what is not marked changes nothing. Raises Conflict when more has
    changed than the page showed, NotFound for a plan the actor may not see, Forbidden for who only reads plans.
    """
    kind_of(uow.actor)
    plan, row = open_step(uow, command.plan_id, command.step)
    marks = marks_of(uow, plan.id, command.step)
    if not marks:
        return []
    if command.seen != seen_token(marks):
        raise Conflict(
            "More has changed since you opened this page. Load it again, read what changed, and decide then."
        )
    aspects = clear_marks(uow, row)
    note(uow, plan, row.step, "confirmed", {"aspects": aspects})
    record(uow, "step.confirmed", "plan", plan.id, step=row.step, aspects=aspects)
    return aspects


_LOCKED = text(
    # In the order of their ids, so that two imports never wait for each other in a circle.
    """
    SELECT p.id, p.client_id FROM plans p
    WHERE p.status = 'active' AND p.client_id = ANY(:clients)
      AND EXISTS (SELECT 1 FROM step_contents c WHERE c.organization_id = p.organization_id
                  AND c.plan_id = p.id AND c.step = ANY(:steps))
    ORDER BY p.id FOR UPDATE OF p
    """
)
_MARK = text(
    """
    WITH kin AS (
        SELECT instrument_id, version FROM instrument_versions WHERE definition ->> 'measures' = :measures
    ), due AS (
        SELECT c.plan_id, c.step, a.taken_at, i.title, former.taken_at AS former_at, former.title AS former_title
        FROM unnest(cast(:plans AS uuid[]), cast(:assessments AS uuid[])) AS given(plan, assessment)
        JOIN assessments a ON a.id = given.assessment
        JOIN instruments i ON i.id = a.instrument_id
        JOIN step_contents c ON c.plan_id = given.plan AND c.step = ANY(:steps)
        LEFT JOIN LATERAL (
            SELECT o.taken_at, oi.title FROM assessments o
            JOIN kin ON kin.instrument_id = o.instrument_id AND kin.version = o.version
            JOIN instruments oi ON oi.id = o.instrument_id
            WHERE o.client_id = a.client_id AND o.id <> a.id
            ORDER BY o.taken_at DESC LIMIT 1
        ) former ON true
        -- Answers from before the newest result change nothing: the newest is what steps rest on.
        WHERE former.taken_at IS NULL OR former.taken_at <= a.taken_at
    ), marked AS (
        INSERT INTO step_marks (plan_id, step, aspect, detail, changed_at)
        SELECT plan_id, step, :aspect, jsonb_build_object(
                   'before', CASE WHEN former_at IS NOT NULL THEN
                       jsonb_build_object('title', former_title, 'on', (former_at AT TIME ZONE 'UTC')::date) END,
                   'after', jsonb_build_object('title', title, 'on', (taken_at AT TIME ZONE 'UTC')::date)), :now
        FROM due
        ON CONFLICT (organization_id, plan_id, step, aspect) DO UPDATE SET
            changed_at = excluded.changed_at,
            detail = jsonb_set(step_marks.detail, '{after}', excluded.detail -> 'after')
        RETURNING plan_id, step, xmax = 0 AS fresh
    ), told AS (
        INSERT INTO plan_events (plan_id, step, kind, actor_id, actor_kind, detail, at)
        SELECT plan_id, step, 'marked', :actor, :actor_kind, jsonb_build_object('aspect', :aspect), :now
        FROM marked WHERE fresh
    )
    SELECT DISTINCT plan_id FROM marked
    """
)


def mark_results(uow: UnitOfWork, results: NewResults) -> None:
    """Mark what rests on these results of questionnaires, for all their clients by one statement.

    Called in the transaction that stores them (`app.features.instruments.hooks`), once for a batch.
    """
    aspect = RESULTS.get(results.measures)
    if aspect is None or not results.taken:
        return
    steps = [step.number for step in steps_reached(aspect)]
    rows = uow.session.execute(_LOCKED, {"clients": list(results.taken), "steps": steps}).all()
    if not rows:
        return
    marked = uow.session.scalars(
        _MARK,
        {
            "measures": results.measures,
            "aspect": aspect.value,
            "steps": steps,
            "plans": [row.id for row in rows],
            "assessments": [results.taken[row.client_id] for row in rows],
            "actor": uow.actor.membership_id,
            "actor_kind": uow.actor.role.value,
            "now": uow.now,
        },
    ).all()
    record_marked(uow, aspect, marked)


def record_marked(uow: UnitOfWork, aspect: Aspect, plans: Sequence[UUID]) -> None:
    """Note in the audit ledger that plans were marked because of something outside them."""
    if plans:
        ids = cast(list(plans), ARRAY(Uuid))
        steps = [step.number for step in steps_reached(aspect)]
        record_each(uow, "step.marked", "plan", select(func.unnest(ids)), aspect=aspect.value, steps=steps)
