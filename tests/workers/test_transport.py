"""A slot of a worker is free again although the broker died before it took the acknowledgement."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from kombu import Connection, Queue

from app.infra.embedded import start_valkey
from workers.transport import NAME

pytestmark = pytest.mark.fault


# The second shows that kombu's own transport still needs the mend; when it no longer does, ours can go.
@pytest.mark.parametrize(("transport", "free"), [(NAME, True), ("redis", False)])
def test_an_acknowledgement_that_fails_frees_its_slot(tmp_path: Path, transport: str, free: bool) -> None:
    valkey = start_valkey(tmp_path)
    try:
        options = {"socket_timeout": 2, "socket_connect_timeout": 1}
        with Connection(valkey.url, transport=transport, transport_options=options) as connection:
            queue = Queue("bulk", channel=connection.default_channel, routing_key="bulk")
            queue.declare()
            connection.Producer().publish({"organization": 1}, routing_key="bulk")
            connection.default_channel.basic_qos(0, 1, False)
            message = queue.get()
            assert message is not None
            assert not connection.default_channel.qos.can_consume(), "one slot, and it is taken"
            valkey.kill()
            with pytest.raises(redis.ConnectionError):
                message.ack()
            assert connection.default_channel.qos.can_consume() is free
            # Nothing is left to give back to a broker that is away.
            connection.default_channel.qos.restore_at_shutdown = False
    finally:
        valkey.stop()
