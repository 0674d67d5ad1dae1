"""Reads of handing over: open work, what people hold, plans and covers, and who looked after a client when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import case, func, select, text
from sqlalchemy.orm import aliased

from app.domain.errors import NotFound
from app.features.clients.queries import get_client
from app.features.moves.models import CaseloadHistory, CaseloadMove, Cover
from app.features.organizations.models import Membership
from app.infra.db.open import UnitOfWork

# A client is work by being there, and more by each step that waits for a counsellor or is overdue.
_WORK = (
    " 1 + count(*) FILTER (WHERE s.status = 'submitted' OR (s.due_on < :today"
    " AND s.status NOT IN ('completed', 'skipped', 'submitted')))"
)
_OF_CLIENTS = (
    " FROM clients c"
    " LEFT JOIN plans p ON p.organization_id = c.organization_id AND p.client_id = c.id AND p.status = 'active'"
    " LEFT JOIN plan_steps s ON s.organization_id = p.organization_id AND s.plan_id = p.id"
)
_WORK_OF = text(
    f"SELECT c.id, {_WORK} AS work {_OF_CLIENTS}"  # constants
    " WHERE c.id = ANY(CAST(:clients AS uuid[])) AND c.active GROUP BY c.id"
)
_HELD_BY = text(
    "SELECT h.membership_id, count(*) AS clients, sum(h.work)::int AS work FROM"
    f" (SELECT e.membership_id, c.id, {_WORK} AS work {_OF_CLIENTS}"  # constants
    "  JOIN caseload_entries e ON e.organization_id = c.organization_id AND e.client_id = c.id"
    "  WHERE e.membership_id = ANY(CAST(:members AS uuid[])) AND c.active GROUP BY e.membership_id, c.id) h"
    " GROUP BY h.membership_id"
)


@dataclass(frozen=True, slots=True)
class Holding:
    """Somebody who may have a caseload: their minutes a week, how many active clients they have, and the open work."""

    id: UUID
    name: str
    minutes: int | None
    clients: int
    work: int


@dataclass(frozen=True, slots=True)
class CoverLine:
    """A cover, whose clients it is about, who takes them, and how many it holds now."""

    cover: Cover
    source: str
    receivers: list[str]
    planned: int
    clients: int


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """That somebody looked after a client: as what, from when until when, and who was behind it (empty: Octant)."""

    name: str
    kind: str
    began_at: datetime
    ended_at: datetime | None
    began_by: str
    ended_by: str
    by_job: bool
    cover_id: UUID | None


def work_of(uow: UnitOfWork, clients: Sequence[UUID], today: date) -> dict[UUID, int]:
    """The open work of each active client among these."""
    rows = uow.session.execute(_WORK_OF, {"clients": list(clients), "today": today})
    return {row.id: row.work for row in rows}


def holdings(uow: UnitOfWork, today: date, members: Sequence[UUID] | None = None) -> list[Holding]:
    """What everybody holds who may have a caseload (or those of `members` who may), by name."""
    people = select(Membership.id, Membership.name, Membership.weekly_minutes).where(
        Membership.active, Membership.role.in_(("counsellor", "admin"))
    )
    if members is not None:
        people = people.where(Membership.id.in_(list(members)))
    found = uow.session.execute(people.order_by(func.lower(Membership.name), Membership.id)).all()
    rows = uow.session.execute(_HELD_BY, {"members": [row.id for row in found], "today": today})
    held = {row.membership_id: (row.clients, row.work) for row in rows}
    return [Holding(row.id, row.name, row.weekly_minutes, *held.get(row.id, (0, 0))) for row in found]


def get_move(uow: UnitOfWork, move_id: UUID, *, lock: bool = False) -> CaseloadMove:
    """A move as it was previewed. Raises NotFound."""
    wanted = select(CaseloadMove).where(CaseloadMove.id == move_id)
    found = uow.session.scalars(wanted.with_for_update() if lock else wanted).one_or_none()
    if found is None:
        raise NotFound("There is no such handing over.")
    return found


def get_cover(uow: UnitOfWork, cover_id: UUID, *, lock: bool = False) -> Cover:
    """A cover. Raises NotFound."""
    wanted = select(Cover).where(Cover.id == cover_id)
    found = uow.session.scalars(wanted.with_for_update() if lock else wanted).one_or_none()
    if found is None:
        raise NotFound("There is no such cover.")
    return found


def names_of(uow: UnitOfWork, members: Sequence[UUID]) -> dict[UUID, str]:
    """The names of members by id."""
    rows = uow.session.execute(select(Membership.id, Membership.name).where(Membership.id.in_(list(members))))
    return {row.id: row.name for row in rows}


_COVERED = text(
    "SELECT h.cover_id, count(DISTINCT h.client_id) AS clients FROM caseload_history h"
    " WHERE h.cover_id = ANY(CAST(:covers AS uuid[])) AND h.ended_at IS NULL GROUP BY h.cover_id"
)
# Of an array of thousands only who is in it, not the array.
_RECEIVERS = text(
    "SELECT m.id, cardinality(m.client_ids) AS planned, (SELECT array_agg(DISTINCT r) FROM unnest(m.receiver_ids) r)"
    " AS receivers FROM caseload_moves m WHERE m.id = ANY(CAST(:moves AS uuid[]))"
)


def cover_lines(uow: UnitOfWork, *, limit: int = 100) -> list[CoverLine]:
    """Covers that go on or are to come, the soonest first, then those that ended, the latest first."""
    soonest = case((Cover.state != "ended", Cover.first_on))
    covers = uow.session.scalars(
        select(Cover).order_by(soonest.asc().nulls_last(), Cover.first_on.desc(), Cover.id).limit(limit)
    ).all()
    planned = {
        row.id: (row.planned, row.receivers or [])
        for row in uow.session.execute(_RECEIVERS, {"moves": [cover.move_id for cover in covers]})
    }
    covered: Mapping[UUID, int] = {
        row.cover_id: row.clients for row in uow.session.execute(_COVERED, {"covers": [cover.id for cover in covers]})
    }
    named = {member for _, receivers in planned.values() for member in receivers}
    names = names_of(uow, [*named, *(cover.source_id for cover in covers if cover.source_id is not None)])
    return [
        CoverLine(
            cover,
            names.get(cover.source_id, "") if cover.source_id is not None else "",
            sorted(names[member] for member in planned[cover.move_id][1]),
            planned[cover.move_id][0],
            covered.get(cover.id, 0),
        )
        for cover in covers
    ]


def history_of(uow: UnitOfWork, client_id: UUID) -> list[HistoryLine]:
    """Who looked after a client, the latest first. Raises NotFound for a client the actor may not see."""
    get_client(uow, client_id)
    began, ended = aliased(Membership), aliased(Membership)
    rows = uow.session.execute(
        select(CaseloadHistory, Membership.name, began.name.label("began"), ended.name.label("ended"))
        .join(Membership, Membership.id == CaseloadHistory.membership_id)
        .outerjoin(began, began.id == CaseloadHistory.began_by)
        .outerjoin(ended, ended.id == CaseloadHistory.ended_by)
        .where(CaseloadHistory.client_id == client_id)
        .order_by(
            CaseloadHistory.ended_at.desc().nulls_first(),
            CaseloadHistory.began_at.desc(),
            CaseloadHistory.kind,
            CaseloadHistory.id,
        )
        .limit(50)
    )
    return [
        HistoryLine(
            name=row.name,
            kind=line.kind,
            began_at=line.began_at,
            ended_at=line.ended_at,
            began_by=row.began or "",
            ended_by=row.ended or "",
            by_job=line.began_job_id is not None,
            cover_id=line.cover_id,
        )
        for row in rows
        for line in (row.CaseloadHistory,)
    ]
