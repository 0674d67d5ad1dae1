"""Reads of the reviews page: policies, what is to come, what went out, what waits for a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from app.domain.cadence import ReviewPolicy
from app.domain.cadence import parse_policy as parse
from app.features.clients.models import Client
from app.features.cohorts.models import Cohort
from app.features.messaging.budget import POINTLESS
from app.features.messaging.models import Message
from app.features.plans.models import Plan, PlanTemplate
from app.features.plans.policy import visible_plans
from app.features.reviews.figures import is_soon, soon_by
from app.features.reviews.models import Prompt, Review
from app.features.reviews.models import ReviewPolicy as PolicyRow
from app.infra.db.open import UnitOfWork

# The board is an overview; the whole is on the page of the next 90 days and in the caseload.
SHOWN = 15
# Who did not get their mail is listed for longer: somebody has to call them.
_TROUBLED = 50
_WIDTH = {"organization": 1, "template": 2, "cohort": 3, "plan": 4}
# The mail a prompt leaves in: its own, or the digest it is a line of.
_MAIL = aliased(Message)
_NAME = (Client.given_name + " " + Client.family_name).label("name")


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One policy that is set: its row, what it is for, and what it says."""

    row: PolicyRow
    name: str
    policy: ReviewPolicy


def policies(uow: UnitOfWork) -> list[PolicyLine]:
    """The policies in force, widest first; a plan's own only where the actor may see the plan."""
    name = func.coalesce(PlanTemplate.name, Cohort.name, _NAME, "")
    rows = uow.session.execute(
        select(PolicyRow, name)
        .outerjoin(PlanTemplate, (PolicyRow.scope == "template") & (PlanTemplate.id == PolicyRow.subject_id))
        .outerjoin(Cohort, (PolicyRow.scope == "cohort") & (Cohort.id == PolicyRow.subject_id))
        .outerjoin(Plan, (PolicyRow.scope == "plan") & (Plan.id == PolicyRow.subject_id) & visible_plans(uow.actor))
        .outerjoin(Client, Client.id == Plan.client_id)
        .where(PolicyRow.active, (PolicyRow.scope != "plan") | Plan.id.is_not(None))
        .order_by(case(_WIDTH, value=PolicyRow.scope), name)
    )
    return [PolicyLine(row, said, parse(row.content)) for row, said in rows]


def subjects(uow: UnitOfWork) -> list[tuple[str, str, str]]:
    """Templates and cohorts a policy can be set for: scope, id, name."""
    templates = uow.session.execute(
        select(PlanTemplate.id, PlanTemplate.name).where(PlanTemplate.archived_at.is_(None)).order_by(PlanTemplate.name)
    )
    cohorts = uow.session.execute(
        select(Cohort.id, Cohort.name).where(Cohort.archived_at.is_(None)).order_by(Cohort.name)
    )
    return [("template", str(i), n) for i, n in templates] + [("cohort", str(i), n) for i, n in cohorts]


def figures(uow: UnitOfWork, today: date) -> dict[str, int]:
    """Counts of the actor's plans and prompts: due within 30 days of `today`, waiting for an answer, unanswered."""
    mine = visible_plans(uow.actor)
    soon = func.count().filter(is_soon(soon_by(today)))
    plans = uow.session.execute(
        select(soon, func.count().filter(Plan.next_reminder > 0))
        .join(Client, Client.id == Plan.client_id)
        .where(Plan.status == "active", Client.active, mine)
    ).one()
    escalated = uow.session.execute(
        select(func.count())
        .select_from(Review)
        .join(Plan, Plan.id == Review.plan_id)
        .where(Review.escalated_at.is_not(None), Review.state.in_(("open", "started")), mine)
    ).scalar_one()
    return {"soon": plans[0], "waiting": plans[1], "escalated": escalated}


def upcoming(uow: UnitOfWork) -> Sequence[Any]:
    """The next prompts: client's name and id, the review's day, the moment, and whether it is a reminder."""
    return uow.session.execute(
        select(
            _NAME,
            Client.id.label("client_id"),
            Plan.id.label("plan_id"),
            Plan.next_review_on,
            Plan.next_prompt_at,
            Plan.next_reminder,
        )
        .join(Client, Client.id == Plan.client_id)
        .where(Plan.status == "active", Plan.next_prompt_at.is_not(None), visible_plans(uow.actor))
        .order_by(Plan.next_prompt_at, Plan.id)
        .limit(SHOWN)
    ).all()


def made(uow: UnitOfWork, *, troubled: bool) -> Sequence[Any]:
    """The latest prompts with the state of their mail; `troubled`: only those a person should look at.

    Those are prompts without an address, refused or given up, whose arrival is unknown, or to who opted out.
    Reminders that were joined to another mail are left out.
    """
    statement = (
        select(
            _NAME,
            Client.id.label("client_id"),
            Prompt.occurrence_on,
            Prompt.reminder,
            Prompt.due_at,
            Prompt.reason,
            _MAIL.id.label("message_id"),
            _MAIL.state,
            _MAIL.reason.label("mail_reason"),
            _MAIL.sent_at,
            _MAIL.not_before,
        )
        .join(Plan, Plan.id == Prompt.plan_id)
        .join(Client, Client.id == Plan.client_id)
        .outerjoin(Message, Message.id == Prompt.message_id)
        .outerjoin(_MAIL, _MAIL.id == func.coalesce(Message.merged_into, Message.id))
        .where(visible_plans(uow.actor), Prompt.reason.is_distinct_from("joined"))
        .order_by(Prompt.due_at.desc(), Prompt.id)
        .limit(_TROUBLED if troubled else SHOWN)
    )
    if troubled:
        statement = statement.where(
            _MAIL.state.in_(("failed", "unknown", "suppressed")) & _MAIL.reason.is_distinct_from(POINTLESS)
            | (Prompt.reason == "no_email")
        )
    return uow.session.execute(statement).all()
