"""Pages of What-if, for client and counsellor alike: the copies of a plan, and one with its changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.folding import fold
from app.domain.what_if import Kind
from app.features.occupations.releases import current_release
from app.features.occupations.search import search
from app.features.plans.queries import view_plan
from app.features.plans.words import step_names
from app.features.scratches import queries, service
from app.features.scratches.commands import BeginScratch, TryChange
from app.features.scratches.forms import SHOWN, BeginForm, ChangeForm, kind_titles
from app.features.scratches.words import STEP_OF, change_sentence, impossible_sentence, late_sentence
from app.features.steps.rests import orphan_words, reason_of
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.given import whole_in_form

blueprint = Blueprint("scratches", __name__, url_prefix="/plans/<uuid:plan_id>/try")
_ONE = "/<uuid:scratch_id>"
# More of a list than this is no help.
_MOST_SHOWN = 50


@blueprint.before_request
def _place() -> None:
    own = "actor" in g and actor().may(Permission.OWN_PLAN)
    g.nav_endpoint = "overview.my_plan" if own else "overview.caseload"


def _frame(plan_id: UUID, view: Any) -> dict[str, Any]:
    own = actor().may(Permission.OWN_PLAN)
    plan = url_for("overview.my_plan") if own else url_for("plans.plan", plan_id=plan_id)
    return {
        "base": "base_phone.html" if own else "base.html",
        "own": own,
        "view": view,
        "name": view.client.name,
        "plan_href": plan,
        "names": step_names(gettext),
        "mine": actor().membership_id,
        "may_try": actor().may(Permission.WORK_PLANS) or own,
    }


def _step_href(plan_id: UUID, number: int) -> str:
    if actor().may(Permission.OWN_PLAN):
        return url_for("overview.my_step", number=number)
    return url_for("plans.step", plan_id=plan_id, number=number)


@blueprint.get("")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
def index(plan_id: UUID) -> str:
    """The copies of a plan that the reader may see, and the form to begin one."""
    return _index(plan_id, BeginForm(formdata=None))


def _index(plan_id: UUID, form: BeginForm) -> str:
    with unit_of_work() as uow:
        view = view_plan(uow, plan_id)
        copies = queries.scratches_of(uow, plan_id)
        return render_template("scratches/index.html", copies=copies, form=form, **_frame(plan_id, view))


@blueprint.post("")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
def begin(plan_id: UUID) -> Response | tuple[str, int]:
    """Copy the plan as it stands."""
    form = BeginForm()
    if not form.validate_on_submit():
        return _index(plan_id, form), 422
    with unit_of_work() as uow:
        row = service.begin_scratch(uow, BeginScratch(plan_id=plan_id, title=form.title.data or ""))
    return redirect(url_for("scratches.show", plan_id=plan_id, scratch_id=row.id))


@blueprint.get(_ONE)
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
def show(plan_id: UUID, scratch_id: UUID) -> str:
    """One copy: its changes, what they do, and what more can be tried."""
    return _show(plan_id, scratch_id, ChangeForm(formdata=None))


def _show(plan_id: UUID, scratch_id: UUID, form: ChangeForm, kind: Kind | None = None) -> str:
    with unit_of_work() as uow:
        view = view_plan(uow, plan_id)
        tried = queries.try_out(uow, queries.find_scratch(uow, plan_id, scratch_id))
        form.offer(tried.before)
        found = tried.outcome
        names = step_names(gettext)
        return render_template(
            "scratches/show.html",
            tried=tried,
            changes=[
                (change_sentence(change, tried.after), _step_href(plan_id, step.number), step.number)
                for change in tried.row.changes
                for step in [STEP_OF[Kind(change["kind"])]]
            ],
            stale=[
                (key.number, names[key], [reason_of(one.aspect, one.before, one.after) for one in changes])
                for key, changes in found.stale.items()
            ],
            late=[late_sentence(one) for one in found.late[:_MOST_SHOWN]],
            impossible=[impossible_sentence(one) for one in found.impossible[:_MOST_SHOWN]],
            loose=[orphan_words(one) for one in found.loose[:_MOST_SHOWN]],
            form=form,
            kinds=[(one, title, SHOWN[one]) for one, title in kind_titles().items() if _can_try(one, form)],
            open_kind=kind,
            **_frame(plan_id, view),
        )


def _can_try(kind: Kind, form: ChangeForm) -> bool:
    """Whether the copy has something this kind of change could be about."""
    first = form[SHOWN[kind][0]]
    return kind in (Kind.OCCUPATION, Kind.HOURS) or len(first.choices) > 1


@blueprint.post(f"{_ONE}/changes/<any({', '.join(Kind)}):kind>")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
def change(plan_id: UUID, scratch_id: UUID, kind: str) -> Response | tuple[str, int]:
    """Try one more change on the copy."""
    form, which = ChangeForm(), Kind(kind)
    if form.validate():
        try:
            with unit_of_work() as uow:
                typed = form.change(which)
                if which is Kind.OCCUPATION and not typed.get("option"):
                    typed |= _named(uow, (form.name.data or "").strip())
                service.try_change(uow, TryChange(plan_id=plan_id, scratch_id=scratch_id, change=typed))
        except InvalidInput as invalid:
            first = form[SHOWN[which][0]]
            first.errors = [*first.errors, *(problem.sentence for problem in invalid.problems)]
        else:
            return redirect(url_for("scratches.show", plan_id=plan_id, scratch_id=scratch_id, _anchor="outcome"))
    return _show(plan_id, scratch_id, form, which), 422


def _named(uow: UnitOfWork, typed: str) -> dict[str, Any]:
    """An occupation by what was typed: from the catalogue where it is a title or a code of it, else a name."""
    release = current_release(uow)
    hits = search(uow, typed, 3, release) if release and typed else []
    for hit in hits:
        if release and (hit.code == typed or fold(hit.matched) == fold(typed)):
            return {"name": hit.title, "code": hit.code, "release": release.key}
    return {"name": typed}


@blueprint.post(f"{_ONE}/take-off")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
def take_off(plan_id: UUID, scratch_id: UUID) -> Response:
    """Take one change off the copy."""
    with unit_of_work() as uow:
        number = whole_in_form("number")
        if number is None:
            raise InvalidInput([FieldProblem("number", gettext("Load the page again and repeat."))])
        service.take_off_change(uow, plan_id, scratch_id, number)
    return redirect(url_for("scratches.show", plan_id=plan_id, scratch_id=scratch_id, _anchor="outcome"))


@blueprint.post(f"{_ONE}/<any(share, unshare):move>")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
def share(plan_id: UUID, scratch_id: UUID, move: str) -> Response:
    """Show the copy to the others who may see the plan, or no longer."""
    with unit_of_work() as uow:
        service.share_scratch(uow, plan_id, scratch_id, shared=move == "share")
    flash(
        gettext("Whoever may see the plan may see this copy now, and try changes on it.")
        if move == "share"
        else gettext("Only you see this copy now.")
    )
    return redirect(url_for("scratches.show", plan_id=plan_id, scratch_id=scratch_id))


@blueprint.post(f"{_ONE}/discard")
@requires(Permission.WORK_PLANS, Permission.OWN_PLAN)
def discard(plan_id: UUID, scratch_id: UUID) -> Response:
    """Throw the copy away."""
    with unit_of_work() as uow:
        service.discard_scratch(uow, plan_id, scratch_id)
    flash(gettext("The copy is discarded. The plan is as it was."))
    return redirect(url_for("scratches.index", plan_id=plan_id))
