"""Pages of assigning: what to give to whom, the preview with numbers, and the standing assignments."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from app.domain.access import Permission
from app.domain.errors import InvalidInput, NotFound
from app.domain.steps import StepKey
from app.features.assignments import queries, service
from app.features.assignments.commands import Assign, GivenAction, What
from app.features.assignments.forms import FORMS, AssignForm
from app.features.identity.pages import refused, show_problems
from app.features.instruments.models import Instrument
from app.features.plans.words import step_names
from app.features.selections.commands import Target
from app.features.selections.forms import target_of
from app.features.selections.models import Selection
from app.features.selections.service import choose, look
from app.features.steps.action_plan.content import KINDS
from app.features.steps.action_plan.words import kind_words
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, time_zone, unit_of_work

blueprint = Blueprint("assignments", __name__)


@blueprint.before_request
def _stand_under_whom() -> None:
    under_cohorts = request.endpoint == "assignments.index" or "cohort" in request.values
    g.nav_endpoint = "cohorts.index" if under_cohorts else "overview.caseload"


def what_words() -> dict[What, str]:
    """What can be given, in the order of the page."""
    return {
        "template": gettext("A plan from a template"),
        "step": gettext("A step"),
        "instrument": gettext("A questionnaire"),
        "action": gettext("An action"),
        "due": gettext("A due day"),
    }


def _what() -> What:
    for known in what_words():
        if request.values.get("what", "template") == known:
            return known
    raise NotFound(gettext("There is no such thing to give."))


def _form(uow: UnitOfWork, what: What) -> AssignForm:
    form = FORMS[what](formdata=request.values)
    if what == "template":
        choices = queries.latest_published(uow)
        form.template.choices = [
            (f"{t.id}:{version}", gettext("%(name)s, version %(n)s", name=t.name, n=version)) for t, version in choices
        ]
        if not form.started_on.raw_data:
            form.started_on.data = uow.now.astimezone(time_zone()).date()
    elif what in ("step", "due"):
        names = step_names(gettext)
        form.step.choices = [(str(key.number), f"{key.number} · {names[key]}") for key in StepKey]
    elif what == "instrument":
        rows = uow.session.execute(select(Instrument.id, Instrument.title).where(Instrument.active))
        form.instrument.choices = sorted([(str(row.id), row.title) for row in rows], key=lambda one: one[1].casefold())
    else:
        words = kind_words(gettext)
        form.action_kind.choices = [SelectChoice("", gettext("Choose")), *((kind, words[kind]) for kind in KINDS)]
    form.key.data = form.key.data or uuid4().hex
    if what != "template":
        form.on_leaving.choices = [one for one in form.on_leaving.choices if one.value != "pause"]
    return form


def _command(what: What, form: AssignForm, selection: Selection) -> Assign:
    shared = {
        "selection_id": selection.id,
        "standing": bool(form.standing.data) and selection.origin == "cohort",
        "on_leaving": form.on_leaving.data or "keep",
        "tell": bool(form.tell.data),
        "starts_at": form.starts_at.data and form.starts_at.data.replace(tzinfo=time_zone()),
        "idempotency_key": form.key.data,
    }
    if what == "template":
        template, _, version = str(form.template.data).partition(":")
        return Assign(
            what=what,
            template_id=UUID(template),
            version=int(version),
            started_on=form.started_on.data,
            from_joining=bool(form.from_joining.data) and bool(shared["standing"]),
            **shared,
        )
    due = {"due_on": form.due_on.data, "due_in_days": form.due_in_days.data}
    if what == "instrument":
        return Assign(what=what, instrument_id=UUID(form.instrument.data), **due, **shared)
    if what == "action":
        action = GivenAction(kind=form.action_kind.data, text=form.action_text.data or "", hours=form.action_hours.data)
        return Assign(what=what, action=action, **due, **shared)
    return Assign(what=what, step=int(form.step.data), **due, **shared)


def _page(uow: UnitOfWork, what: What, form: AssignForm, target: Target) -> str:
    return render_template(
        "assignments/new.html", what=what, whats=what_words(), form=form, target=target, chosen=look(uow, target)
    )


@blueprint.route("/assignments/new", methods=["GET", "POST"])
@requires(Permission.ASSIGN)
def new() -> str:
    """Choose what to give to the people chosen; nothing happens yet."""
    what = _what()
    with unit_of_work() as uow:
        return _page(uow, what, _form(uow, what), target_of(request.values))


@blueprint.post("/assignments/preview")
@requires(Permission.ASSIGN)
def preview() -> str | tuple[str, int]:
    """What would happen, in numbers."""
    what = _what()
    with unit_of_work() as uow:
        form, target = _form(uow, what), target_of(request.form)
        if not form.validate():
            return _page(uow, what, form, target), 422
        command = _command(what, form, choose(uow, target))
        try:
            selection, numbers = service.preview(uow, command)
        except InvalidInput as invalid:
            show_problems(form, invalid)
            return _page(uow, what, form, target), 422
        title = service.title_of(uow, command)
    whom = ("csrf_token", "selection", "cohort", "filter", "client", "key")
    sent = [(name, value) for name, value in request.form.items() if name not in whom]
    return render_template(
        "assignments/preview.html",
        what=what,
        whats=what_words(),
        sent=sent,
        key=form.key.data,
        selection=selection,
        numbers=numbers,
        title=title,
        command=command,
    )


@blueprint.post("/assignments")
@requires(Permission.ASSIGN)
def create() -> Response:
    """Start the job that was previewed; sending the form twice starts one."""
    what = _what()
    with unit_of_work() as uow:
        form = _form(uow, what)
        if not form.validate():
            raise refused(form)
        job = service.assign(uow, _command(what, form, choose(uow, target_of(request.form))))
        waits = job.not_before > uow.now
    flash(gettext("The job starts at the time you chose.") if waits else gettext("The job has started."))
    return redirect(url_for("jobs.show", job_id=job.id))


@blueprint.get("/assignments")
@requires(Permission.ASSIGN)
def index() -> str:
    """The standing assignments: what later members of which cohort get, and how many have it."""
    with unit_of_work() as uow:
        lines = queries.standing_lines(uow)
    mine = {line.assignment.id for line in lines if service.may_change(actor(), line.assignment)}
    return render_template("assignments/index.html", lines=lines, whats=what_words(), mine=mine)


@blueprint.post("/assignments/<uuid:assignment_id>/<any(pause, resume, end):act>")
@requires(Permission.ASSIGN)
def change(assignment_id: UUID, act: str) -> Response:
    """Let a standing assignment rest, go on, or end."""
    with unit_of_work() as uow:
        if act == "pause":
            service.pause_assignment(uow, assignment_id)
            flash(gettext("It rests. Who joins or leaves meanwhile is seen to when it goes on."))
        elif act == "resume":
            service.resume_assignment(uow, assignment_id)
            flash(gettext("It goes on."))
        else:
            service.end_assignment(uow, assignment_id)
            flash(gettext("It has ended. What was given stays."))
    return redirect(url_for("assignments.index"))
