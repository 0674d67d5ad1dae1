"""Use cases of the people who run reviews: set a policy, prompt now, decide about unknown mails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Select, case, cast, exists, func, null, or_, select, text

from app.domain.access import Permission
from app.domain.cadence import policy_as_json
from app.domain.errors import Forbidden, NotFound
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.clients.queries import select_ids
from app.features.cohorts.models import Cohort
from app.features.messaging import service as messaging
from app.features.messaging.contacts import Warned, contacts_of, warn_of
from app.features.messaging.models import Message
from app.features.organizations.models import Organization
from app.features.plans.models import Plan, PlanTemplate
from app.features.plans.policy import visible_plans
from app.features.reviews.commands import SetPolicy
from app.features.reviews.models import ReviewPause
from app.features.reviews.schedule import schedule_plans
from app.infra.db.open import Bell, UnitOfWork

_AT_ONCE = 10_000
_SAVE = text(
    "INSERT INTO review_policies (scope, subject_id, content, created_by, updated_at)"
    " VALUES (:scope, :subject, CAST(:content AS jsonb), :by, :now)"
    " ON CONFLICT (organization_id, scope, subject_id)"
    " DO UPDATE SET content = excluded.content, active = true, updated_at = excluded.updated_at"
)
_ZONES_OF = text(
    "SELECT p.id, coalesce(c.time_zone, o.time_zone) AS zone FROM plans p JOIN clients c ON c.id = p.client_id"
    " CROSS JOIN organizations o WHERE p.id = ANY(:plans)"
)
_ASK_NOW = text(
    """
    UPDATE plans p
    SET next_review_on = g.day, next_prompt_at = :now, next_reminder = 0, review_set = true, review_stale = false
    FROM unnest(CAST(:plans AS uuid[]), CAST(:days AS date[])) AS g(plan, day)
    WHERE p.id = g.plan AND p.id = ANY(CAST(:plans AS uuid[]))
    """
)


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """Which plans can be asked now, and how many of the chosen people cannot and why.

    They have no plan, are being asked already, or are on leave or holiday today.
    """

    plans: Sequence[UUID]
    without_plan: int
    asked_already: int
    without_email: int
    paused: int


def set_policy(uow: UnitOfWork, command: SetPolicy) -> int:
    """Set or take away a policy and schedule the plans it reaches anew; returns how many those are.

    A plan's own needs the right to work on that plan, all others the right to manage cohorts. Raises Forbidden,
    or NotFound for a subject the actor may not see.
    """
    name_of_subject(uow, command)
    wanted = Permission.WORK_PLANS if command.scope == "plan" else Permission.MANAGE_COHORTS
    if not uow.actor.may(wanted):
        raise Forbidden("Only an administrator can change this. Ask one, or set it for a single plan.")
    affected = _plans_of(uow, command)
    values = {"scope": command.scope, "subject": command.subject_id}
    if command.policy is None:
        # The row stays for the prompts it made; it only no longer counts.
        uow.session.execute(
            text(
                "UPDATE review_policies SET active = false, updated_at = :now"
                " WHERE scope = :scope AND subject_id IS NOT DISTINCT FROM :subject"
            ),
            values | {"now": uow.now},
        )
    else:
        content = json.dumps(policy_as_json(command.policy))
        uow.session.execute(_SAVE, values | {"content": content, "by": uow.actor.membership_id, "now": uow.now})
    for first in range(0, len(affected), _AT_ONCE):
        schedule_plans(uow, affected[first : first + _AT_ONCE])
    action = "review_policy.removed" if command.policy is None else "review_policy.set"
    record(uow, action, command.scope, command.subject_id, plans=len(affected))
    return len(affected)


def name_of_subject(uow: UnitOfWork, command: SetPolicy) -> str:
    """What the policy is for, in the organization's own names. Raises NotFound for what the actor may not see."""
    if command.scope == "organization":
        return ""
    if command.scope == "template":
        statement = select(PlanTemplate.name).where(PlanTemplate.id == command.subject_id)
    elif command.scope == "cohort":
        statement = select(Cohort.name).where(Cohort.id == command.subject_id)
    else:
        statement = (
            select(Client.given_name + " " + Client.family_name)
            .join(Plan, Plan.client_id == Client.id)
            .where(Plan.id == command.subject_id, visible_plans(uow.actor))
        )
    name = uow.session.execute(statement).scalar_one_or_none()
    if name is None:
        raise NotFound("There is no such thing to set a policy for, or it is not yours to see.")
    return name


def preview_prompts(uow: UnitOfWork, client_ids: Sequence[UUID]) -> PromptPreview:
    """What asking these clients for a review now would do."""
    chosen = select(Client.id).where(Client.id.in_(select_ids(client_ids)), Client.active, visible_clients(uow.actor))
    rows = uow.session.execute(
        select(Plan.id, Plan.next_reminder, Client.email, _is_paused(uow, chosen).label("paused"))
        .join(Client, Client.id == Plan.client_id)
        .join(Organization, Organization.organization_id == Plan.organization_id)
        .where(Plan.client_id.in_(chosen), Plan.status == "active")
    ).all()
    idle = [row for row in rows if row.next_reminder <= 0]
    free = [row for row in idle if not row.paused]
    return PromptPreview(
        [row.id for row in free],
        len(client_ids) - len(rows),
        len(rows) - len(idle),
        sum(row.email is None for row in free),
        len(idle) - len(free),
    )


def _is_paused(uow: UnitOfWork, chosen: Select[UUID]) -> ColumnElement[bool]:
    """Whether today, where the client is, is a day of a pause; for these clients."""
    zone = func.coalesce(Client.time_zone, Organization.time_zone)
    zones = uow.session.scalars(
        select(zone)
        .distinct()
        .join(Organization, Organization.organization_id == Client.organization_id)
        .where(Client.id.in_(chosen))
    )
    days = {name: _today(uow, name) for name in zones}
    today = cast(case(days, value=zone) if days else null(), Date)
    return exists().where(
        or_(ReviewPause.client_id == Client.id, ReviewPause.client_id.is_(None)),
        ReviewPause.starts_on <= today,
        or_(ReviewPause.ends_on.is_(None), ReviewPause.ends_on >= today),
    )


def _today(uow: UnitOfWork, zone: str) -> date:
    """Today in a zone. Never by the database's zones: its table may be of another year than the one days come from."""
    return uow.now.astimezone(ZoneInfo(zone)).date()


def warn_contacts(uow: UnitOfWork, client_ids: Sequence[UUID]) -> Warned:
    """Who of these clients was written to this week already, and by whom; of those the actor may see."""
    chosen = select(Client.id).where(Client.id.in_(select_ids(client_ids)), visible_clients(uow.actor))
    return warn_of(contacts_of(uow, uow.session.scalars(chosen).all()))


def prompt_now(uow: UnitOfWork, client_ids: Sequence[UUID]) -> int:
    """Ask these clients for a review today. Returns how many are asked.

    Who is being asked already, or is on leave or holiday, is left out.
    """
    plans = list(preview_prompts(uow, client_ids).plans)
    if plans:
        ask_now(uow, plans)
        record(uow, "prompts.asked_for", "organization", uow.actor.organization_id, plans=len(plans))
    return len(plans)


def ask_now(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> None:
    """Let these plans be asked today, whatever their policy says; for the caller to choose and to note."""
    found = uow.session.execute(_ZONES_OF, {"plans": list(plan_ids)}).all()
    days = [_today(uow, row.zone) for row in found]
    uow.session.execute(_ASK_NOW, {"plans": [row.id for row in found], "days": days, "now": uow.now})
    uow.ring(Bell.PROMPT)


def decide_unknown(uow: UnitOfWork, message_id: UUID, *, again: bool) -> None:
    """Send a prompt whose arrival is unknown once more, or leave it. Raises NotFound for a foreign one, Conflict."""
    # By the client it is to: a digest has the prompts of several occasions and is none of them itself.
    mine = uow.session.execute(
        select(Plan.id)
        .join(Message, Message.client_id == Plan.client_id)
        .where(Message.id == message_id, visible_plans(uow.actor))
    ).first()
    if mine is None:
        raise NotFound("There is no such message.")
    if again:
        messaging.send_again(uow, message_id)
    else:
        messaging.leave_unsent(uow, message_id)


def _plans_of(uow: UnitOfWork, command: SetPolicy) -> list[UUID]:
    statement = select(Plan.id).where(Plan.status == "active")
    if command.scope == "template":
        statement = statement.where(Plan.template_id == command.subject_id)
    elif command.scope == "cohort":
        members = text("SELECT client_id FROM cohort_members WHERE cohort_id = :c").bindparams(c=command.subject_id)
        statement = statement.where(Plan.client_id.in_(uow.session.execute(members).scalars().all()))
    elif command.scope == "plan":
        statement = statement.where(Plan.id == command.subject_id)
    return list(uow.session.scalars(statement))
