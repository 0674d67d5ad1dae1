"""JSON of files of outcomes: upload, check, confirm, rows, undo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from sqlalchemy import select

from app.domain.access import Permission
from app.features.outcomes import file_service as service
from app.features.outcomes.api import blueprint
from app.features.outcomes.file_queries import get_import
from app.features.outcomes.models import OutcomeImport, OutcomeRow
from app.features.outcomes.schemas import (
    OutcomeCheckSchema,
    OutcomeFileSchema,
    OutcomeImportSchema,
    OutcomeRowQuery,
    OutcomeRowSchema,
)
from app.infra.web.access import requires
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import actor, runtime, unit_of_work

_IMPORT = "/outcome-imports/<uuid:import_id>"


def _read(import_id: UUID) -> OutcomeImport:
    with unit_of_work() as uow:
        return get_import(uow, import_id)[0]


@blueprint.get("/outcome-imports")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(OutcomeImportSchema))
def list_outcome_imports(query: dict[str, Any]) -> dict[str, Any]:
    """Files of outcomes, the newest first."""
    with unit_of_work() as uow:
        by = (OutcomeImport.created_at, OutcomeImport.id)
        return page(uow, select(OutcomeImport), by, query, descending=True)


@blueprint.post("/outcome-imports")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(OutcomeFileSchema, location="files")
@blueprint.response(201, OutcomeImportSchema)
def upload_outcomes(files: dict[str, Any]) -> OutcomeImport:
    """Upload a CSV or XLSX file; the answer guesses which column feeds which field. Nothing is recorded yet."""
    upload = files["file"]
    return _read(service.take_file(runtime(), actor(), upload.stream, upload.filename or "", request_id=g.request_id))


@blueprint.get(_IMPORT)
@requires(Permission.IMPORT_ROSTER)
@blueprint.response(200, OutcomeImportSchema)
def read_outcome_import(import_id: UUID) -> OutcomeImport:
    """One file: its state and counts."""
    return _read(import_id)


@blueprint.post(f"{_IMPORT}/check")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(OutcomeCheckSchema)
@blueprint.response(202, OutcomeImportSchema)
def check_outcomes(body: dict[str, Any], import_id: UUID) -> OutcomeImport:
    """Check every row in a job; nothing is recorded."""
    with unit_of_work() as uow:
        service.start_check(uow, import_id, body.get("mapping"))
    return _read(import_id)


@blueprint.post(f"{_IMPORT}/confirm")
@requires(Permission.IMPORT_ROSTER)
@blueprint.response(202, OutcomeImportSchema)
def confirm_outcomes(import_id: UUID) -> OutcomeImport:
    """Take the good rows in a job."""
    with unit_of_work() as uow:
        service.confirm_import(uow, import_id)
    return _read(import_id)


@blueprint.get(f"{_IMPORT}/rows")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(OutcomeRowQuery, location="query")
@blueprint.response(200, page_of(OutcomeRowSchema))
def list_outcome_rows(query: dict[str, Any], import_id: UUID) -> dict[str, Any]:
    """Rows of a file that was checked, by line."""
    with unit_of_work() as uow:
        get_import(uow, import_id)
        rows = select(OutcomeRow).where(OutcomeRow.import_id == import_id)
        if "verdict" in query:
            rows = rows.where(OutcomeRow.verdict == query["verdict"])
        return page(uow, rows, (OutcomeRow.line,), query)


@blueprint.post(f"{_IMPORT}/undo")
@requires(Permission.IMPORT_ROSTER)
@blueprint.response(202, OutcomeImportSchema)
def undo_outcomes(import_id: UUID) -> OutcomeImport:
    """Withdraw what was taken of a file."""
    service.undo_import(runtime(), actor(), import_id)
    return _read(import_id)
