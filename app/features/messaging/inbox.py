"""The inbox of a member: what they are told within Octant, once per key, whatever happens to mail.

Features above put notices in by `put_notices` with a kind of `notice_words.py`; a client without an account has no
inbox and is written to by mail only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, text, update

from app.domain.access import Actor
from app.domain.errors import NotFound
from app.features.messaging.models import Notice
from app.features.messaging.notice_words import NOTICES
from app.infra.db.open import Bell, UnitOfWork

_PUT = text(
    """
    WITH made AS (
        INSERT INTO notices (membership_id, dedupe_key, kind, params, href, created_at)
        SELECT membership_id, dedupe_key, kind, coalesce(params, '{}'), href, :now
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given(
            membership_id uuid, dedupe_key text, kind text, params jsonb, href text)
        ON CONFLICT DO NOTHING
        RETURNING id, membership_id, kind, href
    ), told AS (
        INSERT INTO webhook_deliveries (dedupe_key, event, data, not_before, created_at)
        SELECT 'notice:' || m.id, 'notice.' || m.kind,
               jsonb_build_object('notice_id', m.id, 'membership_id', m.membership_id, 'path', m.href), :now, :now
        FROM made m JOIN webhooks w ON w.active
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT (SELECT count(*) FROM made) AS made, (SELECT count(*) FROM told) AS told
    """
)
# Who looks after a client, or the administrators where nobody does. By name: those tables stand above the outbox.
_LOOKING_AFTER = text(
    """
    WITH mine AS (
        SELECT e.client_id, m.id FROM caseload_entries e JOIN memberships m ON m.id = e.membership_id AND m.active
        WHERE e.client_id = ANY(CAST(:clients AS uuid[])) AND e.kind = 'primary'
    )
    SELECT client_id, id FROM mine
    UNION ALL
    SELECT g.client_id, m.id FROM unnest(CAST(:clients AS uuid[])) AS g(client_id)
    JOIN memberships m ON m.active AND m.role = 'admin'
    WHERE NOT EXISTS (SELECT FROM mine WHERE mine.client_id = g.client_id)
    """
)


def put_notices(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> int:
    """Put notices into inboxes, one statement for all; returns how many are new.

    A row has membership_id, dedupe_key (once for each member), kind (one of `NOTICES`), params (what its sentence
    names) and href (a path within Octant). Where the organization has a webhook, it is told of each by its ids.
    Raises KeyError for an unknown kind.
    """
    for row in rows:
        NOTICES[row["kind"]]
    if not rows:
        return 0
    given = json.dumps([dict(row) for row in rows], default=str)
    made = uow.session.execute(_PUT, {"rows": given, "now": uow.now}).one()
    if made.told:
        uow.ring(Bell.PROMPT)
    return int(made.made)


def members_looking_after(uow: UnitOfWork, client_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """For each client the memberships of who looks after them first; administrators where nobody does."""
    found: dict[UUID, list[UUID]] = {}
    for row in uow.session.execute(_LOOKING_AFTER, {"clients": list(client_ids)}):
        found.setdefault(row.client_id, []).append(row.id)
    return found


def administrators(uow: UnitOfWork) -> list[UUID]:
    """The memberships of the organization's active administrators."""
    # By name: memberships stand above the outbox on the ladder.
    return list(uow.session.execute(text("SELECT id FROM memberships WHERE active AND role = 'admin'")).scalars())


def own_notices(actor: Actor) -> Select[Notice]:
    """The notices of the actor's inbox; of nobody else's."""
    return select(Notice).where(Notice.membership_id == actor.membership_id)


def read_notice(uow: UnitOfWork, notice_id: UUID) -> Notice:
    """Note that the actor has read one of their notices; harmless to repeat. Raises NotFound for another's."""
    notice = uow.session.scalars(own_notices(uow.actor).where(Notice.id == notice_id)).one_or_none()
    if notice is None:
        raise NotFound("There is no such notice.")
    if notice.read_at is None:
        notice.read_at = uow.now
        uow.session.flush()
    return notice


def read_all(uow: UnitOfWork) -> int:
    """Note that the actor has read everything in their inbox; returns how many notices that were."""
    unread = update(Notice).where(Notice.membership_id == uow.actor.membership_id, Notice.read_at.is_(None))
    return len(uow.session.execute(unread.values(read_at=uow.now).returning(Notice.id)).all())
