"""Step 1: where the client wants to go, why, whom they admire, and what matters most at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.domain.saying import Say, later
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.ambition.deck import DECK, PILES
from app.features.steps.ambition.values import ranked_values
from app.features.steps.parts import Row, StrictSchema, choice, line, long_text, rows, words


class RoleModel(Row):
    """A person whose way the client admires."""

    name = line()
    why = line()


class SortedCard(StrictSchema):
    """A card of the deck and the pile it lies on."""

    id = fields.String(required=True, validate=validate.OneOf(DECK))
    pile = choice(*PILES)


class RankedValue(Row):
    """A work value, a card of the deck or own words; its place in the list is its rank."""

    name = line()
    card = choice(*DECK)


class Preference(StrictSchema):
    """The answer to a pair: which of two ranked values, by their ids, matters more."""

    preferred = fields.String(required=True)
    other = fields.String(required=True)


class Ambition(StrictSchema):
    """The content of the step."""

    statement = long_text()
    why = long_text()
    role_models = rows(RoleModel)
    cards = rows(SortedCard)
    values = rows(RankedValue)
    pairs = rows(Preference)

    @validates_schema
    def _once_each(self, data: Mapping[str, Any], **_kwargs: Any) -> None:
        """A card lies on one pile, and a pair of ranked values is answered once."""
        for name, found in (
            ("cards", [card["id"] for card in data["cards"]]),
            ("values", [row["id"] for row in data["values"]]),
            ("pairs", [frozenset((row["preferred"], row["other"])) for row in data["pairs"]]),
        ):
            if len(set(found)) != len(found):
                raise ValidationError(later("Each card, value and pair may stand here once."), name)
        ids = {row["id"] for row in data["values"]}
        if any(row["preferred"] == row["other"] or {*row.values()} - ids for row in data["pairs"]):
            raise ValidationError(later("A pair names two different values of the list."), "pairs")


def missing(content: Content, around: Surroundings, _: Say) -> list[str]:
    """What is not yet there, in sentences."""
    said = []
    least = around.parameters.get("least_words", 20)
    found = words(content.get("statement", ""))
    if found < least:
        said.append(_("Words in your ambition so far: %(found)s. Write at least %(least)s.", found=found, least=least))
    if not content.get("why", "").strip():
        said.append(_("Write why this ambition matters to you."))
    ranked = len(ranked_values(content))
    least = around.parameters.get("least_ranked_values", 3)
    if ranked < least:
        said.append(_("Work values in order so far: %(found)s. Name at least %(least)s.", found=ranked, least=least))
    return said
