"""The check-in in the browser: opened by a link without a password, or from My plan."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from app.domain import access
from app.domain.access import Permission
from app.domain.errors import Conflict, Gone, InvalidInput, NotFound
from app.features.instruments.offers import Offer
from app.features.instruments.sitting_pages import in_reader_language
from app.features.organizations.edge import place_of
from app.features.plans.rooms import Section
from app.features.plans.words import step_names
from app.features.reviews import links, service
from app.features.reviews.answers import read_answers, steps_to_reopen
from app.features.reviews.links import LinkState, LinkView
from app.features.reviews.messages import LINK_PURPOSE
from app.features.reviews.result_words import confidence_picture
from app.features.reviews.shown import reasons_said
from app.infra.links import read_token
from app.infra.web.access import by_link, requires
from app.infra.web.context import Place, actor, place, runtime
from app.infra.web.throttle import Budget, Throttle
from app.infra.web.words import said, say_here, words_here

blueprint = Blueprint("reviews", __name__)

_COOKIE, _DONE = "check_in", "check_in_done"
_KEPT_LINKS = 3
_OPENABLE = (LinkState.READY, LinkState.DECIDED)
# Beside the three mails a day a review allows: stops somebody from trying tokens.
_FRESH = Budget("review-fresh-link", "10 per hour")


@blueprint.get("/check-in/<token>")
@by_link
def check_in(token: str) -> ResponseReturnValue:
    """Say what the link is, with a button; in the browser that opened it, the check-in itself.

    Mail scanners follow links, so looking changes nothing.
    """
    named, view = look(token)
    if named is None or view is None:
        return _closed(token, "unknown")
    if view.state is LinkState.OPENED_HERE:
        return _show(view.review.id, link_actor(view), _link_addresses(token), view)
    if view.state in _OPENABLE:
        return render_template("reviews/open.html", token=token, **_words(view))
    return _closed(token, view.state.value, view)


@blueprint.post("/check-in/<token>")
@by_link
def open_check_in(token: str) -> ResponseReturnValue:
    """Use the link up; from here on the check-in goes on in this browser only."""
    named, view = look(token)
    if named is None or view is None:
        return _closed(token, "unknown")
    if view.state is LinkState.OPENED_HERE:
        return redirect(url_for("reviews.check_in", token=token))
    try:
        with runtime().database.unit_of_work(link_actor(view), request_id=g.request_id) as uow:
            browser = links.redeem_link(uow, named[1])
    except Gone:
        state = LinkState.USED if view.state in _OPENABLE else view.state
        return _closed(token, state.value, view)
    kept = [pair for pair in session.get(_COOKIE, []) if pair[0] != str(named[1])]
    session[_COOKIE] = [*kept, [str(named[1]), browser]][-_KEPT_LINKS:]
    page = "reviews.link_result" if view.state is LinkState.DECIDED else "reviews.check_in"
    return redirect(url_for(page, token=token))


@blueprint.post("/check-in/<token>/fresh")
@by_link
def fresh_link(token: str) -> ResponseReturnValue:
    """Mail a fresh link to the address on file; the answer is the same whatever the token was."""
    throttle: Throttle = current_app.extensions["octant_throttle"]
    named = read_token(runtime().settings, LINK_PURPOSE, token)
    if throttle.spend(_FRESH, request.remote_addr or "") == 0 and named is not None:
        with runtime().database.unit_of_work(access.system(named[0]), request_id=g.request_id) as uow:
            links.ask_fresh_link(uow, named[1])
    return render_template("reviews/fresh_sent.html")


@blueprint.post("/check-in/<token>/answers")
@by_link
def answer_check_in(token: str) -> ResponseReturnValue:
    """Keep or submit the answers of a check-in opened by its link."""
    _, view = look(token)
    if view is None or view.state is not LinkState.OPENED_HERE:
        return _closed(token, view.state.value if view else "unknown", view)
    return _take(view.review.id, link_actor(view), _link_addresses(token), view)


@blueprint.post("/my-plan/check-in")
@requires(Permission.OWN_PLAN)
def start() -> ResponseReturnValue:
    """Begin a check-in from My plan, or go on with the open one."""
    who = _own_actor()
    try:
        with runtime().database.unit_of_work(who, request_id=g.request_id) as uow:
            review_id = service.start_review(uow, _client_of(who))
    except Conflict as done:
        flash(said(done.sentence))
        return redirect(url_for("overview.my_plan"))
    return redirect(url_for("reviews.own_check_in", review_id=review_id))


@blueprint.get("/my-plan/check-in/<uuid:review_id>")
@requires(Permission.OWN_PLAN)
def own_check_in(review_id: UUID) -> ResponseReturnValue:
    """The signed-in client's check-in."""
    return _show(review_id, _own_actor(), _own_addresses(review_id))


@blueprint.post("/my-plan/check-in/<uuid:review_id>")
@requires(Permission.OWN_PLAN)
def answer_own_check_in(review_id: UUID) -> ResponseReturnValue:
    """Keep or submit the signed-in client's answers."""
    return _take(review_id, _own_actor(), _own_addresses(review_id))


def look(token: str) -> tuple[tuple[UUID, UUID] | None, LinkView | None]:
    """What a link's token names and the link itself as this browser may use it; the page is in its client's words."""
    named = read_token(runtime().settings, LINK_PURPOSE, token)
    if named is None:
        return None, None
    browser = dict(session.get(_COOKIE, [])).get(str(named[1]), "")
    with runtime().database.unit_of_work(access.system(named[0]), request_id=g.request_id) as uow:
        view = links.view_link(uow, named[1], browser)
    if view is not None:
        g.locale = view.client.locale or view.organization.locale
        g.time_zone = view.client.time_zone or view.organization.time_zone
        g.place = place_of(view.organization)
    return named, view


def link_actor(view: LinkView) -> access.Actor:
    """Whoever opened the link: that client, and nothing but the review's own pages."""
    return access.review_link(view.organization.organization_id, view.client.id)


def _own_actor() -> access.Actor:
    # What a client may do in a check-in is the same with and without a password, so the actor is the same.
    return access.review_link(actor().organization_id, _client_of(actor()))


def _client_of(who: access.Actor) -> UUID:
    if who.client_id is None:
        raise NotFound(
            gettext("There is no plan to look at yet. Your %(counsellor)s starts it with you.", **words_here())
        )
    return who.client_id


def _link_addresses(token: str) -> dict[str, str]:
    return {
        "here": url_for("reviews.check_in", token=token),
        "token": token,
        "answers_href": url_for("reviews.answer_check_in", token=token),
        "result_href": url_for("reviews.link_result", token=token),
    }


def _own_addresses(review_id: UUID) -> dict[str, str]:
    return {
        "here": url_for("reviews.own_check_in", review_id=review_id),
        "answers_href": url_for("reviews.answer_own_check_in", review_id=review_id),
        "result_href": url_for("reviews.own_result", review_id=review_id),
    }


def _retake_href(offer: Offer, addresses: Mapping[str, str]) -> str:
    """Where a questionnaire is answered: within the check-in by its link, or on the client's own pages."""
    if "token" in addresses:
        return url_for("reviews.begin_retake", token=addresses["token"], instrument_id=offer.instrument_id)
    return url_for("instruments.begin", instrument_id=offer.instrument_id)


def _words(view: LinkView | None) -> dict[str, Any]:
    return {} if view is None else {"view": view}


def closed_page(token: str) -> tuple[str, int]:
    """Why a link opens nothing here."""
    _, view = look(token)
    return _closed(token, view.state.value if view else "unknown", view)


def _closed(token: str, state: str, view: LinkView | None = None) -> tuple[str, int]:
    status = 404 if state == "unknown" else 410
    return render_template("reviews/closed.html", token=token, state=state, **_words(view)), status


def _show(
    review_id: UUID,
    who: access.Actor,
    addresses: Mapping[str, str],
    view: LinkView | None = None,
    *,
    problems: InvalidInput | None = None,
) -> ResponseReturnValue:
    with runtime().database.unit_of_work(who, request_id=g.request_id) as uow:
        asked = service.view_check_in(uow, review_id)
    picture = confidence_picture(asked.confidence, gettext)
    page = render_template(
        "reviews/check_in.html",
        asked=asked,
        answers=asked.review.answers,
        before=asked.before.answers if asked.before else None,
        problems=problems.problems if problems else (),
        names=step_names(say_here),
        why=reasons_said(asked.reasons),
        sure=Section("", (picture,) if picture else ()),
        retake_titles={offer.key: in_reader_language(offer.definition).title for offer in asked.retakes},
        retake_hrefs={offer.key: _retake_href(offer, addresses) for offer in asked.retakes},
        **addresses,
        **_words(view),
    )
    return page, 422 if problems else 200


def _take(
    review_id: UUID, who: access.Actor, addresses: Mapping[str, str], view: LinkView | None = None
) -> ResponseReturnValue:
    """Store the typed answers; submit them unless the page is only saving as it is typed."""
    with runtime().database.unit_of_work(who, request_id=g.request_id) as uow:
        asked = service.view_check_in(uow, review_id)
        answers = read_answers(request.form, asked.sheet)
        service.save_answers(uow, review_id, answers)
    if request.headers.get("X-Autosave"):
        return Response(status=204)
    if request.form.get("act") == "later":
        flash(gettext("Saved. Go on whenever you like, in this browser."))
        return redirect(addresses["here"])
    try:
        with runtime().database.unit_of_work(who, request_id=g.request_id) as uow:
            outcome = service.submit_review(uow, review_id, answers, asked.sheet, say_here)
    except InvalidInput as error:
        return _show(review_id, who, addresses, view, problems=error)
    session[_DONE] = {
        "outcome": outcome,
        "steps": [step.value for step in steps_to_reopen(answers)],
        # The next page knows neither the client nor their organization.
        "place": {key: str(value) if isinstance(value, UUID) else value for key, value in asdict(place()).items()},
        "signed_in": view is None,
        "result_href": addresses["result_href"],
        "locale": str(get_locale() or "en"),
    }
    return redirect(url_for("reviews.done"))


@blueprint.get("/check-in/done")
@by_link
def done() -> ResponseReturnValue:
    """Thank the client and say what happens next; what is shown is in the browser's own cookie."""
    told = session.get(_DONE)
    if told is None:
        return _closed("-", "unknown")
    told = dict(told)
    g.locale, here = told.pop("locale", None), told.pop("place", None)
    # A cookie of an older Octant has no place, one of a newer may know more of it.
    with suppress(TypeError, KeyError, ValueError):
        g.place = Place(**here | {"organization_id": UUID(here["organization_id"])})
    return render_template("reviews/thanks.html", names=step_names(say_here), **told)
