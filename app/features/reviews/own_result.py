"""What came of a client's own check-in, as they read it: the result, and what the counsellor decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from sqlalchemy import and_, case, or_, select

from app.domain.errors import NotFound
from app.domain.steps import StepKey
from app.features.plans.models import Plan, PlanEvent
from app.features.plans.policy import visible_plans
from app.features.reviews.decisions import changes_of
from app.features.reviews.models import Review, RevisionChange
from app.features.reviews.service import ANSWERED, answered_before, confidence_history
from app.infra.db.open import UnitOfWork

# "waits": for the counsellor · "returned": it is the client's turn again · "agreed": the plan stays ·
# "changed": changes were taken into a new revision.
Decision = Literal["waits", "returned", "agreed", "changed"]
SHOWN = 3
# One that was given back has no result until it is answered again.
_TOLD = or_(Review.state.in_(ANSWERED), and_(Review.state == "started", Review.returned_at.is_not(None)))


@dataclass(frozen=True, slots=True)
class OwnResult:
    """A check-in that was answered, for its client.

    `reopened` are the steps the counsellor opened again for it, `taken` the changes with their reasons, `before` the
    check-in answered before this one.
    """

    review: Review
    plan: Plan
    before: Review | None
    confidence: Sequence[tuple[date, int]]
    taken: Sequence[RevisionChange]
    reopened: Sequence[StepKey]

    @property
    def decision(self) -> Decision:
        """What the counsellor made of it."""
        if self.review.state == "closed":
            return "changed" if self.taken else "agreed"
        return "waits" if self.review.state == "answered" else "returned"


@dataclass(frozen=True, slots=True)
class OwnCheckIn:
    """A line of My plan about a check-in that was answered."""

    id: UUID
    occurrence_on: date
    meeting_on: date | None
    decision: Decision


def view_own_result(uow: UnitOfWork, review_id: UUID) -> OwnResult:
    """What came of a check-in. Raises NotFound for one nobody answered, or whose plan the actor may not see."""
    row = uow.session.execute(
        select(Review, Plan).join(Plan, Plan.id == Review.plan_id).where(
            Review.id == review_id, _TOLD, visible_plans(uow.actor)
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound("There is no such check-in, or it was not answered yet.")
    review, plan = row
    return OwnResult(
        review=review,
        plan=plan,
        before=answered_before(uow, review),
        confidence=confidence_history(uow, plan.id, review.occurrence_on),
        taken=changes_of(uow, plan.id, review_id=review.id),
        reopened=_reopened(uow, review),
    )


def own_check_ins(uow: UnitOfWork, plan_id: UUID) -> list[OwnCheckIn]:
    """The latest answered check-ins of a plan the actor was shown to see; what is not decided stands first."""
    taken = (
        select(RevisionChange.review_id)
        .where(RevisionChange.plan_id == Review.plan_id, RevisionChange.review_id == Review.id)
        .exists()
    )
    decision = case(
        (Review.state == "answered", "waits"),
        (Review.state == "started", "returned"),
        (taken, "changed"),
        else_="agreed",
    )
    rows = uow.session.execute(
        select(Review.id, Review.occurrence_on, Review.meeting_on, decision)
        .where(Review.plan_id == plan_id, _TOLD)
        .order_by(Review.state == "closed", Review.occurrence_on.desc())
        .limit(SHOWN)
    )
    return [OwnCheckIn(*row) for row in rows]


def _reopened(uow: UnitOfWork, review: Review) -> list[StepKey]:
    """The steps that were opened again with the decision, as the plan's history tells it."""
    if review.state != "closed":
        return []
    told = uow.session.scalars(
        select(PlanEvent.detail)
        .where(
            PlanEvent.plan_id == review.plan_id,
            PlanEvent.kind == "review_accepted",
            PlanEvent.detail["review"].as_string() == str(review.id),
        )
        .limit(1)
    ).one_or_none()
    return [StepKey(step) for step in (told or {}).get("reopened", ())]
