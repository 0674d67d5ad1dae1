"""Pages of triggers and of events outside; for administrators."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.domain.triggers import NUMBERS, RULED, Rule, Trigger, check_rule
from app.features.cohorts.models import Cohort
from app.features.occupations.families import FAMILIES
from app.features.occupations.releases import current_release
from app.features.occupations.whole import titles_of_all
from app.features.organizations.queries import today_here
from app.features.steps.action_plan.words import kind_words as action_words
from app.features.steps.parts import way_words
from app.features.triggers import events, queries, service
from app.features.triggers.forms import EventForm, LimitForm, RuleForm, put_problems
from app.features.triggers.models import ExternalEvent
from app.features.triggers.rules import rules_of, set_a_day, set_rule, settings_of
from app.features.triggers.shown import reason_words
from app.features.triggers.sources import source_of, source_of_event
from app.features.triggers.words import number_words, rule_hints, rule_names
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import time_zone, unit_of_work
from app.infra.web.words import say_here

blueprint = Blueprint("triggers", __name__)


@blueprint.before_request
def _stand_under_reviews() -> None:
    g.nav_endpoint = "reviews.index"


_KIND = f"<any({','.join(kind.value for kind in RULED)}):kind>"


@blueprint.get("/triggers")
@requires(Permission.MANAGE_COHORTS)
def index() -> str:
    """The rules, what waits, what was opened lately."""
    return _index(None)


def _index(form: LimitForm | None) -> str:
    with unit_of_work() as uow:
        settings = settings_of(uow)
        if form is None:
            form = LimitForm(formdata=None)
            form.a_day.data = settings.a_day
        total, waiting = queries.waiting(uow)
        return render_template(
            "triggers/index.html",
            lines=queries.rule_lines(uow),
            names=rule_names(say_here),
            numbers=number_words(say_here),
            form=form,
            settings=settings,
            total=total,
            waiting=waiting,
            opened=queries.opened(uow),
            today=queries.opened_on(uow, today_here(uow)),
            reason=reason_words,
            shown=queries.SHOWN,
        )


@blueprint.post("/triggers/limit")
@requires(Permission.MANAGE_COHORTS)
def set_limit() -> ResponseReturnValue:
    """Set how many reviews may open in a day."""
    form = LimitForm()
    if not form.validate_on_submit():
        return _index(form), 422
    try:
        with unit_of_work() as uow:
            set_a_day(uow, form.a_day.data)
    except InvalidInput as error:
        put_problems(form, error)
        return _index(form), 422
    flash(gettext("At most %(number)s reviews a day are opened from now on.", number=form.a_day.data))
    return redirect(url_for("triggers.index"))


@blueprint.post("/triggers/look")
@requires(Permission.MANAGE_COHORTS)
def look() -> ResponseReturnValue:
    """Have a worker look now, and open what may open today."""
    with unit_of_work() as uow:
        service.ask_for_look(uow)
    flash(gettext("A worker is looking. Load this page again in a minute."))
    return redirect(url_for("triggers.index"))


@blueprint.route(f"/triggers/rules/{_KIND}", methods=["GET", "POST"])
@requires(Permission.MANAGE_COHORTS)
def rule(kind: str) -> ResponseReturnValue:
    """One rule and a dry run of it: who would be asked with the numbers typed in. Nothing is stored before “Save”."""
    form, trigger, status = RuleForm(), Trigger(kind), 200
    form.keep_fields_of(trigger)
    if form.number is not None:
        form.number.label.text = number_words(say_here)[kind]
    with unit_of_work() as uow:
        stored = rules_of(uow)[trigger]
        tried = stored
        if request.method == "GET":
            form.fill(stored)
        elif form.validate():
            try:
                tried = check_rule(form.rule(stored))
                if request.form.get("act") == "save":
                    set_rule(uow, tried)
                    return _saved(tried)
            except InvalidInput as error:
                put_problems(form, error)
        if form.errors:
            status = 422
        touched = queries.dry_run(uow, kind, source_of(uow, tried, today_here(uow)))
    page = render_template(
        "triggers/rule.html",
        form=form,
        kind=kind,
        rule=tried,
        name=rule_names(say_here)[kind],
        hint=rule_hints(say_here)[kind],
        bounds=NUMBERS.get(trigger),
        touched=touched,
        reason=reason_words,
    )
    return page, status


def _saved(rule: Rule) -> ResponseReturnValue:
    name = rule_names(say_here)[rule.kind]
    said = gettext("“%(name)s” is on. It is looked for every night.", name=name)
    flash(said if rule.active else gettext("“%(name)s” is off.", name=name))
    return redirect(url_for("triggers.index"))


@blueprint.get("/events")
@requires(Permission.MANAGE_COHORTS)
def list_events() -> str:
    """The events recorded, the latest first."""
    with unit_of_work() as uow:
        lines = queries.event_lines(uow)
        return render_template("triggers/events.html", lines=lines, touches=_touches(uow, lines))


@blueprint.route("/events/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_COHORTS)
def new_event() -> ResponseReturnValue:
    """Record an event; the next page shows whom it touches."""
    form, status = EventForm(), 200
    with unit_of_work() as uow:
        form.offer(_cohorts(uow), say_here)
        if request.method == "POST":
            if form.validate():
                try:
                    event = events.record_event(uow, form.command())
                    flash(gettext("The event is recorded. Nobody has been asked yet."))
                    return redirect(url_for("triggers.event", event_id=event.id))
                except InvalidInput as error:
                    put_problems(form, error)
            status = 422
        elif not form.happened_on.data:
            form.happened_on.data = uow.now.astimezone(time_zone()).date()
    return render_template("triggers/event_form.html", form=form), status


@blueprint.get("/events/<uuid:event_id>")
@requires(Permission.MANAGE_COHORTS)
def event(event_id: UUID) -> str:
    """One event and whom it touches now: a dry run until its reviews are opened."""
    with unit_of_work() as uow:
        found = events.find_event(uow, event_id)
        lines = queries.event_lines(uow, [event_id])
        return render_template(
            "triggers/event.html",
            event=found,
            line=lines[0],
            touches=_touches(uow, lines)[event_id],
            touched=queries.dry_run(uow, Trigger.EXTERNAL_EVENT.value, source_of_event(found)),
            a_day=settings_of(uow).a_day,
        )


@blueprint.post("/events/<uuid:event_id>/open")
@requires(Permission.MANAGE_COHORTS)
def open_event(event_id: UUID) -> ResponseReturnValue:
    """Open reviews of the plans it touches, as many as may open today."""
    with unit_of_work() as uow:
        found, opened = events.open_event(uow, event_id)
    flash(ngettext("%(num)s plan was found.", "%(num)s plans were found.", found))
    flash(ngettext("%(num)s review was opened today.", "%(num)s reviews were opened today.", opened))
    return redirect(url_for("triggers.event", event_id=event_id))


@blueprint.post("/events/<uuid:event_id>/withdraw")
@requires(Permission.MANAGE_COHORTS)
def withdraw_event(event_id: UUID) -> ResponseReturnValue:
    """Take an event back."""
    with unit_of_work() as uow:
        done = events.withdraw_event(uow, event_id)
    flash(
        gettext(
            "The event is withdrawn. Plans that waited and wait no more: %(waited)s. Reviews taken back: %(taken)s. "
            "Reviews that go on, for people were told of them already: %(stay)s.",
            waited=done.waited,
            taken=done.taken_back,
            stay=done.stay,
        )
    )
    return redirect(url_for("triggers.event", event_id=event_id))


def _cohorts(uow: UnitOfWork) -> list[tuple[UUID, str]]:
    rows = uow.session.execute(select(Cohort.id, Cohort.name).where(Cohort.archived_at.is_(None)).order_by(Cohort.name))
    return [(row.id, row.name) for row in rows]


def _touches(uow: UnitOfWork, lines: list[queries.EventLine]) -> dict[UUID, list[tuple[str, str]]]:
    """What each event touches, in words: pairs of what kind of thing and which."""
    release = current_release(uow)
    named = any(line.event.occupations for line in lines)
    titles = titles_of_all(uow, release) if release is not None and named else {}
    ids = [line.event.cohort_id for line in lines if line.event.cohort_id is not None]
    cohorts = {
        row.id: row.name for row in uow.session.execute(select(Cohort.id, Cohort.name).where(Cohort.id.in_(ids)))
    }

    def of(event: ExternalEvent) -> list[tuple[str, str]]:
        ways, kinds = way_words(say_here), action_words(say_here)
        parts = (
            (gettext("Occupations"), [titles.get(code, code) for code in event.occupations]),
            (gettext("Job families"), [str(FAMILIES.get(code, code)) for code in event.families]),
            (gettext("Ways that are chosen"), [ways.get(kind, kind) for kind in event.paths]),
            (gettext("Kinds of actions that are not done"), [kinds.get(kind, kind) for kind in event.actions]),
            (gettext("Only members of"), [cohorts[event.cohort_id]] if event.cohort_id in cohorts else []),
        )
        return [(label, ", ".join(values)) for label, values in parts if values]

    return {line.event.id: of(line.event) for line in lines}
