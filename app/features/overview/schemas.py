"""JSON of work queues."""

from __future__ import annotations

from marshmallow import fields

from app.domain.rules import MOST_WEEKS
from app.features.selections.criteria import SILENT_WEEKS
from app.infra.web.api.fields import QueryWhole
from app.infra.web.api.schemas import PageQuery, Strict

_COUNSELLOR = {"description": "Only the people this counsellor looks after, by membership id."}
_WEEKS = {"description": "After how many weeks without a sign somebody counts as silent."}


class QueueQuery(Strict):
    """Whose queues."""

    counsellor = fields.UUID(metadata=_COUNSELLOR)
    weeks = QueryWhole(least=1, most=MOST_WEEKS, load_default=SILENT_WEEKS, metadata=_WEEKS)


class QueuePageQuery(PageQuery):
    """Whose queue, and which page of it."""

    counsellor = fields.UUID(metadata=_COUNSELLOR)
    weeks = QueryWhole(least=1, most=MOST_WEEKS, load_default=SILENT_WEEKS, metadata=_WEEKS)


class CapacitySchema(Strict):
    """What one counsellor has: minutes a week (null: not said), people, and how many of them wait or are late."""

    membership_id = fields.UUID(required=True)
    name = fields.String(required=True)
    weekly_minutes = fields.Integer(required=True, allow_none=True)
    clients = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    overdue = fields.Integer(required=True)


class QueueCountsSchema(Strict):
    """How many people stand in each queue."""

    due = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    silent = fields.Integer(required=True)
    never_met = fields.Integer(required=True)


class QueuesSchema(Strict):
    """All queues in numbers, with the time there is for them."""

    counts = fields.Nested(QueueCountsSchema, required=True)
    capacity = fields.List(fields.Nested(CapacitySchema), required=True)
