"""A process's way to the mail server keeps its connections, whatever other servers it has heard of."""

from __future__ import annotations

from app.features.messaging.relay import relay_of


def test_a_relay_is_the_same_after_many_others_so_that_its_connections_are_closed_and_not_lost() -> None:
    first = relay_of("smtp://127.0.0.1:1025")
    for port in range(2000, 2300):
        relay_of(f"smtp://127.0.0.1:{port}")
    assert relay_of("smtp://127.0.0.1:1025") is first
