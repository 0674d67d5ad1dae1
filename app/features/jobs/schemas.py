"""JSON of jobs, their items and the files they made."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.fields import Choice, QueryTruth
from app.infra.web.api.schemas import PageQuery, Strict

JOB_STATES = ("queued", "running", "finishing", "done", "failed", "cancelled", "undoing", "undone", "paused")
ITEM_STATES = ("pending", "leased", "done", "skipped", "failed", "cancelled", "undone", "kept")


class JobProgressSchema(Strict):
    """How far a job is, in items."""

    total = fields.Integer(required=True)
    done = fields.Integer(required=True)
    skipped = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    cancelled = fields.Integer(required=True)
    left = fields.Integer(required=True)
    seconds_left = fields.Integer(required=True, allow_none=True)


class JobSchema(Strict):
    """A bulk operation."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    error = fields.String(required=True, allow_none=True)
    request_id = fields.String(
        required=True, metadata={"description": "Of the request that asked for it; finds its lines in the logs."}
    )
    result = fields.Dict(required=True)
    scheduled = fields.Boolean(required=True, metadata={"description": "Whether a schedule asked for it."})
    created_by = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    starts_at = fields.AwareDateTime(
        required=True, metadata={"description": "Not worked on before: the time it was put off to, or its last try."}
    )
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    progress = fields.Nested(JobProgressSchema, required=True)


class JobItemSchema(Strict):
    """What became of one subject of a job."""

    subject_id = fields.UUID(required=True)
    state = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)


class JobQuery(PageQuery):
    """Which jobs."""

    state = Choice(JOB_STATES)
    scheduled = QueryTruth(metadata={"description": "Those of schedules only, or only the others."})


class JobItemQuery(PageQuery):
    """Which items of a job."""

    state = Choice(ITEM_STATES)


class FileSchema(Strict):
    """A file made by a job or received."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True)
    sha256 = fields.Function(lambda file: file.sha256.hex(), required=True, metadata={"type": "string"})
    job_id = fields.UUID(required=True, allow_none=True)
    client_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)


class FileQuery(PageQuery):
    """Which files."""

    job = fields.UUID(metadata={"description": "Files of this job only."})


class FileLinkSchema(Strict):
    """A signed link to a file, and when it ends."""

    href = fields.URL(required=True, require_tld=False)
    expires_at = fields.AwareDateTime(required=True)
