"""What a sorting and a comparison of work values say: the order, how far answers hang together, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.pairs import Answers, rank_by_pairs, read_answers
from app.domain.saying import Say
from app.features.plans.rooms import Content, Settling
from app.features.steps.ambition.deck import PILES, VALUE_OF, WORK_VALUES, card_words

# Pairs of eight are 28: more than that is no longer answered with care.
MOST_COMPARED = 8
FEWEST_COMPARED = 3
_POINTS = {pile: points for points, pile in enumerate(reversed(PILES))}
# Of the five cards of a value; with fewer sorted nothing is said of the value.
_FEWEST_CARDS = 3


def piles_of(content: Content) -> dict[str, str]:
    """The pile of each sorted card, in the deck's keys."""
    return {row["id"]: row["pile"] for row in content.get("cards", ()) if row.get("pile")}


def ranked_values(content: Content) -> list[Mapping[str, Any]]:
    """The ranked values that hold something: a card of the deck, or own words."""
    return [row for row in content.get("values", ()) if row.get("card") or row.get("name")]


def value_name(row: Mapping[str, Any], _: Say) -> str:
    """A ranked value in words."""
    card = row.get("card")
    return card_words(_)[card][0] if card else str(row["name"])


def compared(content: Content) -> list[str]:
    """The ids of the values that are compared two by two: the first ones of the order, at most eight."""
    return [row["id"] for row in ranked_values(content)[:MOST_COMPARED]]


def answers_of(content: Content) -> Answers:
    """The answers to the pairs."""
    return read_answers((row["preferred"], row["other"]) for row in content.get("pairs", ()))


def settle(content: Content) -> dict[str, Any]:
    """The content with its parts at one: the most important cards are ranked, and only ranked values are compared.

    Cards that come in join at the end, in the order of the cards; those sorted elsewhere leave; own values stay.
    """
    piles = piles_of(content)
    top = [card for card, pile in piles.items() if pile == "very"]
    rows = [row for row in content.get("values", ()) if not row.get("card") or row["card"] in top]
    there = {row.get("card") for row in rows}
    rows += [{"id": card, "name": "", "card": card} for card in top if card not in there]
    ids = {row["id"] for row in rows}
    pairs = [row for row in content.get("pairs", ()) if {row["preferred"], row["other"]} <= ids]
    return dict(content) | {"values": rows, "pairs": pairs}


def in_order_of_pairs(content: Content) -> dict[str, Any]:
    """The content with the compared values in the order of the answers, the others after them as they were."""
    things = compared(content)
    order = rank_by_pairs(things, answers_of(content))
    rows = list(ranked_values(content))
    first = sorted((row for row in rows if row["id"] in things), key=lambda row: order.index(row["id"]))
    return dict(content) | {"values": [*first, *(row for row in rows if row["id"] not in things)]}


def keep_settled(before: Content, after: dict[str, Any], settling: Settling) -> dict[str, Any]:
    """What is stored of a save: the content settled."""
    return settle(after)


@dataclass(frozen=True, slots=True)
class ValueScore:
    """One of the six work values: mean points of its sorted cards, 0 (not important) to 3 (very); None: not known."""

    value: str
    score: float | None
    sorted: int
    very: int


def value_profile(content: Content) -> dict[str, ValueScore]:
    """The six work values as the sorting weighs them, in the order of `WORK_VALUES`.

    A design of Octant's own: very important counts 3, important 2, not so important 1, not important 0; a value's
    score is the mean over its sorted cards, and not known (None) with fewer than three of its five cards sorted.
    Scores compare values within one person, never persons with each other.
    """
    piles = piles_of(content)
    found = {}
    for value in WORK_VALUES:
        mine = [pile for card, pile in piles.items() if VALUE_OF.get(card) == value]
        mean = sum(_POINTS[pile] for pile in mine) / len(mine) if len(mine) >= _FEWEST_CARDS else None
        found[value] = ValueScore(value, mean, len(mine), mine.count("very"))
    return found


@dataclass(frozen=True, slots=True)
class RankChange:
    """What became of a value between two orders; ranks count from 1, None where it is not in that order."""

    name: str
    kind: Literal["kept", "up", "down", "new", "gone"]
    before: int | None
    after: int | None


def rank_changes(before: Content, after: Content, _: Say) -> list[RankChange]:
    """Rank by rank what changed between two contents: the later order first, then what is gone.

    A card is the same card in both; an own value is the same when its words are, large or small letters.
    """
    old, new = ranked_values(before), ranked_values(after)
    found: list[RankChange] = []
    left = list(enumerate(old, start=1))
    for rank, row in enumerate(new, start=1):
        match = next((pair for pair in left if _same(row, pair[1])), None)
        name = value_name(row, _)
        if match is None:
            found.append(RankChange(name, "new", None, rank))
            continue
        left.remove(match)
        earlier = match[0]
        kind: Literal["kept", "up", "down"] = "kept" if earlier == rank else "up" if rank < earlier else "down"
        found.append(RankChange(name, kind, earlier, rank))
    return found + [RankChange(value_name(row, _), "gone", rank, None) for rank, row in left]


def _same(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if row.get("card") or other.get("card"):
        return row.get("card") == other.get("card")
    return bool(row["name"].casefold() == other["name"].casefold())
