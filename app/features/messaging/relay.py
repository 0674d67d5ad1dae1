"""This process's way to the mail server: kept connections, and a breaker that stops knocking on a closed door."""

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from functools import cache

from app.infra.mail import MailConnection, Outcome

_TROUBLE = 3
_FIRST_REST, _LONGEST_REST = 5.0, 120.0


class Relay:
    """One mail server as this process knows it; safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        self._url = url
        self._lock = threading.Lock()
        self._free: list[MailConnection] = []
        self._troubles = 0
        self._rest_until: datetime | None = None

    def is_resting(self, now: datetime) -> bool:
        """Whether to leave the server alone for now, because it failed several times in a row.

        No rest is longer than the longest one: after a clock that was ahead was set back, its end lies in a day that
        is to come, and no mail would leave until then.
        """
        if self._rest_until is None:
            return False
        return timedelta(0) < self._rest_until - now <= timedelta(seconds=_LONGEST_REST)

    def connection(self) -> MailConnection:
        """A connection nobody else uses; give it back."""
        with self._lock:
            return self._free.pop() if self._free else MailConnection(self._url)

    def give_back(self, connection: MailConnection) -> None:
        """Keep the connection for the next mail."""
        with self._lock:
            self._free.append(connection)

    def close(self) -> None:
        """Say goodbye on every connection that is not in use."""
        with self._lock:
            while self._free:
                self._free.pop().close()

    def note(self, outcome: Outcome, now: datetime) -> None:
        """Learn from an attempt: three troubles in a row begin a rest, which doubles while they go on."""
        with self._lock:
            if not outcome.relay_down:
                self._troubles, self._rest_until = 0, None
                return
            self._troubles += 1
            if self._troubles >= _TROUBLE:
                ceiling = min(_LONGEST_REST, _FIRST_REST * 2 ** (self._troubles - _TROUBLE))
                # Drawn, so that several workers do not knock at the same moment.
                seconds = random.uniform(ceiling / 2, ceiling)  # noqa: S311 - no secret
                self._rest_until = now + timedelta(seconds=seconds)


# Without a limit: a relay that were forgotten would drop its kept connections unclosed, and a process has one address.
@cache
def relay_of(url: str) -> Relay:
    """The process's one `Relay` for this address."""
    return Relay(url)
