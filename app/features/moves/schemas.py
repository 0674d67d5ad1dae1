"""JSON of handing caseloads over."""

from __future__ import annotations

from marshmallow import fields

from app.features.selections.schemas import TargetFields
from app.infra.web.api.fields import Choice, Day, Ids, Truth
from app.infra.web.api.schemas import PageQuery, Strict


class NewHandingOverSchema(TargetFields):
    """Who takes whom: the clients of a member (`source_id`), of a target, or those of both."""

    receiver_ids = Ids(most=50, required=True, metadata={"description": "Members who take them and share the work."})
    source_id = fields.UUID(metadata={"description": "The member whose caseload it is."})
    supporting = Truth(
        load_default=False,
        metadata={"description": "Beside the primary counsellor instead of in their place; not with `source_id`."},
    )
    first_on = Day(metadata={"description": "With both days it is cover for that time."})
    last_on = Day()


class ReceiverSchema(Strict):
    """What one receiver has before and would have after."""

    member_id = fields.UUID(required=True)
    minutes = fields.Integer(required=True, allow_none=True)
    takes = fields.Integer(required=True)
    clients_before = fields.Integer(required=True)
    clients_after = fields.Integer(required=True)
    work_before = fields.Integer(required=True)
    work_after = fields.Integer(required=True)


class HandingOverSchema(Strict):
    """A handing over as it was worked out; started, its progress is its job's."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, metadata={"description": "primary, supporting, same or cover."})
    source_id = fields.UUID(required=True, allow_none=True)
    clients = fields.Integer(required=True)
    receivers = fields.List(fields.Nested(ReceiverSchema), required=True)
    left_out = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "Numbers by reason."}
    )
    first_on = fields.Date(required=True, allow_none=True)
    last_on = fields.Date(required=True, allow_none=True)
    job_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True, allow_none=True)


class StartHandingOverSchema(Strict):
    """Which preview to start."""

    move_id = fields.UUID(required=True)


class CoverSchema(Strict):
    """Cover for a time."""

    id = fields.UUID(required=True)
    move_id = fields.UUID(required=True)
    source_id = fields.UUID(required=True, allow_none=True)
    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True)
    state = fields.String(required=True)
    created_by = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    begun_at = fields.AwareDateTime(required=True, allow_none=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class CoverQuery(PageQuery):
    """Which covers."""

    state = Choice(("planned", "active", "ended"))


class ExtendCoverSchema(Strict):
    """Another last day."""

    last_on = Day(required=True)


class CaseloadHistorySchema(Strict):
    """That somebody looked after a client for a time."""

    name = fields.String(required=True)
    kind = fields.String(required=True)
    began_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)
    began_by = fields.String(required=True)
    ended_by = fields.String(required=True)
    by_job = fields.Boolean(required=True)
    cover_id = fields.UUID(required=True, allow_none=True)
