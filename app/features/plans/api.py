"""JSON of plans: list, one with its steps, comments, due days, history, revisions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from app.domain.access import Permission
from app.domain.orphans import orphans
from app.domain.staleness import HOME, RESTS_ON, Aspect, steps_reached
from app.features.cohorts.models import CohortMember
from app.features.plans import marks, queries, revisions, service
from app.features.plans.commands import AddComment, ConfirmStep, SetDueDate
from app.features.plans.models import Plan, PlanEvent, PlanRevision, PlanStep, StepComment
from app.features.plans.policy import visible_plans
from app.features.plans.rooms import step_of
from app.features.plans.schemas import (
    CloseRevisionSchema,
    CommentSchema,
    CompareQuery,
    ConfirmedSchema,
    ConfirmSchema,
    DueDateSchema,
    EventSchema,
    NewCommentSchema,
    PlanQuery,
    PlanSchema,
    RevisionSchema,
    SnapshotSchema,
    StalenessSchema,
    StepDifferenceSchema,
    StepSchema,
    WholePlanSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page, whole
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Plans", __name__, description="Plans with their eight steps, threads and revisions.")
_PLAN = "/plans/<uuid:plan_id>"
_STEP = f"{_PLAN}/steps/<int(min=1,max=8):step>"
_REVISION = f"{_PLAN}/revisions/<int(min=1,max=1000000):revision>"


@blueprint.get("/plans")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(PlanQuery, location="query")
@blueprint.response(200, page_of(PlanSchema))
def list_plans(query: dict[str, Any]) -> dict[str, Any]:
    """Plans you may see; the filters combine."""
    with unit_of_work() as uow:
        found = select(Plan).where(visible_plans(uow.actor))
        if "client" in query:
            found = found.where(Plan.client_id == query["client"])
        if "status" in query:
            found = found.where(Plan.status == query["status"])
        if "cohort" in query:
            belongs = exists().where(
                CohortMember.organization_id == Plan.organization_id,
                CohortMember.client_id == Plan.client_id,
                CohortMember.cohort_id == query["cohort"],
            )
            found = found.where(belongs)
        return page(uow, found, (Plan.id,), query)


@blueprint.get(_PLAN)
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, WholePlanSchema)
def read_plan(plan_id: UUID) -> dict[str, Any]:
    """One plan with its eight steps."""
    with unit_of_work() as uow:
        plan = queries.find_plan(uow, plan_id)
        steps = uow.session.scalars(select(PlanStep).where(PlanStep.plan_id == plan_id).order_by(PlanStep.step)).all()
        return {name: getattr(plan, name) for name in PlanSchema().fields} | {"steps": steps}


@blueprint.put(f"{_STEP}/due")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(DueDateSchema)
@blueprint.response(200, StepSchema)
def set_due_date(body: dict[str, Any], plan_id: UUID, step: int) -> PlanStep:
    """Move a step's due day."""
    with unit_of_work() as uow:
        service.set_due_date(uow, SetDueDate(plan_id=plan_id, step=step_of(step), due_on=body["due_on"]))
        found = select(PlanStep).where(PlanStep.plan_id == plan_id, PlanStep.step == step)
        return uow.session.scalars(found).one()


@blueprint.get(f"{_STEP}/comments")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(CommentSchema))
def list_comments(query: dict[str, Any], plan_id: UUID, step: int) -> dict[str, Any]:
    """The thread of a step, oldest first."""
    with unit_of_work() as uow:
        queries.find_plan(uow, plan_id)
        found = select(StepComment).where(StepComment.plan_id == plan_id, StepComment.step == step)
        return page(uow, found, (StepComment.created_at, StepComment.id), query)


@blueprint.post(f"{_STEP}/comments")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
@once
@blueprint.arguments(NewCommentSchema)
@blueprint.response(201, CommentSchema)
def add_comment(uow: UnitOfWork, body: dict[str, Any], plan_id: UUID, step: int) -> StepComment:
    """Add a remark to a step's thread; the client reads it."""
    return service.add_comment(uow, AddComment(plan_id=plan_id, step=step_of(step), body=body["body"]))


@blueprint.get(f"{_PLAN}/events")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(EventSchema))
def list_events(query: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """The plan's history, newest first."""
    with unit_of_work() as uow:
        queries.find_plan(uow, plan_id)
        found = select(PlanEvent).where(PlanEvent.plan_id == plan_id)
        return page(uow, found, (PlanEvent.at, PlanEvent.number), query, descending=True)


@blueprint.get(f"{_PLAN}/revisions")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(RevisionSchema))
def list_revisions(query: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """The frozen revisions of a plan, oldest first."""
    with unit_of_work() as uow:
        queries.find_plan(uow, plan_id)
        found = select(PlanRevision).where(PlanRevision.plan_id == plan_id)
        return page(uow, found, (PlanRevision.revision,), query)


@blueprint.post(f"{_PLAN}/revisions")
@requires(Permission.WORK_PLANS)
@once
@blueprint.arguments(CloseRevisionSchema)
@blueprint.response(201, RevisionSchema)
def close_revision(uow: UnitOfWork, body: dict[str, Any], plan_id: UUID) -> PlanRevision:
    """Close the open revision as it is and begin the next."""
    plan = queries.find_plan(uow, plan_id)
    return revisions.freeze_revision(uow, plan, body["reason"], revision=body["revision"])


@blueprint.get(_REVISION)
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, SnapshotSchema)
def read_revision(plan_id: UUID, revision: int) -> dict[str, Any]:
    """A revision whole; the number of the open one gives the plan as it stands."""
    with unit_of_work() as uow:
        return {"snapshot": revisions.snapshot_of(uow, plan_id, revision)}


@blueprint.get(f"{_PLAN}/differences")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(CompareQuery, location="query")
@blueprint.response(200, page_of(StepDifferenceSchema))
def compare_revisions(query: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """The steps that differ between two revisions, in order."""
    with unit_of_work() as uow:
        return whole(revisions.compare_revisions(uow, plan_id, query["before"], query["after"]))


@blueprint.get(f"{_PLAN}/staleness")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, StalenessSchema)
def read_staleness(plan_id: UUID) -> dict[str, Any]:
    """Which steps rest on something that changed, the map behind it, and what points at nothing."""
    with unit_of_work() as uow:
        view = queries.view_plan(uow, plan_id)
        found: dict[int, list[Any]] = {}
        for mark in marks.marks_of(uow, plan_id):
            found.setdefault(mark.step, []).append(mark)
        stale = [
            {
                "step": step,
                "status": view.step(step_of(step)).status,
                "seen": marks.seen_token(open_marks),
                "marks": [
                    {
                        "aspect": mark.aspect,
                        "before": mark.detail.get("before"),
                        "after": mark.detail.get("after"),
                        "changed_at": mark.changed_at,
                    }
                    for mark in open_marks
                ],
            }
            for step, open_marks in found.items()
        ]
        lost = orphans(view.written)
    lines = [
        {
            "aspect": aspect.value,
            "step": home.number if (home := HOME[aspect]) else None,
            "rests_on": [under.value for under in RESTS_ON.get(aspect, ())],
            "marks": [step.number for step in steps_reached(aspect)],
        }
        for aspect in Aspect
    ]
    points = [
        {"step": one.step.number, "what": one.what.value, "id": one.id, "text": one.text, "lost": one.lost}
        for one in lost
    ]
    return {"stale": stale, "map": lines, "orphans": points}


@blueprint.post(f"{_STEP}/confirm")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
@blueprint.arguments(ConfirmSchema)
@blueprint.response(200, ConfirmedSchema)
def confirm_step(body: dict[str, Any], plan_id: UUID, step: int) -> dict[str, Any]:
    """Say that a step is still right although something it rests on changed; 409 when more changed than was read."""
    with unit_of_work() as uow:
        command = ConfirmStep(plan_id=plan_id, step=step_of(step), seen=body["seen"])
        return {"aspects": marks.confirm_step(uow, command)}
