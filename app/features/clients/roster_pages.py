"""Pages of the roster import: upload, columns, check, what it found, take, undo."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import IO, Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import Conflict, FieldProblem, InvalidInput
from app.features.clients import roster_queries as queries
from app.features.clients import roster_service as service
from app.features.clients.models import RosterImport
from app.features.clients.roster_fields import Field, all_fields, warnings_of
from app.features.clients.roster_forms import ColumnsForm, ConfirmForm, UploadForm, columns_form, html_name
from app.features.clients.roster_jobs import attributes_of
from app.features.clients.roster_sheets import write_csv, write_xlsx
from app.features.jobs.pages import progress_view
from app.features.jobs.service import progress as progress_of
from app.infra.db.open import UnitOfWork
from app.infra.sheets import XLSX
from app.infra.web.access import requires
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.given import whole_in_query

blueprint = Blueprint("roster", __name__)
_PAGE = 50
_AT_WORK = ("queued", "running", "finishing", "undoing")
_SHEETS = {
    "csv": (write_csv, "text/csv"),
    "xlsx": (write_xlsx, XLSX),
}


@blueprint.route("/import", methods=["GET", "POST"])
@requires(Permission.IMPORT_ROSTER)
def index() -> str | Response | tuple[str, int]:
    """Upload a roster, and the imports so far."""
    form = UploadForm()
    status = 200
    if form.is_submitted():
        import_id = _upload(form)
        if import_id is not None:
            return redirect(url_for("roster.columns", import_id=import_id))
        status = 422
    with unit_of_work() as uow:
        imports = queries.list_imports(uow)
    return render_template("roster/index.html", form=form, imports=imports), status


def _upload(form: UploadForm) -> UUID | None:
    if not form.validate():
        return None
    try:
        return service.take_file(runtime(), actor(), form.file.data.stream, form.file.data.filename or "")
    except InvalidInput as invalid:
        _show_problems({"file": form.file}, invalid.problems)
        return None


def _show_problems(controls: Mapping[str, Any], problems: tuple[FieldProblem, ...]) -> None:
    for problem in problems:
        control = controls.get(problem.field) or next(iter(controls.values()))
        control.errors = [*control.errors, problem.sentence]


@blueprint.route("/import/<uuid:import_id>/columns", methods=["GET", "POST"])
@requires(Permission.IMPORT_ROSTER)
def columns(import_id: UUID) -> str | Response | tuple[str, int]:
    """Choose which column feeds which field; a guess is filled in. Sending it starts the check."""
    with unit_of_work() as uow:
        roster, file_name = queries.get_import(uow, import_id)
        if roster.state not in ("uploaded", "checked", "refused"):
            return redirect(url_for("roster.show", import_id=import_id))
        fields = all_fields(attributes_of(uow))
    form = _columns_form(roster, fields)
    controls = {f.name: form[html_name(f.name)] for f in fields}
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            chosen = {name: int(control.data) for name, control in controls.items() if control.data}
            try:
                with unit_of_work() as uow:
                    service.start_check(uow, import_id, chosen, deactivate_missing=form.deactivate_missing.data)
            except InvalidInput as invalid:
                _show_problems(controls, invalid.problems)
            else:
                return redirect(url_for("roster.show", import_id=import_id))
    warnings = [*roster.source["warnings"], *warnings_of(roster.mapping, roster.source["headers"])]
    page = render_template(
        "roster/columns.html",
        form=form,
        roster=roster,
        file_name=file_name,
        warnings=warnings,
        person=[controls[f.name] for f in fields if ":" not in f.name],
        attributes=[controls[f.name] for f in fields if ":" in f.name],
    )
    return page, status


def _columns_form(roster: RosterImport, fields: list[Field]) -> ColumnsForm:
    made = columns_form(fields, roster.source["headers"], roster.source["samples"])
    guess = {html_name(name): str(index) for name, index in roster.mapping.items()}
    return made(data={**guess, "deactivate_missing": roster.deactivate_missing})


@blueprint.get("/import/<uuid:import_id>")
@requires(Permission.IMPORT_ROSTER)
def show(import_id: UUID) -> str | Response:
    """An import: how far it is, what was found, and what can be done next."""
    with unit_of_work() as uow:
        roster, file_name = queries.get_import(uow, import_id)
        if roster.state == "uploaded":
            return redirect(url_for("roster.columns", import_id=import_id))
        return _page(uow, roster, file_name, ConfirmForm())


def _page(uow: UnitOfWork, roster: RosterImport, file_name: str, form: ConfirmForm) -> str:
    outcome = "kept" if roster.state == "undone" else "bad"
    listed = queries.count_rows(uow, roster.id, outcome)
    pages = max(1, math.ceil(listed / _PAGE))
    number = min(max(1, whole_in_query("page") or 1), pages)
    job = queries.job_of(uow, roster)
    return render_template(
        "roster/show.html",
        roster=roster,
        file_name=file_name,
        form=form,
        job=job,
        at_work=job is not None and job.state in _AT_WORK,
        view=_view(uow, roster),
        faults=queries.faults(uow, roster.id, outcome, limit=_PAGE, offset=(number - 1) * _PAGE),
        listed=listed,
        page=SimpleNamespace(
            number=number,
            pages=pages,
            first=(number - 1) * _PAGE + 1,
            last=min(listed, number * _PAGE),
            total=listed,
            href=lambda n: url_for("roster.show", import_id=roster.id, page=n),
        ),
    )


def _view(uow: UnitOfWork, roster: RosterImport) -> dict[str, Any] | None:
    job = queries.job_of(uow, roster)
    if job is None:
        return None
    view = progress_view(job, progress_of(uow, [job])[job.id])
    view["poll_href"] = url_for("roster.progress", import_id=roster.id)
    return view


@blueprint.get("/import/<uuid:import_id>/progress")
@requires(Permission.IMPORT_ROSTER)
def progress(import_id: UUID) -> str:
    """The progress card alone, for the page that polls it."""
    with unit_of_work() as uow:
        roster, _ = queries.get_import(uow, import_id)
        return render_template("roster/progress.html", view=_view(uow, roster), roster=roster)


@blueprint.post("/import/<uuid:import_id>/take")
@requires(Permission.IMPORT_ROSTER)
def take(import_id: UUID) -> Response | tuple[str, int]:
    """Take the good rows; an import that hits a guard rail needs the tick."""
    form = ConfirmForm()
    with unit_of_work() as uow:
        roster, file_name = queries.get_import(uow, import_id)
        if roster.state == "checked" and roster.guards and not form.yes.data:
            form.yes.errors = [gettext("Tick this to go on, or leave the import as it is.")]
            return _page(uow, roster, file_name, form), 422
        service.confirm_import(uow, import_id, yes=bool(form.yes.data))
    return redirect(url_for("roster.show", import_id=import_id))


@blueprint.post("/import/<uuid:import_id>/undo")
@requires(Permission.IMPORT_ROSTER)
def undo(import_id: UUID) -> Response:
    """Give back what the import took, where nobody has changed it since."""
    service.undo_import(runtime(), actor(), import_id)
    flash(gettext("The import is being undone. People somebody changed since stay and are listed here."))
    return redirect(url_for("roster.show", import_id=import_id))


@blueprint.get("/import/<uuid:import_id>/rows.<any(csv, xlsx):form>")
@requires(Permission.IMPORT_ROSTER)
def sheet(import_id: UUID, form: str) -> Response:
    """The bad rows (after undo: the people kept) as a sheet."""
    write, media_type = _SHEETS[form]
    with unit_of_work() as uow:
        roster, _ = queries.get_import(uow, import_id)
        if roster.state in ("uploaded", "checking"):
            raise Conflict(gettext("The check has not finished. Wait a moment and try again."))
        out = tempfile.TemporaryFile()  # noqa: SIM115 # closed by `_blocks` when it is sent
        write(queries.every_fault(uow, import_id, "kept" if roster.state == "undone" else "bad"), out)
    out.seek(0)
    response = Response(_blocks(out), mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=f"roster-rows.{form}")
    return response


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(1 << 16):
            yield block
