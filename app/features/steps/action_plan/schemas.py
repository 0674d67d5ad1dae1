"""JSON of step 7: the schedule, what a slip moves, files, where an action stands, the calendar's address."""

from __future__ import annotations

from flask_smorest.fields import Upload
from marshmallow import fields

from app.features.steps.action_plan.content import MOST_LINK, STATUSES
from app.features.steps.action_plan.figures import MOST_SLIP
from app.features.steps.parts import MOST_LINE
from app.infra.web.api.fields import Choice, QueryWhole, Sentence
from app.infra.web.api.schemas import PageQuery, Strict


class SlotSchema(Strict):
    """When one action happens as far as known today; `assumed`: its length is not known and one day was taken."""

    action = fields.String(required=True)
    text = fields.String(required=True)
    start = fields.Date(required=True)
    finish = fields.Date(required=True)
    latest = fields.Date(required=True)
    slack = fields.Integer(required=True)
    assumed = fields.Boolean(required=True)
    status = fields.String(required=True)


class RiskSchema(Strict):
    """One reason why an action is late or at risk, as a word with its figures and as a sentence."""

    action = fields.String(required=True)
    why = fields.String(required=True)
    days = fields.Integer(required=True)
    other = fields.String(required=True, allow_none=True)
    month = fields.Date(required=True, allow_none=True)
    sentence = fields.String(required=True)


class MonthSchema(Strict):
    """The hours planned in a month, by its first day, and the hours there are (null: not said)."""

    month = fields.Date(required=True)
    hours = fields.Float(required=True)
    available = fields.Float(required=True, allow_none=True)


class GoalShareSchema(Strict):
    """A goal with the actions done of those planned for it and the goals below it."""

    goal = fields.String(required=True)
    done = fields.Integer(required=True)
    planned = fields.Integer(required=True)


class ScheduleSchema(Strict):
    """A plan's actions worked through: slots, the chain the end hangs on, risks, the load still to come, the goals.

    `uncounted` are open actions without days or effort: their load is not known, not nothing.
    """

    today = fields.Date(required=True)
    end = fields.Date(required=True, allow_none=True)
    slots = fields.List(fields.Nested(SlotSchema), required=True)
    critical = fields.List(fields.String(), required=True)
    risks = fields.List(fields.Nested(RiskSchema), required=True)
    months = fields.List(fields.Nested(MonthSchema), required=True, data_key="load")
    uncounted = fields.List(fields.String(), required=True)
    goals = fields.List(fields.Nested(GoalShareSchema), required=True)


class SlipQuery(Strict):
    """Which action ends so many days later."""

    action = Sentence(longest=32, required=True)
    days = QueryWhole(least=1, most=MOST_SLIP, required=True)


class MovedSchema(Strict):
    """What a slip does to one action: days later, its new last day, days past its due day (0: in time)."""

    action = fields.String(required=True)
    text = fields.String(required=True)
    days = fields.Integer(required=True)
    finish = fields.Date(required=True)
    late = fields.Integer(required=True)


class SlipSchema(Strict):
    """The actions that would end later, the one that slips first; nothing is changed."""

    moved = fields.List(fields.Nested(MovedSchema), required=True)


class MarkSchema(Strict):
    """Where an action stands, what shows it, and why it is given up where it is."""

    status = Choice(STATUSES, required=True)
    dropped_why = Sentence(longest=MOST_LINE, shortest=0)
    evidence = Sentence(longest=MOST_LINE, shortest=0)
    evidence_link = Sentence(longest=MOST_LINK, shortest=0)


class MarkedSchema(Strict):
    """The action as it is stored now, and the version of the step."""

    version = fields.Integer(required=True)
    action = fields.Dict(required=True)


class EvidenceQuery(PageQuery):
    """Which files."""

    action = Sentence(longest=32)


class EvidenceSchema(Strict):
    """A file that shows an action; its SHA-256 in hexadecimal digits."""

    id = fields.UUID(required=True)
    action = fields.String(required=True)
    name = fields.String(required=True)
    media_type = fields.String(required=True)
    size = fields.Integer(required=True)
    sha256 = fields.Function(lambda row: row.sha256.hex(), required=True, metadata={"type": "string"})
    uploaded_by = fields.UUID(required=True)
    created_at = fields.AwareDateTime(required=True)
    removed_at = fields.AwareDateTime(required=True, allow_none=True)


class EvidenceUploadSchema(Strict):
    """A PDF, a picture or an office file without programs of its own, at most 10 MiB."""

    file = Upload(required=True)


class CalendarSchema(Strict):
    """Whether calendars can read the client's dates: the address that works now; the address itself is never told."""

    on = fields.Boolean(required=True)
    made_at = fields.AwareDateTime(required=True, allow_none=True)
    read_at = fields.AwareDateTime(required=True, allow_none=True)


class NewCalendarSchema(CalendarSchema):
    """The same with the new address, told this once."""

    address = fields.String(required=True)
