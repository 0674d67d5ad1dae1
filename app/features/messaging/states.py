"""The statements that move messages from state to state. Each names its lease, so that only its holder writes.

queued: may be reserved (a lease) · held: the same, once its client's next week has begun (`budget.py`) · merged: leaves
in a digest · handed: committed before the attempt's last dot · sent · failed · unknown: to be asked for · suppressed.
A worker that dies leaves reserved rows, which are free again when the lease ends,
and handed rows, whose outcome is then asked for (`settle.py`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.infra.db.open import UnitOfWork
from app.infra.mail import Fate, Outcome

# Longer than a transfer may take (`mail.TRANSFER_SECONDS`), so that a leased row is never sent by two.
LEASE = timedelta(seconds=30)
MOST_ATTEMPTS = 12
_FIRST_WAIT, _LONGEST_WAIT = 30.0, 3600.0
# A relay that took the last dot may need this long to have the message in its log.
ASK_AFTER = timedelta(seconds=60)

# Chosen and leased in two statements of one transaction: as a subquery of the UPDATE the planner may run the choice
# again for each row it joins, and with SKIP LOCKED every run finds others, so that the limit would not hold.
_CHOOSE = text(
    """
    SELECT id, kind, recipient, recipient_name, locale, params, due_at, client_id, state = 'held'
    FROM messages
    WHERE state IN ('queued', 'held') AND not_before <= :now AND (lease_until IS NULL OR lease_until <= :now)
    ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
_LEASE = text("UPDATE messages SET state = 'queued', lease_token = :token, lease_until = :until WHERE id = ANY(:ids)")
_POSTPONE = text(
    "UPDATE messages m SET not_before = g.moment, lease_token = NULL, lease_until = NULL"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:moments AS timestamptz[])) AS g(id, moment)"
    " WHERE m.id = g.id AND m.lease_token = :token AND m.state IS NOT DISTINCT FROM 'queued'"
)
# The ids are named twice, and the state is compared in a form no index serves: statistics of a table that was just
# filled say that next to nothing is queued, and the planner would read the queue for each group instead of its keys.
# One statement settles what was tried and hands over what comes next. The suppression list is looked at here,
# in the statement that lets a mail go, so that an unsubscription counts at once; and so is the contact slot, without
# which a message that is not exempt does not go.
_ADVANCE = text(
    """
    WITH tried AS (
        UPDATE messages m
        SET state = g.state, reason = g.reason, attempts = g.attempts, not_before = coalesce(g.moment, m.not_before),
            sent_at = CASE WHEN g.state = 'sent' THEN CAST(:now AS timestamptz) END,
            lease_token = NULL, lease_until = NULL
        FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:reasons AS text[]),
                    CAST(:attempts AS int[]), CAST(:moments AS timestamptz[])) AS g(id, state, reason, attempts, moment)
        WHERE m.id = g.id AND m.id = ANY(CAST(:ids AS uuid[])) AND m.lease_token = :token
          AND m.state IS NOT DISTINCT FROM 'handed'
    )
    UPDATE messages m
    SET state = CASE WHEN x.address IS NULL THEN 'handed' ELSE 'suppressed' END,
        reason = CASE WHEN x.address IS NOT NULL THEN x.reason END,
        attempts = attempts + CASE WHEN x.address IS NULL THEN 1 ELSE 0 END,
        lease_until = CASE WHEN x.address IS NULL THEN CAST(:until AS timestamptz) END,
        lease_token = CASE WHEN x.address IS NULL THEN m.lease_token END
    FROM unnest(CAST(:next AS uuid[]), CAST(:addresses AS text[]), CAST(:optional AS boolean[]),
                CAST(:exempt AS boolean[])) AS g(id, address, optional, exempt)
    LEFT JOIN suppressed_addresses x ON x.address = g.address AND (x.bounced OR g.optional)
    WHERE m.id = g.id AND m.id = ANY(CAST(:next AS uuid[])) AND m.lease_token = :token
      AND m.state IS NOT DISTINCT FROM 'queued'
      AND (g.exempt OR EXISTS (SELECT FROM contact_slots s
                               WHERE s.message_id = g.id AND s.message_id = ANY(CAST(:next AS uuid[]))))
    RETURNING m.id, m.state, m.attempts
    """
)
_GIVE_BACK = text("DELETE FROM contact_slots WHERE message_id = ANY(:ids)")
_RELEASE = text(
    "UPDATE messages SET lease_token = NULL, lease_until = NULL"
    " WHERE id = ANY(:ids) AND lease_token = :token AND state IS NOT DISTINCT FROM 'queued'"
)


@dataclass(frozen=True, slots=True)
class Reserved:
    """A message this sender has reserved."""

    id: UUID
    kind: str
    recipient: str
    recipient_name: str
    locale: str
    params: dict[str, Any]
    due_at: datetime
    client_id: UUID | None
    was_held: bool = False


@dataclass(frozen=True, slots=True)
class Next:
    """A message to hand over: whether its reader may decline such mail, and whether it needs no contact slot."""

    id: UUID
    address: str
    optional: bool
    exempt: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one attempt: the row's next state, the count of attempts, and when it may go on."""

    id: UUID
    state: str
    reason: str | None
    attempts: int
    moment: datetime | None


def reserve(uow: UnitOfWork, token: UUID, most: int) -> list[Reserved]:
    """Lease the oldest messages that may leave now to this sender; others pass them over."""
    found = [Reserved(*row) for row in uow.session.execute(_CHOOSE, {"now": uow.now, "most": most})]
    if found:
        values = {"token": token, "until": uow.now + LEASE, "ids": [message.id for message in found]}
        uow.session.execute(_LEASE, values)
    return found


def postpone(uow: UnitOfWork, token: UUID, moments: Sequence[tuple[UUID, datetime]]) -> None:
    """Give reserved messages back until a moment of their own, such as the end of quiet hours."""
    ids, until = [m[0] for m in moments], [m[1] for m in moments]
    uow.session.execute(_POSTPONE, {"ids": ids, "moments": until, "token": token})


def release(uow: UnitOfWork, token: UUID, ids: Sequence[UUID]) -> None:
    """Give reserved messages back unchanged."""
    uow.session.execute(_RELEASE, {"ids": list(ids), "token": token})


def advance(uow: UnitOfWork, token: UUID, tried: Sequence[Tried], following: Sequence[Next]) -> dict[UUID, int]:
    """Write what became of attempts and hand over the next messages, in one statement.

    Returns the handed ones with their count of attempts; the transaction must be committed before the last dot of
    any of them. Contact slots of what will not leave are given back.
    """
    result = uow.session.execute(
        _ADVANCE,
        {
            "token": token,
            "now": uow.now,
            "until": uow.now + LEASE,
            "ids": [t.id for t in tried],
            "states": [t.state for t in tried],
            "reasons": [t.reason for t in tried],
            "attempts": [t.attempts for t in tried],
            "moments": [t.moment for t in tried],
            "next": [f.id for f in following],
            "addresses": [f.address.casefold() for f in following],
            "optional": [f.optional for f in following],
            "exempt": [f.exempt for f in following],
        },
    )
    rows = result.all()
    lost = [t.id for t in tried if t.state == "failed"] + [row.id for row in rows if row.state == "suppressed"]
    if lost:
        uow.session.execute(_GIVE_BACK, {"ids": lost})
    return {row.id: row.attempts for row in rows if row.state == "handed"}


def judge(message_id: UUID, attempts: int, outcome: Outcome, now: datetime, chance: random.Random) -> Tried:
    """The state an attempt leads to; see the table in docs/operations.md.

    `attempts` counts this one. A relay that never listened does not use up an attempt.
    """
    reason = outcome.reason or None
    if outcome.fate is Fate.SENT:
        return Tried(message_id, "sent", None, attempts, None)
    if outcome.fate is Fate.REFUSED:
        return Tried(message_id, "failed", reason, attempts, None)
    if outcome.fate is Fate.UNKNOWN:
        return Tried(message_id, "unknown", reason, attempts, now + ASK_AFTER)
    if not outcome.begun:
        return Tried(message_id, "queued", reason, attempts - 1, None)
    return later(message_id, attempts, reason, now, chance)


def later(message_id: UUID, attempts: int, reason: str | None, now: datetime, chance: random.Random) -> Tried:
    """Queued again after a wait drawn evenly up to 30 s doubled per attempt, an hour at most ("full jitter");
    failed after the twelfth attempt."""
    if attempts >= MOST_ATTEMPTS:
        return Tried(message_id, "failed", f"given up after {attempts} attempts: {reason}", attempts, None)
    ceiling = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempts - 1))
    wait = timedelta(seconds=max(1.0, chance.uniform(0, ceiling)))
    return Tried(message_id, "queued", reason, attempts, now + wait)
