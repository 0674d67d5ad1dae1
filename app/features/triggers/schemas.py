"""JSON of triggers and of events outside."""

from __future__ import annotations

from marshmallow import fields

from app.domain.triggers import A_DAY, RULED, Trigger
from app.features.triggers.events import MOST_CODES, MOST_TITLE, MOST_WORDS
from app.infra.web.api.fields import Choice, Day, QueryWhole, Sentence, Truth, Whole
from app.infra.web.api.schemas import PageQuery, Strict

KINDS = tuple(kind.value for kind in RULED)
REACHES = ("any", "chosen")
STATES = ("waiting", "reviewed")


class TriggerRuleSchema(Strict):
    """A rule, how many of its reasons wait, and for how many reviews of the last 30 days it was a reason."""

    kind = fields.String(required=True, metadata={"enum": list(KINDS)})
    active = fields.Boolean(required=True)
    number = fields.Integer(required=True, allow_none=True)
    reach = fields.String(required=True, metadata={"enum": list(REACHES)})
    waiting = fields.Integer(required=True)
    reviews = fields.Integer(required=True)


class NewTriggerRuleSchema(Strict):
    """A rule to set; `number` within the bounds of its kind, the standard where it is left out."""

    active = Truth(required=True)
    number = Whole(least=0, most=1000, allow_none=True)
    reach = Choice(REACHES, metadata={"description": "Which occupations count; only for `catalogue_moved`."})


class TriggerTryQuery(PageQuery):
    """A dry run with other figures than the stored ones."""

    number = QueryWhole(least=0, most=1000, metadata={"description": "Instead of the stored number."})
    reach = Choice(REACHES)


class TouchedSchema(Strict):
    """A plan a rule or an event touches now, and why."""

    plan_id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    name = fields.String(required=True)
    subject = fields.String(required=True, metadata={"description": "Names the thing; nobody is asked twice for one."})
    evidence = fields.Dict(required=True)
    found_at = fields.AwareDateTime(required=True, allow_none=True)
    reviewed_at = fields.AwareDateTime(required=True, allow_none=True)


class DryRunSchema(Strict):
    """How many plans are touched, how many reviews would be opened for them, and a page of them by name."""

    plans = fields.Integer(required=True)
    new = fields.Integer(required=True)
    items = fields.List(fields.Nested(TouchedSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "The cursor of the next page."})


class TriggerSettingsSchema(Strict):
    """How many reviews may be opened in a day, and when was last looked."""

    a_day = fields.Integer(required=True)
    looked_at = fields.AwareDateTime(required=True, allow_none=True)


class NewTriggerSettingsSchema(Strict):
    """How many reviews may be opened in a day."""

    a_day = Whole(least=A_DAY.least, most=A_DAY.most, required=True)


class TriggerFindingSchema(Strict):
    """A reason to look at a plan again; `review_id` is null while it waits."""

    id = fields.UUID(required=True)
    plan_id = fields.UUID(required=True)
    kind = fields.String(required=True, metadata={"enum": [kind.value for kind in Trigger]})
    subject = fields.String(required=True)
    severity = fields.Integer(required=True)
    evidence = fields.Dict(required=True)
    event_id = fields.UUID(required=True, allow_none=True)
    found_at = fields.AwareDateTime(required=True)
    review_id = fields.UUID(required=True, allow_none=True)
    reviewed_at = fields.AwareDateTime(required=True, allow_none=True)


class TriggerFindingQuery(PageQuery):
    """Which findings."""

    plan = fields.UUID()
    kind = Choice([kind.value for kind in Trigger])
    state = Choice(STATES)


def _codes() -> fields.List[str]:
    return fields.List(Sentence(longest=20), load_default=list, metadata={"maxItems": MOST_CODES})


class NewExternalEventSchema(Strict):
    """Something that happened outside, and what of plans it touches."""

    title = Sentence(longest=MOST_TITLE, required=True)
    words = Sentence(longest=MOST_WORDS, required=True, metadata={"description": "What those it touches read."})
    happened_on = Day(required=True)
    occupations = _codes()
    families = _codes()
    paths = _codes()
    actions = _codes()
    cohort_id = fields.UUID(load_default=None, allow_none=True)
    reach = Choice(REACHES, load_default="any")


class ExternalEventSchema(Strict):
    """An event outside, what it touches, and what became of it."""

    id = fields.UUID(required=True)
    title = fields.String(required=True)
    words = fields.String(required=True)
    happened_on = fields.Date(required=True)
    occupations = fields.List(fields.String(), required=True)
    families = fields.List(fields.String(), required=True)
    paths = fields.List(fields.String(), required=True)
    actions = fields.List(fields.String(), required=True)
    cohort_id = fields.UUID(required=True, allow_none=True)
    reach = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    opened_at = fields.AwareDateTime(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)


class ExternalEventOpenedSchema(Strict):
    """How many plans were found that were not before, and how many reviews were opened today."""

    found = fields.Integer(required=True)
    opened = fields.Integer(required=True)


class ExternalEventWithdrawnSchema(Strict):
    """Plans that waited, reviews that were taken back, and reviews that go on since people know of them."""

    waited = fields.Integer(required=True)
    taken_back = fields.Integer(required=True)
    stay = fields.Integer(required=True)
