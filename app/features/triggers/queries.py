"""Reads of triggers: what a rule or an event would open, what was found, what waits, why a review was opened."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, text

from app.domain.triggers import RULED, Rule
from app.features.clients.models import Client
from app.features.plans.models import Plan
from app.features.plans.policy import visible_plans
from app.features.reviews.models import Review
from app.features.triggers.models import ExternalEvent, TriggerFinding
from app.features.triggers.rules import rules_of
from app.features.triggers.sources import Source
from app.infra.db.open import UnitOfWork

SHOWN = 50
_RECENT = timedelta(days=30)
_NAME = (Client.given_name + " " + Client.family_name).label("name")
_COUNT = (
    " SELECT count(DISTINCT g.plan_id) AS plans, count(DISTINCT g.plan_id) FILTER (WHERE f.review_id IS NULL) AS new"
    " FROM found g LEFT JOIN trigger_findings f ON f.plan_id = g.plan_id AND f.subject = g.subject AND f.kind = :kind"
)
_NAMES = (
    " SELECT c.family_folded, c.given_folded, g.plan_id, g.subject, g.evidence, c.id AS client_id,"
    " c.given_name || ' ' || c.family_name AS name, f.found_at, f.reviewed_at"
    " FROM found g JOIN plans p ON p.id = g.plan_id JOIN clients c ON c.id = p.client_id"
    " LEFT JOIN trigger_findings f ON f.plan_id = g.plan_id AND f.subject = g.subject AND f.kind = :kind"
    " WHERE (c.family_folded, c.given_folded, g.plan_id, g.subject)"
    " > (CAST(:family AS text), CAST(:given AS text), CAST(:plan AS uuid), CAST(:subject AS text))"
    " ORDER BY c.family_folded, c.given_folded, g.plan_id, g.subject LIMIT :most"
)
# Before the first name.
START = ("", "", UUID(int=0), "")


@dataclass(frozen=True, slots=True)
class Touched:
    """A dry run: how many plans are touched, how many of them would be opened anew, and the first names.

    A row has the plan, the client and their name, the evidence, and when the same was found and reviewed before.
    """

    plans: int
    new: int
    rows: Sequence[Row[Any]]


def dry_run(
    uow: UnitOfWork, kind: str, source: Source, *, after: tuple[Any, ...] = START, most: int = SHOWN
) -> Touched:
    """What a source finds now, by name; nothing is stored. `after` is the place of the last row seen."""
    found = f"WITH found AS MATERIALIZED ({source.statement})"
    values = {**source.values, "kind": kind}
    counts = uow.session.execute(text(found + _COUNT), values).one()
    place = dict(zip(("family", "given", "plan", "subject"), after, strict=True))
    rows = uow.session.execute(text(found + _NAMES), values | place | {"most": most}).all()
    return Touched(counts.plans, counts.new, rows)


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule with how many of its reasons wait, and for how many reviews it was a reason in the last 30 days."""

    rule: Rule
    waiting: int
    reviews: int


def rule_lines(uow: UnitOfWork) -> list[RuleLine]:
    """Every rule with its figures, in the order of the rules."""
    recent = TriggerFinding.reviewed_at > uow.now - _RECENT
    rows = uow.session.execute(
        select(
            TriggerFinding.kind,
            func.count().filter(TriggerFinding.review_id.is_(None)).label("waiting"),
            func.count(TriggerFinding.review_id.distinct()).filter(recent).label("reviews"),
        )
        .where(TriggerFinding.review_id.is_(None) | recent)
        .group_by(TriggerFinding.kind)
    )
    figures = {row.kind: row for row in rows}
    rules = rules_of(uow)
    return [
        RuleLine(
            rules[kind],
            figures[kind].waiting if kind in figures else 0,
            figures[kind].reviews if kind in figures else 0,
        )
        for kind in RULED
    ]


@dataclass(frozen=True, slots=True)
class Person:
    """A plan with its reasons: what waits to be opened, or what a review was opened for."""

    plan_id: UUID
    client_id: UUID
    name: str
    findings: list[TriggerFinding]


def waiting(uow: UnitOfWork, most: int = SHOWN) -> tuple[int, list[Person]]:
    """How many plans wait, and the first of them in the order in which they will be opened."""
    total = uow.session.scalar(
        select(func.count(TriggerFinding.plan_id.distinct())).where(TriggerFinding.review_id.is_(None))
    )
    first = (
        select(TriggerFinding.plan_id)
        .where(TriggerFinding.review_id.is_(None))
        .group_by(TriggerFinding.plan_id)
        .order_by(func.max(TriggerFinding.severity).desc(), func.min(TriggerFinding.found_at), TriggerFinding.plan_id)
        .limit(most)
    )
    return total or 0, _people(uow, list(uow.session.scalars(first)), TriggerFinding.review_id.is_(None))


def opened(uow: UnitOfWork, most: int = SHOWN) -> list[Person]:
    """The plans whose reviews were opened or joined last, the latest first, with the reasons of that."""
    first = (
        select(TriggerFinding.plan_id)
        .where(TriggerFinding.reviewed_at > uow.now - _RECENT)
        .group_by(TriggerFinding.plan_id)
        .order_by(func.max(TriggerFinding.reviewed_at).desc(), TriggerFinding.plan_id)
        .limit(most)
    )
    return _people(uow, list(uow.session.scalars(first)), TriggerFinding.reviewed_at > uow.now - _RECENT)


def opened_on(uow: UnitOfWork, day: date) -> int:
    """How many reviews were opened on a day."""
    return (
        uow.session.scalar(
            select(func.count(TriggerFinding.review_id.distinct())).where(TriggerFinding.opened_on == day)
        )
        or 0
    )


def _people(uow: UnitOfWork, plans: Sequence[UUID], which: ColumnElement[bool]) -> list[Person]:
    if not plans:
        return []
    rows = uow.session.execute(
        select(
            TriggerFinding, Client.id.label("client_id"), (Client.given_name + " " + Client.family_name).label("name")
        )
        .join(Plan, Plan.id == TriggerFinding.plan_id)
        .join(Client, Client.id == Plan.client_id)
        .where(TriggerFinding.plan_id.in_(plans), which)
        .order_by(TriggerFinding.severity.desc(), TriggerFinding.found_at, TriggerFinding.id)
    ).all()
    people: dict[UUID, Person] = {}
    for finding, client_id, name in rows:
        people.setdefault(finding.plan_id, Person(finding.plan_id, client_id, name, [])).findings.append(finding)
    return [people[plan] for plan in plans if plan in people]


def reasons_of(uow: UnitOfWork, plan_id: UUID) -> list[TriggerFinding]:
    """Why the open review of a plan was asked for, the most severe first; empty for one that came by the calendar.

    Whoever may see the plan may see why. What an event that was withdrawn meant is left out.
    """
    return list(
        uow.session.scalars(
            select(TriggerFinding)
            .join(Review, Review.id == TriggerFinding.review_id)
            .join(Plan, Plan.id == TriggerFinding.plan_id)
            .outerjoin(ExternalEvent, ExternalEvent.id == TriggerFinding.event_id)
            .where(
                TriggerFinding.plan_id == plan_id,
                Review.state.in_(("open", "started")),
                ExternalEvent.withdrawn_at.is_(None),
                visible_plans(uow.actor),
            )
            .order_by(TriggerFinding.severity.desc(), TriggerFinding.found_at, TriggerFinding.id)
        )
    )


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event with how many plans wait because of it, and how many reviews it was a reason for."""

    event: ExternalEvent
    waiting: int
    reviews: int


def event_lines(uow: UnitOfWork, ids: Collection[UUID] | None = None) -> list[EventLine]:
    """The latest events, or these."""
    statement = select(ExternalEvent).order_by(ExternalEvent.created_at.desc(), ExternalEvent.id).limit(SHOWN)
    if ids is not None:
        statement = statement.where(ExternalEvent.id.in_(list(ids)))
    events = uow.session.scalars(statement).all()
    figures = {
        row.event_id: row
        for row in uow.session.execute(
            select(
                TriggerFinding.event_id,
                func.count().filter(TriggerFinding.review_id.is_(None)).label("waiting"),
                func.count(TriggerFinding.review_id.distinct()).label("reviews"),
            )
            .where(TriggerFinding.event_id.in_([event.id for event in events]))
            .group_by(TriggerFinding.event_id)
        )
    }
    return [
        EventLine(event, figures[event.id].waiting, figures[event.id].reviews)
        if event.id in figures
        else EventLine(event, 0, 0)
        for event in events
    ]
