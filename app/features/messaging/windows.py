"""When a message may leave, asked again at the moment it is sent: hours, weekdays, the client's zone and pauses.

A message carries the hours and weekdays of the policy it was made under (`params["window"]`). The zone and the pauses
are the client's as they are now: somebody may have moved or gone on leave while it waited.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.domain.cadence import ReviewPolicy, next_sendable, parse_policy
from app.domain.pauses import NO_PAUSES, Pauses, joined
from app.features.messaging.states import Reserved
from app.infra.db.open import UnitOfWork

# By name, because clients, organizations and reviews stand above the outbox on the ladder.
_NOW = text(
    """
    SELECT c.id, coalesce(c.time_zone, o.time_zone) AS zone, s.spans,
           (SELECT jsonb_agg(jsonb_build_array(starts_on, ends_on) ORDER BY starts_on, id)::text FROM review_pauses
            WHERE client_id IS NULL AND ends_on >= :since) AS holidays
    FROM clients c
    CROSS JOIN organizations o
    LEFT JOIN (
        SELECT client_id, jsonb_agg(jsonb_build_array(starts_on, ends_on) ORDER BY starts_on, id)::text AS spans
        FROM review_pauses WHERE client_id IS NOT NULL AND (ends_on IS NULL OR ends_on >= :since) GROUP BY client_id
    ) s ON s.client_id = c.id
    WHERE c.id = ANY(:clients)
    """
)
# A pause without an end has no moment to wait for: it is looked at again after so long.
_LOOK_AGAIN = timedelta(days=1)


def resting(uow: UnitOfWork, found: Sequence[Reserved]) -> list[tuple[UUID, datetime]]:
    """Those of these messages that may not leave now, each with the first moment at which it may."""
    bound = [message for message in found if message.params.get("window")]
    if not bound:
        return []
    since = uow.now.date() - timedelta(days=2)
    ids = {message.client_id for message in bound if message.client_id is not None}
    clients = {row.id: row for row in uow.session.execute(_NOW, {"clients": list(ids), "since": since})}
    waiting = []
    for message in bound:
        policy, zone = _window(json.dumps(message.params["window"], sort_keys=True))
        pauses = NO_PAUSES
        if client := clients.get(message.client_id):
            zone, pauses = ZoneInfo(client.zone), _pauses(client.spans, client.holidays)
        moment = next_sendable(uow.now, policy, zone, pauses=pauses)
        if moment != uow.now:
            waiting.append((message.id, moment or uow.now + _LOOK_AGAIN))
    return waiting


@lru_cache(maxsize=512)
def _window(written: str) -> tuple[ReviewPolicy, ZoneInfo]:
    window = json.loads(written)
    zone = ZoneInfo(window.pop("zone"))
    return parse_policy(window), zone


@lru_cache(maxsize=512)
def _pauses(*written: str | None) -> Pauses:
    return joined(
        (date.fromisoformat(first), date.fromisoformat(last) if last else None)
        for spans in written
        for first, last in json.loads(spans or "[]")
    )
