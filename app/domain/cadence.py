"""When a plan is reviewed, and the moment at which a prompt for it may leave.

Two questions are kept apart. *Which day is it due?* has no time zone: due days follow from the policy, the
anchor and the terms. *When may it be sent?* is asked in the client's zone: quiet hours, allowed weekdays
and the two yearly clock shifts decide the instant. Paused days (`app.domain.pauses`) count in both: a due day moves
to the first day after the pause, and nothing is sent on a day of it.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.pauses import NO_PAUSES, Pauses
from app.domain.reading import Reader, check_day, parse_day, short
from app.domain.saying import later
from app.domain.terms import Term, TermEdge

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Scores move less than their error within weeks (Gaudron & Vautier 2007), so asking sooner measures noise.
MONTHS_FLOOR = 3
MONTHS_CEILING = 60
# Reviews of 50 years, three months apart. Each is looked at for every plan.
MOST_DATES = 200
# A week finds every weekday. Three more weeks cover a sole allowed hour lost to a clock shift or a zone
# that jumped over a whole day (Pacific/Apia on 30 December 2011).
SEARCH_DAYS = 30


@dataclass(frozen=True, slots=True)
class EveryMonths:
    """Due every so many months after the anchor. Raises `InvalidInput` below 3 or above 60 months."""

    months: int = 6

    def __post_init__(self) -> None:
        if not MONTHS_FLOOR <= self.months <= MONTHS_CEILING:
            raise InvalidInput(
                [
                    FieldProblem(
                        "months",
                        later(
                            "A review every %(months)s months is not possible. Choose %(low)s to %(high)s months.",
                            months=self.months,
                            low=MONTHS_FLOOR,
                            high=MONTHS_CEILING,
                        ),
                    )
                ]
            )


@dataclass(frozen=True, slots=True)
class OnDates:
    """Due on these days. Raises `InvalidInput` for none or too many, for one twice, out of order or far off."""

    dates: tuple[date, ...]

    def __post_init__(self) -> None:
        if not self.dates:
            raise InvalidInput([FieldProblem("dates", "There is no date. Give at least one review date.")])
        if list(self.dates) != sorted(set(self.dates)):
            raise InvalidInput([FieldProblem("dates", "Give each date once, the earliest first.")])
        if len(self.dates) > MOST_DATES:
            raise InvalidInput([FieldProblem("dates", later("Name at most %(most)s.", most=MOST_DATES))])
        if problems := [*check_day("dates", self.dates[0]), *check_day("dates", self.dates[-1])]:
            raise InvalidInput(problems[:1])


@dataclass(frozen=True, slots=True)
class AtTerm:
    """Due at each term's start or end, shifted by days (negative: before). At most a year either way."""

    edge: TermEdge
    offset_days: int = 0

    def __post_init__(self) -> None:
        if abs(self.offset_days) > 366:
            raise InvalidInput(
                [FieldProblem("offset_days", "The shift is longer than a year. Choose -366 to 366 days.")]
            )


Cadence = EveryMonths | OnDates | AtTerm


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local wall-clock times between which nothing is sent: `start` is quiet, `end` no longer is.

    A start later than the end runs over midnight. Raises `InvalidInput` when both are equal, since it would
    be unclear whether that means always or never, or when either is not a whole minute.
    """

    start: time = time(20)
    end: time = time(8)

    def __post_init__(self) -> None:
        for key, wall in (("start", self.start), ("end", self.end)):
            if wall != wall.replace(second=0, microsecond=0, tzinfo=None):
                raise InvalidInput([FieldProblem(key, "Give a whole minute without a zone, as HH:MM.")])
        if self.start == self.end:
            raise InvalidInput([FieldProblem("end", "Quiet hours end as they start. Choose another end, or none.")])

    def covers(self, wall: time) -> bool:
        """Whether this wall-clock time is quiet."""
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """How often a plan is reviewed and how prompts for it behave.

    `reminder_days` are relative to the due day and ascending; `weekdays` are Python's (Monday is 0). Silence is told
    to the counsellor after `escalate_after_days`, and to administrators after `escalate_admin_after_days` (None: not).
    Raises `InvalidInput` with every problem found.
    """

    cadence: Cadence = EveryMonths()
    reminder_days: tuple[int, ...] = (-14, -7, 0, 3, 7)
    escalate_after_days: int = 14
    escalate_admin_after_days: int | None = 28
    quiet_hours: QuietHours | None = QuietHours()
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    # Keys of the questionnaires a check-in asks to take again, where their days of retest are over.
    retake: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = []
        days = self.reminder_days
        if not days or list(days) != sorted(set(days)) or days[0] < -30 or days[-1] > 60:
            problems.append(
                FieldProblem("reminder_days", "Give one or more different days from -30 to 60, the smallest first.")
            )
        elif not max(1, days[-1]) <= self.escalate_after_days <= 90:
            problems.append(
                FieldProblem(
                    "escalate_after_days",
                    later(
                        "Not before the last reminder: choose %(low)s to 90 days after the due day.",
                        low=max(1, days[-1]),
                    ),
                )
            )
        admins = self.escalate_admin_after_days
        if not problems and admins is not None and not self.escalate_after_days < admins <= 180:
            problems.append(
                FieldProblem(
                    "escalate_admin_after_days",
                    later(
                        "Administrators hear after the %(counsellor)s: choose %(low)s to 180 days, or none.",
                        low=self.escalate_after_days + 1,
                    ),
                )
            )
        known = range(len(WEEKDAYS))
        if not self.weekdays or list(self.weekdays) != sorted({day for day in self.weekdays if day in known}):
            problems.append(FieldProblem("weekdays", "Choose at least one weekday, each once, Monday first."))
        if problems:
            raise InvalidInput(problems)


def parse_policy(raw: Mapping[str, Any]) -> ReviewPolicy:
    """The policy written in a plain JSON object (see `policy_as_json`); fields left out take the defaults.

    Raises `InvalidInput` (a ValueError) naming every field that is wrong, with the remedy.
    """
    reader = Reader(raw)
    reader.only(
        (
            *("cadence", "reminder_days", "escalate_after_days", "escalate_admin_after_days"),
            *("quiet_hours", "weekdays", "retake"),
        )
    )
    standard = ReviewPolicy()
    cadence = _read_cadence(reader) if "cadence" in reader.raw else standard.cadence
    quiet = _read_quiet_hours(reader) if "quiet_hours" in reader.raw else standard.quiet_hours
    days = _read_reminder_days(reader, standard.reminder_days)
    escalate = reader.whole("escalate_after_days", standard.escalate_after_days)
    admins = _read_admins(reader, escalate)
    weekdays = _read_weekdays(reader, standard.weekdays)
    retake = tuple(reader.texts("retake")) if "retake" in reader.raw else standard.retake
    policy = reader.attempt(
        "", lambda: ReviewPolicy(cadence or EveryMonths(), days, escalate, admins, quiet, weekdays, retake)
    )
    reader.finish()
    return policy or standard


def policy_as_json(policy: ReviewPolicy) -> dict[str, Any]:
    """A plain JSON object from which `parse_policy` makes the same policy again."""
    cadence: dict[str, Any]
    match policy.cadence:
        case EveryMonths(months):
            cadence = {"kind": "every_months", "months": months}
        case OnDates(dates):
            cadence = {"kind": "dates", "dates": [day.isoformat() for day in dates]}
        case AtTerm(edge, offset_days):
            cadence = {"kind": "term", "edge": edge, "offset_days": offset_days}
    quiet = policy.quiet_hours
    return {
        "cadence": cadence,
        "reminder_days": list(policy.reminder_days),
        "escalate_after_days": policy.escalate_after_days,
        "escalate_admin_after_days": policy.escalate_admin_after_days,
        "quiet_hours": quiet and {"start": quiet.start.strftime("%H:%M"), "end": quiet.end.strftime("%H:%M")},
        "weekdays": [WEEKDAYS[day] for day in policy.weekdays],
        # Left out where there are none: most policies ask for no questionnaire.
        **({"retake": list(policy.retake)} if policy.retake else {}),
    }


def occurrences_between(
    policy: ReviewPolicy,
    anchor: date,
    first: date,
    last: date,
    terms: Sequence[Term] = (),
    *,
    pauses: Pauses = NO_PAUSES,
) -> tuple[date, ...]:
    """All due days from `first` to `last`, both included, ascending; none is on or before the anchor."""
    found = []
    for day in _due_days(policy.cadence, anchor, terms, pauses):
        if day > last:
            break
        if day >= first:
            found.append(day)
    return tuple(found)


def next_occurrence(
    policy: ReviewPolicy, anchor: date, after: date, terms: Sequence[Term] = (), *, pauses: Pauses = NO_PAUSES
) -> date | None:
    """The first due day later than `after` (usually the previous due day, never now) and than the anchor.

    None when the dates or the known terms are used up, or the next day lies in a pause without an end. Months are
    counted from the anchor each time, so that 31 January gives 28 February and then 31 March, not 28 March; a day
    that a pause moved is the anchor of the following ones.
    """
    return next((day for day in _due_days(policy.cadence, anchor, terms, pauses) if day > after), None)


def send_moment(
    day: date, policy: ReviewPolicy, zone: ZoneInfo, preferred: time = time(9), *, pauses: Pauses = NO_PAUSES
) -> datetime | None:
    """The instant (UTC) for a prompt due on a local day: the preferred time of the first allowed day.

    A preferred time that is quiet moves to the first allowed instant after it; one that the clocks skip
    becomes the first minute after the gap; one that happens twice is taken the first time. None while a pause
    without an end leaves no such day.
    """
    for free in _free_days(day, pauses):
        if free is None:
            return None
        if free.weekday() in policy.weekdays:
            moment = _instants(datetime.combine(free, preferred), zone)[0]
            # A gap may end on the next day, or leave no such day at all; that day must be allowed too.
            if _is_allowed(moment.astimezone(zone).date(), policy, pauses):
                return next_sendable(moment, policy, zone, pauses=pauses)
    raise ValueError(f"No allowed day exists within {SEARCH_DAYS} days after {day} in {zone.key}.")


def is_sendable_now(now_utc: datetime, policy: ReviewPolicy, zone: ZoneInfo, *, pauses: Pauses = NO_PAUSES) -> bool:
    """Whether a prompt may leave at this instant (aware): local day allowed and wall clock not quiet."""
    local = now_utc.astimezone(zone)
    quiet = policy.quiet_hours is not None and policy.quiet_hours.covers(local.time())
    return not quiet and _is_allowed(local.date(), policy, pauses)


def next_sendable(
    now_utc: datetime, policy: ReviewPolicy, zone: ZoneInfo, *, pauses: Pauses = NO_PAUSES
) -> datetime | None:
    """The first instant (UTC) at or after `now_utc` at which a prompt may leave; now, if it may leave now.

    For prompts that an outage made late, so that they do not leave at three in the morning. None while a pause
    without an end leaves no such instant.
    """
    now_utc = now_utc.astimezone(UTC)
    if is_sendable_now(now_utc, policy, zone, pauses=pauses):
        return now_utc
    waiting: list[datetime] = []
    # One day back, because clocks set back over midnight return to the day before.
    for day in _free_days(now_utc.astimezone(zone).date() - timedelta(days=1), pauses):
        if day is None:
            return None
        waiting += _boundaries(day, policy, zone)
        # With clocks set back over midnight a day's last instants come after the next day's first ones,
        # so those wait for the next round.
        horizon = _instants(datetime.combine(day + timedelta(days=1), time(0)), zone)[0]
        for moment in sorted(waiting):
            if now_utc <= moment < horizon and is_sendable_now(moment, policy, zone, pauses=pauses):
                return moment
        waiting = [moment for moment in waiting if moment >= horizon]
    raise ValueError(f"No allowed moment exists within {SEARCH_DAYS} days after {now_utc} in {zone.key}.")


def _free_days(first: date, pauses: Pauses) -> Iterator[date | None]:
    """The days from this one on that are not paused, then None where a pause never ends.

    Until `SEARCH_DAYS` after the last pause: holidays may fall on every allowed weekday for a while.
    """
    ends = [last for _, last in pauses.spans if last is not None]
    until = max([first, *ends]) + timedelta(days=SEARCH_DAYS)
    day = pauses.after(first)
    while day is not None and day < until:
        yield day
        day = pauses.after(day + timedelta(days=1))
    if day is None:
        yield None


def _is_allowed(day: date, policy: ReviewPolicy, pauses: Pauses) -> bool:
    return day.weekday() in policy.weekdays and not pauses.covers(day)


def _due_days(cadence: Cadence, anchor: date, terms: Sequence[Term], pauses: Pauses) -> Iterator[date]:
    match cadence:
        case EveryMonths(months):
            yield from _month_days(anchor, months, pauses)
        case OnDates(dates):
            yield from _moved((day for day in dates if day > anchor), pauses)
        case AtTerm(edge, offset_days):
            shift = timedelta(days=offset_days)
            yield from _moved((day for term in terms if (day := term.edge(edge) + shift) > anchor), pauses)


def _moved(days: Iterable[date], pauses: Pauses) -> Iterator[date]:
    yield from sorted({moved for day in days if (moved := pauses.after(day)) is not None})


def _month_days(anchor: date, months: int, pauses: Pauses) -> Iterator[date]:
    steps = _month_steps(anchor, months)
    while (day := next(steps, None)) is not None:
        moved = pauses.after(day)
        if moved is None:
            return
        if moved != day:
            steps = _month_steps(moved, months)
        yield moved


def _month_steps(anchor: date, months: int) -> Iterator[date]:
    count = anchor.year * 12 + anchor.month - 1
    while (count := count + months) < date.max.year * 12:
        year, month = count // 12, count % 12 + 1
        yield date(year, month, min(anchor.day, monthrange(year, month)[1]))


def _boundaries(day: date, policy: ReviewPolicy, zone: ZoneInfo) -> list[datetime]:
    """The instants of a local day at which sending may become allowed."""
    quiet = policy.quiet_hours
    walls = [time(0)] if quiet is None else [time(0), quiet.start, quiet.end]
    return [moment for wall in walls for moment in _instants(datetime.combine(day, wall), zone)]


def _instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants (UTC, ascending) that a wall-clock time stands for.

    One, usually. For a time the clocks skip: the end of the gap. For a time that happens twice: the first,
    the moment the clocks are set back, and the second.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first == second:
        return (first,)
    if first < second:
        return (first, _offset_change(first, second, zone), second)
    return (_offset_change(second, first, zone),)


def _offset_change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The instant in (low, high] at which the zone's offset changes, by halving to the second."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def _read_cadence(reader: Reader) -> Cadence | None:
    known = len(reader.problems)
    inner = reader.inner("cadence")
    if len(inner.problems) > known:
        return None
    kind = inner.choice("kind", ("every_months", "dates", "term"))
    if len(inner.problems) > known:
        return None
    if kind == "every_months":
        inner.only(("kind", "months"))
        months = inner.whole("months")
        return inner.attempt("", lambda: EveryMonths(months)) if len(inner.problems) == known else None
    if kind == "dates":
        inner.only(("kind", "dates"))
        days = [parse_day(value) for value in inner.list_of("dates")]
        for index, value in enumerate(days):
            if value is None:
                written = short(inner.raw["dates"][index])
                inner.note(f"dates[{index}]", later("%(value)s is not a date. Write it as YYYY-MM-DD.", value=written))
        good = tuple(day for day in days if day is not None)
        return inner.attempt("", lambda: OnDates(good)) if len(inner.problems) == known else None
    inner.only(("kind", "edge", "offset_days"))
    edge: TermEdge = "start" if inner.choice("edge", ("start", "end")) == "start" else "end"
    offset = inner.whole("offset_days", 0)
    return inner.attempt("", lambda: AtTerm(edge, offset))


def _read_quiet_hours(reader: Reader) -> QuietHours | None:
    if reader.raw["quiet_hours"] is None:
        return None
    inner = reader.inner("quiet_hours")
    inner.only(("start", "end"))
    times = []
    for key in ("start", "end"):
        written = inner.text(key)
        try:
            times.append(datetime.strptime(written, "%H:%M").time())  # noqa: DTZ007  # a wall-clock time has no zone
        except ValueError:
            if written:
                inner.note(
                    key,
                    later("%(value)s is not a time. Write it as HH:MM, for example 20:00.", value=short(written)),
                )
    return inner.attempt("", lambda: QuietHours(*times)) if len(times) == 2 else None


def _read_reminder_days(reader: Reader, standard: tuple[int, ...]) -> tuple[int, ...]:
    known = len(reader.problems)
    values = reader.list_of("reminder_days", standard)
    if len(reader.problems) > known:
        return standard
    for index, value in enumerate(values):
        if not isinstance(value, int) or isinstance(value, bool):
            reader.note(
                f"reminder_days[{index}]", later("%(value)s is not a whole number of days.", value=short(value))
            )
            return standard
    return tuple(values)


def _read_admins(reader: Reader, escalate: int) -> int | None:
    if "escalate_admin_after_days" not in reader.raw:
        # Left out it follows the counsellor's days, so that a policy which names only these stays possible.
        return 2 * escalate if escalate > 0 else None
    if reader.raw["escalate_admin_after_days"] is None:
        return None
    known = len(reader.problems)
    value = reader.whole("escalate_admin_after_days")
    return value if len(reader.problems) == known else None


def _read_weekdays(reader: Reader, standard: tuple[int, ...]) -> tuple[int, ...]:
    if "weekdays" not in reader.raw:
        return standard
    known = len(reader.problems)
    names = reader.texts("weekdays")
    for index, name in enumerate(names):
        if name not in WEEKDAYS:
            reader.note(
                f"weekdays[{index}]",
                later("%(name)s is no weekday. Use: %(weekdays)s.", name=short(name), weekdays=", ".join(WEEKDAYS)),
            )
    if len(reader.problems) > known:
        return standard
    return tuple(sorted(WEEKDAYS.index(name) for name in names))
