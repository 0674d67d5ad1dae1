"""JSON of a cohort in figures: which cohorts, one of them beside another, its files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask_babel import get_locale

from app.domain.access import Permission
from app.features.figures.api import number_json
from app.features.figures.definitions import BY_KEY, PEOPLE, Figure
from app.features.figures.groups import cohorts_told_of
from app.features.reports import cohort_service as service
from app.features.reports.cohort_pages import send_figures
from app.features.reports.cohort_picture import CohortPicture, Line, read_picture
from app.features.reports.cohort_schemas import (
    CohortFiguresQuery,
    CohortFiguresSchema,
    CohortReportSchema,
    CohortToldOfSchema,
    CohortWithholdQuery,
    ReportFiguresSchema,
)
from app.features.reports.cohort_words import Speaker, points_of
from app.features.reports.commands import CohortQuestion, ReportFigures
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work
from app.infra.web.words import say_here, words_here

blueprint = ApiBlueprint("Cohort reports", __name__, description="A cohort in figures, and as PDF and workbook.")


@blueprint.get("/cohort-figures")
@requires(Permission.READ_AGGREGATES)
@blueprint.arguments(CohortWithholdQuery, location="query")
@blueprint.response(200, page_of(CohortToldOfSchema))
def list_cohorts_told_of(query: dict[str, Any]) -> dict[str, Any]:
    """The cohorts whose figures you can ask for; where small groups are withheld those that tell of no few people."""
    with unit_of_work() as uow:
        found = cohorts_told_of(uow, withhold="small" in query)
    return whole([{"id": cohort_id, "name": name} for cohort_id, name in found])


@blueprint.get("/cohort-figures/<uuid:cohort_id>")
@requires(Permission.READ_AGGREGATES)
@blueprint.arguments(CohortFiguresQuery, location="query")
@blueprint.response(200, CohortFiguresSchema)
def read_cohort_figures(query: dict[str, Any], cohort_id: UUID) -> dict[str, Any]:
    """Every figure of a cohort, beside what you choose; who may not see the people is not shown small groups."""
    question = CohortQuestion(cohort_id, query.get("against", ""), "small" in query)
    with unit_of_work() as uow:
        picture = read_picture(uow, question)
    return _picture_json(picture)


def _picture_json(picture: CohortPicture) -> dict[str, Any]:
    speaker = Speaker(say_here, words_here())
    listed: list[tuple[Figure, dict[str, str], tuple[Line, ...]]] = [(BY_KEY[PEOPLE], {}, (picture.people,))]
    listed += [(answer.figure, answer.parts, lines) for answer, lines in picture.figures]
    return {
        "name": picture.name,
        "beside": speaker.beside(picture) or None,
        "as_of": picture.moment,
        "threshold": picture.threshold,
        "withheld": picture.withheld,
        "figures": [
            {
                "key": figure.key,
                "name": speaker.told(figure.name),
                "definition": speaker.told(figure.definition),
                "parts": [
                    {
                        "part": line.part,
                        "name": names.get(line.part) or None,
                        "this": number_json(line.this),
                        "other": line.other and number_json(line.other),
                        "points": points_of(line),
                    }
                    for line in lines
                ],
            }
            for figure, names, lines in listed
        ],
    }


@blueprint.post("/cohort-figures/<uuid:cohort_id>/files")
@requires(Permission.READ_AGGREGATES)
@once
@blueprint.arguments(ReportFiguresSchema)
@blueprint.response(202, CohortReportSchema)
def report_cohort_figures(uow: UnitOfWork, body: dict[str, Any], cohort_id: UUID) -> dict[str, Any]:
    """Have a PDF and a workbook written; `GET /cohort-reports/{job_id}` tells when they are there."""
    question = CohortQuestion(cohort_id, body.get("against", ""), body["small"] == "withheld")
    job = service.report_figures(uow, ReportFigures(question, str(get_locale())))
    return _report_json(service.find_report(uow, job.id))


@blueprint.get("/cohort-reports/<uuid:job_id>")
@requires(Permission.READ_AGGREGATES)
@blueprint.response(200, CohortReportSchema)
def read_cohort_report(job_id: UUID) -> dict[str, Any]:
    """One report that was asked for; its files are listed while you may take them."""
    with unit_of_work() as uow:
        return _report_json(service.find_report(uow, job_id))


def _report_json(report: service.CohortReport) -> dict[str, Any]:
    params = report.job.params
    return {
        "job_id": report.job.id,
        "cohort_id": UUID(params["cohort"]),
        "name": params["title"],
        "against": params["against"] or None,
        "state": report.job.state,
        "error": report.problem,
        "as_of": report.moment,
        "lines": report.made.get("lines"),
        "template": report.made.get("template"),
        "withheld": report.made.get("withheld"),
        "files": [
            {"form": form, "size": file.size, "sha256": file.sha256.hex()} for form, file in report.files.items()
        ],
    }


@blueprint.get("/cohort-reports/<uuid:job_id>/pdf")
@requires(Permission.READ_AGGREGATES)
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/pdf")
def download_cohort_pdf(job_id: UUID) -> Response:
    """The PDF; who took it is audited."""
    return send_figures(job_id, "pdf")  # type: ignore[return-value] # Werkzeug's response is what Flask sends


@blueprint.get("/cohort-reports/<uuid:job_id>/workbook")
@requires(Permission.READ_AGGREGATES)
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def download_cohort_workbook(job_id: UUID) -> Response:
    """The workbook; who took it is audited."""
    return send_figures(job_id, "xlsx")  # type: ignore[return-value] # Werkzeug's response is what Flask sends
