"""Pages of step 7: one action with its files, the schedule with what a slip moves, and the calendar's address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, send_file, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from app.domain.access import Permission
from app.domain.errors import InvalidInput, NotFound, TooMany
from app.domain.steps import StepKey
from app.features.plans import queries
from app.features.steps.action_plan import evidence, feeds
from app.features.steps.action_plan.content import MOST_LINK
from app.features.steps.action_plan.evidence import AddEvidence
from app.features.steps.action_plan.evidence_files import KINDS, MOST_BYTES
from app.features.steps.action_plan.figures import MOST_SLIP, Work, work_of
from app.features.steps.action_plan.models import ActionEvidence
from app.features.steps.action_plan.report import goal_names, report_section
from app.features.steps.action_plan.service import MarkAction, mark_action
from app.features.steps.action_plan.tools import safe_link
from app.features.steps.action_plan.words import kind_words, risk_words, status_words
from app.features.steps.parts import MOST_LINE, action_status, day_of, written
from app.features.steps.views import own_plan
from app.infra.db.open import UnitOfWork
from app.infra.web.access import public, requires
from app.infra.web.context import actor, runtime, unit_of_work
from app.infra.web.given import whole_in_query
from app.infra.web.throttle import Budget, Throttle
from app.infra.web.words import say_here, words_here

blueprint = Blueprint("actions", __name__)
# A calendar program asks a few times an hour; whoever guesses addresses asks more.
_READS = Budget("calendar-feed", "60 per hour")
_GUESSES = Budget("calendar-guess", "60 per hour")


class MarkForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """Where an action stands, and what shows it."""

    status = RadioField(
        _("How does it stand?"),
        choices=[SelectChoice(status, word) for status, word in status_words(_).items()],
        validators=[InputRequired(_("Choose where the action stands."))],
    )
    dropped_why = StringField(_("If given up: why?"), validators=[Length(max=MOST_LINE)])
    evidence = StringField(_("What shows that it is done?"), validators=[Length(max=MOST_LINE)])
    evidence_link = StringField(
        _("A link that shows it"),
        validators=[Length(max=MOST_LINK)],
        description=_("The whole address, beginning with https://"),
        render_kw={"inputmode": "url"},
    )


class FileForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """A file that shows an action."""

    file = FileField(_("File"), validators=[FileRequired(_("Choose a file."))])


@blueprint.get("/my-plan/actions/<action>")
@requires(Permission.OWN_PLAN)
def show(action: str) -> str:
    """One action: its days, why it is at risk, where it stands, its files."""
    with unit_of_work() as uow:
        return _action_page(uow, action)


@blueprint.post("/my-plan/actions/<action>")
@requires(Permission.OWN_PLAN)
def mark(action: str) -> Response | tuple[str, int]:
    """Say where the action stands, and what shows it; also after the counsellor accepted the step."""
    form = MarkForm()
    if not form.validate_on_submit():
        with unit_of_work() as uow:
            return _action_page(uow, action, mark_form=form), 422
    try:
        with unit_of_work() as uow:
            plan_id = own_plan(uow).plan.id
            command = MarkAction(
                plan_id, action, form.status.data, form.dropped_why.data, form.evidence.data, form.evidence_link.data
            )
            mark_action(uow, command, gettext)
    except InvalidInput as invalid:
        _take(form, invalid)
        with unit_of_work() as uow:
            return _action_page(uow, action, mark_form=form), 422
    flash(gettext("Saved."))
    return redirect(url_for("actions.show", action=action))


@blueprint.post("/my-plan/actions/<action>/files")
@requires(Permission.OWN_PLAN)
def add_file(action: str) -> Response | tuple[str, int]:
    """Take a file that shows the action."""
    form = FileForm()
    with unit_of_work() as uow:
        plan_id = own_plan(uow).plan.id
    if form.validate_on_submit():
        command = AddEvidence(plan_id, action, form.file.data.filename or "")
        try:
            evidence.add_evidence(runtime(), actor(), command, form.file.data.stream, gettext, request_id=g.request_id)
        except InvalidInput as invalid:
            _take(form, invalid)
        else:
            flash(gettext("The file is added. Your %(counsellor)s can see it.", **words_here()))
            return redirect(url_for("actions.show", action=action, _anchor="files"))
    with unit_of_work() as uow:
        return _action_page(uow, action, file_form=form), 422


@blueprint.post("/my-plan/evidence/<uuid:evidence_id>/<any(remove, restore):move>")
@requires(Permission.OWN_PLAN)
def move_file(evidence_id: UUID, move: str) -> Response:
    """Remove a file, or bring it back."""
    with unit_of_work() as uow:
        view = own_plan(uow)
        if move == "remove":
            row = evidence.remove_evidence(uow, view.plan.id, evidence_id, gettext)
            flash(gettext("The file is removed. For seven days you can bring it back here; then it is deleted."))
        else:
            row = evidence.restore_evidence(uow, view.plan.id, evidence_id, gettext)
            flash(gettext("The file is back."))
        there = any(one["id"] == row.action for one in _rows(view))
    if there:
        return redirect(url_for("actions.show", action=row.action, _anchor="files"))
    return redirect(url_for("overview.my_step", number=StepKey.ACTION_PLAN.number))


@blueprint.get("/plans/<uuid:plan_id>/evidence/<uuid:evidence_id>")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
def download(plan_id: UUID, evidence_id: UUID) -> Response:
    """A file that shows an action, for whoever may see the plan; never opened in the page itself."""
    with unit_of_work() as uow:
        row = evidence.take_evidence(uow, plan_id, evidence_id)
    return send_evidence(row)


def send_evidence(row: ActionEvidence) -> Response:
    """The file as an attachment under its safe name; the headers of every response forbid guessing its type."""
    if row.location is None or not (path := runtime().storage.path(row.location)).is_file():
        raise NotFound(gettext("The file is not there any more."))
    return send_file(path, mimetype=row.media_type, as_attachment=True, download_name=row.name)


@blueprint.get("/my-plan/schedule")
@requires(Permission.OWN_PLAN)
def my_schedule() -> str:
    """The client's schedule, and what a delay of one action would move."""
    with unit_of_work() as uow:
        return _schedule_page(uow, own_plan(uow), "client")


@blueprint.get("/plans/<uuid:plan_id>/schedule")
@requires(Permission.READ_CLIENTS)
def schedule(plan_id: UUID) -> str:
    """The same for the counsellor."""
    g.nav_endpoint = "overview.caseload"
    with unit_of_work() as uow:
        return _schedule_page(uow, queries.view_plan(uow, plan_id), "counsellor")


@blueprint.get("/my-plan/calendar")
@requires(Permission.OWN_PLAN)
def calendar() -> str:
    """Whether a calendar reads the client's dates, and how to let it."""
    with unit_of_work() as uow:
        view = own_plan(uow)
        return render_template("steps/calendar.html", feed=feeds.live_feed(uow, view.client.id), made=None)


@blueprint.post("/my-plan/calendar")
@requires(Permission.OWN_PLAN)
def make_calendar() -> str:
    """Make an address and show it, this once: it is the answer itself and kept nowhere. The one before ends."""
    with unit_of_work() as uow:
        feed, token = feeds.renew_feed(uow, own_plan(uow).plan.id, gettext)
    return render_template("steps/calendar.html", feed=feed, made=feed_address(token))


def feed_address(token: str) -> str:
    """The whole address of a calendar."""
    return runtime().settings.public_url.rstrip("/") + url_for("actions.feed", token=token)


@blueprint.post("/my-plan/calendar/end")
@requires(Permission.OWN_PLAN)
def end_calendar() -> Response:
    """End the address at once."""
    with unit_of_work() as uow:
        feeds.end_feed(uow, own_plan(uow).plan.id, gettext)
    flash(gettext("The address no longer works. Calendars that read it get nothing more."))
    return redirect(url_for("actions.calendar"))


@blueprint.post("/plans/<uuid:plan_id>/calendar/end")
@requires(Permission.WORK_PLANS)
def end_calendar_of(plan_id: UUID) -> Response:
    """The counsellor ends the address of their client's calendar."""
    with unit_of_work() as uow:
        ended = feeds.end_feed(uow, plan_id, gettext)
    flash(gettext("The address no longer works.") if ended else gettext("There was no address."))
    return redirect(url_for("plans.step", plan_id=plan_id, number=StepKey.ACTION_PLAN.number))


@blueprint.get("/calendar/<token>.ics")
@public("calendar programs have no session; the random address is the proof, and the client can end it")
def feed(token: str) -> Response:
    """A client's dates for a calendar program. An address that is unknown and one that was ended are the same 404."""
    throttle: Throttle = current_app.extensions["octant_throttle"]
    served = feeds.serve_feed(runtime(), token, request_id=g.request_id)
    whose = str(served.feed_id) if served else (request.remote_addr or "")
    if wait := throttle.spend(_READS if served else _GUESSES, whose):
        raise TooMany(gettext("Too many attempts. Wait a few minutes and try again."), retry_after=wait)
    if served is None:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    response = Response(served.body, content_type="text/calendar; charset=utf-8")
    response.headers["Cache-Control"] = "private, max-age=900"
    response.headers["Content-Disposition"] = 'inline; filename="octant.ics"'
    response.add_etag()
    return response.make_conditional(request.environ)


def _rows(view: queries.PlanView) -> list[Mapping[str, Any]]:
    return written(view.content(StepKey.ACTION_PLAN), "actions", "text")


def _work(uow: UnitOfWork, view: queries.PlanView) -> tuple[Work, Any]:
    around = queries.surroundings_of(uow, view, StepKey.ACTION_PLAN)
    return work_of(view.content(StepKey.ACTION_PLAN), around, uow.now.date()), around


def _action_page(
    uow: UnitOfWork, action: str, *, mark_form: MarkForm | None = None, file_form: FileForm | None = None
) -> str:
    view = own_plan(uow)
    row = next((row for row in _rows(view) if row["id"] == action), None)
    if row is None:
        raise NotFound(gettext("There is no such action. Load the page again."))
    work, around = _work(uow, view)
    data = {"status": action_status(row)} | {
        name: row.get(name, "") for name in ("dropped_why", "evidence", "evidence_link")
    }
    files = [one for one in evidence.shown_evidence(uow, view.plan.id) if one.action == action]
    return render_template(
        "steps/action.html",
        action=row,
        kind=kind_words(gettext).get(row.get("kind") or ""),
        goal=goal_names(around).get(row.get("goal") or ""),
        start_on=day_of(row.get("start_on")),
        due_on=day_of(row.get("due_on")),
        done_on=day_of(row.get("done_on")),
        after=[work.names[name] for name in row.get("after") or () if name in work.names],
        risks=[risk_words(risk, work.names, say_here) for risk in work.risks.get(action, ())],
        link=safe_link(row),
        files=files,
        until=evidence.until,
        kinds=",".join(f".{kind}" for kind in KINDS),
        most=MOST_BYTES >> 20,
        view=view,
        mark_form=mark_form or MarkForm(formdata=None, data=data),
        file_form=file_form or FileForm(formdata=None),
    )


def _schedule_page(uow: UnitOfWork, view: queries.PlanView, reader: str) -> str:
    work, around = _work(uow, view)
    action, days = request.args.get("action", ""), whole_in_query("days")
    moved = None
    problem = None
    opened = {row["id"]: row["text"] for row in work.open()}
    if action or "days" in request.args:
        if action not in opened:
            problem = gettext("Choose an action that is not done yet.")
        elif days is None or not 1 <= days <= MOST_SLIP:
            problem = gettext("Give whole days, from 1 to %(most)s.", most=MOST_SLIP)
        else:
            moved = work.moved_by(action, days)
    return render_template(
        "steps/schedule.html",
        view=view,
        reader=reader,
        section=report_section(view.content(StepKey.ACTION_PLAN), around, say_here),
        opened=opened,
        action=action,
        days=days,
        typed=request.args.get("days", "7")[:10],
        moved=moved,
        problem=problem,
        end=work.schedule.end,
        names=work.names,
        most=MOST_SLIP,
    )


def _take(form: FlaskForm, invalid: InvalidInput) -> None:
    for problem in invalid.problems:
        name = problem.field.rpartition(".")[2]
        field = form[name] if name in form else next(iter(form))
        field.errors = [*field.errors, problem.sentence]
