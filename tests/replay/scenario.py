"""What happens to an organization over the years, drawn from a seed: outages, pauses, edits, moves, clock jumps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tests.replay.model import Rules

# Both hemispheres, both directions of the shift, half-hour shifts, odd offsets, and one that has none.
ZONES = (
    "Europe/Dublin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/St_Johns",
    "Pacific/Chatham",
    "UTC",
)
TEMPLATES, COHORTS = 4, 6
DAY = timedelta(days=1)
# How often a year each thing happens to a thousand plans.
_A_YEAR = {
    "pause": 260,
    "end_pause": 120,
    "holiday": 4,
    "move_client": 60,
    "move_organization": 0.4,
    "edit_organization": 1,
    "edit_template": 2,
    "edit_cohort": 5,
    "edit_plan": 40,
    "edit_leaving": 6,
    "remove_policy": 12,
    "join": 60,
    "leave": 40,
    "go": 15,
    "come_back": 12,
    "ask": 60,
    "term": 2,
    "jump": 4,
    "outage": 9,
}
# These are of the organization, not of its plans: a smaller one has as many.
_WHOLE = {
    "holiday",
    "move_organization",
    "edit_organization",
    "edit_template",
    "edit_leaving",
    "term",
    "jump",
    "outage",
}


@dataclass(frozen=True, order=True)
class Event:
    """Something that happens at a moment; `draw` seeds what exactly."""

    at: datetime
    what: str
    draw: int


def events(chance: random.Random, first: datetime, years: float, plans: int) -> list[Event]:
    """Everything that is going to happen, in order."""
    span = timedelta(days=365 * years)
    found = []
    for what, rate in _A_YEAR.items():
        number = rate * years * (1 if what in _WHOLE else plans / 1000)
        count = int(number) + (chance.random() < number % 1)
        # A short run still meets each of them.
        for _ in range(max(count, 1)):
            moment = first + chance.random() * span
            found.append(Event(moment.replace(microsecond=0), what, chance.getrandbits(60)))
    return sorted(found)


def rules(chance: random.Random, first: date, last: date) -> Rules:
    """A policy somebody might set."""
    kind = chance.random()
    cadence: tuple[Any, ...]
    if kind < 0.6:
        cadence = ("months", chance.choice((3, 4, 5, 6, 6, 6, 7, 9, 12)))
    elif kind < 0.8:
        days = sorted(
            {first + chance.randrange(max(1, (last - first).days)) * DAY for _ in range(chance.randint(1, 12))}
        )
        cadence = ("dates", tuple(days))
    else:
        cadence = ("term", chance.choice(("start", "end")), chance.randint(-20, 20))
    reminders = tuple(sorted(chance.sample(range(-21, 22), chance.randint(1, 5))))
    counsellor = max(1, reminders[-1]) + chance.randint(0, 14)
    admins = None if chance.random() < 0.3 else counsellor + chance.randint(1, 20)
    quiet = None if chance.random() < 0.15 else (chance.randrange(17 * 60, 24 * 60), chance.randrange(1, 10 * 60))
    weekdays = (
        (0, 1, 2, 3, 4) if chance.random() < 0.6 else tuple(sorted(chance.sample(range(7), chance.randint(1, 7))))
    )
    return Rules(cadence, reminders, counsellor, admins, quiet, weekdays)


def as_json(rules: Rules) -> dict[str, Any]:
    """The same policy as the product reads it."""
    kind, *what = rules.cadence
    if kind == "months":
        cadence: dict[str, Any] = {"kind": "every_months", "months": what[0]}
    elif kind == "dates":
        cadence = {"kind": "dates", "dates": [day.isoformat() for day in what[0]]}
    else:
        cadence = {"kind": "term", "edge": what[0], "offset_days": what[1]}
    quiet = None
    if rules.quiet is not None:
        start, end = ("{:02d}:{:02d}".format(*divmod(minute, 60)) for minute in rules.quiet)
        quiet = {"start": start, "end": end}
    return {
        "cadence": cadence,
        "reminder_days": list(rules.reminders),
        "escalate_after_days": rules.counsellor,
        "escalate_admin_after_days": rules.admins,
        "quiet_hours": quiet,
        "weekdays": [("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day] for day in rules.weekdays],
    }


def pause(chance: random.Random, today: date) -> tuple[str, date, date | None]:
    """A leave somebody takes, told before, at, or after its first day; one in six has no end yet."""
    first = today + chance.randint(-10, 60) * DAY
    length = chance.choice((3, 7, 14, 30, 120, 180))
    last = None if chance.random() < 0.17 else first + length * DAY
    return chance.choice(("leave", "exchange", "graduation", "other")), first, last


def outage(chance: random.Random) -> timedelta:
    """How long nothing runs: mostly hours, at times weeks."""
    return timedelta(hours=chance.choice((1, 3, 8, 20, 50, 100, 240, 700, 2400)) * (0.5 + chance.random()))


def terms(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Two terms a year."""
    for year in range(first.year - 1, last.year + 1):
        yield date(year, 9, 3), date(year, 12, 18)
        yield date(year + 1, 1, 18), date(year + 1, 5, 14)


def mail_faults(seed: int) -> list[dict[str, Any]]:
    """How the mail server fails one transfer in three: it puts off, hangs up before the last dot, after it, or late."""
    ways: tuple[dict[str, Any], ...] = (
        {"on": "rcpt", "answer": "450 4.2.1 Try again later"},
        {"on": "rcpt", "answer": "421 4.7.0 Too busy"},
        {"on": "rcpt", "close": "lost"},
        {"on": "data", "answer": "451 4.3.0 Try again later"},
        {"on": "data", "close": "lost"},
        {"on": "data", "close": "before"},
    )
    # Hanging up after the answer, or on who connects, costs no transfer and still is to be lived with.
    others: tuple[dict[str, Any], ...] = (
        {"on": "data", "close": "after"},
        {"on": "connect", "answer": "421 4.3.2 Busy"},
    )
    # Asked one after the other, each of what the ones before let pass: 1 - (14/15)^6 is one third.
    return [{**way, "one_in": 15, "seed": str(seed)} for way in (*ways, *others)]
