"""JSON of the member who asks, and of their personal tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort, g

from app.domain.access import Permission
from app.features.identity.service import password_reset_at
from app.features.organizations import tokens
from app.features.organizations.models import ApiToken
from app.features.organizations.schemas import MadeTokenSchema, MeSchema, NewTokenSchema, TokenSchema
from app.infra.web.access import requires, signed_in
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import actor, place, runtime, unit_of_work

blueprint = ApiBlueprint("Me", __name__, description="Who asks, and their personal tokens.")


@blueprint.get("/me")
@signed_in
@blueprint.response(200, MeSchema)
def read_me() -> dict[str, Any]:
    """Who asks, in which organization, and what this request may do."""
    if g.get("actor") is None:
        abort(403)
    return {
        "membership_id": actor().membership_id,
        "name": actor().name,
        "role": actor().role.value,
        "permissions": sorted(permission.value for permission in actor().permissions),
        "scopes": g.get("scopes"),
        "organization": place(),
    }


# No token carries USE_API, so tokens are made and ended by a signed-in browser only.
@blueprint.get("/me/tokens")
@requires(Permission.USE_API)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(TokenSchema))
def list_tokens(query: dict[str, Any]) -> dict[str, Any]:
    """Your personal tokens, newest first. Needs a signed-in browser."""
    with runtime().database.identity_session() as database:
        reset_at = password_reset_at(database, actor().user_id)
    with unit_of_work() as uow:
        own = tokens.own_tokens(actor(), reset_at)
        return page(uow, own, (ApiToken.created_at, ApiToken.id), query, descending=True)


@blueprint.post("/me/tokens")
@requires(Permission.USE_API)
@blueprint.arguments(NewTokenSchema)
@blueprint.response(201, MadeTokenSchema)
def create_token(body: dict[str, Any]) -> dict[str, Any]:
    """Make a personal token; its text is shown this once. Needs a signed-in browser."""
    command = tokens.CreateToken(name=body["name"], scopes=tuple(body["scopes"]), days=body["days"])
    with unit_of_work() as uow:
        token, text = tokens.create_token(uow, command)
        return {name: getattr(token, name) for name in TokenSchema().fields} | {"token": text}


@blueprint.delete("/me/tokens/<uuid:token_id>")
@requires(Permission.USE_API)
@blueprint.response(204)
def revoke_token(token_id: UUID) -> None:
    """End a personal token at once. Needs a signed-in browser."""
    with unit_of_work() as uow:
        tokens.revoke_token(uow, token_id)
