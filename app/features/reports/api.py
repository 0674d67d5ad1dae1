"""JSON of reports: one client's file now, a cohort's as a job, the files kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response
from flask_babel import gettext

from app.domain.access import Permission
from app.features.clients.queries import get_client
from app.features.jobs.api import job_json
from app.features.jobs.schemas import FileSchema, JobSchema
from app.features.reports import service
from app.features.reports.aggregates import count_all
from app.features.reports.commands import ReportCohort
from app.features.reports.pages import send_client_report, send_kept_report
from app.features.reports.schemas import AggregatesQuery, AggregatesSchema, CohortReportPreviewSchema
from app.features.reports.shown import show
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import actor, place, unit_of_work
from app.infra.web.words import words_here

blueprint = ApiBlueprint("Reports", __name__, description="Reports of one client and of a cohort.")
_PDF = {"type": "string", "format": "binary"}


@blueprint.get("/clients/<uuid:client_id>/report")
@requires(Permission.REPORT_CLIENTS)
@blueprint.response(200, _PDF, content_type="application/pdf")
def write_client_report(client_id: UUID) -> Response:
    """A client's report as a PDF, written now."""
    return send_client_report(client_id)  # type: ignore[return-value] # Werkzeug's response is what Flask sends


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
@blueprint.response(202, JobSchema)
def start_cohort_reports(uow: UnitOfWork, cohort_id: UUID) -> dict[str, Any]:
    """Write a report for each member you may see; the job ends with a ZIP and a workbook."""
    return job_json(uow, [service.report_cohort(uow, ReportCohort(cohort_id=cohort_id))])[0]


@blueprint.get("/aggregates")
@requires(Permission.READ_AGGREGATES)
@blueprint.arguments(AggregatesQuery, location="query")
@blueprint.response(200, AggregatesSchema)
def read_aggregates(query: dict[str, Any]) -> dict[str, Any]:
    """The organization, or your caseload, in figures; who may not see the people is not shown small cells."""
    withhold = "small" in query or not actor().may(Permission.READ_CLIENTS)
    with unit_of_work() as uow:
        today = uow.now.astimezone(ZoneInfo(place().time_zone)).date()
        # The same groups as on the page: two ways of grouping, one taken from the other, would tell of the few between.
        shown = show(count_all(uow, today, withhold=withhold), gettext, words=words_here())
    tables = [
        {name: getattr(table, name) for name in ("key", "title", "text", "columns", "withheld")}
        | {"rows": [{"name": name, "cells": cells, "total": total} for name, cells, total in table.rows]}
        for table in shown.tables
    ]
    return {"as_of": today, "withheld": shown.withheld, "tables": tables}
