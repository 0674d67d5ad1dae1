"""Pages of own reports: which there are, choosing what one asks for, its first rows, its files."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.domain.wording import first_large
from app.features.cohorts.forms import operator_words
from app.features.extracts import queries, service
from app.features.extracts.columns import row_words
from app.features.extracts.commands import FORMS, RunExtract, SaveExtract
from app.features.extracts.definition import figure_key
from app.features.extracts.forms import ExtractForm, posted, stored
from app.features.extracts.models import Extract
from app.features.jobs.file_pages import send_checked
from app.features.jobs.service import GOING_ON
from app.features.selections.words import filter_words
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.words import words_here

blueprint = Blueprint("extracts", __name__)
_PLACE = "figures.aggregates"


def _rows() -> dict[str, str]:
    """What each kind of rows is called here."""
    return row_words(gettext, first_large(words_here()["clients"]))


@blueprint.get("/own-reports")
@requires(Permission.OWN_REPORTS)
def index() -> str:
    """The reader's reports and those shared with everybody, and the files the reader asked for."""
    g.nav_endpoint = _PLACE
    with unit_of_work() as uow:
        lines, runs = queries.list_extracts(uow), queries.runs_of(uow)
    return render_template("extracts/index.html", lines=lines, runs=runs, rows=_rows())


@blueprint.route("/own-reports/new", methods=["GET", "POST"])
@requires(Permission.OWN_REPORTS)
def new() -> ResponseReturnValue:
    """Choose what a report asks for, see its first rows, keep it."""
    return _page(None)


@blueprint.route("/own-reports/<uuid:extract_id>", methods=["GET", "POST"])
@requires(Permission.OWN_REPORTS)
def edit(extract_id: UUID) -> ResponseReturnValue:
    """One report: what it asks for, its first rows and its files; changing it where it is the reader's."""
    return _page(extract_id)


def _page(extract_id: UUID | None) -> ResponseReturnValue:
    g.nav_endpoint = _PLACE
    act = request.form.get("act", "")
    small = queries.must_not_see_small(actor())
    preview = None
    with unit_of_work() as uow:
        kept = queries.get_extract(uow, extract_id) if extract_id is not None else None
        mine = kept is None or queries.may_change(uow, kept)
        raw: Any = request.form if request.method == "POST" else request.args
        rows = raw.get("rows") if raw.get("rows") in _rows() else (kept.definition["rows"] if kept else "clients")
        columns = queries.offered(uow, rows, gettext)
        fields = queries.fields_of(uow, rows, gettext, filter_words(), own_labels=True) if not small else ()
        if request.method == "POST":
            form = posted(request.form, rows, columns, fields)
        else:
            form = stored(kept, rows, columns, fields)
        if act != "save" and ((request.method == "POST" and act in ("show", "rows")) or kept is not None):
            preview = _preview(uow, form, show=act == "show")
        runs = queries.runs_of(uow, extract_id=extract_id) if extract_id is not None else []
    if act == "save" and not form.problems and mine:
        try:
            saved = _save(kept, form)
            flash(gettext("%(name)s is saved.", name=saved.name))
            return redirect(url_for("extracts.edit", extract_id=saved.id))
        except InvalidInput as error:
            form.put(error)
    page = render_template(
        "extracts/edit.html",
        form=form,
        kept=kept,
        mine=mine,
        small=small,
        columns=columns,
        countable=[one for one in columns.values() if not small or figure_key(one.key)],
        fields=fields,
        rows={key: word for key, word in _rows().items() if not small or key == "clients"},
        operators=operator_words(),
        preview=preview,
        runs=runs,
        forms=FORMS,
        key=uuid4().hex,
    )
    return page, 422 if form.problems else 200


def _preview(uow: UnitOfWork, form: ExtractForm, *, show: bool) -> queries.Preview | None:
    """The first rows; none while something is missing, whose problems are shown only when asked for."""
    try:
        definition = service.check_definition(uow, form.as_json())
        return queries.preview(uow, definition, uow.actor, gettext)
    except InvalidInput as error:
        if show:
            form.put(error)
        return None


def _save(kept: Extract | None, form: ExtractForm) -> Extract:
    command = SaveExtract(name=form.rule.name, definition=form.as_json(), shared=form.shared)
    with unit_of_work() as uow:
        if kept is None:
            return service.create_extract(uow, command)
        return service.change_extract(uow, kept.id, command)


@blueprint.post("/own-reports/<uuid:extract_id>/delete")
@requires(Permission.OWN_REPORTS)
def delete(extract_id: UUID) -> Response:
    """Remove a report; files written of it stay."""
    with unit_of_work() as uow:
        name = service.delete_extract(uow, extract_id)
    flash(gettext("%(name)s is deleted.", name=name))
    return redirect(url_for("extracts.index"))


@blueprint.post("/own-reports/<uuid:extract_id>/run")
@requires(Permission.OWN_REPORTS)
def run(extract_id: UUID) -> Response:
    """Have a file written; sending the form twice starts one job."""
    key = request.form.get("key", "")[:64] or None
    command = RunExtract(
        extract_id=extract_id, form=request.form.get("form", ""), locale=str(get_locale()), idempotency_key=key
    )
    with unit_of_work() as uow:
        made = service.run_extract(uow, command)
    flash(gettext("The job has started."))
    return redirect(url_for("extracts.show_run", run_id=made.id))


@blueprint.get("/own-reports/files/<uuid:run_id>")
@requires(Permission.OWN_REPORTS)
def show_run(run_id: UUID) -> str:
    """One file that was asked for: with what, and once it is there its moment, its rows and its checksum."""
    g.nav_endpoint = _PLACE
    with unit_of_work() as uow:
        made, job, file = queries.get_run(uow, run_id)
        columns = queries.offered(uow, made.definition["rows"], gettext)
    asked = [*made.definition["group"], *made.definition["columns"]]
    rule = made.definition["rule"] or {}
    return render_template(
        "extracts/run.html",
        run=made,
        job=job,
        file=file,
        rows=_rows(),
        ended=job.state not in GOING_ON,
        asked=[columns[key].label if key in columns else key for key in asked],
        conditions=len(rule.get("all") or rule.get("any") or ()),
    )


@blueprint.get("/own-reports/files/<uuid:run_id>/file")
@requires(Permission.OWN_REPORTS)
def take(run_id: UUID) -> Response:
    """The file; who took it is audited."""
    return send_run(run_id)


def send_run(run_id: UUID) -> Response:
    """A run's file as a download. Raises as `service.take_file`."""
    with unit_of_work() as uow:
        file = service.take_file(uow, run_id)
    return send_checked(file)
