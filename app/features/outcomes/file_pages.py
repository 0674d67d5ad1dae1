"""Pages of files of outcomes: upload, columns, check, what it found, take, undo."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import IO, Any
from uuid import UUID

from flask import Response, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import Conflict, InvalidInput
from app.features.clients.roster_sheets import write_csv, write_xlsx
from app.features.identity.pages import show_problems
from app.features.jobs.pages import progress_view
from app.features.jobs.service import progress as progress_of
from app.features.outcomes import file_queries as queries
from app.features.outcomes import file_service as service
from app.features.outcomes.file_rows import labels
from app.features.outcomes.forms import FileForm, columns_form, control_of
from app.features.outcomes.models import OutcomeImport
from app.features.outcomes.pages import blueprint
from app.infra.db.open import UnitOfWork
from app.infra.sheets import XLSX
from app.infra.web.access import requires
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.given import whole_in_query

_PAGE = 50
_AT_WORK = ("queued", "running", "finishing", "undoing")
_SHEETS = {
    "csv": (write_csv, "text/csv"),
    "xlsx": (write_xlsx, XLSX),
}
_IMPORT = "/outcomes/files/<uuid:import_id>"


def _stand() -> None:
    g.nav_endpoint = "roster.index"


@blueprint.route("/outcomes/files", methods=["GET", "POST"])
@requires(Permission.IMPORT_ROSTER)
def files() -> ResponseReturnValue:
    """Upload a file of outcomes, and the files so far."""
    _stand()
    form = FileForm()
    try:
        if form.validate_on_submit():
            upload = form.file.data
            import_id = service.take_file(
                runtime(), actor(), upload.stream, upload.filename or "", request_id=g.request_id
            )
            return redirect(url_for("outcomes.columns", import_id=import_id))
    except InvalidInput as error:
        show_problems(form, error)
    with unit_of_work() as uow:
        listed = queries.list_imports(uow)
    page = render_template("outcomes/files.html", form=form, imports=listed)
    return page, 422 if form.is_submitted() else 200


@blueprint.route(f"{_IMPORT}/columns", methods=["GET", "POST"])
@requires(Permission.IMPORT_ROSTER)
def columns(import_id: UUID) -> ResponseReturnValue:
    """Choose which column feeds which field; a guess is filled in. Sending it starts the check."""
    _stand()
    with unit_of_work() as uow:
        taken, file_name = queries.get_import(uow, import_id)
        if taken.state not in ("uploaded", "checked", "refused"):
            return redirect(url_for("outcomes.show_file", import_id=import_id))
        source, mapping = taken.source, taken.mapping
    form = columns_form(labels(), source["headers"], source["samples"])(
        data={control_of(name): str(index) for name, index in mapping.items()}
    )
    try:
        if form.validate_on_submit():
            chosen = {name: int(form[control_of(name)].data) for name in labels() if form[control_of(name)].data}
            with unit_of_work() as uow:
                service.start_check(uow, import_id, chosen)
            return redirect(url_for("outcomes.show_file", import_id=import_id))
    except InvalidInput as error:
        for problem in error.problems:
            control = form[control_of(problem.field)]
            control.errors = [*control.errors, problem.sentence]
    page = render_template(
        "outcomes/columns.html",
        form=form,
        source=source,
        file_name=file_name,
        controls=[form[control_of(name)] for name in labels()],
    )
    return page, 422 if form.is_submitted() else 200


@blueprint.get(_IMPORT)
@requires(Permission.IMPORT_ROSTER)
def show_file(import_id: UUID) -> ResponseReturnValue:
    """A file: how far it is, what was found, and what can be done next."""
    _stand()
    with unit_of_work() as uow:
        taken, file_name = queries.get_import(uow, import_id)
        if taken.state == "uploaded":
            return redirect(url_for("outcomes.columns", import_id=import_id))
        bad = taken.counts.get("bad", 0)
        pages = max(1, -(-bad // _PAGE))
        number = min(max(1, whole_in_query("page") or 1), pages)
        job = queries.job_of(uow, taken)
        return render_template(
            "outcomes/file.html",
            taken=taken,
            file_name=file_name,
            job=job,
            at_work=job is not None and job.state in _AT_WORK,
            view=_view(uow, taken),
            faults=list(queries.faults(uow, import_id, limit=_PAGE, offset=(number - 1) * _PAGE)),
            page=SimpleNamespace(
                number=number,
                pages=pages,
                first=(number - 1) * _PAGE + 1,
                last=min(bad, number * _PAGE),
                total=bad,
                href=lambda n: url_for("outcomes.show_file", import_id=import_id, page=n),
            ),
        )


def _view(uow: UnitOfWork, taken: OutcomeImport) -> dict[str, Any] | None:
    job = queries.job_of(uow, taken)
    if job is None:
        return None
    view = progress_view(job, progress_of(uow, [job])[job.id])
    view["poll_href"] = url_for("outcomes.file_progress", import_id=taken.id)
    return view


@blueprint.get(f"{_IMPORT}/progress")
@requires(Permission.IMPORT_ROSTER)
def file_progress(import_id: UUID) -> str:
    """The progress card alone, for the page that polls it."""
    with unit_of_work() as uow:
        taken, _ = queries.get_import(uow, import_id)
        return render_template("outcomes/progress.html", view=_view(uow, taken), taken=taken)


@blueprint.post(f"{_IMPORT}/take")
@requires(Permission.IMPORT_ROSTER)
def take_file(import_id: UUID) -> ResponseReturnValue:
    """Take the good rows."""
    with unit_of_work() as uow:
        service.confirm_import(uow, import_id)
    return redirect(url_for("outcomes.show_file", import_id=import_id))


@blueprint.post(f"{_IMPORT}/undo")
@requires(Permission.IMPORT_ROSTER)
def undo_file(import_id: UUID) -> ResponseReturnValue:
    """Take back what was taken of the file."""
    service.undo_import(runtime(), actor(), import_id)
    flash(gettext("What was taken of the file is being withdrawn."))
    return redirect(url_for("outcomes.show_file", import_id=import_id))


@blueprint.get(f"{_IMPORT}/rows.<any(csv, xlsx):form>")
@requires(Permission.IMPORT_ROSTER)
def bad_rows(import_id: UUID, form: str) -> Response:
    """The bad rows as a sheet."""
    write, media_type = _SHEETS[form]
    with unit_of_work() as uow:
        taken, _ = queries.get_import(uow, import_id)
        if taken.state in ("uploaded", "checking"):
            raise Conflict(gettext("The check has not finished. Wait a moment and try again."))
        out = tempfile.TemporaryFile()  # noqa: SIM115 # closed by `_blocks` when it is sent
        write(queries.faults(uow, import_id), out)
    out.seek(0)
    response = Response(_blocks(out), mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=f"outcome-rows.{form}")
    return response


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(1 << 16):
            yield block
