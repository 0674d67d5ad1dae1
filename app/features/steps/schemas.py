"""JSON of what is written in a step, and of moving it."""

from __future__ import annotations

from marshmallow import fields

from app.domain.steps import StepAction
from app.infra.web.api.fields import Choice, Free, Sentence
from app.infra.web.api.schemas import Strict


class StepContentSchema(Strict):
    """What is written in a step, in the shape of its room, and what it still lacks, in sentences."""

    step = fields.String(required=True)
    version = fields.Integer(required=True)
    content = fields.Dict(required=True)
    missing = fields.List(fields.String(), required=True)


class NewContentSchema(Strict):
    """What to write in a step."""

    content = Free(required=True)


class StepActionSchema(Strict):
    """What to do to a step; returning and skipping need a reason, which the client reads."""

    action = Choice([action for action in StepAction if action is not StepAction.SAVE], required=True)
    reason = Sentence(longest=2000)


class StepStatusSchema(Strict):
    """Where the step stands now."""

    status = fields.String(required=True)
