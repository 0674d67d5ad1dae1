"""Which policy a plan follows and why that one; and the days that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import or_, select

from app.domain.cadence import ReviewPolicy
from app.domain.errors import NotFound
from app.features.clients.models import Client
from app.features.cohorts.models import Cohort, CohortMember
from app.features.plans.models import Plan, PlanTemplate
from app.features.plans.policy import visible_plans
from app.features.reviews.models import ReviewPolicy as PolicyRow
from app.features.reviews.policies import STANDARD, groups_of, terms_of
from app.features.reviews.schedule import Next, coming_of, first_after
from app.infra.db.open import UnitOfWork

Place = Literal["plan", "cohort", "template", "recipe", "organization", "standard"]
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place a policy can be set at, nearest first: what is set there (None: nothing), and whether it decides."""

    place: Place
    name: str
    is_set: bool
    wins: bool


@dataclass(frozen=True, slots=True)
class Why:
    """A plan's policy, every place that was asked for one, and the reviews to come.

    `is_set`: the next day was chosen by hand or by an event. `client_left`: no prompts while the client is not active.
    """

    plan_id: UUID
    client_id: UUID
    client_name: str
    policy: ReviewPolicy
    chain: Sequence[Candidate]
    coming: Sequence[Next]
    is_set: bool
    client_left: bool

    @property
    def winner(self) -> Candidate:
        """The place that decides."""
        return next(one for one in self.chain if one.wins)


def explain(uow: UnitOfWork, plan_id: UUID) -> Why:
    """Why the plan is asked as it is. Raises NotFound for a plan that is not active, or not the actor's to see."""
    row = uow.session.execute(
        select(Plan, Client, PlanTemplate.name)
        .join(Client, Client.id == Plan.client_id)
        .join(PlanTemplate, PlanTemplate.id == Plan.template_id)
        .where(Plan.id == plan_id, Plan.status == "active", visible_plans(uow.actor))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such plan, or it is not yours to see.")
    plan, client, template = row
    name = f"{client.given_name} {client.family_name}"
    groups = groups_of(uow, [plan_id])
    if not groups:
        return Why(plan_id, client.id, name, STANDARD, (Candidate("standard", "", True, True),), (), False, True)
    group = groups[0]
    cohorts = uow.session.execute(
        select(PolicyRow.id, Cohort.name)
        .join(Cohort, (Cohort.id == PolicyRow.subject_id) & (PolicyRow.scope == "cohort"))
        .join(CohortMember, CohortMember.cohort_id == Cohort.id)
        .where(CohortMember.client_id == client.id, PolicyRow.active)
        .order_by(PolicyRow.updated_at.desc(), PolicyRow.id)
    ).all()
    wide = {
        (found.scope, found.subject_id): found.id
        for found in uow.session.scalars(
            select(PolicyRow).where(
                PolicyRow.active,
                or_(PolicyRow.scope == "organization", PolicyRow.subject_id.in_([plan_id, plan.template_id])),
            )
        )
    }
    places: list[tuple[Place, str, UUID | None]] = [
        ("plan", name, wide.get(("plan", plan_id))),
        *(("cohort", cohort.name, cohort.id) for cohort in cohorts),
        ("template", template, wide.get(("template", plan.template_id))),
        ("organization", "", wide.get(("organization", None))),
    ]
    # What the engine took is asked of the engine; where no row decided it is the recipe or the standard.
    recipe = group.policy_id is None and group.policy != STANDARD
    chain = [
        Candidate(place, said, row_id is not None, row_id is not None and row_id == group.policy_id)
        for place, said, row_id in places
    ]
    chain.insert(len(chain) - 1, Candidate("recipe", template, recipe, recipe))
    chain.append(Candidate("standard", "", True, group.policy_id is None and not recipe))
    terms = terms_of(uow)
    coming: list[Next] = []
    ahead: Next | None = coming_of(group, terms=terms, now=uow.now)
    while ahead is not None and ahead.day is not None and len(coming) < _SHOWN:
        coming.append(ahead)
        ahead = first_after(group, ahead.day, terms=terms, now=uow.now)
    return Why(plan_id, client.id, name, group.policy, chain, coming, group.is_set, False)
