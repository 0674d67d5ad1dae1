"""JSON of scratch copies."""

from __future__ import annotations

from marshmallow import fields, validate

from app.features.scratches.service import MOST_CHANGES, MOST_TITLE
from app.infra.web.api.fields import Free, Sentence, Truth
from app.infra.web.api.schemas import Strict


class ScratchSchema(Strict):
    """A copy of a plan, without what its changes do."""

    id = fields.UUID(required=True)
    plan_id = fields.UUID(required=True)
    title = fields.String(required=True)
    changes = fields.List(fields.Dict(), required=True)
    shared = fields.Boolean(required=True)
    created_by = fields.UUID(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)


class TriedAspectSchema(Strict):
    """An aspect that the changes make another, before and after as plain JSON."""

    aspect = fields.String(required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class TriedStepSchema(Strict):
    """A step that the changes would mark."""

    step = fields.Integer(required=True)
    aspects = fields.List(fields.Nested(TriedAspectSchema), required=True)


class LateSchema(Strict):
    """An action that the changes make late: why, by how many days, because of which other, in which month."""

    action = fields.String(required=True)
    why = fields.String(required=True)
    days = fields.Integer(required=True)
    other = fields.String(required=True)
    month = fields.Date(required=True, allow_none=True)


class ImpossibleSchema(Strict):
    """Something that cannot be under the changes; `days` are levels of education for an education gap."""

    what = fields.String(required=True)
    step = fields.Integer(required=True)
    text = fields.String(required=True)
    other = fields.String(required=True)
    days = fields.Integer(required=True)


class LooseSchema(Strict):
    """Something that the changes leave pointing at nothing."""

    step = fields.Integer(required=True)
    what = fields.String(required=True)
    id = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)


class ScratchOutcomeSchema(Strict):
    """What the changes do; `aside` and `back` are goals and actions that stop counting or count again."""

    stale = fields.List(fields.Nested(TriedStepSchema), required=True)
    late = fields.List(fields.Nested(LateSchema), required=True)
    impossible = fields.List(fields.Nested(ImpossibleSchema), required=True)
    loose = fields.List(fields.Nested(LooseSchema), required=True)
    aside = fields.List(fields.String(), required=True)
    back = fields.List(fields.String(), required=True)


class TriedScratchSchema(ScratchSchema):
    """A copy with what its changes do, and the steps of the plan that were saved since it was made."""

    outcome = fields.Nested(ScratchOutcomeSchema, required=True)
    moved_on = fields.List(fields.Integer(), required=True)


class NewScratchSchema(Strict):
    """A copy to begin, with its first changes."""

    title = Sentence(longest=MOST_TITLE, shortest=0, load_default="")
    changes = fields.List(Free(), load_default=list, validate=validate.Length(max=MOST_CHANGES))


class NewChangeSchema(Strict):
    """One more change to try; its fields are listed in the guide and checked against the copy."""

    change = Free(required=True)


class SharedSchema(Strict):
    """Whether the others who may see the plan may see the copy."""

    shared = Truth(required=True)
