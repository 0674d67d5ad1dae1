"""JSON of rolling a template's version out and back."""

from __future__ import annotations

from marshmallow import fields

from app.domain.rollouts import STAGES, Choice, Outcome
from app.features.rollouts.service import MOST_CONFLICTS
from app.infra.web.api.fields import Choice as OneOf
from app.infra.web.api.fields import QueryWhole, Truth, Whole
from app.infra.web.api.schemas import PageQuery, Strict

PHASES = ("running", "paused", "waiting", "held", "done", "stopped", "rolling_back", "rolled_back")
_CHOICE = {
    "description": "`joiners`: no plan that is there changes; `not_started`: steps nobody has begun; `all`: also those "
    "that are begun."
}


class RolloutPreviewQuery(Strict):
    """Which roll-out to preview."""

    choice = OneOf(list(Choice), load_default=Choice.NOT_STARTED.value, metadata=_CHOICE)


class StepPreviewSchema(Strict):
    """In how many plans a step is gained, lost, moved, left because it is begun, or keeps what a person did."""

    step = fields.Integer(required=True, attribute="number")
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": f"Number of plans by outcome: {', '.join(Outcome)}."},
    )
    conflicts = fields.Integer(required=True)


class RolloutPreviewSchema(Strict):
    """What a roll-out would do as the plans stand now."""

    plans = fields.Integer(required=True, metadata={"description": "Plans that follow an older version."})
    changed = fields.Integer(required=True, metadata={"description": "Plans with a step that changes."})
    in_conflict = fields.Integer(required=True)
    conflicts = fields.Integer(required=True, metadata={"description": "Steps of plans: what `most_conflicts` counts."})
    standing = fields.Integer(required=True, metadata={"description": "Standing assignments of an older version."})
    steps = fields.List(fields.Nested(StepPreviewSchema), required=True, attribute="lines")


class NewRolloutSchema(Strict):
    """How a version is rolled out."""

    choice = OneOf(list(Choice), required=True, metadata=_CHOICE)
    percent = Whole(
        least=1,
        most=100,
        load_default=100,
        metadata={"description": f"The first stage: {', '.join(map(str, STAGES))}."},
    )
    most_conflicts = Whole(
        most=MOST_CONFLICTS,
        load_default=None,
        allow_none=True,
        metadata={"description": "Nothing goes on once more were met."},
    )
    standing = Truth(load_default=True, metadata={"description": "Standing assignments give the version from now on."})


class NextStageSchema(Strict):
    """A further stage."""

    number = Whole(
        least=2, most=100, required=True, metadata={"description": "Naming one that has begun does nothing."}
    )
    percent = Whole(
        least=1,
        most=100,
        load_default=None,
        allow_none=True,
        metadata={"description": "Left out: the next of 5, 25, 100."},
    )
    most_conflicts = Whole(most=MOST_CONFLICTS, load_default=None, allow_none=True)


class StageSchema(Strict):
    """One stage; its progress is its job's."""

    number = fields.Integer(required=True)
    percent = fields.Integer(required=True)
    conflicts = fields.Integer(required=True)
    job_id = fields.UUID(required=True)
    job_state = fields.String(required=True)
    total = fields.Integer(required=True)


class RolloutSchema(Strict):
    """A roll-out: what it waits for, and how far it is."""

    id = fields.UUID(required=True)
    template_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    choice = fields.String(required=True)
    phase = fields.String(required=True, metadata={"description": f"One of {', '.join(PHASES)}."})
    most_conflicts = fields.Integer(required=True, allow_none=True)
    conflicts = fields.Integer(required=True)
    left = fields.Integer(required=True, metadata={"description": "Plans that follow an older version still."})
    done = fields.Integer(required=True, metadata={"description": "Plans brought over and not back."})
    kept = fields.Integer(required=True, metadata={"description": "Plans of which something did not go back."})
    following = fields.Integer(required=True, allow_none=True, metadata={"description": "The share of the next stage."})
    stages = fields.List(fields.Nested(StageSchema), required=True)
    created_by = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class ConflictSchema(Strict):
    """A step in which a person's own change stayed, at rolling out or (`kept`) at rolling back."""

    step = fields.Integer(required=True)
    reason = fields.String(required=True)


class ConflictLineSchema(Strict):
    """A client's plan with such steps; none: the whole plan stayed."""

    client_id = fields.UUID(required=True)
    steps = fields.List(fields.Nested(ConflictSchema), required=True)


class ConflictQuery(Strict):
    """Which of the conflicts."""

    limit = QueryWhole(least=1, most=200, load_default=50)
    offset = QueryWhole(load_default=0)


class ConflictsSchema(Strict):
    """Conflicts in the order of the plans; `more` after these."""

    items = fields.List(fields.Nested(ConflictLineSchema), required=True)
    more = fields.Boolean(required=True)


class RolloutQuery(PageQuery):
    """Which page of roll-outs."""
