"""Actions that wait for each other: when each can begin and end, what is critical, late or at risk, and the load.

Days are calendar days and an action takes whole days, its first and last included. What waits for another begins the
day after it. Source of the two passes: the critical path method (Kelley and Walker 1959), with days an action must
not begin before, and with what was done and begun taken as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from math import ceil

from app.domain.circles import below, circles, in_order

_DAY = timedelta(days=1)
_WEEK_DAYS = 7
# Overfull months told of before and after today.
_MOST_FULL = 12


class State(StrEnum):
    """Where an action stands; dropped ones take no time and nothing waits for them."""

    PLANNED = "planned"
    BEGUN = "begun"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Action:
    """One action: planned days, effort, what it waits for (`after`, ids), where it stands and when it was done.

    `hours_week` is hours in each week from start to due day; `hours` the whole effort. Either may be unknown.
    """

    id: str
    start_on: date | None = None
    due_on: date | None = None
    after: tuple[str, ...] = ()
    state: State = State.PLANNED
    done_on: date | None = None
    hours: float | None = None
    hours_week: float | None = None

    @property
    def days(self) -> int | None:
        """How many days it takes: from start to due day, else effort over hours a week; None when neither is known.

        None also for a due day before the start.
        """
        if self.start_on and self.due_on:
            length = (self.due_on - self.start_on).days + 1
            return length if length > 0 else None
        if self.hours and self.hours_week:
            return max(1, ceil(self.hours / self.hours_week * _WEEK_DAYS))
        return None

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.state in (State.PLANNED, State.BEGUN)


class ScheduleCircle(ValueError):
    """Actions wait for each other in a circle, so none of them can begin; `circles` names each."""

    def __init__(self, found: Sequence[tuple[str, ...]]) -> None:
        super().__init__("; ".join(" → ".join((*circle, circle[0])) for circle in found))
        self.circles = tuple(found)


@dataclass(frozen=True, slots=True)
class Slot:
    """When one action happens as far as known today.

    `start` and `finish` are its earliest days, `latest` the last day it may end without moving the end of the whole,
    `slack` the days between (0: none to lose). `assumed` says that its length is not known and one day was taken.
    """

    start: date
    finish: date
    latest: date
    assumed: bool

    @property
    def slack(self) -> int:
        """Days it may slip without moving the end of the whole."""
        return (self.latest - self.finish).days


@dataclass(frozen=True, slots=True)
class Schedule:
    """The network worked through: a slot per action that is not dropped, the end of the whole, the critical path.

    The critical path is the chain that decides the end, first to last: each begins the day after the one before ends.
    """

    slots: Mapping[str, Slot]
    end: date | None
    critical: tuple[str, ...]


def check_circles(actions: Sequence[Action]) -> None:
    """Raise ScheduleCircle naming every circle of actions that wait for each other."""
    if found := circles({action.id: action.after for action in actions}):
        raise ScheduleCircle(found)


def plan_schedule(actions: Sequence[Action], today: date) -> Schedule:
    """Work the network through, as planned until today and as it must be from today on.

    An action begins on its start day, or the day after the last it waits for, or today when it is not begun,
    whichever is latest; one that is begun ends on its due day, but not before today; one that is done ended on its
    day. What it waits for that is dropped or unknown counts as not there. Without actions there is no end. Raises
    ScheduleCircle.
    """
    check_circles(actions)
    known = {action.id: action for action in actions if action.state is not State.DROPPED}
    waits = {name: [other for other in action.after if other in known] for name, action in known.items()}
    starts: dict[str, date] = {}
    finishes: dict[str, date] = {}
    driver: dict[str, str | None] = {}
    order = in_order(waits)
    for name in order:
        action = known[name]
        starts[name], finishes[name], driver[name] = _earliest(action, waits[name], finishes, today)
    if not order:
        return Schedule({}, None, ())
    end = max(finishes.values())
    latest = dict.fromkeys(order, end)
    for name in reversed(order):
        length = finishes[name] - starts[name]
        for other in waits[name]:
            latest[other] = min(latest[other], _later(latest[name], -length - _DAY))
    slots = {
        # What was done ended when it ended, whatever its followers could have spared.
        name: Slot(
            starts[name],
            finishes[name],
            max(latest[name], finishes[name]),
            known[name].days is None and known[name].open,
        )
        for name in known
    }
    return Schedule(slots, end, _chain(order, finishes, driver, end))


class Why(StrEnum):
    """Why an action is late or at risk."""

    LATE = "late"
    NOT_BEGUN = "not_begun"
    WAITS = "waits"
    TOO_LITTLE_TIME = "too_little_time"
    DROPPED_BEFORE = "dropped_before"
    OVERLOAD = "overload"
    NO_DAY = "no_day"


@dataclass(frozen=True, slots=True)
class Risk:
    """One reason: by how many days, because of which other action, or in which month (its first day)."""

    why: Why
    days: int = 0
    other: str | None = None
    month: date | None = None


def find_risks(actions: Sequence[Action], today: date, hours_a_week: float | None = None) -> dict[str, list[Risk]]:
    """Per open action the reasons why it is late or at risk, the gravest first; actions without any are left out.

    late: its due day is past, by so many days. not_begun: its start day is past. waits: what it waits for ends so
    many days after its own start (`other`). too_little_time: as things stand it ends so many days after its due day.
    dropped_before: what it waits for was dropped. overload: in a month it falls in, more hours are planned than
    `hours_a_week` gives (by the month's days); of many such months the twelve nearest to today on either side. no_day:
    it has no due day. Raises ScheduleCircle.
    """
    schedule = plan_schedule(actions, today)
    states = {action.id: action.state for action in actions}
    full = _full_months(actions, hours_a_week)
    found: dict[str, list[Risk]] = {}
    for action in actions:
        if not action.open:
            continue
        slot = schedule.slots[action.id]
        risks = []
        if action.due_on and action.due_on < today:
            risks.append(Risk(Why.LATE, (today - action.due_on).days))
        elif action.due_on and slot.finish > action.due_on:
            risks.append(Risk(Why.TOO_LITTLE_TIME, (slot.finish - action.due_on).days))
        if action.state is State.PLANNED and action.start_on and action.start_on < today:
            risks.append(Risk(Why.NOT_BEGUN, (today - action.start_on).days))
        for other in action.after:
            before = schedule.slots.get(other)
            if states.get(other) is State.DROPPED:
                risks.append(Risk(Why.DROPPED_BEFORE, other=other))
            elif before and action.start_on and before.finish >= action.start_on and action.state is State.PLANNED:
                risks.append(Risk(Why.WAITS, (before.finish - action.start_on).days + 1, other))
        risks += [Risk(Why.OVERLOAD, month=month) for month in _nearest(full, action, today)]
        if action.due_on is None:
            risks.append(Risk(Why.NO_DAY))
        if risks:
            found[action.id] = risks
    return found


@dataclass(frozen=True, slots=True)
class Load:
    """Hours per month (its first day), every month from the first to the last, and the actions left out.

    Left out are actions whose days or effort are not known: their load is undefined, not 0.
    """

    hours: Mapping[date, float]
    uncounted: tuple[str, ...] = field(default=())


def load_by_month(actions: Iterable[Action]) -> Load:
    """Spread the effort of every action that is not dropped evenly over its days, from start to due day.

    The effort is `hours`, else `hours_week` times the weeks between. The months' hours add up to the efforts.
    """
    hours: dict[date, float] = {}
    uncounted = []
    for action in actions:
        if action.state is State.DROPPED:
            continue
        total, length = effort(action), action.days
        if total is None or length is None or action.start_on is None or action.due_on is None:
            uncounted.append(action.id)
            continue
        for month, days in _days_by_month(action.start_on, action.due_on):
            hours[month] = hours.get(month, 0.0) + total * days / length
    if not hours:
        return Load({}, tuple(uncounted))
    month, last = min(hours), max(hours)
    every: dict[date, float] = {}
    while month <= last:
        every[month] = hours.get(month, 0.0)
        month = _next_month(month)
    return Load(every, tuple(uncounted))


def effort(action: Action) -> float | None:
    """The hours an action takes: as given, else hours a week over its weeks; None when neither is known."""
    if action.hours is not None:
        return action.hours
    if action.hours_week is None or action.days is None:
        return None
    return action.hours_week * action.days / _WEEK_DAYS


@dataclass(frozen=True, slots=True)
class Moved:
    """What a slip does to one action: days it ends later, the new last day, and days past its due day (0: in time)."""

    id: str
    days: int
    finish: date
    late: int


def slip(actions: Sequence[Action], today: date, name: str, days: int) -> list[Moved]:
    """The actions that end later when the open action `name` ends `days` later (1 or more), itself first.

    Nothing moves by more than the slip, and what has time to spare swallows it. Raises ScheduleCircle, and ValueError
    for an action that is not open or a slip below one day.
    """
    chosen = next((action for action in actions if action.id == name and action.open), None)
    if chosen is None or days < 1:
        raise ValueError("only an open action can slip, by one day or more")
    before = plan_schedule(actions, today)
    waits = {action.id: action.after for action in actions}
    users: dict[str, list[str]] = {action.id: [] for action in actions}
    for waiting, others in waits.items():
        for other in others:
            users.setdefault(other, []).append(waiting)
    # A day it must not begin before, in place of the slip: the action itself is fixed to its later end.
    finish = _later(before.slots[name].finish, timedelta(days=days))
    fixed = replace(chosen, state=State.DONE, start_on=before.slots[name].start, done_on=finish)
    after = plan_schedule([fixed if action.id == name else action for action in actions], today)
    moved = []
    affected = {name} | below(users, [name])
    for action in actions:
        if action.id in affected and action.id in after.slots:
            new, old = after.slots[action.id].finish, before.slots[action.id].finish
            if new > old:
                late = max(0, (new - action.due_on).days) if action.due_on else 0
                moved.append(Moved(action.id, (new - old).days, new, late))
    return sorted(moved, key=lambda one: (one.id != name, one.finish))


def _earliest(
    action: Action, waits: Sequence[str], finishes: Mapping[str, date], today: date
) -> tuple[date, date, str | None]:
    """First day, last day, and which of those waited for decides it (None: its own days do)."""
    length = timedelta(days=(action.days or 1) - 1)
    if action.state is State.DONE:
        finish = action.done_on or action.due_on or today
        return min(action.start_on or _later(finish, -length), finish), finish, None
    if action.state is State.BEGUN:
        start = min(action.start_on or today, today)
        finish = max(action.due_on or _later(start, length), today)
        return start, finish, None
    own = max(action.start_on or (_later(action.due_on, -length) if action.due_on else today), today)
    last = max(waits, key=lambda name: finishes[name], default=None)
    if last is not None and _later(finishes[last], _DAY) >= own:
        start = _later(finishes[last], _DAY)
        return start, _later(start, length), last
    return own, _later(own, length), None


def _later(day: date, by: timedelta) -> date:
    """The day moved, at most to the first or last that a calendar here can name."""
    try:
        return day + by
    except OverflowError:
        return date.max if by > timedelta() else date.min


def _chain(
    order: Sequence[str], finishes: Mapping[str, date], driver: Mapping[str, str | None], end: date
) -> tuple[str, ...]:
    # Of several that end last, the one with the longest chain behind it.
    best: tuple[str, ...] = ()
    for name in order:
        if finishes[name] != end:
            continue
        chain = [name]
        while (before := driver[chain[-1]]) is not None:
            chain.append(before)
        if len(chain) > len(best):
            best = tuple(reversed(chain))
    return best


def _full_months(actions: Sequence[Action], hours_a_week: float | None) -> list[date]:
    if not hours_a_week:
        return []
    hours = load_by_month(action for action in actions if action.open).hours
    return [
        month
        for month, planned in hours.items()
        if planned > hours_a_week * (_next_month(month) - month).days / _WEEK_DAYS + 1e-9
    ]


def _nearest(full: Sequence[date], action: Action, today: date) -> list[date]:
    months = [month for month in full if _falls_in(action, month)]
    ahead = bisect_left(months, today.replace(day=1))
    # Actions of a lifetime that fill every month of it would be told of for pages.
    return months[max(0, ahead - _MOST_FULL) : ahead + _MOST_FULL]


def _falls_in(action: Action, month: date) -> bool:
    if effort(action) is None or action.start_on is None or action.due_on is None:
        return False
    return action.start_on < _next_month(month) and action.due_on >= month


def _days_by_month(first: date, last: date) -> list[tuple[date, int]]:
    found = []
    month = first.replace(day=1)
    while month <= last:
        following = _next_month(month)
        found.append((month, (min(last + _DAY, following) - max(first, month)).days))
        month = following
    return found


def _next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
