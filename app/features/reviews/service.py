"""Use cases of a review: open it, keep answers as they are typed, submit them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.errors import Gone, NotFound
from app.domain.saying import Say
from app.domain.steps import ActorKind, StepAction, StepKey, StepStatus, transition
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.organizations.models import Organization
from app.features.plans.models import Plan, PlanEvent, PlanRevision, PlanStep, StepContent
from app.features.plans.policy import visible_plans
from app.features.plans.revisions import freeze_revision
from app.features.reviews.answers import Outcome, Sheet, outcome_of, steps_to_reopen
from app.features.reviews.models import Review
from app.features.reviews.schedule import schedule_plans
from app.features.steps.goals.content import take_levels
from app.infra.db.open import UnitOfWork

_ASKED = [key for key in StepKey if key is not StepKey.REVIEW]
_BEGUN = ("in_progress", "submitted", "returned", "completed")


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A review with what its page asks, what was typed so far, and what was answered last time."""

    review: Review
    plan: Plan
    sheet: Sheet
    before: Review | None
    goal_words: Mapping[str, Mapping[str, str]]


def start_review(uow: UnitOfWork, client_id: UUID) -> UUID:
    """The open review of the client's active plan, or a new one dated today; returns its id.

    Raises NotFound when there is no active plan the actor may see.
    """
    plan = uow.session.scalars(
        select(Plan)
        .where(Plan.client_id == client_id, Plan.status == "active", visible_plans(uow.actor))
        .with_for_update()
    ).one_or_none()
    if plan is None:
        raise NotFound("There is no plan to look at yet. It is started together with you.")
    found = uow.session.scalars(
        select(Review)
        .where(Review.plan_id == plan.id, Review.state.in_(("open", "started")))
        .order_by(Review.occurrence_on.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        zone = uow.session.execute(
            select(Client.time_zone, Organization.time_zone).select_from(Client).join(
                Organization, Organization.organization_id == Client.organization_id
            ).where(Client.id == client_id)
        ).one()  # fmt: skip
        today = uow.now.astimezone(ZoneInfo(zone[0] or zone[1])).date()
        uow.session.execute(
            insert(Review)
            .values(plan_id=plan.id, occurrence_on=today, revision_before=plan.revision)
            .on_conflict_do_nothing(index_elements=["organization_id", "plan_id", "occurrence_on"])
        )
        found = uow.session.scalars(
            select(Review).where(Review.plan_id == plan.id, Review.occurrence_on == today)
        ).one()
    if found.state == "open":
        found.state, found.opened_at = "started", found.opened_at or uow.now
        record(uow, "review.started", "review", found.id)
    uow.session.flush()
    return found.id


def view_check_in(uow: UnitOfWork, review_id: UUID) -> CheckIn:
    """The review as its page shows it. Raises NotFound for one that is not the actor's."""
    review, plan = _find(uow, review_id)
    steps = uow.session.scalars(select(PlanStep).where(PlanStep.plan_id == plan.id)).all()
    written = {
        row.step: row.content for row in uow.session.scalars(select(StepContent).where(StepContent.plan_id == plan.id))
    }
    goals = _rows(written.get(StepKey.GOALS.number), "goals")
    factors = _rows(written.get(StepKey.OPPORTUNITIES.number), "factors")
    begun = {row.step for row in steps if row.status in _BEGUN}
    sheet = Sheet(
        [(row["id"], row["text"]) for row in goals],
        [(row["id"], row["text"]) for row in factors],
        [key for key in _ASKED if key.number in begun],
    )
    before = uow.session.scalars(
        select(Review)
        .where(Review.plan_id == plan.id, Review.state == "answered", Review.id != review.id)
        .order_by(Review.occurrence_on.desc())
        .limit(1)
    ).one_or_none()
    return CheckIn(review, plan, sheet, before, {row["id"]: row.get("levels") or {} for row in goals})


def save_answers(uow: UnitOfWork, review_id: UUID, answers: Mapping[str, Any]) -> None:
    """Keep what was typed so far. Raises NotFound, or Gone once the review is answered."""
    review, _ = _find(uow, review_id, lock=True)
    review.answers = dict(answers)
    uow.session.flush()
    record(uow, "review.saved", "review", review.id)


def submit_review(uow: UnitOfWork, review_id: UUID, answers: Mapping[str, Any], sheet: Sheet, say: Say) -> Outcome:
    """Answer the review: the plan is confirmed, or its revision is frozen and the named steps open again.

    The next review counts from this one's day. Raises InvalidInput naming what is missing, NotFound, or Gone
    once the review is answered.
    """
    outcome = outcome_of(answers, sheet, say)
    review, plan = _find(uow, review_id, lock=True)
    review.answers, review.outcome, review.state = dict(answers), outcome, "answered"
    review.answered_at, review.revision_before = uow.now, plan.revision
    reopened: list[str] = []
    if outcome == "revise":
        frozen: PlanRevision = freeze_revision(uow, plan, say("A check-in asked for changes."), review.id)
        review.revision_before = frozen.revision
        reopened = _reopen(uow, plan, steps_to_reopen(answers))
    review.revision_after = plan.revision
    _keep_levels(uow, plan, answers.get("goals", {}))
    uow.session.add(
        PlanEvent(
            plan_id=plan.id,
            step=StepKey.REVIEW.number,
            kind="review_answered",
            actor_id=uow.actor.membership_id,
            actor_kind=uow.actor.role.value,
            detail={"review": str(review.id), "outcome": outcome, "reopened": reopened},
            at=uow.now,
        )
    )
    plan.touched_at = plan.updated_at = uow.now
    uow.session.execute(
        update(PlanStep)
        .where(PlanStep.plan_id == plan.id, PlanStep.step == StepKey.REVIEW.number, PlanStep.status != "skipped")
        .values(status="completed", changed_at=uow.now)
    )
    if plan.next_review_on is not None and plan.next_review_on <= review.occurrence_on:
        plan.next_review_on = plan.next_prompt_at = None
    uow.session.flush()
    if plan.next_review_on is None:
        schedule_plans(uow, [plan.id])
    record(uow, "review.answered", "review", review.id, outcome=outcome, reopened=reopened)
    return outcome


def _keep_levels(uow: UnitOfWork, plan: Plan, levels: Mapping[str, int]) -> None:
    """Write how far each goal is into step 6, so that goals are measured in one place."""
    stored = uow.session.scalars(
        select(StepContent).where(StepContent.plan_id == plan.id, StepContent.step == StepKey.GOALS.number)
    ).one_or_none()
    if stored is not None and levels:
        stored.content = take_levels(stored.content, levels, uow.now)
        stored.version, stored.updated_at = stored.version + 1, uow.now


def _reopen(uow: UnitOfWork, plan: Plan, wanted: Mapping[StepKey, str]) -> list[str]:
    reopened = []
    rows = uow.session.scalars(
        select(PlanStep).where(PlanStep.plan_id == plan.id, PlanStep.step.in_([key.number for key in wanted]))
    )
    for row in rows.all():
        if row.status != StepStatus.COMPLETED:
            continue
        key = _ASKED[row.step - 1]
        # A check-in stands for the talk in which the counsellor would open the step again.
        row.status = transition(StepStatus.COMPLETED, StepAction.REOPEN, ActorKind.COUNSELLOR).value
        row.changed_at = uow.now
        reopened.append(key.value)
        uow.session.add(
            PlanEvent(
                plan_id=plan.id,
                step=row.step,
                kind="reopened",
                actor_id=uow.actor.membership_id,
                actor_kind=uow.actor.role.value,
                detail={"from": "completed", "to": row.status, "check_in": wanted[key]},
                at=uow.now,
            )
        )
    return reopened


def _find(uow: UnitOfWork, review_id: UUID, *, lock: bool = False) -> tuple[Review, Plan]:
    statement = (
        select(Review, Plan)
        .join(Plan, Plan.id == Review.plan_id)
        .where(Review.id == review_id, Plan.status == "active", visible_plans(uow.actor))
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = uow.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound("There is no such check-in, or it is not yours.")
    if row[0].state == "lapsed":
        raise Gone("A newer check-in has taken this one's place. Use the link in the latest mail.")
    if row[0].state not in ("open", "started"):
        raise Gone("This check-in was already answered. Thank you; nothing more is needed.")
    return row[0], row[1]


def _rows(content: Mapping[str, Any] | None, name: str) -> list[dict[str, Any]]:
    return [row for row in (content or {}).get(name, []) if isinstance(row, dict) and row.get("text") and row.get("id")]
