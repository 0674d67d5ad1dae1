"""JSON of reports."""

from __future__ import annotations

from marshmallow import fields

from app.features.reports.parts import FORMS, PARTS
from app.features.selections.schemas import TargetFields
from app.infra.web.api.fields import Choice
from app.infra.web.api.schemas import Strict


class ReportPartsSchema(Strict):
    """What is in a report; nothing said is the whole report."""

    parts = fields.List(
        Choice(PARTS),
        load_default=list,
        metadata={"description": "The parts it has beside its cover, in any order; none are all."},
    )
    form = Choice(
        FORMS, load_default="whole", metadata={"description": "`short`: the story and the next dates on one page."}
    )


class CohortReportPreviewSchema(Strict):
    """What writing a cohort's reports would do, in numbers of clients."""

    reports = fields.Integer(required=True)
    without_plan = fields.Integer(required=True)
    not_yours = fields.Integer(required=True)


class ReportTargetSchema(TargetFields):
    """Whose reports to write."""


class ReportSelectedSchema(ReportTargetSchema, ReportPartsSchema):
    """Whose reports to write, and what is in them."""


class SelectedReportPreviewSchema(CohortReportPreviewSchema):
    """The same for people named in any way; the selection starts the job for exactly them."""

    selection_id = fields.UUID(required=True)
