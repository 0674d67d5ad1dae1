"""Rings: those that piled up behind a long task say nothing any more, so that nobody waits behind them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import redis

from app.infra.db.open import Bell
from app.infra.embedded import start_valkey
from app.infra.queue import BrokerDoorbell, ring_key

pytestmark = pytest.mark.fault


def test_a_long_task_leaves_one_ring_behind_and_not_a_queue(tmp_path: Path) -> None:
    valkey = start_valkey(tmp_path)
    try:
        doorbell, broker = BrokerDoorbell(valkey.url), redis.Redis.from_url(valkey.url)
        busy, quiet = uuid4(), uuid4()

        def ring(organization: UUID) -> None:
            """As the sweeper does while a job is open, once the time of keeping rings back is over."""
            broker.delete(ring_key(Bell.LONG, organization))
            doorbell.ring(Bell.LONG, organization)

        def take() -> tuple[UUID, int]:
            """The oldest message, as a worker gets it."""
            message = json.loads(broker.rpop("long"))
            organization, number = json.loads(base64.b64decode(message["body"]))[0]
            return UUID(organization), number

        for _ in range(20):
            ring(busy)
        ring(quiet)
        worked = []
        while broker.llen("long"):
            organization, number = take()
            if doorbell.heard(Bell.LONG, organization, number):
                worked.append(organization)
                if len(worked) == 1:
                    # It works for a minute, and the sweeper rings on.
                    for _ in range(20):
                        ring(busy)
        assert worked == [busy, quiet, busy]
        # What rings afterwards is heard, also after a broker that kept nothing, and a message without a number always.
        ring(busy)
        assert doorbell.heard(Bell.LONG, *take())
        ring(busy)
        late = take()
        broker.flushall()
        assert doorbell.heard(Bell.LONG, *late)
        ring(busy)
        assert doorbell.heard(Bell.LONG, *take())
        assert doorbell.heard(Bell.LONG, busy, 0)
    finally:
        valkey.stop()
