"""Reads of outcomes: of one client with their history, of those nothing is known of, and counts of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    exists,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on

from app.domain.access import Actor, Permission
from app.domain.outcomes import FULL_TIME, counts_until
from app.features.clients.models import Client, ClientPair
from app.features.clients.policy import visible_clients
from app.features.clients.queries import get_client
from app.features.occupations.queries import facts
from app.features.occupations.releases import find_release
from app.features.organizations.models import Membership
from app.features.outcomes.models import Graduation, Outcome, OutcomeLink
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Known:
    """One line of a history: who recorded it (None: the graduate, or nobody), and whether it is the one that counts."""

    outcome: Outcome
    by: str | None
    occupation: str
    newest: bool

    @property
    def late(self) -> bool:
        """Whether it became known after the collection of its class had closed."""
        return self.outcome.known_on > counts_until(self.outcome.class_year)


@dataclass(frozen=True, slots=True)
class OfClass:
    """A graduation of a client with everything that was ever known of it, the newest first."""

    graduation: Graduation
    history: list[Known]

    @property
    def newest(self) -> Known | None:
        """What is known; None where nothing is."""
        return next((known for known in self.history if known.newest), None)


@dataclass(frozen=True, slots=True)
class Missing:
    """A graduate of whom nothing is known, with the last time they were asked by a link."""

    client_id: UUID
    name: str
    external_id: str
    email: str | None
    graduated_on: date
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Salaries:
    """What those in full-time employment earn whose salary is known, in the currency of most of them."""

    people: int
    median: float
    currency: str


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """How many of a class have each status and kind of employment (None: not said), before anything is withheld.

    `group` is the value of an attribute where a class is counted by one, else empty. `late` counts those of whom
    something became known only after the collection had closed.
    """

    class_year: int
    group: str
    graduates: int
    counts: Mapping[tuple[str, str | None], int] = field(default_factory=dict)
    late: int = 0
    salaries: Salaries | None = None

    def of(self, status: str) -> int:
        """How many have a status, whatever their employment."""
        return sum(number for (has, _), number in self.counts.items() if has == status)


def history_of(uow: UnitOfWork, client_id: UUID) -> list[OfClass]:
    """Every graduation of a client, the last first. Raises NotFound for a client the actor may not see."""
    get_client(uow, client_id)
    graduations = uow.session.scalars(
        select(Graduation).where(Graduation.client_id == client_id).order_by(Graduation.class_year.desc())
    ).all()
    rows = uow.session.execute(
        select(Outcome, Membership.name)
        .outerjoin(Membership, Membership.id == Outcome.recorded_by)
        .where(Outcome.client_id == client_id)
        .order_by(Outcome.known_on.desc(), Outcome.recorded_at.desc(), Outcome.id.desc())
    ).all()
    titles = _titles(uow, [outcome for outcome, _ in rows])
    found = []
    for graduation in graduations:
        history: list[Known] = []
        for outcome, by in rows:
            if outcome.class_year == graduation.class_year:
                newest = outcome.withdrawn_at is None and not any(known.newest for known in history)
                title = titles.get((outcome.occupation_release, outcome.occupation_code), "")
                history.append(Known(outcome, by, title or outcome.occupation_code or "", newest))
        found.append(OfClass(graduation, history))
    return found


def _titles(uow: UnitOfWork, outcomes: list[Outcome]) -> dict[tuple[str | None, str | None], str]:
    named: dict[str, set[str]] = {}
    for outcome in outcomes:
        if outcome.occupation_release and outcome.occupation_code:
            named.setdefault(outcome.occupation_release, set()).add(outcome.occupation_code)
    titles: dict[tuple[str | None, str | None], str] = {}
    for key, codes in named.items():
        release = find_release(uow, key)
        if release is not None:
            titles |= {(key, code): one.title for code, one in facts(uow, sorted(codes), release).items()}
    return titles


def counted_graduates(actor: Actor) -> ColumnElement[bool]:
    """Whose outcomes an actor's figures are of, as a criterion over `Client`: everybody, else those they see.

    Who left the roster still counts; a record put behind another of the same person does not.
    """
    # A second record of a person would count them twice.
    behind = exists().where(
        ClientPair.organization_id == Client.organization_id,
        ClientPair.linked_id == Client.id,
        ClientPair.state == "linked",
    )
    seen = true() if actor.may(Permission.READ_ALL_AGGREGATES) else visible_clients(actor)
    return and_(seen, ~behind)


def _newest() -> Subquery:
    """What counts of each graduate: the newest that was known by the end of the collection of the class."""
    return (
        select(
            Outcome.organization_id,
            Outcome.client_id,
            Outcome.class_year,
            Outcome.status,
            Outcome.employment,
            Outcome.salary,
            Outcome.currency,
        )
        .ext(distinct_on(Outcome.client_id, Outcome.class_year))
        .where(Outcome.withdrawn_at.is_(None), Outcome.known_on <= func.make_date(Outcome.class_year, 12, 31))
        .order_by(
            Outcome.client_id,
            Outcome.class_year,
            Outcome.known_on.desc(),
            Outcome.recorded_at.desc(),
            Outcome.id.desc(),
        )
        .subquery()
    )


def count_classes(uow: UnitOfWork, *, class_year: int | None = None, by: str | None = None) -> list[ClassCounts]:
    """Counts of each class, the last first, or of one; with `by`, an attribute's key, of each of its values apart.

    Three statements, however many graduates there are.
    """
    newest = _newest()
    group = func.coalesce(Client.attributes[by].astext, "").label("grp") if by is not None else literal("").label("grp")
    of_class = true() if class_year is None else Graduation.class_year == class_year
    of_client = and_(Client.organization_id == Graduation.organization_id, Client.id == Graduation.client_id)
    counting = and_(
        newest.c.organization_id == Graduation.organization_id,
        newest.c.client_id == Graduation.client_id,
        newest.c.class_year == Graduation.class_year,
    )
    who = and_(counted_graduates(uow.actor), of_class)
    rows = uow.session.execute(
        select(
            Graduation.class_year,
            group,
            newest.c.status,
            newest.c.employment,
            func.count(),
            func.count().filter(newest.c.status.is_(None), ~_nothing_known()),
        )
        .select_from(Graduation)
        .join(Client, of_client)
        .outerjoin(newest, counting)
        .where(who)
        .group_by(Graduation.class_year, group, newest.c.status, newest.c.employment)
    ).all()
    paid = uow.session.execute(
        select(
            Graduation.class_year,
            group,
            newest.c.currency,
            func.count(),
            func.array_agg(newest.c.salary),
        )
        .select_from(Graduation)
        .join(Client, of_client)
        .join(newest, counting)
        .where(who, newest.c.status == FULL_TIME, newest.c.salary.is_not(None))
        .group_by(Graduation.class_year, group, newest.c.currency)
        .order_by(func.count(), newest.c.currency.desc())
    ).all()
    # The currency of most comes last and stays.
    salaries = {(row[0], row[1]): Salaries(row[3], float(median(row[4])), row[2]) for row in paid}
    found: dict[tuple[int, str], tuple[dict[tuple[str, str | None], int], list[int]]] = {}
    for year, name, status, employment, people, after in rows:
        counts, sums = found.setdefault((year, name), ({}, [0, 0]))
        sums[0] += people
        sums[1] += after
        if status is not None:
            counts[status, employment] = people
    return [
        ClassCounts(year, name, sums[0], counts, sums[1], salaries.get((year, name)))
        for (year, name), (counts, sums) in sorted(found.items(), key=lambda one: (-one[0][0], one[0][1].casefold()))
    ]


def _nothing_known() -> ColumnElement[bool]:
    """Whether nothing that was not withdrawn is known of a graduation, also not from after the collection."""
    return ~exists().where(
        Outcome.organization_id == Graduation.organization_id,
        Outcome.client_id == Graduation.client_id,
        Outcome.class_year == Graduation.class_year,
        Outcome.withdrawn_at.is_(None),
    )


def _missing(actor: Actor) -> Select[UUID]:
    of_client = and_(Client.organization_id == Graduation.organization_id, Client.id == Graduation.client_id)
    return (
        select(Client.id)
        .join(Graduation, of_client)
        .where(visible_clients(actor), counted_graduates(actor), _nothing_known())
    )


def missing(class_year: int, actor: Actor) -> Select[UUID]:
    """Ids of the graduates of a class whom the actor sees and of whom nothing is known."""
    return _missing(actor).where(Graduation.class_year == class_year)


def count_missing(uow: UnitOfWork) -> dict[int, int]:
    """Of each class how many graduates there are whom the actor sees and of whom nothing is known."""
    counted = _missing(uow.actor).with_only_columns(Graduation.class_year, func.count(), maintain_column_froms=True)
    rows = uow.session.execute(counted.group_by(Graduation.class_year)).all()
    return {row[0]: row[1] for row in rows}


def missing_page(uow: UnitOfWork, class_year: int, *, offset: int = 0, limit: int = 50) -> list[Missing]:
    """A page of those of whom nothing is known, by name."""
    asked = (
        select(func.max(OutcomeLink.created_at))
        .where(
            OutcomeLink.organization_id == Graduation.organization_id,
            OutcomeLink.client_id == Graduation.client_id,
            OutcomeLink.class_year == Graduation.class_year,
        )
        .correlate(Graduation)
        .scalar_subquery()
    )
    columns = (
        Client.id,
        (Client.given_name + " " + Client.family_name).label("name"),
        Client.external_id,
        Client.email,
        Graduation.graduated_on,
        asked.label("asked_at"),
    )
    wanted = missing(class_year, uow.actor).with_only_columns(*columns, maintain_column_froms=True)
    ordered = wanted.order_by(Client.family_folded, Client.given_folded, Client.id)
    return [Missing(*row) for row in uow.session.execute(ordered.offset(offset).limit(limit))]
