"""Cover for a time: support that comes on the first day and goes after the last, however often anybody looks.

What a cover put in is told apart by the history of caseloads: the open rows that name it. What was there before is not
among them, nor is what somebody has changed since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from app.domain.errors import Conflict, FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.audit.service import record, record_each
from app.features.clients.queries import select_ids
from app.features.clients.service import mark_rules_stale
from app.features.moves.commands import ExtendCover
from app.features.moves.entries import lock_clients
from app.features.moves.models import CaseloadMove, Cover
from app.features.moves.queries import get_cover
from app.features.moves.service import LONGEST_COVER, still_open
from app.features.organizations.queries import today_here
from app.infra.db.open import UnitOfWork

_NAME = text("SELECT set_config('octant.cover_id', :cover, true)")
_PUT = text(
    """
    INSERT INTO caseload_entries (membership_id, client_id, kind, since)
    SELECT g.receiver_id, g.client_id, 'supporting', :now
    FROM caseload_moves v, unnest(v.client_ids, v.receiver_ids) AS g(client_id, receiver_id)
    JOIN clients c ON c.id = g.client_id AND c.active
    JOIN memberships m ON m.id = g.receiver_id AND m.active
    WHERE v.id = :move AND (v.source_id IS NULL OR EXISTS (SELECT FROM caseload_entries e
        WHERE e.organization_id = v.organization_id AND e.membership_id = v.source_id AND e.client_id = g.client_id))
    ON CONFLICT DO NOTHING
    RETURNING client_id
    """
)
_TAKE = text(
    """
    DELETE FROM caseload_entries e USING caseload_history h
    WHERE h.cover_id = :cover AND h.ended_at IS NULL AND e.organization_id = h.organization_id
      AND e.membership_id = h.membership_id AND e.client_id = h.client_id
    RETURNING e.client_id, e.membership_id
    """
)
# Another cover that goes on needs the same support: it is then the one by which it stays.
_OTHERS = text(
    """
    SELECT DISTINCT ON (g.client_id, g.receiver_id) o.id, g.client_id, g.receiver_id
    FROM covers o JOIN caseload_moves v ON v.organization_id = o.organization_id AND v.id = o.move_id,
      unnest(v.client_ids, v.receiver_ids) AS g(client_id, receiver_id)
    JOIN unnest(CAST(:clients AS uuid[]), CAST(:members AS uuid[])) AS t(client_id, member_id)
      ON t.client_id = g.client_id AND t.member_id = g.receiver_id
    WHERE o.state = 'active' AND o.id <> :cover
    ORDER BY g.client_id, g.receiver_id, o.last_on DESC, o.id
    """
)
_PUT_BACK = text(
    "INSERT INTO caseload_entries (membership_id, client_id, kind, since)"
    " SELECT g.member_id, g.client_id, 'supporting', :now"
    " FROM unnest(CAST(:members AS uuid[]), CAST(:clients AS uuid[])) AS g(member_id, client_id)"
)


def plan_cover(uow: UnitOfWork, move_id: UUID) -> Cover:
    """Set cover up as it was previewed; one whose first day is today begins at once. Asked again, the same cover.

    Raises NotFound, Gone for a preview that is too old or somebody else's, Conflict for a move that is for good.
    """
    move = still_open(uow, move_id)
    if move.first_on is None or move.last_on is None:
        raise Conflict("This is for good. Start it as a job.")
    known = uow.session.scalars(select(Cover).where(Cover.move_id == move.id)).one_or_none()
    if known is not None:
        return known
    cover = Cover(
        move_id=move.id,
        source_id=move.source_id,
        first_on=move.first_on,
        last_on=move.last_on,
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(cover)
    move.expires_at = None
    uow.session.flush()
    record(uow, "cover.planned", "cover", cover.id, starts_on=str(cover.first_on), ends_on=str(cover.last_on))
    keep_covers(uow)
    return cover


def end_cover(uow: UnitOfWork, cover_id: UUID) -> Cover:
    """End a cover now; one that has not begun has no effect any more. Raises NotFound, or Conflict for an ended one."""
    cover = _open(uow, cover_id)
    _end(uow, cover)
    return cover


def extend_cover(uow: UnitOfWork, command: ExtendCover) -> Cover:
    """Give a cover another last day, also an earlier one. Raises NotFound, Conflict for an ended one, InvalidInput."""
    cover = _open(uow, command.cover_id)
    least = max(today_here(uow), cover.first_on)
    if not least <= command.last_on <= least + LONGEST_COVER:
        sentence = later("Choose a day from %(first)s to %(last)s.", first=least, last=least + LONGEST_COVER)
        raise InvalidInput([FieldProblem("last_on", sentence)])
    cover.last_on = command.last_on
    record(uow, "cover.extended", "cover", cover.id, ends_on=str(cover.last_on))
    return cover


def keep_covers(uow: UnitOfWork) -> None:
    """Begin the covers whose first day has come and end those whose last is over; a second look changes nothing."""
    today = today_here(uow)
    due = select(Cover).where(Cover.state != "ended", Cover.first_on <= today).order_by(Cover.id)
    for cover in uow.session.scalars(due.with_for_update(skip_locked=True)).all():
        if cover.last_on < today:
            _end(uow, cover)
        elif cover.state == "planned":
            _begin(uow, cover)


def _open(uow: UnitOfWork, cover_id: UUID) -> Cover:
    cover = get_cover(uow, cover_id, lock=True)
    if cover.state == "ended":
        raise Conflict("This cover has ended.")
    return cover


def _begin(uow: UnitOfWork, cover: Cover) -> None:
    planned = uow.session.scalars(select(CaseloadMove.client_ids).where(CaseloadMove.id == cover.move_id)).one()
    lock_clients(uow, planned)
    uow.session.execute(_NAME, {"cover": str(cover.id)})
    covered = uow.session.scalars(_PUT, {"move": cover.move_id, "now": uow.now}).all()
    uow.session.execute(_NAME, {"cover": ""})
    cover.state, cover.begun_at = "active", uow.now
    record(uow, "cover.begun", "cover", cover.id, clients=len(covered))
    _note(uow, "caseload.covered", covered, cover)


def _end(uow: UnitOfWork, cover: Cover) -> None:
    planned = uow.session.scalars(select(CaseloadMove.client_ids).where(CaseloadMove.id == cover.move_id)).one()
    lock_clients(uow, planned)
    taken = uow.session.execute(_TAKE, {"cover": cover.id}).all()
    stays = _pass_on(uow, cover, taken)
    cover.state, cover.ended_at = "ended", uow.now
    record(uow, "cover.ended", "cover", cover.id, clients=len(taken) - len(stays))
    _note(uow, "caseload.uncovered", [row.client_id for row in taken if tuple(row) not in stays], cover)


def _pass_on(uow: UnitOfWork, cover: Cover, taken: Sequence[Row[Any]]) -> set[tuple[UUID, UUID]]:
    """Leave what another cover needs as well with that one; returns those (client, member) that stay."""
    if not taken:
        return set()
    values = {"cover": cover.id, "clients": [r.client_id for r in taken], "members": [r.membership_id for r in taken]}
    needed: dict[UUID, list[tuple[UUID, UUID]]] = defaultdict(list)
    for row in uow.session.execute(_OTHERS, values):
        needed[row.id].append((row.client_id, row.receiver_id))
    for other, pairs in needed.items():
        uow.session.execute(_NAME, {"cover": str(other)})
        clients, members = [client for client, _ in pairs], [member for _, member in pairs]
        uow.session.execute(_PUT_BACK, {"clients": clients, "members": members, "now": uow.now})
    uow.session.execute(_NAME, {"cover": ""})
    return {pair for pairs in needed.values() for pair in pairs}


def _note(uow: UnitOfWork, action: str, clients: Sequence[UUID], cover: Cover) -> None:
    if clients:
        record_each(uow, action, "client", select_ids(clients), cover=str(cover.id))
        mark_rules_stale(uow)
