"""JSON of an environment scan as Octant reads it: the map, the coverage, the facts beside it."""

from __future__ import annotations

from marshmallow import fields

from app.features.occupations.schemas import OutlookSchema
from app.infra.web.api.schemas import Strict


class PlacedFactorSchema(Strict):
    """A factor that holds, by its number on the map; null where a figure is not said."""

    number = fields.Integer(required=True)
    id = fields.String(required=True)
    text = fields.String(required=True)
    kind = fields.String(required=True, allow_none=True)
    area = fields.String(required=True, allow_none=True)
    controllable = fields.String(required=True, allow_none=True)
    likelihood = fields.Integer(required=True, allow_none=True)
    impact = fields.Integer(required=True, allow_none=True)
    weight = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Likelihood times impact, 1 to 25."}
    )
    answered = fields.Boolean(
        required=True, metadata={"description": "Whether the client wrote what they do about it."}
    )


class CoverageSchema(Strict):
    """What the factors that hold have and may have left out; factors are named by id."""

    factors = fields.Integer(required=True)
    kinds = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    control = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    areas = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    sides = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    lacking_kinds = fields.List(fields.String(), required=True)
    lacking_control = fields.List(fields.String(), required=True)
    lacking_sides = fields.List(fields.String(), required=True)
    one_sided = fields.String(
        required=True, allow_none=True, metadata={"description": "`good`: nothing hinders; `bad`: nothing helps."}
    )
    unanswered = fields.List(fields.String(), required=True)
    unplaced = fields.List(fields.String(), required=True)
    undated = fields.List(fields.String(), required=True)
    old = fields.List(fields.String(), required=True)


class OccupationBesideSchema(Strict):
    """An occupation beside the scan; null where the catalogue does not say."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    release = fields.String(required=True, allow_none=True)
    looked_up = fields.Boolean(required=True)
    chosen = fields.Boolean(required=True)
    job_zone = fields.Integer(required=True, allow_none=True)
    at_most = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Percent of its jobs that ask for at most the client's education."},
    )
    by_level = fields.List(
        fields.Float(),
        required=True,
        allow_none=True,
        metadata={"description": "The same for each of the twelve levels of education."},
    )
    sources = fields.Dict(required=True, metadata={"description": "By kind of figure: who says it, and the month."})
    outlook = fields.Nested(OutlookSchema, required=True, allow_none=True)


class ScanSchema(Strict):
    """An environment scan."""

    factors = fields.List(fields.Nested(PlacedFactorSchema), required=True)
    coverage = fields.Nested(CoverageSchema, required=True)
    hints = fields.List(fields.String(), required=True)
    education = fields.Integer(required=True, allow_none=True)
    occupations = fields.List(fields.Nested(OccupationBesideSchema), required=True)
    country = fields.String(required=True, metadata={"description": "Where the catalogue's figures hold."})
    credit = fields.List(fields.String(), required=True)
