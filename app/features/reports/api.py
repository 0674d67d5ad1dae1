"""JSON of reports: one client's file now, a cohort's as a job, the files kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from app.domain.access import Permission
from app.features.clients.queries import get_client
from app.features.jobs.api import job_json
from app.features.jobs.schemas import FileSchema, JobSchema
from app.features.plans.schemas import CompareQuery
from app.features.reports import service
from app.features.reports.commands import ReportCohort, ReportSelected
from app.features.reports.pages import send_client_report, send_comparison, send_kept_report
from app.features.reports.parts import choose_parts
from app.features.reports.schemas import (
    CohortReportPreviewSchema,
    ReportPartsSchema,
    ReportSelectedSchema,
    ReportTargetSchema,
    SelectedReportPreviewSchema,
)
from app.features.selections.schemas import target_in
from app.features.selections.service import choose
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Reports", __name__, description="Reports of one client and of a cohort.")
_PDF = {"type": "string", "format": "binary"}


@blueprint.get("/clients/<uuid:client_id>/report")
@requires(Permission.REPORT_CLIENTS)
@blueprint.arguments(ReportPartsSchema, location="query")
@blueprint.response(200, _PDF, content_type="application/pdf")
def write_client_report(query: dict[str, Any], client_id: UUID) -> Response:
    """A client's report as a PDF, written now: `parts` may stand several times."""
    parts = choose_parts(query["parts"], query["form"])
    return send_client_report(client_id, parts)  # type: ignore[return-value] # Werkzeug's response is what Flask sends


@blueprint.get("/plans/<uuid:plan_id>/differences.pdf")
@requires(Permission.REPORT_CLIENTS)
@blueprint.arguments(CompareQuery, location="query")
@blueprint.response(200, _PDF, content_type="application/pdf")
def write_comparison(query: dict[str, Any], plan_id: UUID) -> Response:
    """Two revisions field by field as a PDF, written now."""
    revisions = query["before"], query["after"]
    return send_comparison(plan_id, revisions)  # type: ignore[return-value] # Werkzeug's response is what Flask sends


@blueprint.get("/clients/<uuid:client_id>/reports")
@requires(Permission.REPORT_CLIENTS)
@blueprint.response(200, page_of(FileSchema))
def list_client_reports(client_id: UUID) -> dict[str, Any]:
    """Reports kept of a client, newest first, ten at most."""
    with unit_of_work() as uow:
        get_client(uow, client_id)
        return whole(service.files_of_client(uow, client_id))


@blueprint.get("/clients/<uuid:client_id>/reports/<uuid:file_id>")
@requires(Permission.REPORT_CLIENTS)
@blueprint.response(200, _PDF, content_type="application/pdf")
def download_client_report(client_id: UUID, file_id: UUID) -> Response:
    """A kept report; who took it is audited."""
    return send_kept_report(client_id, file_id)  # type: ignore[return-value] # Werkzeug's response is what Flask sends


@blueprint.get("/cohorts/<uuid:cohort_id>/reports/preview")
@requires(Permission.REPORT_CLIENTS)
@blueprint.response(200, CohortReportPreviewSchema)
def preview_cohort_reports(cohort_id: UUID) -> service.CohortPreview:
    """What writing the cohort's reports would do, in numbers; nothing happens."""
    with unit_of_work() as uow:
        return service.preview_cohort(uow, cohort_id)


@blueprint.post("/cohorts/<uuid:cohort_id>/reports")
@requires(Permission.REPORT_CLIENTS)
@once
@blueprint.arguments(ReportPartsSchema)
@blueprint.response(202, JobSchema)
def start_cohort_reports(uow: UnitOfWork, body: dict[str, Any], cohort_id: UUID) -> dict[str, Any]:
    """Write a report for each member you may see; the job ends with a ZIP and a workbook."""
    command = ReportCohort(cohort_id=cohort_id, parts=choose_parts(body["parts"], body["form"]))
    return job_json(uow, [service.report_cohort(uow, command)])[0]


@blueprint.post("/reports/preview")
@requires(Permission.REPORT_CLIENTS)
@blueprint.arguments(ReportTargetSchema)
@blueprint.response(200, SelectedReportPreviewSchema)
def preview_reports(body: dict[str, Any]) -> dict[str, Any]:
    """What writing the reports of the people named would do, in numbers, and the selection that starts it."""
    with unit_of_work() as uow:
        numbers = service.preview_selected(uow, target_in(body))
        counted = {name: getattr(numbers, name) for name in ("reports", "without_plan", "not_yours")}
        return {"selection_id": numbers.selection.id, **counted}


@blueprint.post("/reports")
@requires(Permission.REPORT_CLIENTS)
@once
@blueprint.arguments(ReportSelectedSchema)
@blueprint.response(202, JobSchema)
def start_reports(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, Any]:
    """Write a report for each of the people named whom you may see; the job ends with a ZIP and a workbook."""
    parts = choose_parts(body.pop("parts"), body.pop("form"))
    command = ReportSelected(selection_id=choose(uow, target_in(body)).id, parts=parts)
    return job_json(uow, [service.report_selected(uow, command)])[0]
