"""JSON of cohorts and their members."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.fields import Free, Ids, QueryTruth, Sentence
from app.infra.web.api.schemas import PageQuery, Strict


class NewCohortSchema(Strict):
    """A fixed list, or with a rule a cohort that keeps itself current."""

    name = Sentence(longest=120, required=True)
    rule = Free(
        allow_none=True,
        load_default=None,
        metadata={"description": '`{"all": [{"field": "programme", "is": "any_of", "values": ["Law"]}]}`'},
    )


class CohortChangeSchema(Strict):
    """Another name, and for a cohort by rule another rule; the kind stays."""

    name = Sentence(longest=120)
    rule = Free()


class CohortSchema(Strict):
    """A named group of clients."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    rule = fields.Dict(required=True, allow_none=True)
    stale = fields.Boolean(required=True)
    refreshed_at = fields.AwareDateTime(required=True, allow_none=True)
    archived_at = fields.AwareDateTime(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class CohortQuery(PageQuery):
    """Which cohorts."""

    archived = QueryTruth(load_default=False)


class MembersChangeSchema(Strict):
    """Clients to add or take off."""

    client_ids = Ids(required=True)


class MemberSchema(Strict):
    """A client of a cohort."""

    id = fields.UUID(required=True)
    external_id = fields.String(required=True)
    given_name = fields.String(required=True)
    family_name = fields.String(required=True)
    active = fields.Boolean(required=True)


class MembersChangedSchema(Strict):
    """How many clients came or went."""

    changed = fields.Integer(required=True)


class RefreshedSchema(Strict):
    """How a cohort by rule changed."""

    added = fields.Integer(required=True)
    removed = fields.Integer(required=True)
