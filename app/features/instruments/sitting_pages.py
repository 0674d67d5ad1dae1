"""A client's way through an instrument: what it is, one set of questions per screen, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.instrument_parts import Item
from app.domain.instruments import Instrument
from app.features.instruments.commands import SaveAnswers
from app.features.instruments.offers import Offer, offers_for
from app.features.instruments.pages import blueprint
from app.features.instruments.sittings import (
    SET,
    OpenSitting,
    begin_sitting,
    find_sitting,
    finish_sitting,
    save_answers,
)
from app.features.instruments.words import trust_words
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.given import whole_in_form, whole_in_query
from app.infra.web.words import said

# Reading a question and deciding takes about this long; only for "about five minutes".
_SECONDS_EACH = 5
# Longer words than this do not fit beside each other on a phone.
_LONGEST_BESIDE = 12


@dataclass(frozen=True, slots=True)
class _Question:
    """One question on the screen: its number from 1 and the answer so far (0: none)."""

    number: int
    item: Item
    answer: int


def in_reader_language(definition: Instrument) -> Instrument:
    """The definition with its texts closest to the reader's language."""
    return definition.in_language(str(get_locale() or "en"))


def step_address() -> str:
    """Where a client's questionnaires are listed: step 2 of their plan."""
    return url_for("overview.my_step", number=2)


@blueprint.get("/my-plan/questionnaires/<uuid:instrument_id>")
@requires(Permission.OWN_PLAN)
def take(instrument_id: UUID) -> str:
    """What the questionnaire is, how long it takes, how far it can be trusted; begin, go on, or wait."""
    g.nav_endpoint = "overview.my_plan"
    with unit_of_work() as uow:
        offer = _offer(uow, instrument_id)
        definition = in_reader_language(offer.definition)
        return render_template(
            "instruments/take.html",
            offer=offer,
            definition=definition,
            minutes=max(1, round(len(definition.items) * _SECONDS_EACH / 60)),
            trust=trust_words(gettext)[definition.status],
            back=step_address(),
        )


@blueprint.post("/my-plan/questionnaires/<uuid:instrument_id>")
@requires(Permission.OWN_PLAN)
def begin(instrument_id: UUID) -> Response:
    """Begin, or go on where the client was; pressing twice begins once."""
    with unit_of_work() as uow:
        sitting = begin_sitting(uow, instrument_id)
        return redirect(_at(sitting, sitting.row.position))


@blueprint.get("/my-plan/sittings/<uuid:sitting_id>")
@requires(Permission.OWN_PLAN)
def sitting(sitting_id: UUID) -> str | Response:
    """One set of questions."""
    with unit_of_work() as uow:
        found = find_sitting(uow, sitting_id)
        if found.row.assessment_id is not None:
            return redirect(url_for("instruments.result", assessment_id=found.row.assessment_id))
        number = whole_in_query("set")
        g.nav_endpoint = "overview.my_plan"
        here = url_for("instruments.answer", sitting_id=sitting_id)
        return set_page(found, found.row.position if number is None else number, uow.now, here)


@blueprint.post("/my-plan/sittings/<uuid:sitting_id>")
@requires(Permission.OWN_PLAN)
def answer(sitting_id: UUID) -> str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Save the answers of a set; a script sends them as they are given, the buttons with the next place."""
    typed = "X-Autosave" in request.headers
    try:
        with unit_of_work() as uow:
            found, to = take_set(uow, sitting_id)
    except (Conflict, InvalidInput) as refused:
        if typed:
            return said(refused.sentence), 409, {"Content-Type": "text/plain; charset=utf-8"}
        raise
    if typed:
        return "", 200, {"Content-Type": "text/plain; charset=utf-8"}
    if request.form.get("do") == "leave":
        flash(gettext("Your answers are kept. Go on when you like."))
        return redirect(step_address())
    if to > found.sets:
        return redirect(url_for("instruments.finish", sitting_id=sitting_id))
    return redirect(_at(found, max(to, 1)))


def take_set(uow: UnitOfWork, sitting_id: UUID) -> tuple[OpenSitting, int]:
    """Store what the sent form holds of a set; returns the sitting and the set to go to (past the last: the end)."""
    number = whole_in_form("set") or 1
    to = {"next": number + 1, "back": number - 1}.get(request.form.get("do", ""), number)
    found = find_sitting(uow, sitting_id)
    asked = {item.id for item, _ in found.items_of(number)}
    answers = {
        name: value
        for name in asked
        if (value := request.form.get(f"item-{name}", type=int)) is not None and -1 < value < 1000
    }
    command = SaveAnswers(
        sitting_id=sitting_id,
        answers=answers,
        position=number if "X-Autosave" in request.headers else min(max(to, 1), found.sets),
        shown_at=_shown_at(uow.now),
    )
    return save_answers(uow, command), to


@blueprint.get("/my-plan/sittings/<uuid:sitting_id>/finish")
@requires(Permission.OWN_PLAN)
def finish(sitting_id: UUID) -> str | Response:
    """Before the end: which questions have no answer, and what that means."""
    g.nav_endpoint = "overview.my_plan"
    with unit_of_work() as uow:
        found = find_sitting(uow, sitting_id)
        if found.row.assessment_id is not None:
            return redirect(url_for("instruments.result", assessment_id=found.row.assessment_id))
        return render_template(
            "instruments/finish.html",
            sitting=found,
            definition=in_reader_language(found.definition),
            left=len(found.definition.items) - found.answered,
            href=lambda number: _at(found, number),
            last=_at(found, found.sets),
            end=url_for("instruments.end", sitting_id=sitting_id),
            checking_in=False,
        )


@blueprint.post("/my-plan/sittings/<uuid:sitting_id>/finish")
@requires(Permission.OWN_PLAN)
def end(sitting_id: UUID) -> Response:
    """Score the answers once and show the result; sending it again shows the same."""
    with unit_of_work() as uow:
        assessment_id = finish_sitting(uow, sitting_id)
    return redirect(url_for("instruments.result", assessment_id=assessment_id))


def _offer(uow: UnitOfWork, instrument_id: UUID) -> Offer:
    client_id = actor().client_id
    offers = offers_for(uow, client_id) if client_id else []
    for offer in offers:
        if offer.instrument_id == instrument_id:
            return offer
    raise NotFound("There is no such questionnaire for you.")


def set_page(found: OpenSitting, number: int, now: datetime, here: str) -> str:
    """One set of questions as a page whose form is sent `here`."""
    definition = in_reader_language(found.definition)
    shown = OpenSitting(found.row, definition)
    first = (number - 1) * SET + 1
    longest = max(len(option.label) for option in definition.options)
    return render_template(
        "instruments/sitting.html",
        sitting=shown,
        definition=definition,
        number=number,
        questions=[_Question(first + n, item, given) for n, (item, given) in enumerate(shown.items_of(number))],
        brief=bool(definition.options[0].short),
        beside=len(definition.options) <= 5 and longest <= _LONGEST_BESIDE,
        now=now.timestamp(),
        here=here,
    )


def _shown_at(now: datetime) -> datetime | None:
    """When the questions were put on the screen, as the page says, before `now`; nonsense is as good as nothing."""
    seconds = request.form.get("shown", type=float)
    if seconds is None or not now.timestamp() - 86_400 < seconds <= now.timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _at(found: OpenSitting, number: int) -> str:
    return url_for("instruments.sitting", sitting_id=found.row.id, set=number)
