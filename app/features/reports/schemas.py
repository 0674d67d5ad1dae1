"""JSON of reports."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.fields import Choice
from app.infra.web.api.schemas import Strict


class CohortReportPreviewSchema(Strict):
    """What writing a cohort's reports would do, in numbers of clients."""

    reports = fields.Integer(required=True)
    without_plan = fields.Integer(required=True)
    not_yours = fields.Integer(required=True)


class AggregatesQuery(Strict):
    """How to show the figures."""

    small = Choice(
        ("withheld",), metadata={"description": "Withhold small cells also from those who may see the people."}
    )


class AggregateCellSchema(Strict):
    """One figure; `text` is null where it is withheld, and `number` where the text is a bound."""

    text = fields.String(required=True, allow_none=True)
    number = fields.Float(required=True, allow_none=True)


class AggregateRowSchema(Strict):
    """One row of a table with its total."""

    name = fields.String(required=True)
    cells = fields.List(fields.Nested(AggregateCellSchema), required=True)
    total = fields.Nested(AggregateCellSchema, required=True)


class AggregateTableSchema(Strict):
    """One table of figures."""

    key = fields.String(required=True)
    title = fields.String(required=True)
    text = fields.String(required=True)
    columns = fields.List(fields.String(), required=True)
    rows = fields.List(fields.Nested(AggregateRowSchema), required=True)
    withheld = fields.Boolean(required=True)


class AggregatesSchema(Strict):
    """The organization, or the reader's caseload, in figures."""

    as_of = fields.Date(required=True)
    withheld = fields.Boolean(required=True)
    tables = fields.List(fields.Nested(AggregateTableSchema), required=True)
