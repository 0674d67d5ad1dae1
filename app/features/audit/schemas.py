"""JSON of the audit ledger."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.fields import Sentence
from app.infra.web.api.schemas import PageQuery, Strict


class AuditQuery(PageQuery):
    """Which entries."""

    action = Sentence(longest=80, metadata={"description": "Actions that begin so, such as `job.`."})
    subject = fields.UUID()
    actor = fields.UUID(metadata={"description": "The membership of who did it."})


class AuditEntrySchema(Strict):
    """One thing done to one subject."""

    sequence = fields.Integer(required=True)
    position = fields.Integer(required=True)
    at = fields.AwareDateTime(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    subject_kind = fields.String(required=True)
    subject_id = fields.UUID(required=True, allow_none=True)
    detail = fields.Dict(required=True)
    request_id = fields.String(required=True)


class AuditVerdictSchema(Strict):
    """What checking the chain found; no problem means it holds."""

    problems = fields.List(fields.String(), required=True)
