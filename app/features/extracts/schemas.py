"""JSON of own reports."""

from __future__ import annotations

from marshmallow import fields

from app.features.extracts.columns import ROWS
from app.features.extracts.commands import FORMS
from app.infra.web.api.fields import Choice, Free, Sentence, Truth
from app.infra.web.api.schemas import Strict

_DEFINITION = {
    "description": '`{"rows": "steps", "columns": ["client.external_id", "status"], "rule": {"all": [{"field":'
    ' "row.status", "is": "is", "values": ["completed"]}]}, "group": [], "order": [{"column": "due_on"}]}`'
}


class ExtractSchema(Strict):
    """An own report that is kept."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    definition = fields.Dict(required=True)
    shared = fields.Boolean(required=True)
    owner_id = fields.UUID(required=True)
    created_at = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(required=True)


class DefinitionSchema(Strict):
    """What a report asks for."""

    definition = Free(required=True, metadata=_DEFINITION)


class NewExtractSchema(DefinitionSchema):
    """A report to keep, your own or with `shared` everybody's to use."""

    name = Sentence(longest=120, required=True)
    shared = Truth(load_default=False)


class ExtractChangeSchema(Strict):
    """Another name or definition, or whether everybody may use it."""

    name = Sentence(longest=120)
    definition = Free(metadata=_DEFINITION)
    shared = Truth()


class ColumnsQuery(Strict):
    """Of which rows."""

    rows = Choice(ROWS, required=True)


class ColumnSchema(Strict):
    """A column that a kind of rows has; `codes` are the values it can have, where Octant gives them."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    kind = fields.String(required=True)
    codes = fields.List(fields.String(), required=True)


class ExtractPreviewSchema(Strict):
    """The first rows; a count that is withheld is null."""

    headings = fields.List(fields.String(), required=True)
    rows = fields.List(fields.List(fields.Raw(allow_none=True)), required=True)
    withheld = fields.Boolean(required=True)


class RunSchema(Strict):
    """In which form to write it."""

    form = Choice(FORMS, required=True)


class ExtractRunSchema(Strict):
    """A file that was asked for: with what, and, once it is there, of which moment, how many rows, its checksum."""

    id = fields.UUID(required=True)
    extract_id = fields.UUID(required=True, allow_none=True)
    name = fields.String(required=True)
    form = fields.String(required=True)
    definition = fields.Dict(required=True)
    job_id = fields.UUID(required=True)
    state = fields.String(required=True)
    error = fields.String(required=True, allow_none=True)
    data_at = fields.AwareDateTime(required=True, allow_none=True)
    rows = fields.Integer(required=True, allow_none=True)
    withheld = fields.Boolean(required=True, allow_none=True)
    size = fields.Integer(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)
    template = fields.String(
        required=True, allow_none=True, metadata={"description": "The layout of the file when it was written."}
    )
    created_at = fields.AwareDateTime(required=True)
