"""JSON of step 5: routes with what each stage lacks, and what taking another way would change."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.schemas import Strict


class RouteSkillSchema(Strict):
    """A skill and its levels, 0 to 7."""

    name = fields.String(required=True)
    required = fields.Float(required=True)
    own = fields.Float(required=True)


class RouteLackSchema(Strict):
    """What the hop to a stage lacks; null where not known."""

    zones = fields.Integer(required=True, allow_none=True, metadata={"description": "Job zones up."})
    asking_at_most = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Percent of its jobs that ask for at most the client's education."},
    )
    education_steps = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Levels its typical job asks above the client's."}
    )
    skills = fields.List(fields.Nested(RouteSkillSchema), required=True, allow_none=True)


class RouteStageSchema(Strict):
    """One stage of a route; `lack` is null where the client stands."""

    name = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    release = fields.String(required=True, allow_none=True)
    zone = fields.Integer(required=True, allow_none=True)
    lack = fields.Nested(RouteLackSchema, required=True, allow_none=True)


class RoutePlaceSchema(Strict):
    """Where the client stands or wants to get; code and release are null for own words."""

    name = fields.String(required=True)
    code = fields.String(required=True, allow_none=True)
    release = fields.String(required=True, allow_none=True)


class RouteStartSchema(RoutePlaceSchema):
    """Where the client stands; `none`: no position yet."""

    none = fields.Boolean(required=True)


class RoutesSchema(Strict):
    """Up to three routes, the shortest way first, or in `why` and `sentence` why there is none."""

    start = fields.Nested(RouteStartSchema, required=True, allow_none=True)
    target = fields.Nested(RoutePlaceSchema, required=True, allow_none=True)
    release = fields.String(required=True, allow_none=True)
    education = fields.Integer(required=True, allow_none=True, metadata={"description": "1 to 12, from step 3."})
    routes = fields.List(fields.List(fields.Nested(RouteStageSchema)), required=True)
    kept = fields.List(
        fields.Nested(RouteStageSchema),
        required=True,
        allow_none=True,
        metadata={"description": "The route taken for the way that is chosen, as it was when it was taken."},
    )
    why = fields.String(required=True, allow_none=True)
    sentence = fields.String(required=True, allow_none=True)
    credit = fields.List(fields.String(), required=True)


class WayItemSchema(Strict):
    """A goal, action or milestone."""

    id = fields.String(required=True)
    text = fields.String(required=True)


class WayFateSchema(Strict):
    """What a switch does to things of one kind."""

    stays = fields.List(fields.Nested(WayItemSchema), required=True)
    aside = fields.List(fields.Nested(WayItemSchema), required=True)
    back = fields.List(fields.Nested(WayItemSchema), required=True)
    still_aside = fields.List(fields.Nested(WayItemSchema), required=True)


class WayOrphanSchema(Strict):
    """An action that stays although its goal goes aside, by their ids."""

    action = fields.String(required=True)
    goal = fields.String(required=True)


class WaySwitchSchema(Strict):
    """What taking a way would change; nothing is written by asking."""

    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True)
    version = fields.Integer(required=True)
    goals = fields.Nested(WayFateSchema, required=True)
    actions = fields.Nested(WayFateSchema, required=True)
    milestones = fields.Nested(WayFateSchema, required=True)
    orphans = fields.List(fields.Nested(WayOrphanSchema), required=True)


class WayTakenSchema(Strict):
    """The way that is taken now, and the step's version."""

    chosen = fields.String(required=True)
    version = fields.Integer(required=True)
