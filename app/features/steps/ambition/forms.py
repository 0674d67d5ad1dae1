"""Step 1 as a form."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from app.features.plans.rooms import Content, Surroundings
from app.features.steps.ambition.deck import DECK, pile_words
from app.features.steps.ambition.values import piles_of
from app.features.steps.rowforms import Part, RoomForm, RowForm, rows, text_or_none


class RoleModelRow(RowForm):
    """A person whose way the client admires."""

    name = StringField(_("Name"))
    why = StringField(_("What I admire"))


class CardRow(RowForm):
    """A card of the deck and its pile."""

    pile = RadioField(
        _("Where it belongs"),
        choices=[SelectChoice(pile, word) for pile, word in pile_words(_).items()],
        coerce=text_or_none,
        validate_choice=False,
    )


class ValueRow(RowForm):
    """A work value, a card or own words; its place is its rank."""

    card = HiddenField()
    name = StringField(_("Value"))


class AmbitionForm(RoomForm):
    """Ambition, reasons, role models, values sorted, ranked and compared."""

    guided = (
        *(Part(name, (name,)) for name in ("statement", "why", "role_models")),
        Part("cards", ("cards",), _("What matters at work"), "steps/ambition_cards.html"),
        Part("values", ("values",), _("My order"), "steps/ambition_values.html"),
        Part("pairs", (), _("Two at a time"), "steps/ambition_pairs.html"),
        Part("look", (), _("What the order of values says"), tools=True),
    )
    fixed = frozenset({"cards"})

    statement = TextAreaField(_("My ambition"), description=_("Where would you like your working life to go?"))
    why = TextAreaField(_("Why it matters to me"))
    role_models = rows(RoleModelRow, _("People I admire"), _("Someone you know, or someone you read about."))
    cards = rows(CardRow, _("What matters most to me at work"))
    values = rows(ValueRow, _("What matters most to me at work"))

    @classmethod
    def make(cls, content: Content, around: Surroundings, version: int, *, extra: str = "") -> RoomForm:
        """The form with all cards of the deck, those not sorted yet without a pile."""
        piles = piles_of(content)
        dealt = [{"id": card, "pile": piles.get(card)} for card in DECK]
        return cls.build(dict(content) | {"cards": dealt}, around, version, extra)

    def content(self) -> dict[str, Any]:
        """What was typed. Answers to pairs are given by buttons, not by fields: the stored ones stay."""
        typed = super().content()
        for row in typed["values"]:
            row["card"] = row["card"] or None
        return typed | {"pairs": list(self.stored.get("pairs", ()))}
