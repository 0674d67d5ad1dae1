"""JSON of the check-in, opened by the token of its mailed link instead of a personal token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import g
from flask_babel import gettext

from app.domain import access
from app.domain.errors import FieldProblem, Gone, InvalidInput, NotFound
from app.features.instruments.sitting_pages import in_reader_language
from app.features.organizations.edge import place_of
from app.features.reviews import links, service
from app.features.reviews.answers import NEW_FACTORS, Sheet, read_answers, steps_to_reopen
from app.features.reviews.links import LinkState, LinkView
from app.features.reviews.messages import LINK_PURPOSE
from app.features.reviews.own_result import view_own_result
from app.features.reviews.schemas import (
    AnswersSchema,
    CheckInOpenSchema,
    CheckInSchema,
    CheckInStateSchema,
    OutcomeSchema,
)
from app.features.reviews.shown import reasons_said
from app.infra.links import read_token
from app.infra.web.access import by_link
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.context import runtime

blueprint = ApiBlueprint(
    "Check-in",
    __name__,
    description="A client's check-in. The token is the last part of the link in the mail; no personal token is needed.",
)
_CHECK_IN = "/check-ins/<token>"


@blueprint.get(_CHECK_IN)
@by_link
@blueprint.response(200, CheckInStateSchema)
def read_check_in(token: str) -> dict[str, Any]:
    """What the link can still do; looking changes nothing."""
    _, view = _look(token)
    return {
        "state": view.state.value,
        "organization": view.organization.name,
        "occurrence_on": view.review.occurrence_on,
        "expires_at": view.link.expires_at,
    }


@blueprint.post(f"{_CHECK_IN}/open")
@by_link
@blueprint.response(201, CheckInOpenSchema)
def open_check_in(token: str) -> dict[str, Any]:
    """Use the link up. The answer's `ticket` goes with every further request of this check-in and is shown once."""
    link_id, view = _look(token)
    if view.state is not LinkState.READY:
        raise Gone("This link was already used or has expired.")
    with runtime().database.unit_of_work(_actor(view), request_id=g.request_id) as uow:
        given = links.redeem_link(uow, link_id)
    return _asked(view) | {"ticket": given}


@blueprint.put(f"{_CHECK_IN}/answers")
@by_link
@blueprint.arguments(AnswersSchema)
@blueprint.response(200, CheckInSchema)
def save_check_in(body: dict[str, Any], token: str) -> dict[str, Any]:
    """Keep the answers given so far; the check-in stays open."""
    view = _opened(token, body["ticket"])
    with runtime().database.unit_of_work(_actor(view), request_id=g.request_id) as uow:
        sheet = service.view_check_in(uow, view.review.id).sheet
        service.save_answers(uow, view.review.id, answers_of(body, sheet))
    return _asked(view)


@blueprint.post(f"{_CHECK_IN}/answers")
@by_link
@blueprint.arguments(AnswersSchema)
@blueprint.response(200, OutcomeSchema)
def submit_check_in(body: dict[str, Any], token: str) -> dict[str, Any]:
    """Answer the check-in. The plan stays as it is until the counsellor has read the answers."""
    view = _opened(token, body["ticket"])
    with runtime().database.unit_of_work(_actor(view), request_id=g.request_id) as uow:
        sheet = service.view_check_in(uow, view.review.id).sheet
        answers = answers_of(body, sheet)
        outcome = service.submit_review(uow, view.review.id, answers, sheet, gettext)
        result = view_own_result(uow, view.review.id).review.result
    return {"outcome": outcome, "steps": [step.value for step in steps_to_reopen(answers)], "result": result}


def answers_of(body: Mapping[str, Any], sheet: Sheet) -> dict[str, Any]:
    """The answers in a body, as the page stores them. Raises InvalidInput for what is not asked or not a choice."""
    form: dict[str, str] = {"words": body.get("words", ""), "why": body.get("why", "")}
    if body.get("confidence") is not None:
        form["confidence"] = str(body["confidence"])
    for kind, name in (("goals", "goal"), ("factors", "factor"), ("control", "control"), ("steps", "step")):
        form |= {f"{name}-{key}": str(value) for key, value in body.get(kind, {}).items()}
    added = body.get("new_factors", [])
    for number, row in enumerate(added):
        form |= {
            f"new-{number}-text": row["text"],
            f"new-{number}-kind": row.get("kind") or "",
            f"new-{number}-control": row.get("controllable") or "",
        }
    answers = read_answers(form, sheet)
    problems = [
        FieldProblem(
            f"{kind}.{key}", "This is not asked, or the answer is none of the choices. Read the check-in again."
        )
        for kind in ("goals", "factors", "control", "steps")
        for key in body.get(kind, {})
        if key not in answers[kind]
    ]
    if len(added) > NEW_FACTORS:
        problems.append(FieldProblem("new_factors", "Name at most two new factors."))
    if problems:
        raise InvalidInput(problems)
    return answers


def _look(token: str, browser: str = "") -> tuple[UUID, LinkView]:
    named = read_token(runtime().settings, LINK_PURPOSE, token)
    if named is not None:
        with runtime().database.unit_of_work(access.system(named[0]), request_id=g.request_id) as uow:
            view = links.view_link(uow, named[1], browser)
        if view is not None:
            g.locale = view.client.locale or view.organization.locale
            g.time_zone = view.client.time_zone or view.organization.time_zone
            g.place = place_of(view.organization)
            return named[1], view
    raise NotFound("There is no such check-in.")


def _opened(token: str, browser: str) -> LinkView:
    _, view = _look(token, browser)
    if view.state is not LinkState.OPENED_HERE:
        raise Gone("This check-in is not open here: its link is unused, used elsewhere, expired or answered.")
    return view


def _actor(view: LinkView) -> access.Actor:
    return access.review_link(view.organization.organization_id, view.client.id)


def _asked(view: LinkView) -> dict[str, Any]:
    with runtime().database.unit_of_work(_actor(view), request_id=g.request_id) as uow:
        asked = service.view_check_in(uow, view.review.id)
        return {
            "goals": [{"id": key, "text": text} for key, text in asked.sheet.goals],
            "factors": [{"id": key, "text": text} for key, text in asked.sheet.factors],
            "steps": [step.value for step in asked.sheet.steps],
            "control": asked.control,
            "confidence": [{"on": day, "value": value} for day, value in asked.confidence],
            "retakes": [
                {
                    "instrument_id": offer.instrument_id,
                    "key": offer.key,
                    "title": in_reader_language(offer.definition).title,
                    "again_on": offer.again_on,
                }
                for offer in asked.retakes
            ],
            "reasons": reasons_said(asked.reasons),
            "returned_note": asked.review.returned_note,
            "answers": asked.review.answers,
            "before": asked.before.answers if asked.before else None,
        }
