"""Figures of a whole organization or caseload: grouped counts from a fixed number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, ColumnElement, Integer, and_, case, exists, func, literal, select, true

from app.domain.access import Actor, Permission, Role
from app.domain.steps import OPEN_STATUSES
from app.features.clients.models import CaseloadEntry, Client
from app.features.cohorts.models import Cohort, CohortMember
from app.features.organizations.models import Membership, Organization
from app.features.plans.models import Plan, PlanStep
from app.features.reviews.figures import answer_by, in_time, is_counted, months_until
from app.features.reviews.models import Review
from app.infra.db.open import UnitOfWork

Whole = npt.NDArray[np.int64]
STATUSES = ("completed", "submitted", "in_progress", "returned", "not_started", "skipped")
# A page and a sheet stay readable; the rest is one line.
MOST_COHORTS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """A table of people: row and column names, and how many people are in each cell."""

    key: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Cohorts:
    """Cohorts by name; one more row than names is for people in none of them.

    `sizes` counts people with plans, `completed` those who completed each of the eight steps, and `shared` the
    people whom each two cohorts have in common.
    """

    names: tuple[str, ...]
    sizes: npt.NDArray[np.int64]
    completed: npt.NDArray[np.int64]
    shared: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Aggregates:
    """Everything the page shows, before small cells are withheld; `threshold` says below which (None: none are).

    `funnel`: steps by status; `overdue`: late ones of each step; `caseload`: clients of each counsellor; `reviews`:
    months ("2026-09") by whether the review was answered within its seven days.
    """

    clients: int
    plans: int
    funnel: Counted
    cohorts: Cohorts
    overdue: Counted
    caseload: Counted
    reviews: Counted
    threshold: int | None
    as_of: date


def counted_clients(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `Client`: everybody for those who read all aggregates, else the reader's caseload."""
    if actor.may(Permission.READ_ALL_AGGREGATES):
        return true()
    mine = select(CaseloadEntry.client_id).where(CaseloadEntry.membership_id == actor.membership_id)
    return Client.id.in_(mine)


def count_all(uow: UnitOfWork, today: date, *, withhold: bool) -> Aggregates:
    """All figures, in nine statements whatever the number of clients.

    Where small cells are to be withheld, cohorts with too few people with plans, and those that beside others would
    tell of fewer, are counted among those in no cohort listed.
    """
    who = and_(Client.active, counted_clients(uow.actor))
    threshold = uow.session.scalars(select(Organization.small_cell_threshold)).one() if withhold else None
    clients = uow.session.scalar(select(func.count()).select_from(Client).where(who)) or 0
    # One row per step and status (with how many of them are late): the source of three tables.
    late = and_(PlanStep.due_on < today, PlanStep.status.in_(OPEN_STATUSES))
    steps = uow.session.execute(
        select(PlanStep.step, PlanStep.status, func.count(), func.sum(case((late, 1), else_=0)).cast(Integer))
        .join(Plan, Plan.id == PlanStep.plan_id)
        .join(Client, Client.id == Plan.client_id)
        .where(Plan.status == "active", who)
        .group_by(PlanStep.step, PlanStep.status)
    ).all()
    funnel = np.zeros((8, len(STATUSES)), dtype=np.int64)
    overdue = np.zeros((8, 1), dtype=np.int64)
    for step, status, number, number_late in steps:
        funnel[step - 1, STATUSES.index(status)] += number
        overdue[step - 1] += number_late
    plans = int(funnel[0].sum())
    return Aggregates(
        clients=clients,
        plans=plans,
        funnel=Counted("funnel", _STEPS, STATUSES, funnel),
        cohorts=_by_cohort(uow, who, threshold or 1, plans),
        overdue=Counted("overdue", _STEPS, ("late",), overdue),
        caseload=_by_counsellor(uow, who),
        reviews=_by_month(uow, who, today),
        threshold=threshold,
        as_of=today,
    )


_STEPS = tuple(str(number) for number in range(1, 9))


def _by_cohort(uow: UnitOfWork, who: ColumnElement[bool], least: int, plans: int) -> Cohorts:
    """Cohorts with at least so many members who have plans, and last everybody who is in none of them."""
    rows = uow.session.execute(
        select(Cohort.id, Cohort.name, PlanStep.step, func.count(), _COMPLETED)
        .join(CohortMember, CohortMember.cohort_id == Cohort.id)
        .join(Client, Client.id == CohortMember.client_id)
        .join(Plan, and_(Plan.client_id == Client.id, Plan.status == "active"))
        .join(PlanStep, PlanStep.plan_id == Plan.id)
        .where(Cohort.archived_at.is_(None), who)
        .group_by(Cohort.id, Cohort.name, PlanStep.step)
        .order_by(Cohort.name)
    ).all()
    people = {row[0]: row[3] for row in rows}
    names = {row[0]: row[1] for row in rows}
    large = [cohort_id for cohort_id in names if people[cohort_id] >= least][:MOST_COHORTS]
    masks, counts = _memberships(uow, who, large, plans)
    order = sorted(range(len(large)), key=lambda number: (-people[large[number]], number))
    listed = tell_of_no_few(masks, counts, order, least)
    ids = [large[number] for number in listed]
    others = _in_none_of(uow, who, ids)
    sizes = np.zeros(len(ids) + 1, dtype=np.int64)
    completed = np.zeros((len(ids) + 1, 8), dtype=np.int64)
    for cohort_id, _, step, number, done in rows:
        if cohort_id in ids:
            sizes[ids.index(cohort_id)] = number
            completed[ids.index(cohort_id), step - 1] = done
    completed[-1], sizes[-1] = others[0], others[1][0]
    return Cohorts(tuple(names[i] for i in ids), sizes, completed, _overlaps(masks, counts, listed))


def tell_of_no_few(masks: Whole, counts: Whole, order: Sequence[int], least: int) -> list[int]:
    """Which cohorts can be listed together, taken in this `order` and returned in their own.

    Those who are in the same ones of the cohorts listed must be at least `least` people: whatever sums and differences
    of the groups shown single out is made of such parts. `masks` has a bit for each cohort, `counts` how many are so.
    """
    listed, bits = [], 0
    for one in order:
        _, part = np.unique(masks & (bits | 1 << one), return_inverse=True)
        if (np.bincount(part, weights=counts) >= least).all():
            listed.append(one)
            bits |= 1 << one
    return sorted(listed)


def _in_none_of(
    uow: UnitOfWork, who: ColumnElement[bool], ids: list[UUID]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of the people in none of these cohorts: how many completed each step, and how many have it."""
    completed, sizes = np.zeros(8, dtype=np.int64), np.zeros(8, dtype=np.int64)
    in_none = ~exists().where(CohortMember.client_id == Client.id, CohortMember.cohort_id.in_(ids))
    for step, number, done in uow.session.execute(
        select(PlanStep.step, func.count(), _COMPLETED)
        .join(Plan, Plan.id == PlanStep.plan_id)
        .join(Client, Client.id == Plan.client_id)
        .where(Plan.status == "active", who, in_none)
        .group_by(PlanStep.step)
    ):
        completed[step - 1], sizes[step - 1] = done, number
    return completed, sizes


_COMPLETED = func.count().filter(PlanStep.status == "completed")


def _memberships(uow: UnitOfWork, who: ColumnElement[bool], ids: list[UUID], plans: int) -> tuple[Whole, Whole]:
    """In which of these cohorts people with plans are, as a mask with a bit for each, and how many are so."""
    bits = {cohort_id: literal(1 << number, BigInteger) for number, cohort_id in enumerate(ids)}
    found: list[tuple[int, int]] = []
    if ids:
        each = (
            select(func.sum(case(bits, value=CohortMember.cohort_id)).cast(BigInteger).label("mask"))
            .join(Client, Client.id == CohortMember.client_id)
            .join(Plan, and_(Plan.client_id == Client.id, Plan.status == "active"))
            .where(CohortMember.cohort_id.in_(ids), who)
            .group_by(CohortMember.client_id)
            .subquery()
        )
        found = [
            (mask, number)
            for mask, number in uow.session.execute(select(each.c.mask, func.count()).group_by(each.c.mask))
        ]
    in_none = plans - sum(number for _, number in found)
    known = [*found, *([(0, in_none)] if in_none else [])]
    return np.array([mask for mask, _ in known], dtype=np.int64), np.array([n for _, n in known], dtype=np.int64)


def _overlaps(masks: Whole, counts: Whole, listed: Sequence[int]) -> Whole:
    """How many people with plans each two of these cohorts share; the last line is for those in none."""
    inside = [(masks >> number) & 1 for number in listed]
    shared = np.zeros((len(listed) + 1, len(listed) + 1), dtype=np.int64)
    for row, one in enumerate(inside):
        for column, other in enumerate(inside):
            shared[row, column] = (counts * one * other).sum()
    return shared


def _by_counsellor(uow: UnitOfWork, who: ColumnElement[bool]) -> Counted:
    statement = (
        select(Membership.name, func.count())
        .join(CaseloadEntry, and_(CaseloadEntry.membership_id == Membership.id, CaseloadEntry.kind == "primary"))
        .join(Client, Client.id == CaseloadEntry.client_id)
        .where(who)
        .group_by(Membership.id, Membership.name)
        .order_by(Membership.name)
    )
    if uow.actor.role is Role.COUNSELLOR:
        statement = statement.where(Membership.id == uow.actor.membership_id)
    rows = uow.session.execute(statement).all()
    counts = np.array([[number] for _, number in rows], dtype=np.int64).reshape(-1, 1)
    return Counted("caseload", tuple(name for name, _ in rows), ("clients",), counts)


def _by_month(uow: UnitOfWork, who: ColumnElement[bool], today: date) -> Counted:
    """People asked to review their active plan, by the month it was due, and whether they answered in time."""
    months = months_until(today)
    month = func.to_char(Review.occurrence_on, "YYYY-MM")
    people = func.count(func.distinct(Plan.client_id))
    rows = uow.session.execute(
        select(month, people.filter(in_time()), people)
        .join(Plan, and_(Plan.id == Review.plan_id, Plan.status == "active"))
        .join(Client, Client.id == Plan.client_id)
        .where(who, is_counted(months[0], answer_by(today)))
        .group_by(month)
    ).all()
    counts = np.zeros((len(months), 2), dtype=np.int64)
    names = [day.strftime("%Y-%m") for day in months]
    for name, done, all_ in rows:
        counts[names.index(name)] = (done, all_ - done)
    return Counted("reviews", tuple(names), ("answered", "not_answered"), counts)
