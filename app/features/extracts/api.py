"""JSON of own reports: keep, change, columns, first rows, files."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Response
from flask_babel import get_locale, gettext
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.saying import recalled
from app.features.extracts import queries, service
from app.features.extracts.commands import RunExtract, SaveExtract
from app.features.extracts.models import Extract, ExtractRun
from app.features.extracts.pages import send_run
from app.features.extracts.schemas import (
    ColumnSchema,
    ColumnsQuery,
    DefinitionSchema,
    ExtractChangeSchema,
    ExtractPreviewSchema,
    ExtractRunSchema,
    ExtractSchema,
    NewExtractSchema,
    RunSchema,
)
from app.features.jobs.models import Job, StoredFile
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page, whole
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Own reports", __name__, description="Rows and columns you choose, written as files.")


@blueprint.get("/extracts")
@requires(Permission.OWN_REPORTS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(ExtractSchema))
def list_extracts(query: dict[str, Any]) -> dict[str, Any]:
    """Your reports and those shared with everybody, by name."""
    with unit_of_work() as uow:
        found = select(Extract).where(queries.visible_extracts(uow.actor))
        return page(uow, found, (Extract.name, Extract.id), query)


@blueprint.post("/extracts")
@requires(Permission.OWN_REPORTS)
@once
@blueprint.arguments(NewExtractSchema)
@blueprint.response(201, ExtractSchema)
def create_extract(uow: UnitOfWork, body: dict[str, Any]) -> Extract:
    """Keep a report."""
    return service.create_extract(uow, SaveExtract(**body))


@blueprint.get("/extracts/columns")
@requires(Permission.OWN_REPORTS)
@blueprint.arguments(ColumnsQuery, location="query")
@blueprint.response(200, page_of(ColumnSchema))
def list_extract_columns(query: dict[str, Any]) -> dict[str, Any]:
    """Every column that a kind of rows has."""
    with unit_of_work() as uow:
        found = queries.offered(uow, query["rows"], gettext).values()
    return whole(
        [{"key": one.key, "label": one.label, "kind": one.kind, "codes": list(one.words or ())} for one in found]
    )


@blueprint.post("/extracts/preview")
@requires(Permission.OWN_REPORTS)
@blueprint.arguments(DefinitionSchema)
@blueprint.response(200, ExtractPreviewSchema)
def preview_extract(body: dict[str, Any]) -> dict[str, Any]:
    """The first rows of what a definition asks for; nothing is kept."""
    with unit_of_work() as uow:
        definition = service.check_definition(uow, body["definition"])
        found = queries.preview(uow, definition, uow.actor, gettext)
    return {
        "headings": found.headings,
        "rows": [[_plain(value) for value in row] for row in found.rows],
        "withheld": found.withheld,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


@blueprint.get("/extracts/<uuid:extract_id>")
@requires(Permission.OWN_REPORTS)
@blueprint.response(200, ExtractSchema)
def read_extract(extract_id: UUID) -> Extract:
    """One report."""
    with unit_of_work() as uow:
        return queries.get_extract(uow, extract_id)


@blueprint.patch("/extracts/<uuid:extract_id>")
@requires(Permission.OWN_REPORTS)
@blueprint.arguments(ExtractChangeSchema)
@blueprint.response(200, ExtractSchema)
def change_extract(body: dict[str, Any], extract_id: UUID) -> Extract:
    """Change a report of yours; fields left out stay."""
    with unit_of_work() as uow:
        kept = queries.get_extract(uow, extract_id)
        given: dict[str, Any] = {"name": kept.name, "definition": kept.definition, "shared": kept.shared}
        return service.change_extract(uow, extract_id, SaveExtract(**given | body))


@blueprint.delete("/extracts/<uuid:extract_id>")
@requires(Permission.OWN_REPORTS)
@blueprint.response(204)
def delete_extract(extract_id: UUID) -> None:
    """Remove a report of yours; files written of it stay."""
    with unit_of_work() as uow:
        service.delete_extract(uow, extract_id)


@blueprint.post("/extracts/<uuid:extract_id>/runs")
@requires(Permission.OWN_REPORTS)
@once
@blueprint.arguments(RunSchema)
@blueprint.response(202, ExtractRunSchema)
def run_extract(uow: UnitOfWork, body: dict[str, Any], extract_id: UUID) -> dict[str, Any]:
    """Have a file written; `GET /extract-runs/{run_id}` tells when it is there."""
    command = RunExtract(extract_id=extract_id, form=body["form"], locale=str(get_locale()))
    run = service.run_extract(uow, command)
    return _run_json(run, service.job_of(uow, run), None)


@blueprint.get("/extract-runs")
@requires(Permission.OWN_REPORTS)
@blueprint.response(200, page_of(ExtractRunSchema))
def list_extract_runs() -> dict[str, Any]:
    """The files you asked for, newest first, a hundred at most."""
    with unit_of_work() as uow:
        return whole([_run_json(run, job, None) for run, job in queries.runs_of(uow, limit=100)])


@blueprint.get("/extract-runs/<uuid:run_id>")
@requires(Permission.OWN_REPORTS)
@blueprint.response(200, ExtractRunSchema)
def read_extract_run(run_id: UUID) -> dict[str, Any]:
    """One file that was asked for; size and checksum are there once it is, and you may have it."""
    with unit_of_work() as uow:
        return _run_json(*queries.get_run(uow, run_id))


def _run_json(run: ExtractRun, job: Job, file: StoredFile | None) -> dict[str, Any]:
    kept = ("id", "extract_id", "name", "form", "definition", "job_id", "data_at", "withheld", "template", "created_at")
    return {name: getattr(run, name) for name in kept} | {
        "rows": run.row_count,
        "state": job.state,
        "error": recalled(job.error),
        "size": file.size if file else None,
        "sha256": run.sha256.hex() if run.sha256 else None,
    }


@blueprint.get("/extract-runs/<uuid:run_id>/content")
@requires(Permission.OWN_REPORTS)
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def download_extract_run(run_id: UUID) -> Response:
    """The file itself; who took it is audited."""
    return send_run(run_id)  # type: ignore[return-value] # Werkzeug's response is what Flask sends
