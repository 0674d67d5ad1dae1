"""Messages whose outcome nobody saw: ask the relay, and only what it has not seen is sent again."""

from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import text

from app.domain import access
from app.features.messaging.states import ASK_AFTER, LEASE, MOST_ATTEMPTS
from app.infra.db.open import UnitOfWork
from app.infra.mail import look_up
from app.infra.mail_message import domain_of
from app.infra.runtime import Runtime

_BATCH = 50
_INTERRUPTED = "The transfer was interrupted; whether it arrived is not known."
# Two statements, so that the limit holds (see `states.py`).
_CHOOSE = text(
    "SELECT id, attempts FROM messages"
    " WHERE (state = 'handed' AND lease_until <= :now) OR (state = 'unknown' AND :can_ask AND not_before <= :now)"
    " ORDER BY due_at, id LIMIT :most FOR UPDATE SKIP LOCKED"
)
_CLAIM = text(
    "UPDATE messages SET state = 'unknown', reason = coalesce(reason, :reason), lease_token = :token,"
    " lease_until = :until, not_before = :until WHERE id = ANY(:ids)"
)
_SETTLE = text(
    "UPDATE messages SET state = :state, reason = :reason, not_before = :moment, sent_at = :sent_at,"
    " lease_token = NULL, lease_until = NULL WHERE id = :id AND lease_token = :token AND state = 'unknown'"
)


def settle_unknown(runtime: Runtime, organization_id: UUID, until: datetime) -> int:
    """Settle messages left between the last dot and its answer; returns how many were looked at.

    Seen by the relay becomes sent, not seen is queued again (or failed after the last attempt), no answer is
    asked again in a minute. Where no look-up is configured they stay unknown, for a person to decide.
    """
    actor, settings = access.system(organization_id), runtime.settings
    can_ask = bool(settings.mail_lookup_url)
    domain = domain_of(settings.mail_from)
    count = 0
    while runtime.clock() < until:
        token = uuid4()
        with runtime.database.unit_of_work(actor) as uow:
            asked = {"now": uow.now, "can_ask": can_ask, "most": _BATCH}
            found = uow.session.execute(_CHOOSE, asked).all()
            claimed = {"ids": [row.id for row in found], "token": token, "until": uow.now + LEASE}
            uow.session.execute(_CLAIM, claimed | {"reason": _INTERRUPTED})
        if not found:
            break
        seen = {row.id: look_up(settings, f"<{row.id}@{domain}>") for row in found} if can_ask else {}
        with runtime.database.unit_of_work(actor) as uow:
            for row in found:
                _write(uow, token, row.id, row.attempts, seen.get(row.id))
        count += len(found)
    return count


def _write(uow: UnitOfWork, token: UUID, message_id: UUID, attempts: int, seen: bool | None) -> None:
    values: dict[str, object] = {"id": message_id, "token": token, "sent_at": None, "reason": _INTERRUPTED}
    if seen is None:
        wait = ASK_AFTER * random.uniform(0.5, 1.5)  # noqa: S311 - spreads the questions, no secret
        values |= {"state": "unknown", "moment": uow.now + wait}
    elif seen:
        values |= {"state": "sent", "reason": None, "moment": uow.now, "sent_at": uow.now}
    elif attempts >= MOST_ATTEMPTS:
        values |= {"state": "failed", "moment": uow.now}
    else:
        values |= {"state": "queued", "moment": uow.now}
    uow.session.execute(_SETTLE, values)
