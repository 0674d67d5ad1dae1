"""How a request enters an organization: by a signed-in browser, or by a personal token."""

from __future__ import annotations

from flask import abort, g, request

from app.domain.access import Actor
from app.features.organizations.models import Organization
from app.features.organizations.tokens import find_bearer
from app.infra.runtime import Runtime
from app.infra.web.context import Place
from app.infra.web.errors import wants_json

_SAFE = ("GET", "HEAD", "OPTIONS")


def enter(actor: Actor, organization: Organization, *, time_zone: str | None) -> None:
    """Set who acts and where for this request; `time_zone` is the reader's own, if they chose one."""
    g.actor = actor
    g.place = place_of(organization)
    g.time_zone = time_zone or organization.time_zone


def place_of(organization: Organization) -> Place:
    """The organization as pages need it."""
    return Place(
        organization_id=organization.organization_id,
        name=organization.name,
        time_zone=organization.time_zone,
        locale=organization.locale,
        client_word=organization.client_word,
        counsellor_word=organization.counsellor_word,
        accent=organization.accent,
        small_cell_threshold=organization.small_cell_threshold,
    )


def enter_by_token(runtime: Runtime) -> None:
    """Enter by the bearer token of an API request, if it names one; 401 for any that does not open.

    A request that carries Authorization is never served by its cookie instead.
    """
    if not wants_json() or "Authorization" not in request.headers:
        return
    kind, _, text = request.headers["Authorization"].partition(" ")
    bearer = find_bearer(runtime, text.strip()) if kind.lower() == "bearer" else None
    if bearer is None:
        abort(401)
    actor = bearer.narrowed(changing=request.method not in _SAFE)
    enter(actor, bearer.organization, time_zone=bearer.time_zone)
    g.locale = bearer.locale
    g.scopes = bearer.scopes
