"""JSON of the counsellor's decisions about check-ins, and of why revisions were closed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import gettext

from app.domain.access import Permission
from app.domain.steps import StepKey
from app.features.plans.models import PlanRevision
from app.features.plans.queries import find_plan
from app.features.plans.schemas import RevisionSchema
from app.features.reviews import decisions
from app.features.reviews.api import blueprint
from app.features.reviews.commands import AcceptChanges, TakenChange
from app.features.reviews.models import Review
from app.features.reviews.own_result import view_own_result
from app.features.reviews.schemas import (
    AcceptSchema,
    MeetingSchema,
    ReturnSchema,
    ReviewResultSchema,
    ReviewSchema,
    RevisionChangeSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.once import once
from app.infra.web.api.paging import whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

_REVIEW = "/reviews/<uuid:review_id>"


@blueprint.post(f"{_REVIEW}/agreement")
@requires(Permission.WORK_PLANS)
@blueprint.response(200, ReviewSchema)
def agree_review(review_id: UUID) -> Review:
    """Agree that the plan stays; what was said of goals and factors is written into it."""
    with unit_of_work() as uow:
        return decisions.agree_review(uow, review_id)


@blueprint.post(f"{_REVIEW}/changes")
@requires(Permission.WORK_PLANS)
@once
@blueprint.arguments(AcceptSchema)
@blueprint.response(201, RevisionSchema)
def accept_changes(uow: UnitOfWork, body: dict[str, Any], review_id: UUID) -> PlanRevision:
    """Take changes: the open revision is closed as it was (it is the answer), the next opens, and steps with it."""
    command = AcceptChanges(
        review_id=review_id,
        changes=tuple(TakenChange(row["key"], row["reason"], row["controllable"]) for row in body["changes"]),
        reopen=tuple(StepKey(step) for step in body["reopen"]),
    )
    return decisions.accept_changes(uow, command, gettext)


@blueprint.post(f"{_REVIEW}/return")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(ReturnSchema)
@blueprint.response(200, ReviewSchema)
def return_review(body: dict[str, Any], review_id: UUID) -> Review:
    """Give the check-in back: it opens again with its answers, and the client is mailed a fresh link."""
    with unit_of_work() as uow:
        return decisions.return_review(uow, review_id, body["words"])


@blueprint.put(f"{_REVIEW}/meeting")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(MeetingSchema)
@blueprint.response(200, ReviewSchema)
def call_meeting(body: dict[str, Any], review_id: UUID) -> Review:
    """Note the day of a meeting about the check-in, which goes on waiting."""
    with unit_of_work() as uow:
        return decisions.call_meeting(uow, review_id, body["on"], body["note"])


@blueprint.get(f"{_REVIEW}/result")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, ReviewResultSchema)
def read_result(review_id: UUID) -> dict[str, Any]:
    """What came of an answered check-in, for its client and who looks after them."""
    with unit_of_work() as uow:
        found = view_own_result(uow, review_id)
        review = found.review
        own = ("id", "plan_id", "occurrence_on", "answered_at", "returned_note", "meeting_on", "meeting_note", "result")
        return {name: getattr(review, name) for name in own} | {
            "decision": found.decision,
            "decided_at": review.closed_at,
            "taken": found.taken,
            "reopened": [step.value for step in found.reopened],
            "before": found.before and found.before.id,
        }


@blueprint.get("/plans/<uuid:plan_id>/changes")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, page_of(RevisionChangeSchema))
def list_changes(plan_id: UUID) -> dict[str, Any]:
    """Why the plan's revisions were closed, oldest first."""
    with unit_of_work() as uow:
        find_plan(uow, plan_id)
        return whole(decisions.changes_of(uow, plan_id))
