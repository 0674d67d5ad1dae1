"""JSON of roster imports."""

from __future__ import annotations

from flask_smorest.fields import Upload
from marshmallow import fields

from app.infra.web.api.fields import Choice, Sentence, Truth, Whole
from app.infra.web.api.schemas import PageQuery, Strict


class RosterUploadSchema(Strict):
    """A roster as CSV or XLSX."""

    file = Upload(required=True)


class RosterImportSchema(Strict):
    """One file of people and how far its import is."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    source = fields.Dict(required=True, metadata={"description": "Format, encoding, headings, a few rows, warnings."})
    mapping = fields.Dict(required=True, metadata={"description": "The column, from 0, that feeds each field."})
    deactivate_missing = fields.Boolean(required=True)
    counts = fields.Dict(required=True)
    guards = fields.List(fields.Dict(), required=True)
    refusal = fields.String(required=True, allow_none=True)
    check_job_id = fields.UUID(required=True, allow_none=True)
    apply_job_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class RosterCheckSchema(Strict):
    """Which column feeds which field, and whether to deactivate clients the file does not name."""

    mapping = fields.Dict(keys=Sentence(longest=120), values=Whole(most=1000), required=True)
    deactivate_missing = Truth(load_default=False)


class RosterConfirmSchema(Strict):
    """A yes to the guard rails that were hit."""

    yes = Truth(load_default=False)


class RosterRowQuery(PageQuery):
    """Which rows."""

    outcome = Choice(("bad", "updated", "deactivated", "undone", "kept"))


class RosterRowSchema(Strict):
    """A row that is bad, or that replaced something."""

    line = fields.Integer(required=True)
    external_id = fields.String(required=True)
    outcome = fields.String(required=True)
    problems = fields.List(fields.List(fields.Raw(allow_none=True)), required=True, attribute="faults")
    client_id = fields.UUID(required=True, allow_none=True)
