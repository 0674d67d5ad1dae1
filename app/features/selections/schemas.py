"""JSON of whom a bulk act is for."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from app.features.selections.commands import Target
from app.infra.web.api.fields import Free, Ids, Sentence, Truth
from app.infra.web.api.schemas import Strict


class TargetFields(Strict):
    """Whom an act is for, to be inherited by its body: exactly one of the four is given."""

    client_ids = Ids()
    cohort_id = fields.UUID()
    filter_id = fields.UUID(metadata={"description": "A saved filter."})
    selection_id = fields.UUID(metadata={"description": "A selection as a preview answered it."})


def target_in(body: dict[str, Any]) -> Target:
    """Whom a body that inherits `TargetFields` names; how many ways it uses is checked by `service.choose`."""
    return Target(
        client_ids=tuple(body.get("client_ids", ())),
        cohort_id=body.get("cohort_id"),
        filter_id=body.get("filter_id"),
        selection_id=body.get("selection_id"),
    )


_RULE = {"description": '`{"all": [{"field": "@overdue", "is": "at_least", "values": [1]}]}`'}


class FilterSchema(Strict):
    """A saved filter."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    rule = fields.Dict(required=True)
    shared = fields.Boolean(required=True)
    owner_id = fields.UUID(required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class FilterRuleSchema(Strict):
    """A rule over people and their plans."""

    rule = Free(required=True, metadata=_RULE)


class NewFilterSchema(FilterRuleSchema):
    """A filter to keep, your own or with `shared` everybody's to use."""

    name = Sentence(longest=120, required=True)
    shared = Truth(load_default=False)


class FilterChangeSchema(Strict):
    """Another name, rule, or whether everybody may use it."""

    name = Sentence(longest=120)
    rule = Free(metadata=_RULE)
    shared = Truth()


class FilterSizeSchema(Strict):
    """How many people of those you see are selected now."""

    clients = fields.Integer(required=True)


class ListedSchema(Strict):
    """Ids or e-mail addresses."""

    listed = fields.List(Sentence(longest=500, shortest=0), required=True, validate=validate.Length(min=1, max=20_000))


class SelectionSchema(Strict):
    """People frozen as they were chosen. `unknown` are [line, what was written] nobody was found for."""

    id = fields.UUID(required=True)
    origin = fields.String(required=True)
    name = fields.String(required=True)
    clients = fields.Integer(required=True)
    # The library keeps the word for itself.
    nobody = fields.List(fields.List(fields.Raw()), required=True, attribute="unknown", data_key="unknown")
    expires_at = fields.AwareDateTime(required=True)
