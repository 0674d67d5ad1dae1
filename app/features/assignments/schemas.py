"""JSON of giving a template to many."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.fields import Choice, Day, Ids, Truth, Whole
from app.infra.web.api.schemas import PageQuery, Strict


class NewAssignmentSchema(Strict):
    """Which template goes to whom: a cohort, or clients by id; exactly one of the two."""

    template_id = fields.UUID(required=True)
    version = Whole(least=1, required=True, metadata={"description": "A published version of the template."})
    started_on = Day(required=True, metadata={"description": "The first day; due dates count from it."})
    cohort_id = fields.UUID()
    client_ids = Ids()
    standing = Truth(load_default=False, metadata={"description": "Also for clients who join the cohort later."})


class AssignmentPreviewSchema(Strict):
    """What an assignment would do, in numbers of clients."""

    targeted = fields.Integer(required=True)
    created = fields.Integer(required=True)
    with_plan = fields.Integer(required=True)
    inactive = fields.Integer(required=True)
    without_email = fields.Integer(required=True)
    not_yours = fields.Integer(required=True)


class AssignmentSchema(Strict):
    """A template given to many; its progress is its job's."""

    id = fields.UUID(required=True)
    template_id = fields.UUID(required=True)
    template_version = fields.Integer(required=True)
    cohort_id = fields.UUID(required=True, allow_none=True)
    started_on = fields.Date(required=True)
    standing = fields.Boolean(required=True)
    state = fields.String(required=True)
    job_id = fields.UUID(required=True, allow_none=True)
    created_by = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class AssignmentQuery(PageQuery):
    """Which assignments."""

    state = Choice(("active", "ended", "undone"))
    cohort = fields.UUID()
