"""Paired comparison: every two things are compared once; a ranking, and how far the answers hang together.

Pure: things are named by short texts; an answer says which of the two was preferred, never both and never neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Pair = frozenset[str]
Answers = Mapping[Pair, str]


@dataclass(frozen=True, slots=True)
class Consistency:
    """How far complete answers hang together.

    `circles` counts the circular triads (a before b, b before c, c before a), 0 to `most`. `zeta` is Kendall's
    coefficient of consistence: 1 without a circle, 0 with as many as there can be. `by_chance` is how many circles
    answers by the toss of a coin would have on average.
    """

    circles: int
    most: int
    zeta: float
    by_chance: float


def pair_order(things: Sequence[str]) -> list[tuple[str, str]]:
    """Every two different things once, in rounds in which each thing stands at most once.

    The order is that of a round-robin tournament (circle method), so that nobody is asked about the same thing twice
    running where that can be helped; which of the two stands first takes turns. Raises ValueError for a thing named
    twice.
    """
    if len(set(things)) != len(things):
        raise ValueError("each thing is compared once; one is named twice")
    ring: list[str | None] = [*things] if len(things) % 2 == 0 else [*things, None]
    found: list[tuple[str, str]] = []
    half = len(ring) // 2
    for round_ in range(len(ring) - 1):
        for place in range(half):
            a, b = ring[place], ring[-1 - place]
            if a is not None and b is not None:
                found.append((a, b) if (round_ + place) % 2 == 0 else (b, a))
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return found


def open_pairs(things: Sequence[str], answers: Answers) -> list[tuple[str, str]]:
    """The pairs not answered yet, in the order they are asked."""
    return [pair for pair in pair_order(things) if frozenset(pair) not in answers]


def wins(things: Sequence[str], answers: Answers) -> dict[str, int]:
    """How often each thing was preferred to another of the things; answers about others do not count."""
    counted = dict.fromkeys(things, 0)
    for pair, preferred in answers.items():
        if pair <= counted.keys():
            counted[preferred] += 1
    return counted


def rank_by_pairs(things: Sequence[str], answers: Answers) -> list[str]:
    """The things by how often they were preferred; equals by the answers between them, then in their given order."""
    counted = wins(things, answers)
    among = {
        thing: sum(
            answers.get(frozenset((thing, other))) == thing
            for other in things
            if other != thing and counted[other] == counted[thing]
        )
        for thing in things
    }
    return sorted(things, key=lambda thing: (-counted[thing], -among[thing]))


def circular_triads(things: Sequence[str], answers: Answers) -> list[tuple[str, str, str]]:
    """Each circle of three as (a, b, c): a was preferred to b, b to c, and c to a. Unanswered pairs make none."""
    found = []
    for a, b, c in combinations(things, 3):
        picked = [answers.get(frozenset(pair)) for pair in ((a, b), (b, c), (c, a))]
        if picked == [a, b, c]:
            found.append((a, b, c))
        elif picked == [b, c, a]:
            # The other way round: a was preferred to c, c to b, b to a.
            found.append((a, c, b))
    return found


def consistency(things: Sequence[str], answers: Answers) -> Consistency | None:
    """Kendall's coefficient of consistence over the answers, 0 to 1; None below three things or before all are there.

    With a(i) the times thing i was preferred, the circles are d = n(n-1)(2n-1)/12 - sum a(i)^2 / 2, and
    zeta = 1 - 24 d / (n^3 - n) for odd n, 1 - 24 d / (n^3 - 4 n) for even n. By chance a quarter of all threes are
    circles. Source: M. G. Kendall and B. Babington Smith, On the method of paired comparisons, Biometrika 31 (1940),
    324-345.
    """
    n = len(things)
    if n < 3 or open_pairs(things, answers):
        return None
    squares = sum(count * count for count in wins(things, answers).values())
    circles = (n * (n - 1) * (2 * n - 1) // 6 - squares) // 2
    most = (n**3 - (n if n % 2 else 4 * n)) // 24
    return Consistency(circles, most, 1 - circles / most, n * (n - 1) * (n - 2) / 24)


def read_answers(rows: Iterable[tuple[str, str]]) -> dict[Pair, str]:
    """Answers from (preferred, other) in the order given; the later answer to a pair counts."""
    return {frozenset((preferred, other)): preferred for preferred, other in rows if preferred != other}
