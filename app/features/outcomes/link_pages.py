"""The short public form that a graduate's link opens."""

from __future__ import annotations

from uuid import UUID

from flask import g, render_template
from flask.typing import ResponseReturnValue

from app.domain import access
from app.domain.errors import Gone, InvalidInput
from app.features.identity.pages import show_problems
from app.features.organizations.edge import place_of
from app.features.organizations.queries import today_here
from app.features.outcomes import links
from app.features.outcomes.forms import TellForm
from app.features.outcomes.links import LINK_PURPOSE, LinkState, LinkView
from app.features.outcomes.pages import blueprint
from app.infra.links import read_token
from app.infra.web.access import by_link
from app.infra.web.context import runtime
from app.infra.web.words import say_here


@blueprint.route("/first-destination/<token>", methods=["GET", "POST"])
@by_link
def tell(token: str) -> ResponseReturnValue:
    """Ask what became of the graduate; sending the form uses the link up. Opening it changes nothing."""
    named = read_token(runtime().settings, LINK_PURPOSE, token)
    view = _look(*named) if named is not None else None
    if named is None or view is None:
        return _closed("unknown")
    if view.state is not LinkState.READY:
        return _closed(view.state.value)
    form = TellForm()
    form.offer(say_here)
    try:
        if form.validate_on_submit():
            who = access.review_link(named[0], view.link.client_id)
            with runtime().database.unit_of_work(who, request_id=g.request_id) as uow:
                given = form.destination(known_on=today_here(uow), source="survey")
                links.tell_by_link(uow, named[1], given)
            return render_template("outcomes/thanks.html", view=view)
    except InvalidInput as error:
        show_problems(form, error)
    except Gone:
        return _closed(LinkState.USED.value)
    page = render_template("outcomes/tell.html", form=form, token=token, view=view)
    return page, 422 if form.is_submitted() else 200


def _look(organization_id: UUID, link_id: UUID) -> LinkView | None:
    with runtime().database.unit_of_work(access.system(organization_id), request_id=g.request_id) as uow:
        view = links.view_link(uow, link_id)
    if view is not None:
        g.locale, g.time_zone, g.place = view.locale, view.organization.time_zone, place_of(view.organization)
    return view


def _closed(state: str) -> ResponseReturnValue:
    return render_template("outcomes/closed.html", state=state), 404 if state == "unknown" else 410
