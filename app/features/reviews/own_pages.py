"""The client's page of what came of their check-in: after answering by its link, and later from My plan."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.features.plans.words import change_sentence, control_words, step_names
from app.features.reviews.own_result import OwnResult, view_own_result
from app.features.reviews.pages import blueprint, closed_page, link_actor, look
from app.features.reviews.result_words import answers_section, result_section
from app.infra.web.access import by_link, requires
from app.infra.web.context import runtime, unit_of_work


@blueprint.get("/my-plan/check-in/<uuid:review_id>/result")
@requires(Permission.OWN_PLAN)
def own_result(review_id: UUID) -> str:
    """What came of the signed-in client's check-in."""
    g.nav_endpoint = "overview.my_plan"
    with unit_of_work() as uow:
        found = view_own_result(uow, review_id)
    return _page(
        found,
        here=url_for("reviews.own_check_in", review_id=review_id),
        before=url_for("reviews.own_result", review_id=found.before.id) if found.before is not None else "",
        signed_in=True,
        account=False,
    )


@blueprint.get("/check-in/<token>/result")
@by_link
def link_result(token: str) -> ResponseReturnValue:
    """The same without a password, in the browser that opened the link and for as long as that may go on."""
    _, view = look(token)
    if view is None or not view.here:
        return closed_page(token)
    try:
        with runtime().database.unit_of_work(link_actor(view), request_id=g.request_id) as uow:
            found = view_own_result(uow, view.review.id)
    except NotFound:
        # It is open, or a newer one has taken its place.
        return closed_page(token)
    return _page(found, here=url_for("reviews.check_in", token=token), before="", signed_in=False,
                 account=view.client.membership_id is not None)  # fmt: skip


def _page(found: OwnResult, **more: Any) -> str:
    review, names = found.review, step_names(gettext)
    result = review.result
    return render_template(
        "reviews/own_result.html",
        found=found,
        answers=None if result is None else answers_section(review.answers, result, gettext, own=True),
        result=None if result is None else result_section(result, found.confidence, gettext, own=True),
        taken=[(row, change_sentence(row.kind, row.label, row.change, gettext)) for row in found.taken],
        reopened=[(step.number, names[step]) for step in found.reopened],
        control=control_words(gettext),
        **more,
    )
