"""What stands beside step 1: how far the answers hang together, what the cards weigh, what changed; and its buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from app.domain.pairs import circular_triads, open_pairs, pair_order
from app.domain.steps import StepKey
from app.features.plans.queries import revisions_of
from app.features.plans.rooms import Content
from app.features.steps.ambition import values
from app.features.steps.ambition.deck import DECK, PILES, card_words, pile_words
from app.features.steps.ambition.report import consistency_words
from app.features.steps.desk import Desk


def look(desk: Desk) -> Mapping[str, Any]:
    """The next card and pair, the consistency of the answers, and the change of the order since the last revision."""
    content = desk.content
    piles = values.piles_of(content)
    ranked = values.ranked_values(content)
    things = values.compared(content)
    answers = values.answers_of(content)
    names = {row["id"]: values.value_name(row, gettext) for row in ranked}
    waiting = open_pairs(things, answers)
    frozen = revisions_of(desk.uow, desk.view.plan.id)
    before = frozen[-1].snapshot["steps"][StepKey.AMBITION.value]["content"] if frozen else {}
    return {
        "words": card_words(gettext),
        "piles": pile_words(gettext),
        "sorted": piles,
        "deck": DECK,
        "next_card": next((card for card in DECK if card not in piles), None),
        "names": names,
        "things": things,
        "enough": len(things) >= values.FEWEST_COMPARED,
        "next_pair": waiting[0] if waiting else None,
        "asked": len(pair_order(things)),
        "answered": len(pair_order(things)) - len(waiting),
        "given": [(a, b, answers[pair]) for a, b in pair_order(things) if (pair := frozenset((a, b))) in answers],
        "said": consistency_words(content, gettext),
        "circles": [tuple(names[thing] for thing in circle) for circle in circular_triads(things, answers)],
        "changes": values.rank_changes(before, content, gettext) if before and ranked else [],
        "since": frozen[-1].revision if frozen else None,
    }


def act(desk: Desk, verb: str, what: str) -> Content:
    """What a button does: `pile:<card>:<pile>`, `up:<id>`, `down:<id>`,
    `prefer:<id>:<id>`, `ask:<id>:<id>`, `again`.

    A button of a page that is no longer true changes nothing.
    """
    content = values.settle(desk.content)
    one, _, other = what.partition(":")
    match verb:
        case "pile" if one in DECK and other in PILES:
            cards = [row for row in content["cards"] if row["id"] != one]
            return values.settle(content | {"cards": [*cards, {"id": one, "pile": other}]})
        case "up" | "down":
            return content | {"values": _moved(content["values"], one, -1 if verb == "up" else 1)}
        case "prefer":
            return _preferred(content, one, other)
        case "ask":
            return content | {"pairs": [row for row in content["pairs"] if {*row.values()} != {one, other}]}
        case "again":
            return content | {"pairs": []}
    return content


def _moved(rows: list[Any], which: str, by: int) -> list[Any]:
    rows = list(rows)
    at = next((place for place, row in enumerate(rows) if row["id"] == which), None)
    if at is not None and 0 <= at + by < len(rows):
        rows[at], rows[at + by] = rows[at + by], rows[at]
    return rows


def _preferred(content: Content, one: str, other: str) -> Content:
    things = values.compared(content)
    if one == other or not {one, other} <= set(things):
        return content
    rest = [row for row in content["pairs"] if {*row.values()} != {one, other}]
    content = dict(content) | {"pairs": [*rest, {"preferred": one, "other": other}]}
    if open_pairs(things, values.answers_of(content)):
        return content
    return values.in_order_of_pairs(content)
