"""JSON of bulk edits."""

from __future__ import annotations

from marshmallow import fields

from app.features.edits.registry import EDITS
from app.features.selections.schemas import TargetFields
from app.infra.web.api.fields import Choice, Free
from app.infra.web.api.schemas import Strict


class BulkEditSchema(TargetFields):
    """What is changed of whom. `values` are those of the kind, as docs/guide/bulk-edit.md lists them."""

    kind = Choice(EDITS, required=True)
    values = Free(deepest=3, largest=100, load_default=dict)


class EditReasonSchema(Strict):
    """How many are not changed, and why."""

    sentence = fields.String(required=True)
    clients = fields.Integer(required=True)


class EditSampleSchema(Strict):
    """One of those who would be changed."""

    client_id = fields.UUID(required=True)
    name = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class EditPreviewSchema(Strict):
    """What a bulk edit would do; the selection is what a start then works on."""

    selection_id = fields.UUID(required=True)
    chosen = fields.Integer(required=True)
    new = fields.Integer(required=True)
    goes = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    same = fields.List(fields.Nested(EditReasonSchema), required=True)
    refused = fields.List(fields.Nested(EditReasonSchema), required=True)
    not_seen = fields.Integer(required=True)
    can_be_undone = fields.Boolean(required=True)
    sample = fields.List(fields.Nested(EditSampleSchema), required=True)
