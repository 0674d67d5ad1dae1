"""The next 90 days of reviews, as the engine will ask for them, and spreading a flood of them.

What is told here is worked out from the rules by the engine's own functions, not read from the rows it will change.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from app.domain.access import Permission
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from app.domain.forecast import Ask, Move, loads, spread
from app.domain.terms import Term
from app.features.audit.service import record
from app.features.clients.models import CaseloadEntry, Client
from app.features.organizations.models import Membership
from app.features.organizations.queries import today_here
from app.features.plans.models import Plan
from app.features.plans.policy import visible_plans
from app.features.reviews.policies import PlanGroup, groups_of, terms_of
from app.features.reviews.schedule import coming_of, first_after, moment_of
from app.infra.db.open import UnitOfWork

DAYS = 90
MOST_A_DAY = 200
_AT_ONCE = 10_000
_HOLD = text("SELECT id FROM plans WHERE id = ANY(:plans) ORDER BY id FOR UPDATE")
_MOVE = text(
    "UPDATE plans p SET next_review_on = g.day, next_prompt_at = g.moment, next_reminder = 0, review_set = true,"
    " review_stale = false"
    " FROM unnest(CAST(:plans AS uuid[]), CAST(:days AS date[]), CAST(:moments AS timestamptz[]))"
    " AS g(plan, day, moment) WHERE p.id = g.plan AND p.status = 'active' AND p.next_reminder <= 0"
)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The reviews to come until a day, and the counsellors' names (None: nobody's caseload)."""

    first: date
    last: date
    asks: Sequence[Ask]
    names: Mapping[UUID | None, str]

    def by_day(self) -> list[tuple[date, int, list[tuple[str, int]]]]:
        """Each day on which anybody is asked: how many, and how many of each counsellor, most first."""
        found: dict[date, Counter[UUID | None]] = {}
        for (counsellor, day), number in loads(self.asks).items():
            found.setdefault(day, Counter())[counsellor] += number
        return [
            (day, found[day].total(), sorted(((self.names[c], n) for c, n in found[day].items()), key=_most_first))
            for day in sorted(found)
        ]

    def by_counsellor(self) -> list[tuple[UUID | None, str, int, date, int]]:
        """Each counsellor: the sum, and the day with most and its number; most first."""
        sums: Counter[UUID | None] = Counter(ask.counsellor_id for ask in self.asks)
        fullest: dict[UUID | None, tuple[int, date]] = {}
        for (counsellor, day), number in sorted(loads(self.asks).items(), key=lambda pair: pair[0][1]):
            if number > fullest.get(counsellor, (0, day))[0]:
                fullest[counsellor] = (number, day)
        return [
            (counsellor, self.names[counsellor], total, fullest[counsellor][1], fullest[counsellor][0])
            for counsellor, total in sorted(sums.items(), key=lambda pair: (-pair[1], self.names[pair[0]]))
        ]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A spread that can be applied as long as `digest` is what it comes to: which reviews go to which day."""

    most: int
    forecast: Forecast
    after: Forecast
    moves: Sequence[Move]
    client_names: Mapping[UUID, str]
    digest: str


def forecast(uow: UnitOfWork, days: int = DAYS) -> Forecast:
    """When the actor's plans are asked next, for the first time and again, within so many days."""
    return _looked_at(uow, days)[0]


def propose_spread(uow: UnitOfWork, most: int) -> Proposal:
    """What would be moved so that no counsellor has more than `most` new reviews a day. Changes nothing.

    Raises InvalidInput for a number that makes no sense.
    """
    if not 1 <= most <= MOST_A_DAY:
        raise InvalidInput([FieldProblem("most", "Choose 1 to 200 a day.")])
    now, (seen, groups) = uow.now, _looked_at(uow, DAYS)

    def lands(ask: Ask, later: int) -> date | None:
        group = groups[ask.plan_id]
        review_on = ask.review_on + timedelta(days=later)
        if group.pauses.covers(review_on):
            return None
        moment = moment_of(review_on, group.policy, group.zone, 0, group.pauses)
        return None if moment is None or moment <= now else moment.astimezone(group.zone).date()

    moves = spread(seen.asks, most, lands)
    to = {(move.ask.plan_id, move.ask.review_on): move for move in moves}
    after = [
        Ask(ask.plan_id, ask.counsellor_id, move.to, ask.review_on + timedelta(days=move.days))
        if (move := to.get((ask.plan_id, ask.review_on)))
        else ask
        for ask in seen.asks
    ]
    said = "\n".join(f"{move.ask.plan_id} {move.ask.review_on} {move.days} {move.to}" for move in moves)
    names = uow.session.execute(
        select(Plan.id, (Client.given_name + " " + Client.family_name).label("name"))
        .join(Client, Client.id == Plan.client_id)
        .where(Plan.id.in_([move.ask.plan_id for move in moves]))
    )
    return Proposal(
        most,
        seen,
        Forecast(seen.first, seen.last, after, seen.names),
        moves,
        {row.id: row.name for row in names},
        hashlib.sha256(f"{most}\n{said}".encode()).hexdigest()[:16],
    )


def apply_spread(uow: UnitOfWork, most: int, digest: str) -> int:
    """Move the reviews as `propose_spread` showed them; returns how many.

    Raises Conflict when it would come to something else by now, Forbidden for who may not work on plans.
    """
    if not uow.actor.may(Permission.WORK_PLANS):
        raise Forbidden("You may read this plan but not change it.")
    first = propose_spread(uow, most)
    # Held in the order of their ids, then looked at again: what somebody else moved meanwhile is seen.
    uow.session.execute(_HOLD, {"plans": sorted(move.ask.plan_id for move in first.moves)})
    proposal = propose_spread(uow, most)
    if proposal.digest != digest:
        raise Conflict("Something has changed since this was shown. Look at the new proposal and apply that.")
    if not proposal.moves:
        return 0
    groups = _groups(uow, [move.ask.plan_id for move in proposal.moves])
    days = [move.ask.review_on + timedelta(days=move.days) for move in proposal.moves]
    of = [groups[move.ask.plan_id] for move in proposal.moves]
    uow.session.execute(
        _MOVE,
        {
            "plans": [move.ask.plan_id for move in proposal.moves],
            "days": days,
            "moments": [
                moment_of(day, group.policy, group.zone, 0, group.pauses) for day, group in zip(days, of, strict=True)
            ],
        },
    )
    record(uow, "reviews.spread", "organization", uow.actor.organization_id, plans=len(proposal.moves), most=most)
    return len(proposal.moves)


def _looked_at(uow: UnitOfWork, days: int) -> tuple[Forecast, dict[UUID, PlanGroup]]:
    first = today_here(uow)
    last = first + timedelta(days=days - 1)
    counsellors = {
        row.id: row.membership_id
        for row in uow.session.execute(
            select(Plan.id, CaseloadEntry.membership_id)
            .join(Client, Client.id == Plan.client_id)
            .outerjoin(CaseloadEntry, (CaseloadEntry.client_id == Client.id) & (CaseloadEntry.kind == "primary"))
            .where(Plan.status == "active", Client.active, visible_plans(uow.actor))
        )
    }
    groups = _groups(uow, list(counsellors))
    terms = terms_of(uow)
    by_group: dict[int, list[tuple[date, date, bool]]] = {}
    asks = []
    for plan, group in groups.items():
        if id(group) not in by_group:
            by_group[id(group)] = list(_days(group, last, uow.now, terms))
        asks += [
            Ask(plan, counsellors[plan], max(day, first), review_on, movable and day > first)
            for day, review_on, movable in by_group[id(group)]
        ]
    names: dict[UUID | None, str] = {
        row.id: row.name for row in uow.session.execute(select(Membership.id, Membership.name))
    }
    return Forecast(first, last, asks, names | {None: ""}), groups


def _groups(uow: UnitOfWork, plans: Sequence[UUID]) -> dict[UUID, PlanGroup]:
    found = {}
    for start in range(0, len(plans), _AT_ONCE):
        for group in groups_of(uow, plans[start : start + _AT_ONCE]):
            found.update(dict.fromkeys(group.plans, group))
    return found


def _days(group: PlanGroup, last: date, now: datetime, terms: tuple[Term, ...]) -> Iterator[tuple[date, date, bool]]:
    """The local day of each first mail until `last`, its review's day, and whether it is the one the row waits for."""
    coming = coming_of(group, terms=terms, now=now)
    movable = True
    if group.is_begun and coming.day is not None:
        movable, coming = False, first_after(group, coming.day, terms=terms, now=now)
    while coming.day is not None and coming.moment is not None:
        day = coming.moment.astimezone(group.zone).date()
        if day > last:
            return
        yield day, coming.day, movable
        movable, coming = False, first_after(group, coming.day, terms=terms, now=now)


def _most_first(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]
