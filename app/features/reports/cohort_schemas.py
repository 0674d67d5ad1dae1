"""JSON of a cohort in figures."""

from __future__ import annotations

from marshmallow import fields

from app.features.figures.schemas import GroupNumberSchema
from app.features.reports.cohort_service import FORMS
from app.infra.web.api.fields import Choice, Sentence
from app.infra.web.api.schemas import Strict

_SMALL = "Withhold small groups also from those who may see the people."
_AGAINST = (
    "`term` (the same people at the end of last term), `organization`, or another cohort's id; left out: nothing."
)


class CohortWithholdQuery(Strict):
    """Whose figures to list."""

    small = Choice(("withheld",), metadata={"description": _SMALL})


class CohortFiguresQuery(CohortWithholdQuery):
    """What to show beside a cohort."""

    against = Sentence(longest=36, metadata={"description": _AGAINST})


class ReportFiguresSchema(Strict):
    """What is to be written."""

    against = Sentence(longest=36, metadata={"description": _AGAINST})
    small = Choice(("withheld", "shown"), load_default="shown", metadata={"description": _SMALL})


class CohortToldOfSchema(Strict):
    """A cohort whose figures can be asked for."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)


class CohortPartSchema(Strict):
    """One part of a figure: of the cohort, of what it stands beside, and how much shares (in points) or means differ.

    `name` is that of a scale; other parts have keys that speak for themselves.
    """

    part = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    this = fields.Nested(GroupNumberSchema, required=True)
    other = fields.Nested(GroupNumberSchema, required=True, allow_none=True)
    points = fields.Float(required=True, allow_none=True)


class CohortFigureSchema(Strict):
    """A figure, what it means, and its parts."""

    key = fields.String(required=True)
    name = fields.String(required=True)
    definition = fields.String(required=True)
    parts = fields.List(fields.Nested(CohortPartSchema), required=True)


class CohortFiguresSchema(Strict):
    """A cohort in figures, as of one moment."""

    name = fields.String(required=True)
    beside = fields.String(required=True, allow_none=True)
    as_of = fields.AwareDateTime(required=True)
    threshold = fields.Integer(required=True, allow_none=True)
    withheld = fields.Boolean(required=True)
    figures = fields.List(fields.Nested(CohortFigureSchema), required=True)


class CohortFileSchema(Strict):
    """A file of a report."""

    form = Choice(tuple(FORMS), required=True)
    size = fields.Integer(required=True)
    sha256 = fields.String(required=True)


class CohortReportSchema(Strict):
    """A report that was asked for, and once it is made what it was made of."""

    job_id = fields.UUID(required=True)
    cohort_id = fields.UUID(required=True)
    name = fields.String(required=True)
    against = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)
    error = fields.String(required=True, allow_none=True)
    as_of = fields.AwareDateTime(required=True, allow_none=True)
    lines = fields.Integer(required=True, allow_none=True)
    template = fields.String(required=True, allow_none=True)
    withheld = fields.Boolean(required=True, allow_none=True)
    files = fields.List(fields.Nested(CohortFileSchema), required=True)
