"""Reads of cohorts, and the rule of a cohort as one criterion over clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, exists, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB, array
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.errors import NotFound
from app.domain.folding import fold
from app.domain.rules import ACTIVE, COUNSELLOR, EXTERNAL_ID, LABEL, Condition, Field, Rule, fields_of
from app.features.clients import labels as client_labels
from app.features.clients import queries as clients
from app.features.clients.models import CaseloadEntry, Client, ClientLabel
from app.features.clients.policy import visible_clients
from app.features.cohorts.models import Cohort, CohortMember
from app.features.cohorts.policy import visible_cohorts
from app.infra.db.open import UnitOfWork
from app.infra.db.whole import joined_as_sets


@dataclass(frozen=True, slots=True)
class CohortLine:
    """A cohort and how many clients it has, whoever looks after them."""

    cohort: Cohort
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """A client of a cohort; `statuses` has a letter per step of the active plan, empty without one."""

    id: UUID
    name: str
    external_id: str
    active: bool
    plan_id: UUID | None
    revision: int | None
    statuses: str


@dataclass(frozen=True, slots=True)
class MemberPage:
    """One page of the members the actor may see, by name, and how many there are in all."""

    members: list[Member]
    total: int


def list_cohorts(uow: UnitOfWork, *, archived: bool = False) -> list[CohortLine]:
    """Cohorts with their number of members, by name."""
    counted = select(CohortMember.cohort_id, func.count().label("members")).group_by(CohortMember.cohort_id).subquery()
    found = (
        select(Cohort, func.coalesce(counted.c.members, 0))
        .outerjoin(counted, counted.c.cohort_id == Cohort.id)
        .where(visible_cohorts(uow.actor))
        .where(Cohort.archived_at.is_not(None) if archived else Cohort.archived_at.is_(None))
        .order_by(func.lower(Cohort.name), Cohort.id)
    )
    return [CohortLine(cohort, members) for cohort, members in uow.session.execute(found)]


def get_cohort(uow: UnitOfWork, cohort_id: UUID) -> Cohort:
    """The cohort. Raises NotFound when there is none the actor may see."""
    found = uow.session.scalars(select(Cohort).where(Cohort.id == cohort_id, visible_cohorts(uow.actor))).one_or_none()
    if found is None:
        raise NotFound("There is no such cohort.")
    return found


# By name, because plans stand above cohorts. The letters are those of `app.infra.drawing.row_dials`.
_DIALS = text(
    "SELECT p.client_id, p.id AS plan_id, p.revision, string_agg(CASE s.status"
    " WHEN 'completed' THEN CASE WHEN s.stale THEN 't' ELSE 'c' END WHEN 'skipped' THEN 'k'"
    " ELSE left(s.status, 1) END, '' ORDER BY s.step) AS statuses"
    " FROM plans p JOIN plan_steps s ON s.organization_id = p.organization_id AND s.plan_id = p.id"
    " WHERE p.status = 'active' AND p.client_id = ANY(:clients) GROUP BY p.organization_id, p.client_id, p.id"
)


def members_of(uow: UnitOfWork, cohort_id: UUID, *, offset: int = 0, limit: int = 50) -> MemberPage:
    """A page of a cohort's members whom the actor may see, with the statuses of their plans, in three statements."""
    belongs = exists().where(
        CohortMember.organization_id == Client.organization_id,
        CohortMember.client_id == Client.id,
        CohortMember.cohort_id == cohort_id,
    )
    who = and_(belongs, visible_clients(uow.actor))
    rows = uow.session.execute(
        select(Client.id, Client.given_name, Client.family_name, Client.external_id, Client.active)
        .where(who)
        .order_by(Client.family_folded, Client.given_folded, Client.id)
        .offset(offset)
        .limit(limit)
    ).all()
    total = uow.session.execute(select(func.count()).select_from(Client).where(who)).scalar_one()
    plans = {row.client_id: row for row in uow.session.execute(_DIALS, {"clients": [row.id for row in rows]})}
    return MemberPage([_member(row, plans.get(row.id)) for row in rows], total)


def _member(row: Any, plan: Any) -> Member:
    return Member(
        id=row.id,
        name=f"{row.given_name} {row.family_name}",
        external_id=row.external_id,
        active=row.active,
        plan_id=plan.plan_id if plan else None,
        revision=plan.revision if plan else None,
        statuses=plan.statuses if plan else "",
    )


def rule_fields(
    uow: UnitOfWork, names: Mapping[str, str] | None = None, *, own_labels: bool = False
) -> tuple[Field, ...]:
    """What a cohort's rule may be about; `names` names the built-in fields for the reader.

    A rule selects for everybody and uses the organization's labels; a filter may use the reader's own (`own_labels`).
    """
    said = names or {ACTIVE: "active", EXTERNAL_ID: "external id", COUNSELLOR: "counsellor", LABEL: "label"}
    people = [(str(c.id), c.name) for c in clients.counsellors(uow)]
    labels = client_labels.visible_labels(uow)
    offered = [(str(label.id), label.name) for label in labels if own_labels or label.owner_id is None]
    return fields_of(clients.attributes(uow), people, said, offered)


def count_matching(uow: UnitOfWork, rule: Rule) -> int:
    """How many clients of the organization the rule selects now."""
    with joined_as_sets(uow):
        return uow.session.execute(select(func.count()).select_from(Client).where(criterion_of(rule))).scalar_one()


def criterion_of(rule: Rule) -> ColumnElement[bool]:
    """The rule as one criterion over `Client`; never true for a value the client has not, but for `is_not`."""
    parts = [criterion_of_condition(condition) for condition in rule.conditions]
    return and_(*parts) if rule.match == "all" else or_(*parts)


def criterion_of_condition(condition: Condition) -> ColumnElement[bool]:
    """One condition on what is known of a client; those on plans are compiled where filters are."""
    if condition.field == ACTIVE:
        return Client.active.is_(condition.values[0] is True)
    if condition.field == EXTERNAL_ID:
        return Client.external_folded.op("^@", is_comparison=True)(fold(str(condition.values[0])))
    if condition.field == COUNSELLOR:
        return _among(condition, CaseloadEntry, CaseloadEntry.membership_id)
    if condition.field == LABEL:
        return _among(condition, ClientLabel, ClientLabel.label_id)
    return _attribute(condition)


def _among(
    condition: Condition, rows: type[CaseloadEntry | ClientLabel], of: InstrumentedAttribute[UUID]
) -> ColumnElement[bool]:
    """Whether the client has a row whose `of` is one of the values, or any row where there are none."""
    entry = and_(rows.organization_id == Client.organization_id, rows.client_id == Client.id)
    if condition.values:
        entry = and_(entry, of == any_(ids_of(condition)))
    # Of the client outside, also where the statement around it reads the same table.
    having = exists().where(entry).correlate(Client)
    return ~having if condition.operator in ("is_not", "is_empty") else having


def ids_of(condition: Condition) -> ColumnElement[Any]:
    """The ids among a condition's values as one array."""
    return literal([UUID(str(value)) for value in condition.values], ARRAY(Uuid))


def _attribute(condition: Condition) -> ColumnElement[bool]:
    """One comparison of an attribute. jsonb compares values of different types too, so the type is asked first."""
    value = Client.attributes[condition.field]
    filled = func.coalesce(func.jsonb_typeof(value), "null") != "null"
    wanted = [literal(v, JSONB) for v in condition.values]
    if condition.operator == "is_empty":
        return ~filled
    if condition.operator == "is_not_empty":
        return filled
    if condition.operator == "is_not":
        return value.is_distinct_from(wanted[0])
    if condition.operator in ("is", "any_of"):
        # One comparison with all of them: the value is taken out of the row once.
        return value == (wanted[0] if len(wanted) == 1 else any_(array(wanted)))
    if condition.operator in ("at_least", "at_most"):
        reached = value >= wanted[0] if condition.operator == "at_least" else value <= wanted[0]
        return and_(func.jsonb_typeof(value) == "number", reached)
    # Days are kept as "YYYY-MM-DD", whose order as text is theirs in time.
    day = Client.attributes[condition.field].astext.collate("C")
    limit = str(condition.values[0])
    return and_(func.jsonb_typeof(value) == "string", day < limit if condition.operator == "before" else day > limit)
