"""Choosing the organization to work in. Pages of sign-in that need to know organizations, hence here on the ladder."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from app.domain.errors import NotFound
from app.features.identity.pages import blueprint
from app.features.identity.service import end_session, start_session
from app.features.organizations.service import find_actor
from app.infra.web.access import signed_in
from app.infra.web.context import runtime
from app.infra.web.page import OrganizationItem, navigation_of


def organizations_of_reader() -> list[OrganizationItem]:
    """Where the signed-in user may work, by name. One place costs no query; each further one costs one."""
    user = g.user
    items = []
    for organization_id in user.places:
        current = g.get("place") is not None and organization_id == user.organization_id
        found = None if current else find_actor(runtime(), organization_id, user.id)
        if not current and found is None:
            continue
        name = found[1].name if found is not None else g.place.name
        href = url_for("identity.switch_organization", organization_id=organization_id)
        items.append(OrganizationItem(name, href, current))
    return sorted(items, key=lambda item: item.name.casefold())


@blueprint.get("/enter")
@signed_in
def enter_organization() -> ResponseReturnValue:
    """Lead to where the reader's role begins."""
    if g.get("actor") is None:
        return redirect(url_for("identity.choose_organization"))
    nav = navigation_of(g.actor, current_app.extensions["octant_navigation"])
    return redirect(nav[0].href if nav else url_for("identity.choose_organization"))


@blueprint.get("/organization")
@signed_in
def choose_organization() -> ResponseReturnValue:
    """The organizations to choose from; says what to do when there is none."""
    return render_template("identity/choose_organization.html", choices=organizations_of_reader())


@blueprint.post("/organization/<uuid:organization_id>")
@signed_in
def switch_organization(organization_id: UUID) -> ResponseReturnValue:
    """Work in another organization."""
    found = find_actor(runtime(), organization_id, current_user.id)
    if found is None:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    work_in(organization_id)
    flash(gettext("You now work in %(name)s.", name=found[1].name))
    return redirect(url_for("identity.enter_organization"))


def work_in(organization_id: UUID) -> None:
    """Let the signed-in user work in this organization: the session of before ends and a new one begins (TRUST S3)."""
    with runtime().database.identity_session() as database:
        token = start_session(
            database,
            current_user.id,
            runtime().clock(),
            organization_id=organization_id,
            user_agent=request.headers.get("User-Agent", ""),
            address=request.remote_addr or "",
        )
        end_session(database, current_user.token)
    session.clear()
    session["_user_id"] = token
