"""S5, S6: a flood of guesses, a broker that is away, and what time tells."""

from __future__ import annotations

import random
import statistics
import time
from collections import defaultdict
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import time_machine
from flask import Flask

from app.domain.access import Role
from app.domain.errors import TooMany
from app.features.identity import guard
from app.features.identity.entry import Attempt, sign_in
from app.infra.runtime import Runtime
from app.infra.web.throttle import Budget, Throttle
from tests.factories import World
from tests.identity.helpers import PASSWORD, give_password

NOWHERE = "redis://127.0.0.1:1/0"


def memory_throttle() -> Throttle:
    """Counts in memory only, so that a travelled clock is the one that counts."""
    throttle = Throttle(NOWHERE, b"key")
    throttle._away_until = float("inf")
    return throttle


# Counts in memory are tidied up by a thread of the library, which ends where the test just removed what it looks at;
# the next count starts another, and none is lost.
@pytest.mark.filterwarnings("ignore:Exception in thread:pytest.PytestUnhandledThreadExceptionWarning")
def test_s5_a_hundred_thousand_guesses_get_at_most_a_hundred_tries_per_account_and_hour() -> None:
    draw = random.Random(20260907)
    throttle = memory_throttle()
    tries: dict[int, list[float]] = defaultdict(list)
    with time_machine.travel(datetime(2026, 9, 7, 9, 0, tzinfo=UTC), tick=False) as traveller:
        for _ in range(100_000):
            traveller.shift(0.108)  # three hours in all
            # A tenth of the accounts draws most of the guesses, from any of a thousand addresses.
            account = draw.randrange(10) if draw.random() < 0.5 else draw.randrange(1000)
            address = f"192.0.2.{draw.randrange(1000)}"
            try:
                guard.admit_attempt(throttle, email=f"u{account}", address=address, device=None)
            except TooMany:
                continue
            guard.note_failure(throttle, address=address, device=None)
            tries[account].append(time.time())
        worst = max(sum(1 for at in given if start <= at < start + 3600) for given in tries.values() for start in given)
        assert worst <= 50
        device = guard.Device(user_id=uuid4(), number="n")
        guard.admit_attempt(throttle, email="u0", address="192.0.2.1", device=device)


def test_s5_counts_are_shared_through_valkey_and_end_with_their_window(runtime: Runtime) -> None:
    budget = Budget("test", "2 per 1 seconds")
    one, other = (Throttle(runtime.settings.broker_url, runtime.settings.key_for("t")) for _ in range(2))
    assert [one.spend(budget, "a"), other.spend(budget, "a")] == [0, 0]
    assert one.spend(budget, "a") > 0
    assert other.wait(budget, "a") > 0
    assert other.wait(budget, "b") == 0
    time.sleep(1.2)
    assert other.spend(budget, "a") == 0
    one.forgive(budget, "a")
    assert [one.spend(budget, "a") for _ in range(2)] == [0, 0]


def test_s5_while_the_broker_is_away_tries_are_counted_all_the_same() -> None:
    throttle = Throttle(NOWHERE, b"key")
    begun = time.monotonic()
    answers = [throttle.spend(guard.PER_ACCOUNT, "a") for _ in range(12)]
    assert [a > 0 for a in answers] == [False] * 10 + [True] * 2
    assert time.monotonic() - begun < 3


def test_the_broker_learns_no_address(runtime: Runtime) -> None:
    import redis

    Throttle(runtime.settings.broker_url, b"key").spend(guard.PER_ACCOUNT, "grace@example.org")
    with redis.Redis.from_url(runtime.settings.broker_url) as broker:
        keys = broker.keys("octant:throttle*")
    assert keys
    assert not [key for key in keys if b"grace" in key or b"@" in key]


def test_a_device_cookie_is_one_accounts_and_cannot_be_made_up(runtime: Runtime) -> None:
    settings, user_id = runtime.settings, uuid4()
    text = guard.new_device(settings, user_id)
    found = guard.read_device(settings, text)
    assert found is not None
    assert found.user_id == user_id
    for changed in (None, "", text[:-1], text[1:], "a.b.c", text.upper()):
        assert guard.read_device(settings, changed) is None


def test_s6_an_unknown_account_takes_as_long_as_a_wrong_password(app: Flask, runtime: Runtime, world: World) -> None:
    known = [world.person(world.organization(), Role.COUNSELLOR) for _ in range(15)]
    for person in known:
        give_password(runtime, person, PASSWORD)
    throttle = memory_throttle()
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with app.test_request_context():
        for n, person in enumerate(known):
            for exists in (True, False):
                email = person.email if exists else f"nobody{n:02}@example.org"
                attempt = Attempt(email=email, password="wrong", address="", user_agent="", device_cookie=None)
                begun = time.perf_counter()
                assert sign_in(runtime, throttle, attempt) is None
                seconds[exists].append(time.perf_counter() - begun)
    # Without the dummy's hash the ratio would be about ten.
    ratio = statistics.median(seconds[True]) / statistics.median(seconds[False])
    assert 0.6 < ratio < 1.7
