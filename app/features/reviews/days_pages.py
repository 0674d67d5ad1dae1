"""Pages of when reviews come: why a plan is asked as it is, its pauses, holidays, and the forecast with its spread."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from app.domain.access import Permission
from app.domain.errors import Conflict, InvalidInput
from app.domain.pauses import HOLIDAY, PauseKind
from app.features.identity.pages import show_problems
from app.features.reviews import forecast as forecasts
from app.features.reviews import pauses
from app.features.reviews.board import cadence_words
from app.features.reviews.commands import AddPause, EndPause
from app.features.reviews.forms import HolidayForm, PauseForm, SpreadForm
from app.features.reviews.pages import blueprint
from app.features.reviews.why import Candidate, Why, explain
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.given import day_in_form

_SHOWN = 50


@blueprint.get("/reviews/plan/<uuid:plan_id>")
@requires(Permission.READ_CLIENTS)
def of_plan(plan_id: UUID) -> ResponseReturnValue:
    """Which policy a plan follows and why, the reviews to come, and the client's pauses."""
    return _of_plan(plan_id, PauseForm(formdata=None))


@blueprint.post("/reviews/plan/<uuid:plan_id>/pauses")
@requires(Permission.WORK_PLANS)
def add_pause(plan_id: UUID) -> ResponseReturnValue:
    """Put in a pause of the plan's client."""
    form = PauseForm()
    if not form.validate_on_submit():
        return _of_plan(plan_id, form), 422
    with unit_of_work() as uow:
        client_id = explain(uow, plan_id).client_id
    try:
        _add(client_id, form.kind.data, form)
    except InvalidInput as error:
        show_problems(form, error)
        return _of_plan(plan_id, form), 422
    flash(gettext("Put in. Reviews that fall into it come after it."))
    return redirect(url_for("reviews.of_plan", plan_id=plan_id))


@blueprint.get("/reviews/holidays")
@requires(Permission.USE_COHORTS)
def holidays() -> ResponseReturnValue:
    """The organization's holidays, and whose pauses are on or to come."""
    return _holidays(HolidayForm(formdata=None))


@blueprint.post("/reviews/holidays")
@requires(Permission.MANAGE_COHORTS)
def add_holiday() -> ResponseReturnValue:
    """Put in a holiday of the organization."""
    form = HolidayForm()
    if not form.validate_on_submit():
        return _holidays(form), 422
    try:
        _add(None, HOLIDAY, form)
    except InvalidInput as error:
        show_problems(form, error)
        return _holidays(form), 422
    flash(gettext("Put in. Nobody is asked on these days."))
    return redirect(url_for("reviews.holidays"))


@blueprint.post("/reviews/pauses/<uuid:pause_id>/end")
@requires(Permission.WORK_PLANS)
def end_pause(pause_id: UUID) -> ResponseReturnValue:
    """Give a pause its last day, or take one away that has not begun; goes back to where the button was."""
    with unit_of_work() as uow:
        pauses.end_pause(uow, EndPause(pause_id=pause_id, last_on=day_in_form("last_on")))
    flash(gettext("Done. What falls due from now on is worked out anew."))
    back = request.form.get("plan", "")
    try:
        return redirect(url_for("reviews.of_plan", plan_id=UUID(back)))
    except ValueError:
        return redirect(url_for("reviews.holidays"))


@blueprint.get("/reviews/forecast")
@requires(Permission.READ_CLIENTS)
def forecast() -> ResponseReturnValue:
    """Who is asked when over the next 90 days; with `?most=` the proposal of a spread."""
    form = SpreadForm(request.args if "most" in request.args else None, meta={"csrf": False})
    proposal = None
    with unit_of_work() as uow:
        if "most" in request.args and form.validate():
            try:
                proposal = forecasts.propose_spread(uow, form.most.data)
            except InvalidInput as error:
                show_problems(form, error)
        seen = proposal.forecast if proposal else forecasts.forecast(uow)
    page = render_template(
        "reviews/forecast.html",
        form=form,
        seen=seen,
        days=seen.by_day(),
        counsellors=seen.by_counsellor(),
        proposal=proposal,
        fullest=max((n for *_, n in seen.by_counsellor()), default=0),
        fullest_after=max((n for *_, n in proposal.after.by_counsellor()), default=0) if proposal else 0,
        shown=_SHOWN,
        # Of somebody whose review is open only the present one has a row to move.
        held=proposal is not None and any(not ask.movable for ask in seen.asks),
        may_work=actor().may(Permission.WORK_PLANS),
    )
    return page, 422 if form.errors else 200


@blueprint.post("/reviews/forecast/spread")
@requires(Permission.WORK_PLANS)
def spread() -> ResponseReturnValue:
    """Move the reviews as the proposal showed them."""
    form = SpreadForm()
    if not form.validate_on_submit():
        return redirect(url_for("reviews.forecast"))
    try:
        with unit_of_work() as uow:
            moved = forecasts.apply_spread(uow, form.most.data, request.form.get("digest", ""))
    except Conflict as error:
        flash(gettext(str(error)))
        return redirect(url_for("reviews.forecast", most=form.most.data))
    flash(ngettext("%(num)s review is put later.", "%(num)s reviews are put later.", moved))
    return redirect(url_for("reviews.forecast"))


@blueprint.app_template_global("review_reason")
def review_reason(plan_id: UUID) -> str:
    """In one sentence which policy decides a plan's next review; for pages below reviews on the ladder."""
    with unit_of_work() as uow:
        why = explain(uow, plan_id)
    return reason_words(why)


def reason_words(why: Why) -> str:
    """Which policy decides, and how often that is."""
    if why.client_left:
        return str(gettext("No reviews while this person is not active."))
    if why.is_set:
        return str(
            gettext(
                "The next day does not come from a policy: it was chosen by hand, spread, or opened before its day."
                " After it: %(rule)s.",
                rule=_rule_words(why),
            )
        )
    return _rule_words(why)


def _rule_words(why: Why) -> str:
    return f"{cadence_words(why.policy)} ({place_words(why.winner)})"


def place_words(one: Candidate) -> str:
    """A place a policy can be set at."""
    return str(
        {
            "plan": gettext("this plan’s own policy"),
            "cohort": gettext("policy of the cohort %(name)s", name=one.name),
            "template": gettext("policy of the template %(name)s", name=one.name),
            "recipe": gettext("recipe of the template %(name)s", name=one.name),
            "organization": gettext("the organization’s policy"),
            "standard": gettext("the standard"),
        }[one.place]
    )


def _add(client_id: UUID | None, kind: str, form: PauseForm | HolidayForm) -> None:
    known: PauseKind = next(word for word in get_args(PauseKind) if word == kind)
    with unit_of_work() as uow:
        pauses.add_pause(
            uow,
            AddPause(
                client_id=client_id,
                kind=known,
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
                note=form.note.data or "",
            ),
        )


def _of_plan(plan_id: UUID, form: PauseForm) -> str:
    with unit_of_work() as uow:
        why = explain(uow, plan_id)
        lines = pauses.pauses_of(uow, client_id=why.client_id)
    return render_template(
        "reviews/of_plan.html",
        why=why,
        reason=reason_words(why),
        place=place_words,
        pauses=lines,
        kinds=_kinds(),
        form=form,
        may_work=actor().may(Permission.WORK_PLANS),
        may_set=actor().may(Permission.MANAGE_COHORTS),
    )


def _holidays(form: HolidayForm) -> str:
    with unit_of_work() as uow:
        lines = pauses.pauses_of(uow)
    return render_template(
        "reviews/holidays.html",
        holidays=[line for line in lines if line.pause.client_id is None],
        leaves=[line for line in lines if line.pause.client_id is not None],
        kinds=_kinds(),
        form=form,
        may_set=actor().may(Permission.MANAGE_COHORTS),
        may_work=actor().may(Permission.WORK_PLANS),
    )


def _kinds() -> dict[str, str]:
    return {
        "leave": gettext("Leave"),
        "exchange": gettext("Exchange term"),
        "graduation": gettext("Graduation"),
        "other": gettext("Something else"),
        "holiday": gettext("Holiday"),
    }
