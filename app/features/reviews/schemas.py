"""JSON of review policies, prompts and reviews."""

from __future__ import annotations

from typing import get_args

from marshmallow import fields

from app.features.reviews.answers import CONTROL, KINDS
from app.features.reviews.commands import Scope
from app.infra.web.api.fields import Choice, Free, Ids, Sentence, Whole
from app.infra.web.api.schemas import PageQuery, Strict

REVIEW_STATES = ("open", "started", "answered", "closed", "lapsed")


class PolicySchema(Strict):
    """A review policy in force and what it is for."""

    scope = fields.String(required=True)
    subject_id = fields.UUID(required=True, allow_none=True)
    name = fields.String(required=True, metadata={"description": "What it is for, in the organization's own names."})
    content = fields.Dict(required=True)
    updated_at = fields.AwareDateTime(required=True)


class PolicyQuery(Strict):
    """Which policies."""

    scope = Choice(get_args(Scope))
    subject = fields.UUID()


class NewPolicySchema(Strict):
    """A policy to set; fields left out of the content take the standard."""

    content = Free(
        required=True,
        metadata={"description": '`{"cadence": {"kind": "every_months", "months": 6}, "reminder_days": [0, 3, 7]}`'},
    )


class PolicySetSchema(Strict):
    """How many plans follow the change."""

    plans = fields.Integer(required=True)


class PromptSchema(Strict):
    """One planned send of a review's message, and what became of the mail."""

    id = fields.UUID(required=True)
    plan_id = fields.UUID(required=True)
    review_id = fields.UUID(required=True)
    occurrence_on = fields.Date(required=True)
    channel = fields.String(required=True)
    reminder = fields.Integer(required=True)
    due_at = fields.AwareDateTime(required=True)
    reason = fields.String(required=True, allow_none=True)
    message_id = fields.UUID(required=True, allow_none=True)
    message_state = fields.String(required=True, allow_none=True)
    sent_at = fields.AwareDateTime(required=True, allow_none=True)


class PromptQuery(PageQuery):
    """Which prompts."""

    plan = fields.UUID()


class ClientsSchema(Strict):
    """Clients to ask for a review."""

    client_ids = Ids(required=True)


class PromptPreviewSchema(Strict):
    """What asking now would do, in numbers of clients."""

    asked = fields.Integer(required=True)
    without_plan = fields.Integer(required=True)
    asked_already = fields.Integer(required=True)
    without_email = fields.Integer(required=True)
    written_this_week = fields.Integer(required=True)
    without_contact = fields.Integer(
        required=True, metadata={"description": "Whose mail waits for next week, for enough was sent in this one."}
    )


class AskedSchema(Strict):
    """How many clients are asked."""

    asked = fields.Integer(required=True)


class DecisionSchema(Strict):
    """What to do with a mail whose arrival is unknown."""

    decision = Choice(("again", "leave"), required=True)


class ReviewSchema(Strict):
    """A dated reassessment of a plan, with the answers so far."""

    id = fields.UUID(required=True)
    plan_id = fields.UUID(required=True)
    occurrence_on = fields.Date(required=True)
    state = fields.String(required=True)
    answers = fields.Dict(required=True)
    outcome = fields.String(required=True, allow_none=True)
    opened_at = fields.AwareDateTime(required=True, allow_none=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)
    revision_before = fields.Integer(required=True, allow_none=True)
    revision_after = fields.Integer(required=True, allow_none=True)
    escalated_at = fields.AwareDateTime(required=True, allow_none=True)


class ReviewQuery(PageQuery):
    """Which reviews."""

    plan = fields.UUID()
    state = Choice(REVIEW_STATES)


class CheckInStateSchema(Strict):
    """What a check-in's link can still do."""

    state = fields.String(
        required=True,
        metadata={"enum": ["ready", "opened_here", "used", "expired", "answered"], "description": "`ready` opens."},
    )
    organization = fields.String(required=True)
    occurrence_on = fields.Date(required=True)
    expires_at = fields.AwareDateTime(required=True)


class AskedLineSchema(Strict):
    """A goal or a factor that is asked about."""

    id = fields.String(required=True)
    text = fields.String(required=True)


class CheckInSchema(Strict):
    """What a check-in asks, what was answered so far, and what was answered the last time."""

    goals = fields.List(fields.Nested(AskedLineSchema), required=True)
    factors = fields.List(fields.Nested(AskedLineSchema), required=True)
    steps = fields.List(fields.String(), required=True)
    answers = fields.Dict(required=True)
    before = fields.Dict(required=True, allow_none=True)


class CheckInOpenSchema(CheckInSchema):
    """The check-in, and the ticket that goes with every further request."""

    ticket = fields.String(required=True)


class NewFactorSchema(Strict):
    """Something new the client sees ahead."""

    text = Sentence(longest=300, required=True)
    kind = Choice(KINDS, allow_none=True)
    controllable = Choice(CONTROL, allow_none=True)


class AnswersSchema(Strict):
    """Answers by the ids the check-in names; all may be left out while it is only kept."""

    ticket = Sentence(longest=100, required=True, metadata={"description": "As opening the check-in gave it."})
    goals = Free(metadata={"description": "Goal's id to a level from -2 to 2."})
    factors = Free(metadata={"description": "Factor's id to same, stronger, weaker or gone."})
    steps = Free(metadata={"description": "Step to keep, adjust or rethink."})
    new_factors = fields.List(fields.Nested(NewFactorSchema))
    confidence = Whole(least=0, most=10, allow_none=True)
    words = Sentence(longest=2000, shortest=0)


class OutcomeSchema(Strict):
    """What the answers mean for the plan."""

    outcome = fields.String(required=True, metadata={"enum": ["confirm", "revise"]})
    steps = fields.List(fields.String(), required=True, metadata={"description": "The steps that open again."})
