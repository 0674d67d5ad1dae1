"""Goal M6: in every zone and at every clock shift a prompt leaves once, never in quiet hours, and in time.

`OCTANT_EXAMPLES` sets the number of random examples (default 150). The loops over all zones take the shifts of one year
and, for each zone, of another that a seed draws; with `OCTANT_TEST_LONG=1` those of every year from 1990 to 2050.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.cadence import QuietHours, ReviewPolicy, is_sendable_now, next_sendable, send_moment

EXAMPLES = int(os.environ.get("OCTANT_EXAMPLES", "150"))
LONG = os.environ.get("OCTANT_TEST_LONG") == "1"
SEED = 20261129
MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones())
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)

random_zones = st.sampled_from(ZONES).map(ZoneInfo)
wall_times = st.integers(0, 1439).map(lambda minute: time(*divmod(minute, 60)))
policies = st.builds(
    ReviewPolicy,
    quiet_hours=st.tuples(wall_times, wall_times)
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: QuietHours(*pair)),
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
)
quick = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def shifts(zone: ZoneInfo, year: int) -> Iterator[datetime]:
    """The noon (UTC) before each day in which the zone's offset changes."""
    noon = datetime(year, 1, 1, 12, tzinfo=UTC)
    offset = noon.astimezone(zone).utcoffset()
    while noon.year == year:
        following = noon + timedelta(days=1)
        next_offset = following.astimezone(zone).utcoffset()
        if next_offset != offset:
            yield noon
        noon, offset = following, next_offset


def allowed(local: datetime, policy: ReviewPolicy) -> bool:
    """The rule, written a second time and differently: minutes of the day on a circle."""
    quiet = policy.quiet_hours
    assert quiet is not None
    start = quiet.start.hour * 60 + quiet.start.minute
    length = (quiet.end.hour * 60 + quiet.end.minute - start) % 1440
    into = (local.hour * 60 + local.minute - start) % 1440
    return into >= length and local.weekday() in policy.weekdays


def walk(start: datetime, policy: ReviewPolicy, zone: ZoneInfo) -> datetime:
    """The first allowed instant, found by looking at the clock every minute."""
    moment = start
    if not allowed(moment.astimezone(zone), policy):
        moment = moment.replace(second=0, microsecond=0)
        while moment < start or not allowed(moment.astimezone(zone), policy):
            moment += MINUTE
    return moment


@quick
@given(data=st.data(), zone=random_zones, policy=policies, year=st.integers(1990, 2050))
def test_a_late_prompt_waits_for_the_first_allowed_minute(
    data: st.DataObject, zone: ZoneInfo, policy: ReviewPolicy, year: int
) -> None:
    turns = list(shifts(zone, year)) or [datetime(year, 6, 1, tzinfo=UTC)]
    now = data.draw(st.sampled_from(turns)) + timedelta(seconds=data.draw(st.integers(-3 * 86400, 2 * 86400)))
    moment = next_sendable(now, policy, zone)
    assert moment == walk(now, policy, zone)
    assert is_sendable_now(moment, policy, zone)


@quick
@given(data=st.data(), zone=random_zones, policy=policies, year=st.integers(1990, 2050), preferred=wall_times)
def test_a_prompt_leaves_at_the_preferred_time_or_the_first_allowed_minute_after_it(
    data: st.DataObject, zone: ZoneInfo, policy: ReviewPolicy, year: int, preferred: time
) -> None:
    turns = list(shifts(zone, year)) or [datetime(year, 6, 1, tzinfo=UTC)]
    day = data.draw(st.sampled_from(turns)).date() + timedelta(days=data.draw(st.integers(-2, 2)))
    moment = send_moment(day, policy, zone, preferred)
    first = day
    while True:
        wall = datetime.combine(first, preferred)
        arrived = datetime.combine(first, preferred, UTC) - timedelta(hours=15)
        while first.weekday() in policy.weekdays and arrived.astimezone(zone).replace(tzinfo=None) < wall:
            arrived += MINUTE
        landed = arrived.astimezone(zone)
        if first.weekday() in policy.weekdays and landed.weekday() in policy.weekdays:
            break
        first += timedelta(days=1)
    assert moment == walk(arrived, policy, zone)
    assert moment.astimezone(zone).date() >= day


@pytest.mark.parametrize(
    "quiet",
    [
        QuietHours(),
        QuietHours(time(22), time(2, 30)),
        QuietHours(time(1, 30), time(8)),
        QuietHours(time(23, 30), time(0, 30)),
    ],
    ids=["20-08", "22-02:30", "01:30-08", "23:30-00:30"],
)
@pytest.mark.timeout(36000 if LONG else 300)
def test_every_zone_both_shifts_every_half_hour(quiet: QuietHours) -> None:
    """M6, exhaustive: all zones x all their shifts x 48 half-hours, against a 15-minute walk of the clock."""
    policy = ReviewPolicy(quiet_hours=quiet, weekdays=EVERY_DAY)
    draw = random.Random(SEED)
    cases = 0
    for zone in map(ZoneInfo, ZONES):
        years = range(1990, 2051) if LONG else (2026, draw.randrange(1990, 2051))
        for noon in (noon for year in years for noon in shifts(zone, year)):
            instants = [noon + timedelta(minutes=15 * step) for step in range(-160, 480)]
            clock = [
                (instant, local.replace(tzinfo=None), allowed(local, policy))
                for instant in instants
                for local in [instant.astimezone(zone)]
            ]
            for day in {noon.astimezone(zone).date(), (noon + timedelta(days=1)).astimezone(zone).date()}:
                for half_hour in range(48):
                    preferred = time(*divmod(half_hour * 30, 60))
                    wall = datetime.combine(day, preferred)
                    reached = next(index for index, (_, local, _) in enumerate(clock) if local >= wall)
                    expected = next(instant for instant, _, free in clock[reached:] if free)
                    moment = send_moment(day, policy, zone, preferred)
                    # The walk looks each quarter; Goose Bay once changed clocks at 00:01.
                    assert timedelta(0) <= expected - moment < timedelta(minutes=15), (zone.key, wall)
                    assert allowed(moment.astimezone(zone), policy), (zone.key, wall)
                    cases += 1
    assert cases > 20_000


@pytest.mark.timeout(36000 if LONG else 300)
def test_no_hour_that_does_not_exist_and_the_first_of_two_in_every_zone() -> None:
    """Around every shift a prompt leaves at its wall time, once; where the clocks skip it, as soon as they go on."""
    policy = ReviewPolicy(quiet_hours=None, weekdays=EVERY_DAY)
    draw = random.Random(SEED)
    skipped = doubled = 0
    for zone in map(ZoneInfo, ZONES):
        years = range(1990, 2051) if LONG else draw.sample(range(1990, 2051), 3)
        for noon in (noon for year in years for noon in shifts(zone, year)):
            first = noon.astimezone(zone).date()
            walls = [
                datetime.combine(first + timedelta(days=n // 48), time(*divmod(n % 48 * 30, 60))) for n in range(96)
            ]
            moments = [send_moment(wall.date(), policy, zone, wall.time()) for wall in walls]
            assert moments == sorted(moments), zone.key
            for wall, moment in zip(walls, moments, strict=True):
                shown = {
                    instant.astimezone(zone).replace(tzinfo=None): instant
                    for fold in (1, 0)
                    for instant in [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)]
                }
                if wall in shown:
                    assert moment == shown[wall], (zone.key, wall)
                    doubled += wall.replace(tzinfo=zone, fold=1).astimezone(UTC) != moment
                else:
                    skipped += 1
                    assert moment.astimezone(zone).replace(tzinfo=None) > wall, (zone.key, wall)
                    assert (moment - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall, (
                        zone.key,
                        wall,
                    )
    assert min(skipped, doubled) > 500, (skipped, doubled)


def test_a_scheduler_that_looks_every_quarter_hour_sends_each_prompt_once_and_in_time() -> None:
    """M6: through both shifts of a zone, with an outage of two days in the middle."""
    zone = ZoneInfo("Europe/Berlin")
    policy = ReviewPolicy()
    due = {date(2026, 3, 20) + timedelta(days=step) for step in range(220)}
    unsent = {day: send_moment(day, policy, zone) for day in due}
    sent: dict[date, datetime] = {}
    tick = datetime(2026, 3, 19, tzinfo=UTC)
    outage = (datetime(2026, 6, 2, 3, tzinfo=UTC), datetime(2026, 6, 4, 1, 10, tzinfo=UTC))
    while unsent:
        tick += timedelta(minutes=15)
        if outage[0] <= tick < outage[1]:
            continue
        for day in [day for day, moment in unsent.items() if moment <= tick]:
            if not is_sendable_now(tick, policy, zone):
                unsent[day] = next_sendable(tick, policy, zone)
                continue
            assert day not in sent
            sent[day] = tick
            del unsent[day]
    assert set(sent) == due
    for day, moment in sent.items():
        local = moment.astimezone(zone)
        assert time(8) <= local.time() < time(20)
        assert local.weekday() < 5
        late = moment - send_moment(day, policy, zone)
        assert late < timedelta(minutes=15) or date(2026, 6, 1) < day < date(2026, 6, 4)


def test_the_skipped_hour_gives_the_first_minute_after_it_and_the_doubled_hour_its_first_pass() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = ReviewPolicy(quiet_hours=None, weekdays=EVERY_DAY)
    assert send_moment(date(2026, 3, 29), night, berlin, time(2, 17)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert send_moment(date(2026, 10, 25), night, berlin, time(2, 17)) == datetime(2026, 10, 25, 0, 17, tzinfo=UTC)


def test_a_weekend_waits_for_monday_at_the_preferred_time() -> None:
    new_york = ZoneInfo("America/New_York")
    moment = send_moment(date(2026, 11, 21), ReviewPolicy(), new_york, time(10, 30))
    assert moment.astimezone(new_york) == datetime(2026, 11, 23, 10, 30, tzinfo=new_york)
    friday_night = send_moment(date(2026, 11, 20), ReviewPolicy(), new_york, time(21))
    assert friday_night.astimezone(new_york) == datetime(2026, 11, 23, 8, tzinfo=new_york)


def test_a_day_that_a_zone_jumped_over_moves_to_the_next_allowed_day() -> None:
    apia = ZoneInfo("Pacific/Apia")
    moment = send_moment(date(2011, 12, 30), ReviewPolicy(), apia)
    assert moment.astimezone(apia) == datetime(2012, 1, 2, 9, tzinfo=apia)


def test_a_gap_that_ends_at_midnight_leads_into_the_next_day() -> None:
    nuuk = ZoneInfo("America/Nuuk")
    night = ReviewPolicy(quiet_hours=None, weekdays=EVERY_DAY)
    moment = send_moment(date(2026, 3, 28), night, nuuk, time(23, 15))
    assert moment.astimezone(nuuk) == datetime(2026, 3, 29, tzinfo=nuuk)


def test_clocks_set_back_over_midnight_do_not_hide_the_first_allowed_moment() -> None:
    casey = ZoneInfo("Antarctica/Casey")  # 5 March 2010, 02:00 became 4 March, 23:00
    policy = ReviewPolicy(quiet_hours=QuietHours(time(23, 30), time(0, 30)), weekdays=EVERY_DAY)
    now = datetime(2010, 3, 4, 12, 45, tzinfo=UTC)
    assert next_sendable(now, policy, casey) == datetime(2010, 3, 4, 13, 30, tzinfo=UTC)
    only_thursday_night = ReviewPolicy(quiet_hours=QuietHours(time(8), time(23, 30)), weekdays=(3,))
    friday_at_one = datetime(2010, 3, 4, 14, tzinfo=UTC)
    assert next_sendable(friday_at_one, only_thursday_night, casey) == datetime(2010, 3, 4, 15, 30, tzinfo=UTC)
