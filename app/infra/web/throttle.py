"""Counting attempts per key in Valkey, and in this process's memory while Valkey is away.

Counts are windows that begin with the first attempt. Keys are digests: no address or e-mail is
written to the broker.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter

_LOG = structlog.get_logger()
# How long memory counts after Valkey failed, so that a broker that hangs slows one attempt, not all.
_AWAY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so many attempts in a window, such as `Budget("sign-in", "10 per 15 minutes")`."""

    name: str
    rate: str

    @property
    def item(self) -> RateLimitItem:
        """The rate as the counting library takes it."""
        return parse(self.rate)


class Throttle:
    """Counts attempts of one process's requests; shared between processes through Valkey."""

    def __init__(self, broker_url: str, key: bytes) -> None:
        """Connect to nothing yet. `key` makes the digests of what is counted."""
        self._key = key
        self._memory = FixedWindowRateLimiter(MemoryStorage())
        self._shared: FixedWindowRateLimiter | None = None
        self._broker_url = broker_url
        self._away_until = 0.0

    def spend(self, budget: Budget, whose: str) -> int:
        """Count one attempt; return 0 when it is within the budget, else the seconds until a new one opens."""
        return self._ask(budget, whose, count=True)

    def wait(self, budget: Budget, whose: str) -> int:
        """The seconds until an attempt is within the budget again, without counting one."""
        return self._ask(budget, whose, count=False)

    def forgive(self, budget: Budget, whose: str) -> None:
        """Forget what was counted, as after a right password."""
        for limiter in self._limiters():
            try:
                limiter.clear(budget.item, budget.name, self._digest(whose))
            except StorageError as error:
                self._away(error)

    def _ask(self, budget: Budget, whose: str, *, count: bool) -> int:
        item, keys = budget.item, (budget.name, self._digest(whose))
        for limiter in self._limiters():
            try:
                allowed = limiter.hit(item, *keys) if count else limiter.test(item, *keys)
                if allowed:
                    return 0
                return max(1, int(limiter.get_window_stats(item, *keys).reset_time - time.time()) + 1)
            except StorageError as error:
                self._away(error)
        return 0

    def _limiters(self) -> list[FixedWindowRateLimiter]:
        if time.monotonic() < self._away_until:
            return [self._memory]
        if self._shared is None:
            try:
                self._shared = FixedWindowRateLimiter(self._connect())
            except Exception as error:  # the library connects at once, and any fault means the broker is away
                self._away(error)
                return [self._memory]
        return [self._shared, self._memory]

    def _connect(self) -> Storage:
        return RedisStorage(
            self._broker_url,
            wrap_exceptions=True,
            key_prefix="octant:throttle",
            socket_timeout=1,
            socket_connect_timeout=1,
        )

    def _away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + _AWAY_SECONDS
        _LOG.warning("throttle_counts_in_memory", error=type(error).__name__)

    def _digest(self, whose: str) -> str:
        return hmac.new(self._key, whose.encode(), hashlib.sha256).hexdigest()[:32]
