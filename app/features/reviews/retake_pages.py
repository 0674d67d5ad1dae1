"""Questionnaires answered again within a check-in that was opened by its link, without a password."""

from __future__ import annotations

from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.features.instruments.sitting_pages import in_reader_language, set_page, take_set
from app.features.instruments.sittings import OpenSitting, begin_sitting, find_sitting, finish_sitting
from app.features.reviews import service
from app.features.reviews.links import LinkState, LinkView
from app.features.reviews.pages import blueprint, closed_page, link_actor, look
from app.infra.db.open import UnitOfWork
from app.infra.web.access import by_link
from app.infra.web.context import runtime
from app.infra.web.given import whole_in_query
from app.infra.web.words import said

_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@blueprint.post("/check-in/<token>/questionnaires/<uuid:instrument_id>")
@by_link
def begin_retake(token: str, instrument_id: UUID) -> ResponseReturnValue:
    """Begin a questionnaire that the check-in asks for, or go on with it."""
    view = _opened(token)
    if view is None:
        return closed_page(token)
    with runtime().database.unit_of_work(link_actor(view), request_id=g.request_id) as uow:
        _asked(uow, view, instrument_id)
        sitting = begin_sitting(uow, instrument_id)
        return redirect(_at(token, sitting, sitting.row.position))


@blueprint.get("/check-in/<token>/sittings/<uuid:sitting_id>")
@by_link
def retake(token: str, sitting_id: UUID) -> ResponseReturnValue:
    """One set of questions."""
    view = _opened(token)
    if view is None:
        return closed_page(token)
    with runtime().database.unit_of_work(link_actor(view), request_id=g.request_id) as uow:
        found = _sitting(uow, view, sitting_id)
        if found.row.assessment_id is not None:
            return redirect(url_for("reviews.check_in", token=token))
        number = whole_in_query("set")
        here = url_for("reviews.answer_retake", token=token, sitting_id=sitting_id)
        return set_page(found, found.row.position if number is None else number, uow.now, here)


@blueprint.post("/check-in/<token>/sittings/<uuid:sitting_id>")
@by_link
def answer_retake(token: str, sitting_id: UUID) -> ResponseReturnValue:
    """Save the answers of a set and go to the next, back to the check-in, or to the end."""
    view = _opened(token)
    if view is None:
        return closed_page(token)
    typed = "X-Autosave" in request.headers
    try:
        with runtime().database.unit_of_work(link_actor(view), request_id=g.request_id) as uow:
            _sitting(uow, view, sitting_id)
            found, to = take_set(uow, sitting_id)
    except (Conflict, InvalidInput) as refused:
        if typed:
            return said(refused.sentence), 409, _PLAIN
        raise
    if typed:
        return "", 200, _PLAIN
    if request.form.get("do") == "leave":
        flash(gettext("Your answers are kept. Go on when you like."))
        return redirect(url_for("reviews.check_in", token=token))
    if to > found.sets:
        return redirect(url_for("reviews.finish_retake", token=token, sitting_id=sitting_id))
    return redirect(_at(token, found, max(to, 1)))


@blueprint.get("/check-in/<token>/sittings/<uuid:sitting_id>/finish")
@by_link
def finish_retake(token: str, sitting_id: UUID) -> ResponseReturnValue:
    """Before the end: which questions have no answer, and what that means."""
    view = _opened(token)
    if view is None:
        return closed_page(token)
    with runtime().database.unit_of_work(link_actor(view), request_id=g.request_id) as uow:
        found = _sitting(uow, view, sitting_id)
        if found.row.assessment_id is not None:
            return redirect(url_for("reviews.check_in", token=token))
        return render_template(
            "instruments/finish.html",
            sitting=found,
            definition=in_reader_language(found.definition),
            left=len(found.definition.items) - found.answered,
            href=lambda number: _at(token, found, number),
            last=_at(token, found, found.sets),
            end=url_for("reviews.end_retake", token=token, sitting_id=sitting_id),
            checking_in=True,
        )


@blueprint.post("/check-in/<token>/sittings/<uuid:sitting_id>/finish")
@by_link
def end_retake(token: str, sitting_id: UUID) -> ResponseReturnValue:
    """Score the answers once and go on with the check-in; sending it again does the same."""
    view = _opened(token)
    if view is None:
        return closed_page(token)
    with runtime().database.unit_of_work(link_actor(view), request_id=g.request_id) as uow:
        _sitting(uow, view, sitting_id)
        finish_sitting(uow, sitting_id)
    flash(gettext("Thank you. It is answered; go on with your check-in."))
    return redirect(url_for("reviews.check_in", token=token))


def _opened(token: str) -> LinkView | None:
    """The link's view in the browser that opened it; None for every other."""
    _, view = look(token)
    return view if view is not None and view.state is LinkState.OPENED_HERE else None


def _asked(uow: UnitOfWork, view: LinkView, instrument_id: UUID) -> None:
    """A check-in opens its own questionnaires and no other. Raises NotFound for one that it does not ask for."""
    retakes = service.view_check_in(uow, view.review.id).retakes
    if instrument_id not in {offer.instrument_id for offer in retakes}:
        raise NotFound("This check-in does not ask for that questionnaire.")


def _sitting(uow: UnitOfWork, view: LinkView, sitting_id: UUID) -> OpenSitting:
    found = find_sitting(uow, sitting_id)
    _asked(uow, view, found.row.instrument_id)
    return found


def _at(token: str, found: OpenSitting, number: int) -> str:
    return url_for("reviews.retake", token=token, sitting_id=found.row.id, set=number)
