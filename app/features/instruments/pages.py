"""Pages of instruments: the list, one instrument, loading a definition, importing answers."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext, ngettext
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.answer_sheets import read_format
from app.domain.definition_files import LARGEST_FILE, definition_of_file
from app.domain.errors import InvalidInput
from app.domain.instruments import DefinitionError
from app.features.instruments import queries, service
from app.features.instruments.builtin import add_built_in, add_built_ins, not_added
from app.features.instruments.commands import ImportResponses, LoadDefinition
from app.features.instruments.forms import AnswersForm, DefinitionForm
from app.features.instruments.words import trust_words
from app.infra.web.access import requires
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.given import whole_in_form, whole_in_query
from app.infra.web.words import words_here

blueprint = Blueprint("instruments", __name__)


@blueprint.get("/instruments")
@requires(Permission.MANAGE_INSTRUMENTS)
def index() -> str:
    """Every instrument with its licence, status and number of assessments."""
    with unit_of_work() as uow:
        instruments = queries.list_instruments(uow)
        built_ins = not_added(uow)
    return render_template(
        "instruments/index.html", instruments=instruments, status_words=trust_words(gettext), built_ins=built_ins
    )


@blueprint.post("/instruments/built-in/<name>")
@requires(Permission.MANAGE_INSTRUMENTS)
def add(name: str) -> Response:
    """Add a questionnaire that comes with Octant, or its newer version."""
    with unit_of_work() as uow:
        loaded = add_built_in(uow, name)
    flash(gettext("The instrument is loaded."))
    return redirect(url_for("instruments.show", instrument_id=loaded.instrument_id))


@blueprint.post("/instruments/built-in")
@requires(Permission.MANAGE_INSTRUMENTS)
def add_all() -> Response:
    """Add every questionnaire that comes with Octant and is not there yet."""
    with unit_of_work() as uow:
        number = sum(loaded.new for loaded in add_built_ins(uow))
    if number:
        flash(ngettext("One instrument is loaded.", "%(num)s instruments are loaded.", number))
    else:
        flash(gettext("All of them were loaded before, so nothing changed."))
    return redirect(url_for("instruments.index"))


@blueprint.post("/instruments/<uuid:instrument_id>/<any(offer, withdraw):what>")
@requires(Permission.MANAGE_INSTRUMENTS)
def offer(instrument_id: UUID, what: str) -> Response:
    """Offer an instrument to clients, or offer it no longer; results and what is begun stay."""
    with unit_of_work() as uow:
        service.offer_instrument(uow, instrument_id, offered=what == "offer")
    if what == "offer":
        flash(gettext("It is offered to %(clients)s now.", **words_here()))
    else:
        flash(gettext("Nobody can begin it any more. Results stay, and what was begun can be finished."))
    return redirect(url_for("instruments.show", instrument_id=instrument_id))


@blueprint.get("/instruments/<uuid:instrument_id>")
@requires(Permission.MANAGE_INSTRUMENTS)
def show(instrument_id: UUID) -> str:
    """One instrument: scales, items, terms, versions."""
    with unit_of_work() as uow:
        instrument = queries.get_instrument(uow, instrument_id)
        versions = queries.versions_of(uow, instrument_id)
    return render_template(
        "instruments/show.html", instrument=instrument, versions=versions, status_words=trust_words(gettext)
    )


@blueprint.route("/instruments/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_INSTRUMENTS)
def new() -> str | Response | tuple[str, int]:
    """Load a definition; whatever is wrong with it is listed and nothing is stored."""
    form = DefinitionForm()
    if not form.is_submitted():
        return render_template("instruments/new.html", form=form, problems=[])
    if not form.validate():
        return render_template("instruments/new.html", form=form, problems=[]), 422
    upload: FileStorage = form.file.data
    try:
        raw = definition_of_file(upload.filename or "", upload.read(LARGEST_FILE), form.beside())
        with unit_of_work() as uow:
            loaded = service.load_definition(uow, LoadDefinition(raw=raw))
    except DefinitionError as error:
        return render_template("instruments/new.html", form=form, problems=error.problems), 422
    if loaded.new:
        flash(gettext("The instrument is loaded."))
    else:
        flash(gettext("This very definition was loaded before, so nothing changed."))
    return redirect(url_for("instruments.show", instrument_id=loaded.instrument_id))


@blueprint.route("/instruments/<uuid:instrument_id>/answers", methods=["GET", "POST"])
@requires(Permission.MANAGE_INSTRUMENTS)
def answers(instrument_id: UUID) -> str | Response | tuple[str, int]:
    """Upload a file of answers; it is kept and shown as a preview before anything is scored."""
    form = AnswersForm()
    with unit_of_work() as uow:
        instrument = queries.get_instrument(uow, instrument_id)
    if not form.is_submitted():
        return render_template("instruments/answers.html", form=form, instrument=instrument)
    if not form.validate():
        return render_template("instruments/answers.html", form=form, instrument=instrument), 422
    upload: FileStorage = form.file.data
    try:
        read_format(upload.stream)
    except InvalidInput as error:
        form.file.errors = [error.problems[0].sentence]
        return render_template("instruments/answers.html", form=form, instrument=instrument), 422
    upload.stream.seek(0)
    with runtime().storage.writing(actor().organization_id, ".csv") as pending:
        upload.save(pending.handle)
    kept = pending.stored
    with unit_of_work() as uow:
        file = service.keep_sheet(
            uow, name=upload.filename or "answers.csv", location=kept.location, size=kept.size, sha256=kept.sha256
        )
    return redirect(url_for("instruments.preview", instrument_id=instrument_id, file_id=file.id))


@blueprint.get("/instruments/<uuid:instrument_id>/answers/<uuid:file_id>")
@requires(Permission.MANAGE_INSTRUMENTS)
def preview(instrument_id: UUID, file_id: UUID) -> str | tuple[str, int]:
    """What importing the file would do: rows, people found, rows that cannot be taken and why."""
    person = whole_in_query("person")
    command = ImportResponses(instrument_id=instrument_id, file_id=file_id, person=person)
    with unit_of_work() as uow:
        instrument = queries.get_instrument(uow, instrument_id)
        file = service.get_sheet(uow, file_id)
        with runtime().storage.path(file.location).open("rb") as handle:
            header = read_format(handle).header
        try:
            _, check = service.check_responses(uow, runtime().storage, command)
        except InvalidInput as error:
            page = render_template(
                "instruments/preview.html",
                instrument=instrument,
                file=file,
                header=header,
                person=person,
                check=None,
                problems=error.problems,
            )
            return page, 422
    return render_template(
        "instruments/preview.html",
        instrument=instrument,
        file=file,
        header=header,
        person=check.columns.person,
        check=check,
        problems=[],
    )


@blueprint.post("/instruments/<uuid:instrument_id>/answers/<uuid:file_id>")
@requires(Permission.MANAGE_INSTRUMENTS)
def start(instrument_id: UUID, file_id: UUID) -> Response:
    """Start scoring what was previewed; sending the form twice starts one job."""
    person = whole_in_form("person")
    with unit_of_work() as uow:
        command = ImportResponses(instrument_id=instrument_id, file_id=file_id, person=person)
        job = service.start_scoring(uow, runtime().storage, command)
    flash(gettext("The job has started."))
    return redirect(url_for("jobs.show", job_id=job.id))
