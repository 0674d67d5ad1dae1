"""JSON of review policies, prompts and reviews."""

from __future__ import annotations

from typing import get_args

from marshmallow import fields

from app.domain.pauses import PERSONAL_KINDS
from app.domain.steps import StepKey
from app.features.reviews.answers import CONTROL, KINDS
from app.features.reviews.commands import Scope
from app.features.selections.schemas import TargetFields
from app.infra.web.api.fields import Choice, Day, Free, Sentence, Whole
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
        metadata={"description": '`{"cadence": {"kind": "every_months", "months": 6}, "reminder_days": [-14, 0, 7]}`'},
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


class ClientsSchema(TargetFields):
    """Clients to ask for a review, named in one of the ways."""


class PromptPreviewSchema(Strict):
    """What asking now would do, in numbers of clients; the selection named asks the same people later."""

    selection_id = fields.UUID(required=True)
    asked = fields.Integer(required=True)
    without_plan = fields.Integer(required=True)
    asked_already = fields.Integer(required=True)
    without_email = fields.Integer(required=True)
    paused = fields.Integer(required=True, metadata={"description": "On leave or on a holiday today; not asked."})
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
    escalated_admin_at = fields.AwareDateTime(required=True, allow_none=True)
    result = fields.Dict(
        required=True,
        allow_none=True,
        metadata={
            "description": "What the answers come to, computed when they were sent: confidence, goals, scales, drift, "
            "match, reopens, changes (each with the key it is taken by) and what the next check-in compares with."
        },
    )
    returned_note = fields.String(required=True, allow_none=True)
    returned_at = fields.AwareDateTime(required=True, allow_none=True)
    meeting_on = fields.Date(required=True, allow_none=True)
    meeting_note = fields.String(required=True, allow_none=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)


class TakenChangeSchema(Strict):
    """A change of the result that is taken into a new revision."""

    key = Sentence(longest=200, required=True, metadata={"description": "As the result's `changes` name it."})
    reason = Sentence(longest=1000, required=True)
    controllable = Choice(CONTROL, required=True)


class AcceptSchema(Strict):
    """Which changes are taken, and which steps open again for them."""

    changes = fields.List(fields.Nested(TakenChangeSchema), required=True)
    reopen = fields.List(Choice(tuple(step.value for step in StepKey)), load_default=list)


class ReturnSchema(Strict):
    """What the client reads at the top of the check-in that is open again."""

    words = Sentence(longest=1000, required=True)


class MeetingSchema(Strict):
    """When the two talk about it, and about what."""

    on = Day(required=True)
    note = Sentence(longest=1000, shortest=0, load_default="")


class RevisionChangeSchema(Strict):
    """Why a revision was closed: one change with its reason."""

    revision = fields.Integer(required=True, metadata={"description": "The revision that was closed."})
    number = fields.Integer(required=True)
    review_id = fields.UUID(required=True)
    subject = fields.String(required=True)
    kind = fields.String(required=True, metadata={"enum": ["step", "factor", "new_factor", "scale", "data"]})
    label = fields.String(required=True)
    change = fields.String(required=True)
    reason = fields.String(required=True)
    controllable = fields.String(required=True, metadata={"enum": list(CONTROL)})
    at = fields.AwareDateTime(required=True)


class ReviewResultSchema(Strict):
    """What came of an answered check-in: what the answers come to, and what the counsellor decided."""

    id = fields.UUID(required=True)
    plan_id = fields.UUID(required=True)
    occurrence_on = fields.Date(required=True)
    answered_at = fields.AwareDateTime(required=True)
    decision = fields.String(
        required=True,
        metadata={
            "enum": ["waits", "returned", "agreed", "changed"],
            "description": "`waits` for the counsellor, `returned` to the client with `returned_note`, `agreed` that "
            "the plan stays, `changed`: `taken` went into a new revision and the steps `reopened` are open again.",
        },
    )
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    returned_note = fields.String(required=True, allow_none=True)
    meeting_on = fields.Date(required=True, allow_none=True)
    meeting_note = fields.String(required=True, allow_none=True)
    result = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "As a review has it; null while it is returned, and where it was not kept."},
    )
    taken = fields.List(fields.Nested(RevisionChangeSchema), required=True)
    reopened = fields.List(fields.String(), required=True)
    before = fields.UUID(
        required=True, allow_none=True, metadata={"description": "The check-in answered before this one."}
    )


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


class ConfidenceSchema(Strict):
    """How sure the client was of the plan on a day, 0 to 10."""

    on = fields.Date(required=True)
    value = fields.Integer(required=True)


class RetakeSchema(Strict):
    """A questionnaire the plan's policy asks to answer again; not before `again_on` (null: now)."""

    instrument_id = fields.UUID(required=True)
    key = fields.String(required=True)
    title = fields.String(required=True)
    again_on = fields.Date(required=True, allow_none=True)


class CheckInSchema(Strict):
    """What a check-in asks, what was answered so far, and what was answered the last time."""

    goals = fields.List(fields.Nested(AskedLineSchema), required=True)
    factors = fields.List(fields.Nested(AskedLineSchema), required=True)
    steps = fields.List(fields.String(), required=True)
    control = fields.Dict(
        required=True, metadata={"description": "Factor's id to yes, partly, no or null, as step 3 says it."}
    )
    confidence = fields.List(fields.Nested(ConfidenceSchema), required=True)
    retakes = fields.List(fields.Nested(RetakeSchema), required=True)
    reasons = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Why the client is asked before their day, in sentences; empty: by the calendar."},
    )
    returned_note = fields.String(required=True, allow_none=True)
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
    factors = Free(metadata={"description": "Factor's id to same, stronger, weaker, came_true or gone."})
    control = Free(metadata={"description": "Factor's id to yes, partly or no: can one do something about it?"})
    steps = Free(metadata={"description": "Step to keep, adjust or rethink."})
    new_factors = fields.List(fields.Nested(NewFactorSchema))
    confidence = Whole(least=0, most=10, allow_none=True)
    why = Sentence(longest=300, shortest=0, metadata={"description": "Why steps shall change."})
    words = Sentence(longest=2000, shortest=0)


class OutcomeSchema(Strict):
    """What the answers mean for the plan."""

    outcome = fields.String(required=True, metadata={"enum": ["confirm", "revise"]})
    steps = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The steps the client wants to change; the counsellor opens them."},
    )
    result = fields.Dict(required=True, metadata={"description": "What the answers come to, as a review has it."})


class PauseSchema(Strict):
    """Days on which nobody is asked: a client's leave, or (without a client) a holiday of the organization."""

    id = fields.UUID(required=True)
    client_id = fields.UUID(required=True, allow_none=True)
    kind = fields.String(required=True, metadata={"enum": [*PERSONAL_KINDS, "holiday"]})
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, allow_none=True, metadata={"description": "Null: until it is ended."})
    note = fields.String(required=True)


class PauseQuery(Strict):
    """Whose pauses; holidays come with both."""

    client = fields.UUID()


class NewPauseSchema(Strict):
    """A pause to put in. Without a client it is a holiday of the organization and has no kind."""

    client_id = fields.UUID()
    kind = Choice(PERSONAL_KINDS)
    starts_on = Day(required=True)
    ends_on = Day(allow_none=True, load_default=None)
    note = Sentence(longest=200, shortest=0, load_default="")


class PauseEndSchema(Strict):
    """The last day of a pause; left out, it ends with yesterday, or is taken away if it has not begun."""

    last_on = Day(load_default=None)


class CandidateSchema(Strict):
    """A place a policy can be set at; exactly one of a plan's wins."""

    place = fields.String(
        required=True,
        metadata={"enum": ["plan", "cohort", "template", "recipe", "organization", "standard"]},
    )
    name = fields.String(required=True)
    is_set = fields.Boolean(required=True)
    wins = fields.Boolean(required=True)


class ComingSchema(Strict):
    """A review to come and the moment of its next mail; null while a pause has no end."""

    review_on = fields.Date(required=True, attribute="day")
    next_mail_at = fields.AwareDateTime(required=True, allow_none=True, attribute="moment")


class PlanPolicySchema(Strict):
    """The policy a plan follows, where it was looked for (nearest first), and the reviews to come."""

    plan_id = fields.UUID(required=True)
    content = fields.Dict(required=True)
    chain = fields.List(fields.Nested(CandidateSchema), required=True)
    coming = fields.List(fields.Nested(ComingSchema), required=True)


class ForecastLineSchema(Strict):
    """How many are asked for the first time on a day, of one counsellor's caseload (null: of nobody's)."""

    day = fields.Date(required=True)
    counsellor_id = fields.UUID(required=True, allow_none=True)
    asked = fields.Integer(required=True)


class SpreadQuerySchema(Strict):
    """How many new reviews a day each counsellor is to have at most."""

    most = Whole(least=1, most=200, required=True)


class MoveSchema(Strict):
    """A review that is put later."""

    plan_id = fields.UUID(required=True)
    counsellor_id = fields.UUID(required=True, allow_none=True)
    review_on = fields.Date(required=True)
    days = fields.Integer(required=True, metadata={"description": "So many days later."})
    asked_on = fields.Date(required=True, metadata={"description": "The day its first mail leaves then."})


class SpreadSchema(Strict):
    """What a spread would move, and the digest to apply exactly that."""

    digest = fields.String(required=True)
    moves = fields.List(fields.Nested(MoveSchema), required=True)


class SpreadApplySchema(SpreadQuerySchema):
    """The spread that was shown."""

    digest = Sentence(longest=16, required=True)


class SpreadDoneSchema(Strict):
    """How many reviews were moved."""

    moved = fields.Integer(required=True)
