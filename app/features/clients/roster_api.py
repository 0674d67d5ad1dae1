"""JSON of the roster import: upload, check, confirm, rows, undo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.features.clients import roster_service as service
from app.features.clients.models import RosterImport, RosterRow
from app.features.clients.roster_schemas import (
    RosterCheckSchema,
    RosterConfirmSchema,
    RosterImportSchema,
    RosterRowQuery,
    RosterRowSchema,
    RosterUploadSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import page
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import actor, runtime, unit_of_work

blueprint = ApiBlueprint("Roster imports", __name__, description="Files of people, checked whole before any is taken.")
_IMPORT = "/roster-imports/<uuid:import_id>"


def _find(uow: UnitOfWork, import_id: UUID) -> RosterImport:
    found = uow.session.scalars(select(RosterImport).where(RosterImport.id == import_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such import.")
    return found


@blueprint.get("/roster-imports")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(RosterImportSchema))
def list_roster_imports(query: dict[str, Any]) -> dict[str, Any]:
    """Imports, the newest first."""
    with unit_of_work() as uow:
        found = select(RosterImport)
        return page(uow, found, (RosterImport.created_at, RosterImport.id), query, descending=True)


@blueprint.post("/roster-imports")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(RosterUploadSchema, location="files")
@blueprint.response(201, RosterImportSchema)
def upload_roster(files: dict[str, Any]) -> RosterImport:
    """Upload a CSV or XLSX file; the answer guesses which column feeds which field. Nothing is imported yet."""
    upload = files["file"]
    import_id = service.take_file(runtime(), actor(), upload.stream, upload.filename or "", request_id=g.request_id)
    with unit_of_work() as uow:
        return _find(uow, import_id)


@blueprint.get(_IMPORT)
@requires(Permission.IMPORT_ROSTER)
@blueprint.response(200, RosterImportSchema)
def read_roster_import(import_id: UUID) -> RosterImport:
    """One import: its state, counts and guard rails."""
    with unit_of_work() as uow:
        return _find(uow, import_id)


@blueprint.post(f"{_IMPORT}/check")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(RosterCheckSchema)
@blueprint.response(202, RosterImportSchema)
def check_roster(body: dict[str, Any], import_id: UUID) -> RosterImport:
    """Check every row in a job; nothing is imported."""
    with unit_of_work() as uow:
        service.start_check(uow, import_id, body["mapping"], deactivate_missing=body["deactivate_missing"])
        return _find(uow, import_id)


@blueprint.post(f"{_IMPORT}/confirm")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(RosterConfirmSchema)
@blueprint.response(202, RosterImportSchema)
def confirm_roster(body: dict[str, Any], import_id: UUID) -> RosterImport:
    """Take the good rows in a job; where guard rails were hit this needs a yes."""
    with unit_of_work() as uow:
        service.confirm_import(uow, import_id, yes=body["yes"])
        return _find(uow, import_id)


@blueprint.get(f"{_IMPORT}/rows")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(RosterRowQuery, location="query")
@blueprint.response(200, page_of(RosterRowSchema))
def list_roster_rows(query: dict[str, Any], import_id: UUID) -> dict[str, Any]:
    """Rows that are bad or replaced something, by line; a problem is its column, a sentence and the value."""
    with unit_of_work() as uow:
        _find(uow, import_id)
        rows = select(RosterRow).where(RosterRow.import_id == import_id)
        if "outcome" in query:
            rows = rows.where(RosterRow.outcome == query["outcome"])
        return page(uow, rows, (RosterRow.line,), query)


@blueprint.post(f"{_IMPORT}/undo")
@requires(Permission.IMPORT_ROSTER)
@blueprint.response(202, RosterImportSchema)
def undo_roster(import_id: UUID) -> RosterImport:
    """Take an import back, as far as nobody has changed its people since."""
    service.undo_import(runtime(), actor(), import_id)
    with unit_of_work() as uow:
        return _find(uow, import_id)
