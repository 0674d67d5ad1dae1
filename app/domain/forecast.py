"""Who is asked when, and how a flood is spread: nobody earlier, nobody far from their day, nobody twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

# A review that is moved comes at most so many days later than its policy says.
FARTHEST = 21


@dataclass(frozen=True, slots=True)
class Ask:
    """One review to come: the day its first mail leaves, and the review's own. `movable`: a spread may move it."""

    plan_id: UUID
    counsellor_id: UUID | None
    day: date
    review_on: date
    movable: bool = True


@dataclass(frozen=True, slots=True)
class Move:
    """A review that a spread puts later by so many days; `to` is the day its first mail leaves then."""

    ask: Ask
    days: int
    to: date


def loads(asks: Iterable[Ask]) -> Counter[tuple[UUID | None, date]]:
    """How many are asked for the first time, by counsellor (None: nobody's caseload) and day."""
    return Counter((ask.counsellor_id, ask.day) for ask in asks)


def spread(asks: Sequence[Ask], most: int, lands: Callable[[Ask, int], date | None]) -> list[Move]:
    """What to move so that no counsellor has more than `most` new reviews on a day; as few as that takes.

    On a full day those stay whose review comes first. The others go to the next day with room, at most `FARTHEST`
    days later; where none has room they stay too. `lands` says on which day the first mail leaves if a review is put
    so many days later (None: it would not leave).
    """
    load = loads(asks)
    moves = []
    kept: Counter[tuple[UUID | None, date]] = Counter()
    # Those that cannot be moved take their places first.
    for ask in sorted(asks, key=lambda ask: (ask.day, ask.movable, ask.review_on, ask.plan_id)):
        key = (ask.counsellor_id, ask.day)
        if kept[key] >= most and load[key] > most and ask.movable:
            for days in range(1, FARTHEST + 1):
                day = lands(ask, days)
                if day is not None and day > ask.day and load[ask.counsellor_id, day] < most:
                    load[key] -= 1
                    load[ask.counsellor_id, day] += 1
                    moves.append(Move(ask, days, day))
                    break
            else:
                kept[key] += 1
        else:
            kept[key] += 1
    return moves
