"""Pages of schedules: which there are, one of them with its runs, and what was sent to the reader."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import Forbidden, InvalidInput, NotFound
from app.features.cohorts.queries import get_cohort
from app.features.extracts.pages import send_run
from app.features.extracts.queries import get_extract
from app.features.figures.groups import cohort_name
from app.features.figures.layer import ask, question_of
from app.features.figures.pages import send_export
from app.features.figures.words import title_words
from app.features.organizations.queries import today_here
from app.features.reports.commands import CohortQuestion
from app.features.reports.parts import choose_parts, part_words
from app.features.schedules import contents, queries, service
from app.features.schedules.commands import RunNow
from app.features.schedules.contents import Content, content_of
from app.features.schedules.forms import ScheduleForm, put_problems
from app.features.schedules.models import Schedule, ScheduleRun
from app.features.schedules.received import Kept, KeptFile, kept_of
from app.features.schedules.words import content_words, form_words, run_words, when_words
from app.features.selections.queries import get_filter
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.words import say_here, words_here

blueprint = Blueprint("schedules", __name__)
_PLACE = "figures.aggregates"


@blueprint.get("/schedules")
@requires(Permission.READ_AGGREGATES)
def index() -> str:
    """The reader's schedules, and what schedules sent to the reader."""
    g.nav_endpoint = _PLACE
    may_keep = actor().may(Permission.OWN_REPORTS)
    with unit_of_work() as uow:
        lines = queries.list_schedules(uow) if may_keep else []
        received = queries.received(uow)
    when = {line.schedule.id: when_words(queries.recurrence_of(line.schedule), say_here) for line in lines}
    reports = {line.schedule.id: _report_words(line.schedule, line.subject) for line in lines}
    return render_template("schedules/index.html", lines=lines, received=received, when=when, reports=reports)


def _report_words(schedule: Schedule, subject: str) -> str:
    """What a schedule writes; empty where that was deleted."""
    return content_words(schedule.what, schedule.question, subject, say_here)


@blueprint.route("/schedules/new", methods=["GET", "POST"])
@requires(Permission.OWN_REPORTS)
def new() -> ResponseReturnValue:
    """A schedule of what the address names."""
    g.nav_endpoint = _PLACE
    form, status = ScheduleForm(), 200
    content = _asked()
    if content is None:
        return render_template("schedules/what.html")
    with unit_of_work() as uow:
        report = _named(uow, content)
        form.offer(content.sort.forms, queries.members(uow, content.sort.needs), say_here)
        if request.method == "GET":
            first = "xlsx" if "xlsx" in content.sort.forms else content.sort.forms[0]
            form.begin(report, first, today_here(uow), uow.actor.membership_id)
        elif form.validate():
            try:
                made = service.create_schedule(uow, form.command(content))
                flash(gettext("%(name)s is saved.", name=made.name))
                return redirect(url_for("schedules.show", schedule_id=made.id))
            except InvalidInput as error:
                put_problems(form, error)
    if form.errors:
        status = 422
    parts = part_words(gettext) if content.what == contents.CLIENTS else {}
    return render_template("schedules/edit.html", form=form, report=report, kept=None, parts=parts), status


@blueprint.route("/schedules/<uuid:schedule_id>/change", methods=["GET", "POST"])
@requires(Permission.OWN_REPORTS)
def change(schedule_id: UUID) -> ResponseReturnValue:
    """Change when a schedule is due, its form, and who gets it."""
    g.nav_endpoint = _PLACE
    form, status = ScheduleForm(), 200
    with unit_of_work() as uow:
        kept = queries.get_schedule(uow, schedule_id)
        content = content_of(kept)
        form.offer(content.sort.forms, queries.members(uow, content.sort.needs), say_here)
        report = _report_words(kept, queries.subject_of(uow, kept))
        if request.method == "GET":
            form.fill(kept, queries.recipients_of(uow, schedule_id))
        elif form.validate():
            try:
                service.change_schedule(uow, schedule_id, form.command(content))
                flash(gettext("%(name)s is saved.", name=kept.name))
                return redirect(url_for("schedules.show", schedule_id=schedule_id))
            except InvalidInput as error:
                put_problems(form, error)
    if form.errors:
        status = 422
    return render_template("schedules/edit.html", form=form, report=report, kept=kept, parts={}), status


def _asked() -> Content | None:
    """What the address names: a figure, an own report, or by `what` the aggregates, a cohort or people's reports."""
    given = request.args
    if "figure" in given:
        return contents.figures(question_of(given))
    extract, cohort, saved = (_id(name) for name in ("extract", "cohort", "filter"))
    withhold = given.get("small") == "withheld"
    match given.get("what", ""):
        case contents.AGGREGATES:
            return contents.aggregates(withhold=withhold)
        case contents.COHORT if cohort is not None:
            return contents.cohort(CohortQuestion(cohort, given.get("against", ""), withhold))
        case contents.CLIENTS if cohort is not None or saved is not None:
            parts = choose_parts(request.form.getlist("part"), request.form.get("report_form") or "whole")
            if cohort is not None:
                return contents.clients_of_cohort(cohort, parts)
            assert saved is not None
            return contents.clients_of_filter(saved, parts)
    return None if extract is None else contents.extract(extract)


def _id(name: str) -> UUID | None:
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None


def _named(uow: UnitOfWork, content: Content) -> str:
    """What is to be written. Raises Forbidden, or NotFound for what is not there or not the actor's to use."""
    if not uow.actor.may(content.sort.needs):
        raise Forbidden(gettext("You may not have such reports."))
    if content.what == contents.FIGURES:
        answer = ask(uow, question_of(content.question or {}))
        return title_words(answer, say_here, words_here()["counsellor"])
    subject = ""
    if content.extract_id is not None:
        subject = get_extract(uow, content.extract_id).name
    elif content.what == contents.COHORT and content.cohort_id is not None:
        subject = cohort_name(uow, content.cohort_id, withhold=contents.withheld(content))
    elif content.cohort_id is not None:
        subject = get_cohort(uow, content.cohort_id).name
    elif content.filter_id is not None:
        subject = get_filter(uow, content.filter_id).name
    return content_words(content.what, content.question, subject, say_here)


@blueprint.get("/schedules/<uuid:schedule_id>")
@requires(Permission.OWN_REPORTS)
def show(schedule_id: UUID) -> str:
    """One schedule: when it is due, who gets it, and what became of every run for each of them."""
    g.nav_endpoint = _PLACE
    with unit_of_work() as uow:
        schedule = queries.get_schedule(uow, schedule_id)
        readers, runs = queries.recipients_of(uow, schedule_id), queries.runs_of(uow, schedule_id)
        report = _report_words(schedule, queries.subject_of(uow, schedule))
        working = queries.members(uow)
    return render_template(
        "schedules/show.html",
        schedule=schedule,
        readers=readers,
        working=working,
        runs=runs,
        report=report,
        form=form_words(say_here)[schedule.form],
        when=when_words(queries.recurrence_of(schedule), say_here),
        states=run_words(say_here),
        key=uuid4().hex,
    )


@blueprint.post("/schedules/<uuid:schedule_id>/<any(pause,resume,end):act>")
@requires(Permission.OWN_REPORTS)
def turn(schedule_id: UUID, act: str) -> Response:
    """Pause it, go on, or end it."""
    acts = {"pause": service.pause_schedule, "resume": service.resume_schedule, "end": service.end_schedule}
    with unit_of_work() as uow:
        acts[act](uow, schedule_id)
    told = {
        "pause": gettext("It is paused. What falls into the pause is not made up for."),
        "resume": gettext("It goes on from now."),
        "end": gettext("It has ended. What it made stays."),
    }
    flash(told[act])
    return redirect(url_for("schedules.show", schedule_id=schedule_id))


@blueprint.post("/schedules/<uuid:schedule_id>/run")
@requires(Permission.OWN_REPORTS)
def run(schedule_id: UUID) -> Response:
    """Have it written now; sending the form twice is one run."""
    key = request.form.get("key", "")[:64] or uuid4().hex
    with unit_of_work() as uow:
        made = service.run_now(uow, RunNow(schedule_id=schedule_id, key=key))
    flash(
        ngettext("It is being written for %(num)s reader.", "It is being written for %(num)s readers.", made)
        if made
        else gettext("This was asked for already.")
    )
    return redirect(url_for("schedules.show", schedule_id=schedule_id))


@blueprint.get("/schedules/received/<uuid:received_id>")
@requires(Permission.READ_AGGREGATES)
def show_received(received_id: UUID) -> str:
    """A report that was sent to the reader: where the link in the mail leads."""
    g.nav_endpoint = _PLACE
    with unit_of_work() as uow:
        made, schedule, owner = queries.get_received(uow, received_id)
        kept = kept_of(uow, made, schedule)
        still = queries.gets(uow, schedule.id, uow.actor.membership_id)
    return render_template(
        "schedules/received.html",
        run=made,
        schedule=schedule,
        form=form_words(say_here)[kept.form],
        owner=owner,
        kept=kept,
        links=_links(made, schedule, kept),
        still=still,
    )


def _links(run: ScheduleRun, schedule: Schedule, kept: Kept) -> dict[str, str]:
    """Where each file that may be taken today is taken, by its name."""

    def where(one: KeptFile) -> str:
        assert one.file is not None
        if run.report_job_id is None:
            return url_for("schedules.take", received_id=run.id)
        if schedule.what == contents.COHORT:
            return url_for("cohort_figures.take", job_id=run.report_job_id, form=one.name.lower())
        return url_for("jobs.download", file_id=one.file.id)

    return {one.name: where(one) for one in kept.files if one.file is not None}


@blueprint.get("/schedules/received/<uuid:received_id>/file")
@requires(Permission.READ_AGGREGATES)
def take(received_id: UUID) -> Response:
    """The file itself; who took it is audited."""
    return send_received(received_id)


def send_received(received_id: UUID) -> Response:
    """The one file that was sent to the actor as a download.

    Raises NotFound for one they may not have (any more), and where there are several.
    """
    with unit_of_work() as uow:
        made, _, _ = queries.get_received(uow, received_id)
    if made.extract_run_id is not None:
        if not actor().may(Permission.OWN_REPORTS):
            raise NotFound(gettext("There is no such file, or it is not yours."))
        return send_run(made.extract_run_id)
    if made.figure_export_id is None:
        raise NotFound(gettext("This report has several files. Take them one by one."))
    return send_export(made.figure_export_id)


@blueprint.post("/schedules/received/<uuid:received_id>/stop")
@requires(Permission.READ_AGGREGATES)
def stop(received_id: UUID) -> Response:
    """Get no more of these."""
    with unit_of_work() as uow:
        service.get_no_more(uow, received_id)
    flash(gettext("You get no more of these."))
    return redirect(url_for("schedules.show_received", received_id=received_id))
