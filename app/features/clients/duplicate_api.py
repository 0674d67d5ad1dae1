"""JSON of likely doubles and of links."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from marshmallow import fields

from app.domain.access import Permission
from app.features.clients import duplicates
from app.features.clients.queries import get_client
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.fields import Choice, QueryWhole
from app.infra.web.api.once import once
from app.infra.web.api.schemas import Strict
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Duplicates", __name__, description="Records that are likely one person.")


class DuplicateRecordSchema(Strict):
    """One of two records, with what helps to tell them apart."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    external_id = fields.String(required=True)
    email = fields.String(required=True)
    active = fields.Boolean(required=True)
    created_at = fields.AwareDateTime(required=True)
    last_contact_at = fields.AwareDateTime(required=True, allow_none=True)
    signs_in = fields.Boolean(required=True)
    has_plan = fields.Boolean(required=True)


class LikelySchema(Strict):
    """Two records and what they share."""

    first = fields.Nested(DuplicateRecordSchema, required=True)
    second = fields.Nested(DuplicateRecordSchema, required=True)
    shared = fields.List(fields.String(), required=True)


class LikelyPageSchema(Strict):
    """Pairs nobody has decided on, the likeliest first, and how many there are in all."""

    items = fields.List(fields.Nested(LikelySchema), required=True)
    total = fields.Integer(required=True)


class LikelyQuery(Strict):
    """Which part of the list."""

    limit = QueryWhole(least=1, most=100, load_default=25)
    offset = QueryWhole(least=0, most=1_000_000, load_default=0)


class DuplicateDecisionSchema(Strict):
    """What two records are: linked (`other_id` is put behind `keep_id`), unlinked again, or two people."""

    decision = Choice(("link", "unlink", "different"), required=True)
    keep_id = fields.UUID(required=True)
    other_id = fields.UUID(required=True)


class ClientLinkSchema(Strict):
    """A record a client is linked with; `behind`: whether that one is put behind the client."""

    other = fields.Nested(DuplicateRecordSchema, required=True)
    behind = fields.Boolean(required=True)
    decided_at = fields.AwareDateTime(required=True)


class ClientLinksSchema(Strict):
    """The records a client is linked with."""

    items = fields.List(fields.Nested(ClientLinkSchema), required=True)


# Names and addresses of people: what brings them in reads them, not a token of the administration alone.
@blueprint.get("/duplicates")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(LikelyQuery, location="query")
@blueprint.response(200, LikelyPageSchema)
def list_duplicates(query: dict[str, Any]) -> dict[str, Any]:
    """Records that are likely one person, with the reasons."""
    with unit_of_work() as uow:
        found = duplicates.likely_pairs(uow, **query)
        return {"items": [asdict(pair) for pair in found.pairs], "total": found.likely + found.namesakes}


@blueprint.post("/duplicates/decisions")
@requires(Permission.MANAGE_PEOPLE)
@once
@blueprint.arguments(DuplicateDecisionSchema)
@blueprint.response(200, ClientLinksSchema)
def decide_duplicate(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, Any]:
    """Link two records, take a link away, or note that they are two people; answers the links of the one kept."""
    keep, other = body["keep_id"], body["other_id"]
    if body["decision"] == "link":
        duplicates.link_clients(uow, keep, other)
    elif body["decision"] == "unlink":
        duplicates.unlink_clients(uow, keep, other)
    else:
        duplicates.mark_different(uow, keep, other)
    return {"items": [asdict(link) for link in duplicates.links_of(uow, keep)]}


@blueprint.get("/clients/<uuid:client_id>/links")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, ClientLinksSchema)
def list_links(client_id: UUID) -> dict[str, Any]:
    """The records a client is linked with."""
    with unit_of_work() as uow:
        get_client(uow, client_id)
        return {"items": [asdict(link) for link in duplicates.links_of(uow, client_id)]}
