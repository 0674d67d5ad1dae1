"""JSON of the catalogue."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.fields import QueryWhole, Sentence
from app.infra.web.api.schemas import Strict


class OccupationQuery(Strict):
    """What to search for."""

    search = Sentence(required=True, metadata={"description": "A title, another name, or the beginning of a code."})
    limit = QueryWhole(least=1, most=50, load_default=20)


class ReleaseQuery(Strict):
    """Which release."""

    release = Sentence(longest=60, metadata={"description": "The key of a release; the current one unless told."})


class FoundOccupationSchema(Strict):
    """An occupation found by a search."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    matched = fields.String(required=True, metadata={"description": "The name that fits the search."})
    job_zone = fields.Integer(required=True, allow_none=True)
    rated = fields.Boolean(required=True, metadata={"description": "False: it is never ranked in matches."})


class FoundOccupationsSchema(Strict):
    """The best finds, and the credit that must stand with them."""

    items = fields.List(fields.Nested(FoundOccupationSchema), required=True)
    release = fields.String(required=True, allow_none=True)
    starter = fields.Boolean(required=True)
    credit = fields.List(fields.String(), required=True)


class OutlookSchema(Strict):
    """Figures of a projection; null where the source has none."""

    soc_code = fields.String(required=True)
    title = fields.String(required=True)
    join = fields.String(required=True, metadata={"description": "`exact`, `broad` group, or `table` of groups."})
    release = fields.String(required=True)
    jobs = fields.Integer(required=True, allow_none=True)
    growth = fields.Float(required=True, allow_none=True, metadata={"description": "Percent over the period."})
    openings = fields.Integer(required=True, allow_none=True, metadata={"description": "A year, on average."})
    wage = fields.Float(required=True, allow_none=True, metadata={"description": "Median dollars a year."})
    wage_text = fields.String(required=True, allow_none=True, metadata={"description": "Where pay is withheld."})
    education = fields.String(required=True, allow_none=True)
    experience = fields.String(required=True, allow_none=True)
    training = fields.String(required=True, allow_none=True)
    self_employed = fields.Float(required=True, allow_none=True)
    growing = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Octant's own mark: grows faster than all jobs, with at least the median openings."},
    )


class RelatedSchema(Strict):
    """A related occupation."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    rank = fields.Integer(required=True)
    tier = fields.String(required=True)
    job_zone = fields.Integer(required=True, allow_none=True)


class OccupationSchema(Strict):
    """What is known of an occupation; null where the release does not rate it."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    job_zone = fields.Integer(required=True, allow_none=True)
    rated = fields.Boolean(required=True)
    interests = fields.List(fields.Float(), required=True, allow_none=True)
    high_points = fields.List(fields.Integer(), required=True, allow_none=True)
    values = fields.List(fields.Float(), required=True, allow_none=True)
    education = fields.List(
        fields.Float(),
        required=True,
        allow_none=True,
        metadata={"description": "Percent of jobs in each of 12 categories of required education, the lowest first."},
    )
    sources = fields.Dict(required=True, metadata={"description": "By kind of figure: who says it, and the month."})
    outlook = fields.Nested(OutlookSchema, required=True, allow_none=True)
    related = fields.List(fields.Nested(RelatedSchema), required=True)
    release = fields.String(required=True)
    starter = fields.Boolean(required=True)
    credit = fields.List(fields.String(), required=True)
