"""Which prompts are made, and when: said a second time, slowly, with nothing of the engine.

Nothing here imports the product. Days are stepped one by one and local times are found by walking the clock a minute
at a time, so that each rule can be read off. A plan is looked at whole at every tick; nothing is carried over from
one tick to the next but what has happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

Span = tuple[date, date | None]
Quiet = tuple[int, int] | None
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
NINE = time(9)
# What counts where nothing is set. Written out: if the product's standard moves, the replay must say so.
STANDARD: Mapping[str, Any] = {
    "cadence": ("months", 6),
    "reminders": (-14, -7, 0, 3, 7),
    "counsellor": 14,
    "admins": 28,
    "quiet": (20 * 60, 8 * 60),
    "weekdays": (0, 1, 2, 3, 4),
}


@dataclass(frozen=True)
class Rules:
    """A policy as the model reads it."""

    cadence: tuple[Any, ...]
    reminders: tuple[int, ...]
    counsellor: int
    admins: int | None
    quiet: Quiet
    weekdays: tuple[int, ...]


@dataclass
class Plan:
    """A plan and what has happened to it."""

    key: int
    started: date
    template: int
    cohorts: set[int] = field(default_factory=set)
    zone: str | None = None
    active: bool = True
    pauses: dict[int, Span] = field(default_factory=dict)
    # The latest day a review was opened for; before any the plan's start.
    last: date = date.min
    # The review that is being asked about, and the number of its next message.
    asking: date | None = None
    number: int = 0
    answered: set[date] = field(default_factory=set)
    lapsed: set[date] = field(default_factory=set)
    # A day somebody chose, and the moment it was to leave at.
    chosen: date | None = None
    chosen_at: datetime | None = None


@dataclass(frozen=True)
class Made:
    """One message that left the engine, with the reminders it stands for."""

    plan: int
    day: date
    at: datetime
    reminders: tuple[tuple[int, datetime], ...]


@dataclass(frozen=True)
class Told:
    """Silence told to the counsellor or the administrators."""

    plan: int
    day: date
    at: datetime
    admins: bool


def is_paused(day: date, spans: frozenset[Span]) -> bool:
    return any(first <= day and (last is None or day <= last) for first, last in spans)


def after_pause(day: date, spans: frozenset[Span]) -> date | None:
    """The day itself or the first one after the pauses it lies in; None where one of them has no end."""
    while is_paused(day, spans):
        if any(first <= day and last is None for first, last in spans):
            return None
        day += DAY
    return day


def months_later(day: date, months: int) -> date:
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for last in (day.day, 30, 29, 28):
        if last <= day.day:
            try:
                return date(year, month, last)
            except ValueError:
                continue
    raise AssertionError(day)


@lru_cache(maxsize=100_000)
def due_days(
    cadence: tuple[Any, ...], started: date, terms: tuple[tuple[date, date], ...], spans: frozenset[Span], until: date
) -> tuple[date, ...]:
    """Every due day of a plan, in order, until a day far enough away."""
    kind, *what = cadence
    days: list[date] = []
    if kind == "months":
        anchor, steps = started, 0
        while True:
            steps += 1
            day = months_later(anchor, steps * what[0])
            if day > until:
                return tuple(days)
            moved = after_pause(day, spans)
            if moved is None:
                return tuple(days)
            if moved != day:
                anchor, steps = moved, 0
            days.append(moved)
    wanted = (
        what[0]
        if kind == "dates"
        else [(first if what[0] == "start" else last) + what[1] * DAY for first, last in terms]
    )
    for day in wanted:
        if day > started and (moved := after_pause(day, spans)) is not None:
            days.append(moved)
    return tuple(sorted(set(days)))


@cache
def clock(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)


@lru_cache(maxsize=400_000)
def nine_o_clock(zone: str, day: date) -> datetime:
    """The first minute at which the wall clock shows nine of this day or later."""
    moment = datetime.combine(day, time(0), UTC) - timedelta(hours=15)
    wall = datetime.combine(day, NINE)
    while moment.astimezone(clock(zone)).replace(tzinfo=None) < wall:
        moment += MINUTE
    return moment


def may_leave(moment: datetime, zone: str, rules: Rules, spans: frozenset[Span]) -> bool:
    local = moment.astimezone(clock(zone))
    if local.weekday() not in rules.weekdays or is_paused(local.date(), spans):
        return False
    if rules.quiet is None:
        return True
    minute, (start, end) = local.hour * 60 + local.minute, rules.quiet
    quiet = start <= minute < end if start < end else minute >= start or minute < end
    return not quiet


def first_leave(moment: datetime, zone: str, rules: Rules, spans: frozenset[Span]) -> datetime | None:
    """The first moment from this one on at which a message may leave; None where a pause never ends."""
    opens = [first for first, last in spans if last is None]
    if not may_leave(moment, zone, rules, spans):
        moment = moment.replace(second=0, microsecond=0)
        while True:
            moment += MINUTE
            if opens and moment.astimezone(clock(zone)).date() >= min(opens):
                return None
            if may_leave(moment, zone, rules, spans):
                break
    return moment


@lru_cache(maxsize=400_000)
def leaving(day: date, zone: str, rules: Rules, spans: frozenset[Span]) -> datetime | None:
    """When a message meant for this day leaves: at nine of the first allowed day, or as soon after as it may."""
    while True:
        if any(first <= day and last is None for first, last in spans):
            return None
        if day.weekday() in rules.weekdays and not is_paused(day, spans):
            moment = nine_o_clock(zone, day)
            # A day may be skipped by its zone; the one the clock shows then must be allowed too.
            shown = moment.astimezone(clock(zone)).date()
            if shown.weekday() in rules.weekdays and not is_paused(shown, spans):
                return first_leave(moment, zone, rules, spans)
        day += DAY


class Model:
    """An organization's plans, its rules, and everything that was made so far."""

    def __init__(self, zone: str, until: date) -> None:
        self.zone = zone
        self.until = until
        self.plans: dict[int, Plan] = {}
        self.holidays: dict[int, Span] = {}
        self.terms: list[tuple[date, date]] = []
        # ("organization", None), ("template", 3), ("cohort", 2), ("plan", 17) -> what is set there, and since when.
        self.policies: dict[tuple[str, int | None], tuple[Rules, datetime]] = {}
        self.recipes: dict[int, Rules | None] = {}
        self.made: list[Made] = []
        self.told: list[Told] = []

    def rules(self, plan: Plan) -> Rules:
        """The nearest: the plan's own, its cohort's set last, its template's, the recipe, the organization's."""
        if ("plan", plan.key) in self.policies:
            return self.policies["plan", plan.key][0]
        cohorts = [self.policies["cohort", c] for c in plan.cohorts if ("cohort", c) in self.policies]
        if cohorts:
            return max(cohorts, key=lambda pair: pair[1])[0]
        if ("template", plan.template) in self.policies:
            return self.policies["template", plan.template][0]
        if (recipe := self.recipes[plan.template]) is not None:
            return recipe
        if ("organization", None) in self.policies:
            return self.policies["organization", None][0]
        return Rules(**STANDARD)

    def zone_of(self, plan: Plan) -> str:
        return plan.zone or self.zone

    def spans(self, plan: Plan) -> frozenset[Span]:
        return frozenset([*plan.pauses.values(), *self.holidays.values()])

    def renew(self, now: datetime) -> None:
        """A rule changed: what a plan has begun or was given by hand is read under the new rules."""
        for plan in self.plans.values():
            if plan.active and plan.asking is not None and plan.asking not in plan.answered:
                self._reread(plan)
            elif plan.active and plan.chosen is not None:
                self._rechoose(plan, now)

    def _reread(self, plan: Plan) -> None:
        """A number past the reminders is telling the counsellor; one for administrators who are not told is the end."""
        rules = self.rules(plan)
        if len(rules.reminders) <= plan.number < 100:
            plan.number = 100
        if plan.number == 101 and rules.admins is None:
            plan.asking = None

    def _rechoose(self, plan: Plan, now: datetime) -> None:
        """A chosen day that lies in a pause now moves behind it, and stays there; one that is due already stays due."""
        assert plan.chosen is not None
        spans, rules = self.spans(plan), self.rules(plan)
        free = after_pause(plan.chosen, spans)
        if free is None:
            plan.chosen_at = None
        elif free != plan.chosen or plan.chosen_at is None or plan.chosen_at > now:
            plan.chosen = free
            plan.chosen_at = leaving(free + rules.reminders[0] * DAY, self.zone_of(plan), rules, spans)

    def tick(self, now: datetime) -> datetime | None:
        """The workers are there at this moment and do all that is due. Returns the earliest moment waited for."""
        waited = []
        for plan in self.plans.values():
            moment = self._visit(plan, now)
            if moment is not None:
                waited.append(moment)
        return min(waited, default=None)

    def _visit(self, plan: Plan, now: datetime) -> datetime | None:
        while plan.active:
            moment = self._one(plan, now)
            if moment is not None or self._idle:
                return moment
        if plan.chosen_at is not None and plan.chosen_at <= now:
            plan.chosen_at = None
        return None

    def _one(  # noqa: PLR0911, PLR0912  # one rule after the other, as they are told
        self, plan: Plan, now: datetime
    ) -> datetime | None:
        """Do one thing, or return the moment the plan waits for (`_idle`: there is none)."""
        self._idle = False
        rules, spans, zone = self.rules(plan), self.spans(plan), self.zone_of(plan)
        if plan.asking is not None and plan.asking in plan.answered:
            plan.asking = None
        if plan.asking is not None:
            self._reread(plan)
        if plan.asking is not None:
            day, number = plan.asking, plan.number
            shift = {100: rules.counsellor, 101: rules.admins}.get(number)
            last_word = shift is not None
            if shift is None:
                shift = rules.reminders[number]
            moment = leaving(day + shift * DAY, zone, rules, spans)
            if moment is None or moment > now:
                return self._wait(moment)
            if last_word:
                self.told.append(Told(plan.key, day, now, number == 101))
                plan.number = 101
                if number == 101:
                    plan.asking = None
                return None
            return self._send(plan, day, number, moment, now)
        if plan.chosen is not None:
            if plan.chosen in plan.answered | plan.lapsed:
                plan.chosen = None
                return None
            self._rechoose(plan, now)
            if plan.chosen_at is None or plan.chosen_at > now:
                return self._wait(plan.chosen_at)
            return self._send(plan, plan.chosen, 0, plan.chosen_at, now)
        after = plan.last
        if rules.cadence[0] == "months":
            after += max(0, -rules.reminders[0]) * DAY
        days = [d for d in due_days(rules.cadence, plan.started, tuple(self.terms), spans, self.until) if d > after]
        moments = list(self._due(days, zone, rules, spans, now))
        if not moments:
            return self._wait(None)
        day, moment = moments[-1]
        if moment is None or moment > now:
            return self._wait(moment)
        return self._send(plan, day, 0, moment, now)

    def _due(
        self, days: list[date], zone: str, rules: Rules, spans: frozenset[Span], now: datetime
    ) -> Iterator[tuple[date, datetime | None]]:
        """The first of these days, and those after it that have come due already."""
        for place, day in enumerate(days):
            moment = leaving(day + rules.reminders[0] * DAY, zone, rules, spans)
            if place and (moment is None or moment > now):
                return
            yield day, moment

    def _send(self, plan: Plan, day: date, number: int, moment: datetime, now: datetime) -> datetime | None:
        rules, spans, zone = self.rules(plan), self.spans(plan), self.zone_of(plan)
        if first_leave(now, zone, rules, spans) is None:
            return self._wait(None)
        reminders = [(number, moment)]
        for following in range(number + 1, len(rules.reminders)):
            its = leaving(day + rules.reminders[following] * DAY, zone, rules, spans)
            if its is None or its > now:
                break
            reminders.append((following, its))
        self.made.append(Made(plan.key, day, now, tuple(reminders)))
        if number == 0:
            if plan.started < plan.last < day:
                plan.lapsed.add(plan.last)
            plan.last = max(plan.last, day)
        plan.chosen = plan.chosen_at = None
        plan.asking, plan.number = day, reminders[-1][0] + 1
        return None

    def _wait(self, moment: datetime | None) -> datetime | None:
        self._idle = moment is None
        return moment
