"""JSON of giving something to many."""

from __future__ import annotations

from marshmallow import fields

from app.features.assignments.days import MOST_DAYS
from app.features.selections.schemas import TargetFields
from app.features.steps.parts import MOST_LINE
from app.infra.web.api.fields import Choice, Day, Sentence, Truth, Whole
from app.infra.web.api.schemas import PageQuery, Strict

WHATS = ("template", "step", "instrument", "action", "due")


class GivenActionSchema(Strict):
    """An action for step 7."""

    kind = Choice(("work", "training", "education", "job_rotation"), required=True)
    text = Sentence(longest=MOST_LINE, required=True)
    hours = Whole(least=1, most=10_000)


class NewAssignmentSchema(TargetFields):
    """What is given to whom. Each kind needs its own fields: a template its version and first day, and so on."""

    what = Choice(WHATS, load_default="template")
    template_id = fields.UUID()
    version = Whole(least=1, metadata={"description": "A published version of the template."})
    started_on = Day(metadata={"description": "A plan's first day; due dates count from it."})
    step = Whole(least=1, most=8)
    instrument_id = fields.UUID()
    action = fields.Nested(GivenActionSchema)
    due_on = Day()
    due_in_days = Whole(least=0, most=MOST_DAYS, metadata={"description": "Counted from the day each is given it."})
    standing = Truth(load_default=False, metadata={"description": "Also for clients who join the cohort later."})
    from_joining = Truth(load_default=False, metadata={"description": "Plans of later members start as they join."})
    on_leaving = Choice(
        ("keep", "pause", "withdraw"),
        load_default="keep",
        metadata={"description": "What becomes of it for those who leave the cohort."},
    )
    starts_at = fields.AwareDateTime(metadata={"description": "When the job starts; now by default."})
    tell = Truth(load_default=False, metadata={"description": "Tell each by mail."})


class ReasonSchema(Strict):
    """Why some are not given it."""

    code = fields.String(required=True)
    sentence = fields.String(required=True)
    clients = fields.Integer(required=True)


class AssignmentPreviewSchema(Strict):
    """What an assignment would do, in numbers of clients; `selection_id` names exactly the clients counted."""

    selection_id = fields.UUID(required=True)
    not_seen = fields.Integer(required=True)
    chosen = fields.Integer(required=True)
    new = fields.Integer(required=True)
    already = fields.List(fields.Nested(ReasonSchema), required=True)
    refused = fields.List(fields.Nested(ReasonSchema), required=True)
    mailed = fields.Integer(required=True)
    unreachable = fields.Integer(required=True)


class AssignmentSchema(Strict):
    """Something given to many; its progress is its job's."""

    id = fields.UUID(required=True)
    what = fields.String(required=True)
    template_id = fields.UUID(required=True, allow_none=True)
    template_version = fields.Integer(required=True, allow_none=True)
    step = fields.Integer(required=True, allow_none=True)
    instrument_id = fields.UUID(required=True, allow_none=True)
    detail = fields.Dict(required=True)
    cohort_id = fields.UUID(required=True, allow_none=True)
    started_on = fields.Date(required=True)
    standing = fields.Boolean(required=True)
    on_leaving = fields.String(required=True)
    state = fields.String(required=True)
    job_id = fields.UUID(required=True, allow_none=True)
    created_by = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class AssignmentQuery(PageQuery):
    """Which assignments."""

    state = Choice(("active", "paused", "ended", "undone"))
    what = Choice(WHATS)
    cohort = fields.UUID()
