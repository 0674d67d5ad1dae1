"""Beside step 2: the questionnaires to take, those begun, and what the newest interests say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import get_locale, gettext

from app.features.instruments.offers import Offer, offers_for
from app.features.instruments.words import trust_words
from app.features.steps.desk import Desk


@dataclass(frozen=True, slots=True)
class Taken:
    """One questionnaire in the list; addresses are None where there is nothing to open."""

    title: str
    trust: str
    asked: bool
    # Somebody asks for it beside the template, perhaps by a day.
    requested: bool
    due_on: date | None
    items: int
    answered: int
    begun: bool
    taken_on: date | None
    again_on: date | None
    result: str | None
    take: str | None


def questionnaires(desk: Desk) -> Mapping[str, Any]:
    """The list of questionnaires: those asked for now, then those the template asks for; four queries."""
    own = desk.uow.actor.client_id == desk.view.client.id
    asked = set(desk.view.recipe_of(desk.key).instruments)
    offers = sorted(
        offers_for(desk.uow, desk.view.client.id), key=lambda offer: (offer.asked_at is None, offer.key not in asked)
    )
    return {
        "own": own,
        "today": desk.uow.now.date(),
        "taken": [_taken(offer, asked=offer.key in asked, own=own) for offer in offers],
    }


def _taken(offer: Offer, *, asked: bool, own: bool) -> Taken:
    definition = offer.definition.in_language(str(get_locale() or "en"))
    may_take = own and (offer.sitting_id is not None or (offer.active and offer.again_on is None))
    return Taken(
        title=definition.title,
        trust=trust_words(gettext)[definition.status],
        asked=asked or offer.asked_at is not None,
        requested=offer.asked_at is not None,
        due_on=offer.due_on,
        items=len(definition.items),
        answered=offer.answered,
        begun=offer.sitting_id is not None,
        taken_on=offer.taken_at.date() if offer.taken_at else None,
        again_on=offer.again_on,
        result=_result(offer.assessment_id),
        take=url_for("instruments.take", instrument_id=offer.instrument_id) if may_take else None,
    )


def _result(assessment_id: UUID | None) -> str | None:
    return None if assessment_id is None else url_for("instruments.result", assessment_id=assessment_id)
