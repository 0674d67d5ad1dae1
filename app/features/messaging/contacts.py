"""Who was written to this week, by whom, and how many contacts are left: what staff see before they write or ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.infra.db.open import UnitOfWork

# By name: clients, memberships and organizations stand above the outbox on the ladder.
_CONTACTS = text(
    """
    WITH these AS (
        SELECT c.id, o.contact_cap AS cap,
               date_trunc('week', CAST(:now AS timestamptz) AT TIME ZONE coalesce(c.time_zone, o.time_zone)) AS week,
               coalesce(c.time_zone, o.time_zone) AS zone
        FROM clients c CROSS JOIN organizations o WHERE c.id = ANY(CAST(:clients AS uuid[]))
    )
    SELECT t.id AS client_id, t.cap, m.id AS message_id, m.kind, m.state, coalesce(m.sent_at, m.not_before) AS at,
           p.name AS by,
           (SELECT count(*) FROM contact_slots s WHERE s.client_id = t.id AND s.week = t.week::date) AS used
    FROM these t
    LEFT JOIN messages m ON m.client_id = t.id AND m.client_id = ANY(CAST(:clients AS uuid[])) AND (
        m.state IN ('queued', 'held', 'handed', 'unknown')
        OR m.state = 'sent' AND m.sent_at >= t.week AT TIME ZONE t.zone)
    LEFT JOIN memberships p ON p.id = m.created_by
    ORDER BY at DESC, m.id
    """
)


@dataclass(frozen=True, slots=True)
class Contact:
    """One message of this week: when it left, or when it may. `by` is empty where Octant wrote by itself."""

    message_id: UUID
    kind: str
    state: str
    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class Contacts:
    """What a client was written this week or is about to be, and how many contacts the cap leaves."""

    cap: int
    used: int
    messages: tuple[Contact, ...]

    @property
    def left(self) -> int:
        """How many messages may still leave this week, urgent ones aside."""
        return max(0, self.cap - self.used)


def contacts_of(uow: UnitOfWork, client_ids: Sequence[UUID]) -> Mapping[UUID, Contacts]:
    """The contacts of each client in their present week, in one statement; whom the actor may not see is the
    caller's to leave out. A client nobody wrote to has an empty list."""
    found: dict[UUID, tuple[int, int, list[Contact]]] = {}
    for row in uow.session.execute(_CONTACTS, {"clients": list(client_ids), "now": uow.now}):
        _, _, messages = found.setdefault(row.client_id, (row.cap, row.used, []))
        if row.message_id is not None:
            messages.append(Contact(row.message_id, row.kind, row.state, row.at, row.by))
    return {client: Contacts(cap, used, tuple(messages)) for client, (cap, used, messages) in found.items()}


@dataclass(frozen=True, slots=True)
class Warned:
    """Of many clients: how many were written to this week already, by whom, and how many have no contact left."""

    written: int
    full: int
    by: Mapping[str, int]


def warn_of(contacts: Mapping[UUID, Contacts]) -> Warned:
    """What staff are told before they ask many at once. `by` counts clients by who wrote, "" for Octant itself."""
    written = [found for found in contacts.values() if found.messages]
    by = Counter(name for found in written for name in {message.by or "" for message in found.messages})
    return Warned(len(written), sum(not found.left for found in contacts.values()), dict(by.most_common()))
