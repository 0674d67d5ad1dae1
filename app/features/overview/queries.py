"""Reads of the overview: the caseload with the reasons for attention, and what it can be filtered by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    Text,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.domain.access import Actor, Role, member
from app.domain.attributes import Attribute
from app.domain.rules import stored_rule
from app.features.clients.models import AttributeDefinition, Label
from app.features.cohorts.models import Cohort
from app.features.cohorts.policy import visible_cohorts
from app.features.organizations.models import Membership
from app.features.overview.commands import CaseloadFilter, Why
from app.features.overview.facts import facts_of, moments, order_of, plan_filter
from app.features.selections.criteria import criterion_of_filter
from app.features.selections.models import SavedFilter
from app.features.selections.queries import get_filter, moment_of
from app.infra.db.kept import KeptStatement, keep
from app.infra.db.open import UnitOfWork

# Two attributes stand under a name in the table.
_SECOND_LINE = 2


class CaseloadRow(NamedTuple):
    """A client as the table shows them. `statuses` has a letter per step (`app.infra.drawing.row_dials`)."""

    id: UUID
    name: str
    external_id: str
    second: str
    last_contact_at: datetime | None
    heard_at: datetime | None
    plan_id: UUID | None
    revision: int | None
    statuses: str | None
    overdue: int
    overdue_since: date | None
    next_on: date | None
    waiting_step: int | None
    stale_step: int | None
    # The answered check-in that waits for the counsellor.
    waiting_review: str | None
    why: int


@dataclass(frozen=True, slots=True)
class Tiles:
    """Figures of the whole caseload, whatever is filtered. `answered_share` is in percent, None without reviews.

    What the figures of reviews mean stands in `app.features.reviews.figures`.
    """

    clients: int
    waiting: int
    overdue: int
    reviews_soon: int
    answered_share: int | None


@dataclass(frozen=True, slots=True)
class CaseloadPage:
    """A page of the rows that match, how many match in all, and the tiles."""

    rows: list[CaseloadRow]
    total: int
    tiles: Tiles


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """What a caseload can be filtered by: attributes with choices are lists, others are typed."""

    attributes: list[Attribute]
    cohorts: list[tuple[UUID, str]]
    counsellors: list[tuple[UUID, str]]
    labels: list[tuple[UUID, str]]
    filters: list[tuple[UUID, str]]


def filter_options(uow: UnitOfWork) -> FilterOptions:
    """Attributes, cohorts, labels, filters and (for those who see every caseload) counsellors, in one statement."""
    attributes = select(
        literal("a").label("what"),
        AttributeDefinition.id,
        AttributeDefinition.label.label("label"),
        AttributeDefinition.key,
        AttributeDefinition.kind,
        AttributeDefinition.choices,
        AttributeDefinition.position.label("position"),
    )
    none = (cast(null(), Text), cast(null(), Text), cast(null(), JSONB), cast(literal(0), Integer))
    cohorts = select(literal("c"), Cohort.id, Cohort.name, *none).where(
        Cohort.archived_at.is_(None), visible_cohorts(uow.actor)
    )
    me = uow.actor.membership_id
    labels = select(literal("l"), Label.id, Label.name, *none).where(
        or_(Label.owner_id.is_(None), Label.owner_id == me)
    )
    filters = select(literal("f"), SavedFilter.id, SavedFilter.name, *none).where(
        or_(SavedFilter.shared, SavedFilter.owner_id == me)
    )
    parts: list[Select[Any]] = [attributes, cohorts, labels, filters]
    if uow.actor.role is Role.ADMIN or uow.actor.shares_caseloads:
        parts.append(
            select(literal("m"), Membership.id, Membership.name, *none).where(
                Membership.active, Membership.role.in_((Role.COUNSELLOR.value, Role.ADMIN.value))
            )
        )
    rows = uow.session.execute(union_all(*parts).order_by("position", "label")).all()
    return FilterOptions(
        attributes=[Attribute(r.key, r.label, r.kind, tuple(r.choices or ())) for r in rows if r.what == "a"],
        cohorts=[(r.id, r.label) for r in rows if r.what == "c"],
        counsellors=[(r.id, r.label) for r in rows if r.what == "m"],
        labels=[(r.id, r.label) for r in rows if r.what == "l"],
        filters=[(r.id, r.label) for r in rows if r.what == "f"],
    )


def second_line(attributes: list[Attribute]) -> list[tuple[str, str]]:
    """(key, words before the value) of the attributes under a name: only a number needs its label."""
    shown = [a for a in attributes if a.kind in ("text", "choice", "number")][:_SECOND_LINE]
    return [(a.key, f"{a.label.lower()} " if a.kind == "number" else "") for a in shown]


def today_in(uow: UnitOfWork, time_zone: str) -> date:
    """The day it is now in a time zone."""
    return uow.now.astimezone(ZoneInfo(time_zone)).date()


def caseload_page(uow: UnitOfWork, wanted: CaseloadFilter, *, today: date, attributes: list[Attribute]) -> CaseloadPage:
    """A page of the clients the actor may see, with reasons, dials and tiles, in one statement."""
    under_name = tuple(second_line(attributes))
    if wanted.filter_id is not None:
        found = _run_filtered(uow, _page_select(uow.actor, wanted, under_name, _saved(uow, wanted)), wanted, today)
    else:
        kept = _page_statement(uow.actor.role, uow.actor.shares_caseloads, wanted, under_name)
        found = _run(uow, kept, wanted, today)
    first, width = found[0], len(CaseloadRow._fields)
    share = round(100 * first.in_time_in_all / first.asked_in_all) if first.asked_in_all else None
    return CaseloadPage(
        rows=[CaseloadRow._make(row[:width]) for row in found if row[0] is not None],
        total=first.total,
        tiles=Tiles(first.clients, first.waiting, first.overdue_clients, first.soon, share),
    )


def matching(uow: UnitOfWork, wanted: CaseloadFilter, *, today: date) -> Select[UUID]:
    """A select of the id of every client that matches, however many and whatever the page, to be frozen as it is."""
    facts = facts_of(uow.actor, wanted, saved=_saved(uow, wanted))
    found: Select[UUID] = select(facts.c.id).where(plan_filter(facts, wanted))
    return found.params(moments(wanted, now=uow.now, today=today))


def _saved(uow: UnitOfWork, wanted: CaseloadFilter) -> ColumnElement[bool] | None:
    """The criterion of the saved filter that is named. Raises NotFound for one that is not the actor's to use."""
    if wanted.filter_id is None:
        return None
    return criterion_of_filter(stored_rule(get_filter(uow, wanted.filter_id).rule), moment_of(uow))


# Stands for whoever asks while a statement is made.
_ANYBODY = UUID(int=0)


def _run(uow: UnitOfWork, kept: KeptStatement, wanted: CaseloadFilter, today: date) -> Sequence[Row[Any]]:
    return kept.run(uow, moments(wanted, now=uow.now, today=today), {_ANYBODY: uow.actor.membership_id})


def _run_filtered(uow: UnitOfWork, statement: Select[Any], wanted: CaseloadFilter, today: date) -> Sequence[Row[Any]]:
    # A saved filter has values and days of its own, so its statement is not one that comes again and again.
    return uow.session.execute(statement, moments(wanted, now=uow.now, today=today)).all()


def _sight(role: Role, shares_caseloads: bool) -> Actor:
    # The organization is the session's: row security sees to it, and no criterion of these statements names it.
    return member(role, _ANYBODY, membership_id=_ANYBODY, user_id=_ANYBODY, shares_caseloads=shares_caseloads)


@lru_cache(maxsize=256)
def _page_statement(
    role: Role, shares_caseloads: bool, wanted: CaseloadFilter, under_name: tuple[tuple[str, str], ...]
) -> KeptStatement:
    return keep(_page_select(_sight(role, shares_caseloads), wanted, under_name))


def _page_select(
    actor: Actor,
    wanted: CaseloadFilter,
    under_name: tuple[tuple[str, str], ...],
    saved: ColumnElement[bool] | None = None,
) -> Select[Any]:
    facts = facts_of(actor, wanted, second_line=under_name, saved=saved)
    matches = plan_filter(facts, wanted)
    waits = facts.c.why.op("&")(int(Why.WAITING | Why.ANSWERED)) > 0
    tiles = (
        select(
            func.count().label("clients"),
            func.count().filter(matches).label("total"),
            func.count().filter(waits).label("waiting"),
            func.count().filter(facts.c.overdue > 0).label("overdue_clients"),
            func.count().filter(facts.c.review_soon).label("soon"),
            func.sum(facts.c.asked).label("asked_in_all"),
            func.sum(facts.c.in_time).label("in_time_in_all"),
        )
        .select_from(facts)
        .subquery("tiles")
    )
    order = order_of(facts, wanted)
    shown = (
        select(*(facts.c[name] for name in CaseloadRow._fields), func.row_number().over(order_by=order).label("place"))
        .where(matches)
        .order_by(*order)
        .offset((wanted.page - 1) * wanted.size)
        .limit(wanted.size)
        .subquery("shown")
    )
    columns = [shown.c[name] for name in CaseloadRow._fields]
    return select(*columns, *tiles.c).select_from(tiles).outerjoin(shown, true()).order_by(shown.c.place)
