"""A client's own pages: the plan, and one step to fill in, saved as it is typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, g, redirect, render_template, request, session, url_for
from flask_babel import format_date, gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import Conflict, InvalidInput
from app.domain.steps import ActorKind, StepAction, StepKey, StepStatus, allowed_actions
from app.features.overview.blueprint import blueprint
from app.features.plans import queries, service
from app.features.plans.commands import AddComment, ConfirmStep, SaveContent
from app.features.plans.marks import confirm_step
from app.features.plans.words import step_names
from app.features.reviews.own_result import own_check_ins
from app.features.steps import guided, rests, views
from app.features.steps.forms import FORMS
from app.features.steps.forms_beside import CommentForm
from app.features.steps.pages import key_of
from app.features.steps.registry import ROOMS
from app.features.steps.rowforms import RoomForm
from app.features.steps.tools import Desk, act_on, has_tools, tools_of
from app.features.steps.views import own_plan
from app.features.triggers.shown import reasons_to_client
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, time_zone, unit_of_work
from app.infra.web.given import whole_in_query
from app.infra.web.words import said, say_here, words_here

# Under which name the session keeps how the client wants steps shown.
_MODE = "steps"
_ENDS_SEARCH = ("start", "target")


def _href(number: int) -> str:
    return url_for("overview.my_step", number=number)


def _confirm_href(number: int) -> str:
    return url_for("overview.confirm_my_step", number=number)


def greeting(now: datetime) -> str:
    """A greeting for the hour of `now`, a moment in the reader's zone."""
    if 5 <= now.hour < 12:
        said = gettext("Good morning")
    elif 12 <= now.hour < 18:
        said = gettext("Good afternoon")
    else:
        said = gettext("Good evening")
    return str(said)


@blueprint.get("/my-plan")
@requires(Permission.OWN_PLAN)
def my_plan() -> str:
    """The dial, one next thing, what is due, messages."""
    with unit_of_work() as uow:
        now = uow.now.astimezone(time_zone())
        client_id = actor().client_id
        if client_id is None or queries.plan_of_client(uow, client_id) is None:
            asked = views.asked_items(uow, client_id, now.date()) if client_id else []
            return render_template("overview/my_plan_none.html", greeting=greeting(now), asked=asked)
        view = own_plan(uow)
        return render_template(
            "overview/my_plan.html",
            view=view,
            greeting=greeting(now),
            today=now.date(),
            segments=views.segments(view.steps, _href),
            next=_next_thing(uow, view),
            again=rests.look_again(uow, view, _href, _confirm_href),
            ends=rests.loose_ends(view.written, _href),
            map=rests.map_lines(),
            due=views.asked_items(uow, client_id, now.date()) + views.due_items(view, now.date(), _href),
            reasons=reasons_to_client(uow, view.plan.id),
            messages=queries.latest_comments(uow, view.plan.id),
            check_ins=own_check_ins(uow, view.plan.id),
            names=step_names(gettext),
            mine=actor().membership_id,
            href=_href,
        )


@blueprint.get("/my-plan/compare")
@requires(Permission.OWN_PLAN)
def my_compare() -> str:
    """Any two revisions of the client's own plan side by side, with why it changed."""
    g.nav_endpoint = "overview.my_plan"
    with unit_of_work() as uow:
        view = own_plan(uow)
        shown = views.comparison(uow, view, whole_in_query("before"), whole_in_query("after"))
        return render_template("overview/my_compare.html", view=view, **shown)


@dataclass(frozen=True, slots=True)
class _Next:
    title: str
    text: str
    href: str
    go: str


def _next_thing(uow: UnitOfWork, view: queries.PlanView) -> _Next | None:
    key = views.next_step(view)
    if key is None:
        return None
    row, name = view.step(key), step_names(gettext)[key]
    title = gettext("Next: step %(n)s, %(name)s", n=key.number, name=name)
    if row.status == "returned":
        text = gettext("Your %(counsellor)s wrote: %(reason)s", reason=row.reason or "", **words_here())
        return _Next(title, text, _href(key.number), gettext("Look at it"))
    if row.status == "not_started":
        first = view.recipe_of(key).guidance.split("\n\n")[0]
        return _Next(title, first, _href(key.number), gettext("Begin"))
    missing = views.section_of(uow, view, key)[1]
    text = missing[0] if missing else gettext("All is there. Read it once more and hand it in.")
    return _Next(title, text, _href(key.number), gettext("Go on"))


@blueprint.get("/my-plan/steps/<int:number>")
@requires(Permission.OWN_PLAN)
def my_step(number: int) -> str | Response:
    """One step: fill it in, hand it in, talk about it; guided one part at a time until the client asks for the whole.

    `mode` ("guided" or "whole") is remembered while the client is signed in; `part` is the screen of the guided way.
    """
    key = key_of(number)
    if mode := request.args.get("mode"):
        session[_MODE] = "whole" if mode == "whole" else "guided"
        return redirect(_href(number))
    return _step_page(key)


def _is_guided() -> bool:
    """Whether steps are shown one part at a time; a form says itself which way it was shown."""
    if request.method == "POST" and "over" in request.form:
        return "part" in request.form
    return bool(session.get(_MODE, "guided") == "guided")


def _asked_part() -> str:
    """The screen the address or the form names: a number, "check" for the last, or empty."""
    return str(request.form.get("part") or request.args.get("part") or "")


def _place(form: RoomForm, view: queries.PlanView, key: StepKey, asked: str) -> guided.Place:
    """The screen of the guided way that is asked for, else the first with nothing written on it."""
    parts = guided.parts_of(form, tools=has_tools(key))
    content = view.content(key) or ROOMS[key].empty()
    if asked == "check":
        number = len(parts) + 1
    elif asked.isdecimal():
        # Longer numbers are beyond the last screen too.
        number = int(asked[:4])
    else:
        number = guided.resume_at(parts, content, begun=view.version(key) > 0)
    return guided.place_of(form, parts, number, gettext("Read it once more"))


@blueprint.post("/my-plan/steps/<int:number>")
@requires(Permission.OWN_PLAN)
def save_my_step(number: int) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Save what was typed; then stay, add rows or hand in, as the pressed button says."""
    key = key_of(number)
    if key not in FORMS:
        raise Conflict(gettext("This step is filled in by answering a review."))
    if "X-Autosave" in request.headers:
        return _save_as_typed(key)
    hand_in = request.form.get("do") == "submit"
    try:
        missing = _save(key, hand_in=hand_in)[1]
    except service.ContentConflict as conflict:
        return _step_page(key, conflict=conflict), 409
    except InvalidInput as invalid:
        return _step_page(key, refused=invalid), 422
    return _after_save(number, hand_in=hand_in, complete=not missing)


def _after_save(number: int, *, hand_in: bool, complete: bool) -> Response:
    if hand_in and complete:
        flash(gettext("Step %(n)s is handed in. Your %(counsellor)s will read it.", n=number, **words_here()))
        return redirect(url_for("overview.my_plan"))
    part: dict[str, Any] = {"part": request.form["part"]} if _is_guided() else {}
    if hand_in:
        flash(gettext("It is saved, but not handed in yet: something is missing."), "warning")
        return redirect(url_for("overview.my_step", number=number, _anchor="missing", **part))
    if more := request.form.get("more", ""):
        return redirect(url_for("overview.my_step", number=number, more=more, _anchor=more, **part))
    if act := _act():
        # A button that takes one of what was found ends the search; one that adds leaves it, for the next to be added.
        ends = act.partition("/")[2].partition(":")[0] in _ENDS_SEARCH
        asked = {"ask": request.form["ask"]} if request.form.get("ask") and not ends else {}
        here: dict[str, Any] = {"did": act.partition("/")[0]} | asked | part
        return redirect(url_for("overview.my_step", number=number, _anchor=here["did"], **here))
    if part and (move := {"next": 1, "back": -1}.get(request.form.get("do", ""))):
        at = int(part["part"][:4]) if part["part"].isdecimal() else 1
        return redirect(url_for("overview.my_step", number=number, part=max(1, at + move)))
    flash(gettext("Saved."))
    return redirect(url_for("overview.my_step", number=number, **part))


def _act() -> str:
    """The act of the button that was pressed; the Enter key in a search that was typed anew searches."""
    if act := request.form.get("act", ""):
        return act
    anew = request.form.get("ask", "").strip() not in ("", request.form.get("asked", ""))
    entered = anew and request.form.get("do") in ("next", "save")
    return request.form.get("find", "") if entered else ""


def _save_as_typed(key: StepKey) -> tuple[str, int, dict[str, str]]:
    """The answer to the script: the new version in a header, or a sentence for the line below the form."""
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    try:
        version, _ = _save(key, hand_in=False)
    except service.ContentConflict:
        return (
            gettext("Not saved: this step was changed in another window. Press Save to see both texts."),
            409,
            kind,
        )
    except InvalidInput as invalid:
        return " ".join(said(problem.sentence) for problem in invalid.problems), 422, kind
    return "", 200, kind | {"X-Version": str(version)}


def _save(key: StepKey, *, hand_in: bool) -> tuple[int, list[str]]:
    """Store the posted form and hand in if asked and complete; returns the version and what is missing."""
    with unit_of_work() as uow:
        view = own_plan(uow)
        around = queries.surroundings_of(uow, view, key)
        form = FORMS[key].make(view.content(key), around, view.version(key))
        content = form.content()
        if _is_guided():
            part = _place(form, view, key, _asked_part()).part
            content = guided.typed_over(view.content(key) or ROOMS[key].empty(), content, part)
        if act := _act():
            content = act_on(Desk(uow, view, key, content, around, open=True), act)
        command = SaveContent(plan_id=view.plan.id, step=key, content=content, over=form.over.data or 0)
        stored = service.save_content(uow, command, ROOMS[key], gettext)
        missing = ROOMS[key].missing(stored.content, around, gettext)
        if hand_in and not missing:
            service.submit_step(uow, view.plan.id, key)
        return stored.version, missing


@blueprint.post("/my-plan/steps/<int:number>/withdraw")
@requires(Permission.OWN_PLAN)
def withdraw_my_step(number: int) -> Response:
    """Take a step back that was handed in."""
    with unit_of_work() as uow:
        service.withdraw_step(uow, own_plan(uow).plan.id, key_of(number))
    flash(gettext("Step %(n)s is yours again. Hand it in when you are ready.", n=number))
    return redirect(_href(number))


@blueprint.post("/my-plan/steps/<int:number>/confirm")
@requires(Permission.OWN_PLAN)
def confirm_my_step(number: int) -> Response:
    """Say that a step is still right although something it rests on changed."""
    with unit_of_work() as uow:
        command = ConfirmStep(plan_id=own_plan(uow).plan.id, step=key_of(number), seen=request.form.get("seen", ""))
        confirm_step(uow, command)
    flash(gettext("Step %(n)s is still right. It is noted in the history.", n=number))
    return redirect(_href(number))


@blueprint.post("/my-plan/steps/<int:number>/comments")
@requires(Permission.OWN_PLAN)
def comment_my_step(number: int) -> Response | tuple[str, int]:
    """Add to the step's thread."""
    key = key_of(number)
    form = CommentForm()
    if not form.validate_on_submit():
        return _step_page(key, comment_form=form), 422
    with unit_of_work() as uow:
        service.add_comment(uow, AddComment(plan_id=own_plan(uow).plan.id, step=key, body=form.body.data))
    flash(gettext("Your comment is added."))
    return redirect(url_for("overview.my_step", number=number, part="check", _anchor="comments"))


def _step_page(
    key: StepKey,
    *,
    conflict: service.ContentConflict | None = None,
    refused: InvalidInput | None = None,
    comment_form: CommentForm | None = None,
) -> str:
    with unit_of_work() as uow:
        view = own_plan(uow)
        row = view.step(key)
        section, missing, around = views.section_of(uow, view, key)
        actions = allowed_actions(StepStatus(row.status), ActorKind.CLIENT)
        form: RoomForm | None = None
        if key in FORMS and StepAction.SAVE in actions:
            form = FORMS[key].make(view.content(key), around, view.version(key), extra=request.args.get("more", ""))
            if refused is not None:
                form.take(refused.problems)
            if conflict is not None:
                # What was typed stays in the form and is saved over the stored text by the next press.
                form.over.raw_data, form.over.data = None, conflict.version
        content = view.content(key) or ROOMS[key].empty()
        desk = Desk(uow, view, key, content, around, open=form is not None, ask=request.args.get("ask", ""))
        both: dict[str, Any] = {}
        if conflict is not None:
            both = {"theirs": ROOMS[key].report(conflict.theirs, around, say_here)}
        place = None
        if form is not None and _is_guided():
            # A comment that was refused is mended where the comments are.
            place = _place(form, view, key, "check" if comment_form else _asked_part())
        return render_template(
            "overview/my_part.html" if place else "overview/my_step.html",
            view=view,
            place=place,
            key=key,
            row=row,
            again=rests.look_again(uow, view, _href, _confirm_href, only=key),
            names=step_names(gettext),
            form=form,
            section=section,
            missing=missing if view.version(key) else [],
            guidance=view.recipe_of(key).guidance,
            conflict=both,
            may_withdraw=StepAction.WITHDRAW in actions,
            comments=queries.comments_of(uow, view.plan.id, key),
            comment_form=comment_form or CommentForm(formdata=None),
            comment_href=url_for("overview.comment_my_step", number=key.number),
            due_words=format_date(row.due_on, "long") if row.due_on else None,
            late=views.late_words(row.due_on, uow.now.astimezone(time_zone()).date()),
            around=around,
            href=_href,
            tools=tools_of(desk),
            reader="client",
        )
