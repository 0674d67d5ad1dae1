"""The broker's transport, mended in one place: an acknowledgement the broker could not take still frees its slot.

kombu counts a message as being worked on until its acknowledgement has reached the broker. When the broker dies in
that moment the failure is logged, the connection comes back, and the slot stays taken: after as many of these as the
worker has slots it is connected, idle and deaf for good.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis, virtual


class _QoS(redis.QoS):
    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call] # kombu has no types
        except Exception:
            # At worst the message is delivered once more, which changes nothing.
            virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call] # the same
            raise


class _Channel(redis.Channel):
    QoS = _QoS


class Transport(redis.Transport):
    """Celery's Redis transport with slots that are freed whatever happens to the broker."""

    Channel: Any = _Channel


NAME = f"{Transport.__module__}:{Transport.__name__}"
