"""Spreading a flood: nobody earlier or far from their day, nobody twice, and no day made fuller than allowed."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain.forecast import FARTHEST, Ask, Move, loads, spread

DAY = timedelta(days=1)
FIRST = date(2026, 9, 7)
WHO = (None, UUID(int=1), UUID(int=2))
asks = st.lists(st.tuples(st.sampled_from(WHO), st.integers(0, 40), st.booleans()), max_size=60).map(
    lambda rows: [
        Ask(UUID(int=number + 10), who, FIRST + n * DAY, FIRST + (n + 14) * DAY, movable)
        for number, (who, n, movable) in enumerate(rows)
    ]
)


def lands(ask: Ask, later: int) -> date | None:
    """Weekends wait for Monday, as with the standard policy."""
    day = ask.day + later * DAY
    return day + {5: 2, 6: 1}.get(day.weekday(), 0) * DAY


def after(asks: list[Ask], moves: list[Move]) -> list[Ask]:
    to = {move.ask.plan_id: move.to for move in moves}
    return [Ask(a.plan_id, a.counsellor_id, to.get(a.plan_id, a.day), a.review_on) for a in asks]


@given(asks=asks, most=st.integers(1, 8))
def test_a_spread_keeps_its_word(asks: list[Ask], most: int) -> None:
    moves = spread(asks, most, lands)
    assert max(Counter(move.ask.plan_id for move in moves).values(), default=1) == 1
    assert all(move.ask.movable for move in moves)
    assert all(move.ask.day < move.to and 1 <= move.days <= FARTHEST for move in moves)
    assert all(move.to == lands(move.ask, move.days) for move in moves)
    before, then = loads(asks), loads(after(asks, moves))
    assert all(number <= max(most, before[key]) for key, number in then.items())
    assert then.total() == before.total()
    assert {key for key in then if then[key] > before[key]} <= {key for key in then if then[key] <= most}
    # As few as it takes: nobody leaves a day that was not too full.
    assert all(before[move.ask.counsellor_id, move.ask.day] > most for move in moves)
    gone = Counter((move.ask.counsellor_id, move.ask.day) for move in moves)
    assert all(number <= before[key] - most for key, number in gone.items())


def test_room_that_is_there_is_used() -> None:
    flood = [Ask(UUID(int=n), None, FIRST, FIRST + 14 * DAY) for n in range(30)]
    then = loads(after(flood, spread(flood, 5, lands)))
    assert then == {(None, FIRST + n * DAY): 5 for n in (0, 1, 2, 3, 4, 7)}


def test_a_day_that_is_not_too_full_stays_and_the_same_comes_out_twice() -> None:
    few = [Ask(UUID(int=n), None, FIRST + n % 6 * DAY, FIRST + 20 * DAY) for n in range(30)]
    assert spread(few, 5, lands) == []
    assert spread(few, 3, lands) == spread(list(reversed(few)), 3, lands)


def test_where_nothing_lands_everybody_stays() -> None:
    flood = [Ask(UUID(int=n), None, FIRST, FIRST) for n in range(3)]
    assert spread(flood, 1, lambda ask, later: None) == []
