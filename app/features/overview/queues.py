"""Work queues: who is due this week, overdue, waiting, silent or was never met, and what time there is for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from app.domain.rules import ATTENTION, CONTACT, DUE, OVERDUE, SILENT, Condition, Rule
from app.features.clients.models import CaseloadEntry, Client
from app.features.clients.policy import sees_everybody, visible_clients
from app.features.clients.queries import select_ids
from app.features.organizations.models import Membership
from app.features.plans.models import Plan, PlanStep
from app.features.selections.criteria import SILENT_WEEKS, Moment, criterion_of_filter
from app.features.selections.queries import moment_of
from app.infra.db.open import UnitOfWork
from app.infra.db.whole import joined_as_sets

Queue = Literal["due", "overdue", "waiting", "silent", "never_met"]
QUEUES: tuple[Queue, ...] = get_args(Queue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose queues: of one counsellor's caseload, or of everybody the actor sees; after how many weeks is silent."""

    counsellor_id: UUID | None = None
    weeks: int = SILENT_WEEKS


@dataclass(frozen=True, slots=True)
class Waiting:
    """One person of a queue.

    `due_on` is the earliest day of what is late or due this week; in the queue of the week, of what is due in it.
    """

    id: UUID
    name: str
    external_id: str
    last_contact_at: datetime | None
    heard_at: datetime | None
    plan_id: UUID | None
    due_on: date | None
    waiting_step: int | None


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one counsellor has: minutes a week (None: not said), people, and how many of them wait or are late."""

    membership_id: UUID
    name: str
    weekly_minutes: int | None
    clients: int
    waiting: int
    overdue: int


def criterion_of(queue: Queue, asked: Asked, moment: Moment) -> ColumnElement[bool]:
    """Who stands in a queue, as a criterion over `Client`: the same as a filter with that condition selects."""
    condition = {
        "due": Condition(DUE, "within_days", (6 - moment.today.weekday(),)),
        "overdue": Condition(OVERDUE, "at_least", (1,)),
        "waiting": Condition(ATTENTION, "any_of", ("waiting", "answered")),
        "silent": Condition(SILENT, "weeks_ago", (asked.weeks,)),
        "never_met": Condition(CONTACT, "is_empty"),
    }[queue]
    return and_(Client.active, criterion_of_filter(Rule("all", (condition,)), moment))


def whose(uow: UnitOfWork, asked: Asked) -> ColumnElement[bool]:
    """Whose people, as a criterion over `Client`: those the actor sees, and of them those of the counsellor named."""
    seen = visible_clients(uow.actor)
    if asked.counsellor_id is None:
        return seen
    looked_after = exists().where(
        CaseloadEntry.organization_id == Client.organization_id,
        CaseloadEntry.client_id == Client.id,
        CaseloadEntry.membership_id == asked.counsellor_id,
    )
    return and_(seen, looked_after)


def count_queues(uow: UnitOfWork, asked: Asked) -> dict[Queue, int]:
    """How many people stand in each queue, by one statement."""
    moment = moment_of(uow)
    counts = [
        select(func.count())
        .select_from(Client)
        .where(whose(uow, asked), criterion_of(queue, asked, moment))
        .scalar_subquery()
        for queue in QUEUES
    ]
    with joined_as_sets(uow, whole=_of_everybody(uow, asked)):
        return dict(zip(QUEUES, uow.session.execute(select(*counts)).one(), strict=True))


def _of_everybody(uow: UnitOfWork, asked: Asked) -> bool:
    return asked.counsellor_id is None and sees_everybody(uow.actor)


def queue_page(
    uow: UnitOfWork, queue: Queue, asked: Asked, *, offset: int = 0, limit: int | None = 50
) -> list[Waiting]:
    """A page of a queue (no limit: all of it); what has a day by that, the others by how long ago they were met."""
    moment = moment_of(uow)
    wanted = _in_order(queue, moment).where(whose(uow, asked), criterion_of(queue, asked, moment))
    with joined_as_sets(uow, whole=_of_everybody(uow, asked)):
        ids = uow.session.scalars(wanted.offset(offset).limit(limit)).all()
    found = _people(uow, ids, moment, since=moment.today if queue == "due" else None)
    return [found[one] for one in ids]


def _in_order(queue: Queue, moment: Moment) -> Select[UUID]:
    name = (Client.family_folded, Client.given_folded, Client.id)
    if queue not in ("due", "overdue"):
        return select(Client.id).order_by(Client.last_contact_at.asc().nulls_first(), *name)
    first = (
        select(PlanStep.organization_id, PlanStep.plan_id, func.min(PlanStep.due_on).label("due_on"))
        .where(_undone(), PlanStep.due_on < moment.today if queue == "overdue" else PlanStep.due_on >= moment.today)
        .group_by(PlanStep.organization_id, PlanStep.plan_id)
        .subquery()
    )
    return (
        select(Client.id)
        .join(
            Plan,
            and_(Plan.organization_id == Client.organization_id, Plan.client_id == Client.id, Plan.status == "active"),
        )
        .join(first, and_(first.c.organization_id == Plan.organization_id, first.c.plan_id == Plan.id))
        .order_by(first.c.due_on, *name)
    )


def _undone() -> ColumnElement[bool]:
    return and_(PlanStep.status.not_in(("completed", "skipped", "submitted")), PlanStep.due_on.is_not(None))


def _people(uow: UnitOfWork, ids: Sequence[UUID], moment: Moment, since: date | None) -> Mapping[UUID, Waiting]:
    if not ids:
        return {}
    sunday = moment.today + timedelta(days=6 - moment.today.weekday())
    rows = uow.session.execute(
        select(
            Client.id,
            (Client.given_name + " " + Client.family_name).label("name"),
            Client.external_id,
            Client.last_contact_at,
            func.greatest(Client.last_contact_at, func.max(PlanStep.changed_at)).label("heard_at"),
            Plan.id.label("plan_id"),
            func.min(PlanStep.due_on)
            .filter(_undone(), PlanStep.due_on <= sunday, PlanStep.due_on >= (since or date.min))
            .label("due_on"),
            func.min(PlanStep.step).filter(PlanStep.status == "submitted").label("waiting_step"),
        )
        .outerjoin(
            Plan,
            and_(Plan.organization_id == Client.organization_id, Plan.client_id == Client.id, Plan.status == "active"),
        )
        .outerjoin(PlanStep, and_(PlanStep.organization_id == Plan.organization_id, PlanStep.plan_id == Plan.id))
        .where(Client.id.in_(select_ids(ids)))
        .group_by(Client.organization_id, Client.id, Plan.organization_id, Plan.id)
    )
    return {row.id: Waiting(*row) for row in rows}


def capacities(uow: UnitOfWork, asked: Asked) -> list[Capacity]:
    """What each counsellor has, or the one asked for, by name: people they look after first, and what is open.

    Who has nobody and is no counsellor (an administrator without a caseload) is left out.
    """
    moment = moment_of(uow)
    # Another name for the rows, because whom the actor sees is asked of the same table.
    entry = aliased(CaseloadEntry)

    def held_by(*criteria: ColumnElement[bool]) -> Subquery:
        # A question of its own for each figure, so that each is joined as a set.
        return (
            select(entry.membership_id, func.count().label("people"))
            .join(Client, and_(Client.organization_id == entry.organization_id, Client.id == entry.client_id))
            .where(entry.kind == "primary", Client.active, visible_clients(uow.actor), *criteria)
            .group_by(entry.membership_id)
            .subquery()
        )

    held = held_by()
    waiting = held_by(criterion_of("waiting", asked, moment))
    overdue = held_by(criterion_of("overdue", asked, moment))
    found = (
        select(
            Membership.id,
            Membership.name,
            Membership.weekly_minutes,
            *(func.coalesce(counted.c.people, 0) for counted in (held, waiting, overdue)),
        )
        .outerjoin(held, held.c.membership_id == Membership.id)
        .outerjoin(waiting, waiting.c.membership_id == Membership.id)
        .outerjoin(overdue, overdue.c.membership_id == Membership.id)
        .where(
            Membership.active,
            or_(Membership.role == "counsellor", held.c.people > 0),
            Membership.id == asked.counsellor_id if asked.counsellor_id is not None else Membership.role != "client",
        )
        .order_by(func.lower(Membership.name), Membership.id)
    )
    with joined_as_sets(uow, whole=sees_everybody(uow.actor)):
        return [Capacity(*row) for row in uow.session.execute(found)]
