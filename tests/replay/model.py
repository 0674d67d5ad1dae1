"""Which prompts are made, and when: said a second time, slowly, with nothing of the engine.

Nothing here imports the product. Days are stepped one by one and local times are found by walking the clock, so that
each rule can be read off. A plan is looked at whole when the moment it waits for has come or one of its rules changed,
and every now and then all are, whatever they wait for; nothing else is carried over from one tick to the next but what
has happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

Span = tuple[date, date | None]
Quiet = tuple[int, int] | None
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
# Every zone a replay names has been whole quarters of an hour away from UTC since 1900, and shifts by such.
QUARTER = timedelta(minutes=15)
NEVER = datetime.max.replace(tzinfo=UTC)
_ALL_EVERY = 20
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
    # The days asked about, also one that was asked for by hand and lies before a later one.
    opened: set[date] = field(default_factory=set)
    # A day somebody chose, and the moment it was to leave at.
    chosen: date | None = None
    chosen_at: datetime | None = None
    # One of its rules changed since the workers last looked.
    reached: bool = False
    # The moment it waits for, `NEVER` for none; None: not known, because something happened since.
    waits: datetime | None = None


@dataclass(frozen=True)
class Made:
    """One message that left the engine, with the reminders it stands for."""

    plan: int
    day: date
    at: datetime
    reminders: tuple[tuple[int, datetime], ...]
    by_hand: bool = False


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
    """The first moment at which the wall clock shows nine of this day or later."""
    moment = datetime.combine(day, time(0), UTC) - timedelta(hours=15)
    wall = datetime.combine(day, NINE)
    while moment.astimezone(clock(zone)).replace(tzinfo=None) < wall:
        moment += QUARTER
    return moment


def is_open(day: date, rules: Rules, spans: frozenset[Span]) -> bool:
    return day.weekday() in rules.weekdays and not is_paused(day, spans)


def may_leave(moment: datetime, zone: str, rules: Rules, spans: frozenset[Span]) -> bool:
    local = moment.astimezone(clock(zone))
    if not is_open(local.date(), rules, spans):
        return False
    if rules.quiet is None:
        return True
    minute, (start, end) = local.hour * 60 + local.minute, rules.quiet
    quiet = start <= minute < end if start < end else minute >= start or minute < end
    return not quiet


@lru_cache(maxsize=10_000)
def first_leave(moment: datetime, zone: str, rules: Rules, spans: frozenset[Span]) -> datetime | None:
    """The first moment from this one on at which a message may leave; None where a pause never ends."""
    today = moment.astimezone(clock(zone)).date()
    # Ten years have many holidays; those that are over are not asked about again every minute.
    spans = frozenset((first, last) for first, last in spans if last is None or last >= today)
    opens = [first for first, last in spans if last is None]
    if not may_leave(moment, zone, rules, spans):
        moment = moment.replace(second=0, microsecond=0)
        while True:
            closed = not is_open(moment.astimezone(clock(zone)).date(), rules, spans)
            moment += QUARTER if closed and moment.minute % 15 == 0 else MINUTE
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
        if is_open(day, rules, spans):
            moment = nine_o_clock(zone, day)
            # A day may be skipped by its zone; the one the clock shows then must be allowed too.
            if is_open(moment.astimezone(clock(zone)).date(), rules, spans):
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
        # What was done, in the order of time; of one plan in the order in which it was done.
        self.acts: list[Made | Told] = []
        self._ticks = 0

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

    def reaches(self, scope: str, number: int | None) -> list[Plan]:
        """The plans a policy is for, whether or not a nearer one counts for them."""
        belongs = {
            "organization": lambda _: True,
            "template": lambda plan: plan.template == number,
            "cohort": lambda plan: number in plan.cohorts,
            "plan": lambda plan: plan.key == number,
        }
        return [plan for plan in self.plans.values() if belongs[scope](plan)]

    def touch(self, plans: Iterable[Plan]) -> None:
        """A rule of these plans changed; the workers will see it when they come."""
        for plan in plans:
            plan.reached, plan.waits = True, None

    def renew(self, plans: Iterable[Plan], now: datetime) -> None:
        """The rules of these plans changed, and what they have begun or was chosen is read under the new ones now."""
        for plan in plans:
            plan.waits = None
            if plan.active:
                self._renew(plan, now)

    def ask(self, plan: Plan, day: date, now: datetime) -> None:
        """Somebody asks for a review by hand."""
        plan.chosen, plan.chosen_at, plan.reached, plan.waits = day, now, False, None

    def answer(self, plan: Plan, day: date) -> None:
        """The client answers."""
        plan.answered.add(day)
        plan.waits = None

    def _renew(self, plan: Plan, now: datetime) -> None:
        plan.reached = False
        if plan.asking is not None and plan.asking not in plan.answered:
            self._reread(plan)
        elif plan.chosen is not None:
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
        self._ticks += 1
        for plan in self.plans.values():
            if plan.waits is None or plan.waits <= now or self._ticks % _ALL_EVERY == 0:
                plan.waits = self._visit(plan, now) or NEVER
        earliest = min((plan.waits for plan in self.plans.values() if plan.waits is not None), default=NEVER)
        return None if earliest == NEVER else earliest

    def look(self, now: datetime) -> None:
        """The workers read the rules that changed, and make nothing yet."""
        for plan in self.plans.values():
            self._look(plan, now)

    def begin(self, now: datetime, done: Mapping[int, int]) -> None:
        """The workers do a part of what is due: so many acts of each of these plans, by the rules as they still are.

        What they had done of a plan before its rules changed stays; the rest of the tick comes after the change.
        """
        for key, most in done.items():
            plan, enough = self.plans[key], len(self.acts) + most
            plan.waits = None
            self._look(plan, now)
            while plan.active and len(self.acts) < enough and self._one(plan, now) is None and not self._idle:
                continue
            self._settle(plan)

    def _look(self, plan: Plan, now: datetime) -> None:
        if plan.active and plan.reached:
            self._renew(plan, now)

    def _settle(self, plan: Plan) -> None:
        """What follows an act is part of it, under the rules of that moment."""
        if plan.asking is not None and plan.asking not in plan.answered:
            self._reread(plan)

    def _visit(self, plan: Plan, now: datetime) -> datetime | None:
        self._look(plan, now)
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
                self.acts.append(Told(plan.key, day, now, number == 101))
                plan.number = 101
                if number == 101:
                    plan.asking = None
                return None
            return self._send(plan, day, number, moment, now)
        if plan.chosen is not None:
            if plan.chosen in plan.answered | plan.lapsed:
                plan.chosen = None
                return None
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
        self.acts.append(Made(plan.key, day, now, tuple(reminders), by_hand=plan.chosen == day))
        if number == 0:
            # Every earlier one that nobody answered gives way to the one that opens.
            plan.lapsed |= {earlier for earlier in plan.opened - plan.answered if earlier < day}
            plan.last = max(plan.last, day)
        plan.opened.add(day)
        plan.chosen = plan.chosen_at = None
        plan.asking, plan.number = day, reminders[-1][0] + 1
        return None

    def _wait(self, moment: datetime | None) -> datetime | None:
        self._idle = moment is None
        return moment
