"""Use cases of a review for the client: open it, keep answers as they are typed, submit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.domain.errors import Conflict, Gone, NotFound
from app.domain.saying import Say
from app.domain.steps import StepKey
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.instruments.offers import Offer, offers_for
from app.features.organizations.models import Organization
from app.features.plans.models import Plan, PlanEvent
from app.features.plans.policy import visible_plans
from app.features.plans.queries import PlanView, view_plan
from app.features.reviews.answers import Outcome, Sheet, outcome_of
from app.features.reviews.models import Review
from app.features.reviews.policies import groups_of
from app.features.reviews.reasons import Reason, reasons_of_review
from app.features.reviews.result import compute_result
from app.features.reviews.schedule import schedule_plans
from app.features.steps.opportunities.content import factors_of
from app.features.steps.parts import live_goals
from app.infra.db.open import UnitOfWork

_ASKED = [key for key in StepKey if key is not StepKey.REVIEW]
_BEGUN = ("in_progress", "submitted", "returned", "completed")
# A check-in whose answers the client has sent: waiting for the counsellor, or decided.
ANSWERED = ("answered", "closed")


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A review with what its page asks, what was typed so far, and what was answered last time.

    `control` is what step 3 says of each factor: whether one can do something about it.
    """

    review: Review
    plan: Plan
    sheet: Sheet
    before: Review | None
    goal_words: Mapping[str, Mapping[str, str]]
    control: Mapping[str, str | None]
    # How sure the client was, by day, up to the last time.
    confidence: Sequence[tuple[date, int]]
    retakes: Sequence[Offer]
    # Why it was asked for where a trigger did; empty where the calendar or the client did.
    reasons: Sequence[Reason]


def start_review(uow: UnitOfWork, client_id: UUID) -> UUID:
    """The open review of the client's active plan, or a new one dated today; returns its id.

    Raises NotFound when there is no active plan the actor may see, and Conflict where this day's was answered already:
    a plan has one check-in a day.
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
    if found.state not in ("open", "started"):
        raise Conflict("You have checked in today already. From tomorrow on you can do so again.")
    if found.state == "open":
        found.state, found.opened_at = "started", found.opened_at or uow.now
        record(uow, "review.started", "review", found.id)
    uow.session.flush()
    return found.id


def view_check_in(uow: UnitOfWork, review_id: UUID) -> CheckIn:
    """The review as its page shows it. Raises NotFound for one that is not the actor's."""
    review, plan = _find(uow, review_id)
    view = view_plan(uow, plan.id)
    contents = {key: row.content for key, row in view.contents.items()}
    goals = live_goals(contents)
    factors = factors_of(contents.get(StepKey.OPPORTUNITIES, {}))
    begun = {row.step for row in view.steps if row.status in _BEGUN}
    sheet = Sheet(
        [(row["id"], row["text"]) for row in goals],
        [(row["id"], row["text"]) for row in factors],
        [key for key in _ASKED if key.number in begun],
    )
    return CheckIn(
        review=review,
        plan=plan,
        sheet=sheet,
        before=answered_before(uow, review),
        goal_words={row["id"]: row.get("levels") or {} for row in goals},
        control={row["id"]: row.get("controllable") for row in factors},
        confidence=confidence_history(uow, plan.id, review.occurrence_on),
        retakes=_retakes(uow, view),
        reasons=reasons_of_review(uow, review.id),
    )


def _retakes(uow: UnitOfWork, view: PlanView) -> list[Offer]:
    """The questionnaires that the plan's policy asks to take again, as they are offered now; out of use: none."""
    wanted = {key for group in groups_of(uow, [view.plan.id]) for key in group.policy.retake}
    return (
        [offer for offer in offers_for(uow, view.client.id) if offer.active and offer.key in wanted] if wanted else []
    )


def save_answers(uow: UnitOfWork, review_id: UUID, answers: Mapping[str, Any]) -> None:
    """Keep what was typed so far. Raises NotFound, or Gone once the review is answered."""
    review, _ = _find(uow, review_id, lock=True)
    review.answers = dict(answers)
    uow.session.flush()
    record(uow, "review.saved", "review", review.id)


def submit_review(uow: UnitOfWork, review_id: UUID, answers: Mapping[str, Any], sheet: Sheet, say: Say) -> Outcome:
    """Answer the review: answers and what they come to are kept, and wait for the counsellor; the plan stays as it is.

    The next review counts from this one's day. Raises InvalidInput naming what is missing, NotFound, or Gone
    once the review is answered.
    """
    outcome = outcome_of(answers, sheet, say)
    review, plan = _find(uow, review_id, lock=True)
    review.answers, review.outcome, review.state = dict(answers), outcome, "answered"
    # The first answer is what counts as answered in time, also where the counsellor asked for more.
    review.answered_at, review.revision_before = review.answered_at or uow.now, plan.revision
    view = view_plan(uow, plan.id)
    review.result = compute_result(uow, view, answers, answered_before(uow, review), _today(uow, view.client))
    uow.session.add(
        PlanEvent(
            plan_id=plan.id,
            step=StepKey.REVIEW.number,
            kind="review_answered",
            actor_id=uow.actor.membership_id,
            actor_kind=uow.actor.role.value,
            detail={"review": str(review.id), "outcome": outcome},
            at=uow.now,
        )
    )
    plan.touched_at = plan.updated_at = uow.now
    if plan.next_review_on is not None and plan.next_review_on <= review.occurrence_on:
        plan.next_review_on = plan.next_prompt_at = None
    uow.session.flush()
    if plan.next_review_on is None:
        schedule_plans(uow, [plan.id])
    record(uow, "review.answered", "review", review.id, outcome=outcome)
    return outcome


def answered_before(uow: UnitOfWork, review: Review) -> Review | None:
    """The last check-in of the same plan that was answered before this one's day; None for the first."""
    return uow.session.scalars(
        select(Review)
        .where(
            Review.plan_id == review.plan_id,
            Review.state.in_(ANSWERED),
            Review.occurrence_on < review.occurrence_on,
        )
        .order_by(Review.occurrence_on.desc())
        .limit(1)
    ).one_or_none()


def confidence_history(uow: UnitOfWork, plan_id: UUID, until: date) -> list[tuple[date, int]]:
    """How sure the client said they were in each answered check-in up to a day, first to last."""
    rows = uow.session.execute(
        select(Review.occurrence_on, Review.answers["confidence"].as_integer())
        .where(Review.plan_id == plan_id, Review.state.in_(ANSWERED), Review.occurrence_on <= until)
        .order_by(Review.occurrence_on)
    )
    return [(day, value) for day, value in rows if value is not None]


def _today(uow: UnitOfWork, client: Client) -> date:
    organization = uow.session.scalars(select(Organization)).one()
    return uow.now.astimezone(ZoneInfo(client.time_zone or organization.time_zone)).date()


def _find(uow: UnitOfWork, review_id: UUID, *, lock: bool = False) -> tuple[Review, Plan]:
    statement = (
        select(Review, Plan)
        .join(Plan, Plan.id == Review.plan_id)
        .where(Review.id == review_id, Plan.status == "active", visible_plans(uow.actor))
    )
    if lock:
        # The plan first, as everybody does who changes anything of one: the other way round two would block each other.
        of = select(Review.plan_id).where(Review.id == review_id).scalar_subquery()
        uow.session.execute(select(Plan.id).where(Plan.id == of, visible_plans(uow.actor)).with_for_update(of=Plan))
        statement = statement.with_for_update(of=Review).execution_options(populate_existing=True)
    row = uow.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound("There is no such check-in, or it is not yours.")
    if row[0].state == "lapsed":
        raise Gone("A newer check-in has taken this one's place. Use the link in the latest mail.")
    if row[0].state not in ("open", "started"):
        raise Gone("This check-in was already answered. Thank you; nothing more is needed.")
    return row[0], row[1]
