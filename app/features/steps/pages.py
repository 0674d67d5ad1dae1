"""The counsellor's pages of a plan: the plan, one step, two revisions side by side. Rooms stand above plans."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.steps import OPEN_STATUSES, ActorKind, StepAction, StepKey, StepStatus, allowed_actions
from app.features.plans import queries, revisions, service
from app.features.plans.commands import AddComment, ConfirmStep, MoveStep, SetDueDate
from app.features.plans.marks import confirm_step
from app.features.plans.rooms import step_of
from app.features.plans.words import status_words, step_names
from app.features.steps import rests, views
from app.features.steps.forms_beside import CommentForm, DueForm, ReasonForm
from app.features.steps.registry import ROOMS
from app.features.steps.tools import Desk, tools_of
from app.infra.web.access import requires
from app.infra.web.context import actor, time_zone, unit_of_work
from app.infra.web.given import whole_in_form, whole_in_query

blueprint = Blueprint("plans", __name__, url_prefix="/plans/<uuid:plan_id>")
_MOVES = {
    "complete": StepAction.COMPLETE,
    "return": StepAction.RETURN,
    "reopen": StepAction.REOPEN,
    "skip": StepAction.SKIP,
    "unskip": StepAction.UNSKIP,
}


@blueprint.before_request
def _place() -> None:
    g.nav_endpoint = "overview.caseload"


def key_of(number: int) -> StepKey:
    """The step of an address; anything but 1 to 8 is a page that is not there."""
    if not 1 <= number <= len(StepKey):
        abort(404)
    return step_of(number)


@blueprint.get("")
@requires(Permission.READ_CLIENTS)
def plan(plan_id: UUID) -> str:
    """The plan: the dial as navigation, the step that waits, what changed, the history."""
    href = _href(plan_id)
    with unit_of_work() as uow:
        view = queries.view_plan(uow, plan_id)
        current = views.current_step(view)
        frozen = queries.revisions_of(uow, plan_id)
        changes = []
        if frozen:
            last, now = frozen[-1].snapshot, revisions.take_snapshot(uow, plan_id)
            differences = revisions.compare_revisions(uow, plan_id, frozen[-1].revision, view.plan.revision)
            changes = views.compared(differences, last, now)
        return render_template(
            "plans/plan.html",
            view=view,
            name=view.client.name,
            segments=views.segments(view.steps, href),
            again=rests.look_again(uow, view, href, _confirm_href(plan_id)),
            ends=rests.loose_ends(view.written, href),
            map=rests.map_lines(),
            standing=views.standing(view),
            current=current,
            row=view.step(current) if current else None,
            section=views.section_of(uow, view, current)[0] if current else None,
            names=step_names(gettext),
            frozen=frozen,
            changes=changes,
            history=views.history(uow, view),
            freeze_form=ReasonForm(prefix="freeze"),
            check_ins=queries.waiting_check_ins(uow, plan_id),
            may_work=actor().may(Permission.WORK_PLANS),
        )


@blueprint.get("/steps/<int:number>")
@requires(Permission.READ_CLIENTS)
def step(plan_id: UUID, number: int) -> str:
    """One step: the client's content, guidance and tools, comments, history."""
    return _step_page(plan_id, key_of(number))


@blueprint.post("/steps/<int:number>/<any(complete, 'return', reopen, skip, unskip):move>")
@requires(Permission.WORK_PLANS)
def move(plan_id: UUID, number: int, move: str) -> Response | tuple[str, int]:
    """Accept, return, reopen, skip or take up a step."""
    key = key_of(number)
    form = ReasonForm(prefix=move)
    command = MoveStep(plan_id=plan_id, step=key, action=_MOVES[move], reason=form.reason.data)
    try:
        with unit_of_work() as uow:
            after = service.move_step(uow, command)
    except InvalidInput as invalid:
        # Nothing was changed; the form comes back with what was typed.
        form.reason.errors = [problem.sentence for problem in invalid.problems]
        return _step_page(plan_id, key, forms={move: form}), 422
    said = {
        StepStatus.COMPLETED: gettext("Step %(n)s is accepted.", n=number),
        StepStatus.RETURNED: gettext("Step %(n)s is returned with your reason.", n=number),
        StepStatus.IN_PROGRESS: gettext("Step %(n)s is open again.", n=number),
        StepStatus.SKIPPED: gettext("Step %(n)s is skipped.", n=number),
        StepStatus.NOT_STARTED: gettext("Step %(n)s is part of the plan again.", n=number),
    }
    flash(said.get(after, gettext("Done.")))
    return redirect(url_for("plans.step", plan_id=plan_id, number=number))


@blueprint.post("/steps/<int:number>/confirm")
@requires(Permission.WORK_PLANS)
def confirm(plan_id: UUID, number: int) -> Response:
    """Say that a step is still right although something it rests on changed."""
    with unit_of_work() as uow:
        command = ConfirmStep(plan_id=plan_id, step=key_of(number), seen=request.form.get("seen", ""))
        confirm_step(uow, command)
    flash(gettext("Step %(n)s is still right. It is noted in the history.", n=number))
    return redirect(url_for("plans.step", plan_id=plan_id, number=number))


@blueprint.post("/steps/<int:number>/due")
@requires(Permission.WORK_PLANS)
def due(plan_id: UUID, number: int) -> Response | tuple[str, int]:
    """Move the step's due day."""
    key = key_of(number)
    form = DueForm()
    if not form.validate_on_submit():
        return _step_page(plan_id, key, due_form=form), 422
    with unit_of_work() as uow:
        service.set_due_date(uow, SetDueDate(plan_id=plan_id, step=key, due_on=form.due_on.data))
    flash(gettext("The due day is changed."))
    return redirect(url_for("plans.step", plan_id=plan_id, number=number))


@blueprint.post("/steps/<int:number>/comments")
@requires(Permission.WORK_PLANS)
def comment(plan_id: UUID, number: int) -> Response | tuple[str, int]:
    """Add to the step's thread."""
    key = key_of(number)
    form = CommentForm()
    if not form.validate_on_submit():
        return _step_page(plan_id, key, comment_form=form), 422
    with unit_of_work() as uow:
        service.add_comment(uow, AddComment(plan_id=plan_id, step=key, body=form.body.data))
    flash(gettext("Your comment is added."))
    return redirect(url_for("plans.step", plan_id=plan_id, number=number, _anchor="comments"))


@blueprint.post("/freeze")
@requires(Permission.WORK_PLANS)
def freeze(plan_id: UUID) -> Response:
    """Close the open revision and begin the next."""
    form = ReasonForm(prefix="freeze")
    with unit_of_work() as uow:
        plan = queries.find_plan(uow, plan_id)
        # The page names the revision it showed, so that sending it twice closes one.
        asked = whole_in_form("revision")
        if asked is None:
            raise InvalidInput([FieldProblem("revision", gettext("Load the plan again and repeat."))])
        row = revisions.freeze_revision(uow, plan, form.reason.data or "", revision=asked)
        number = row.revision
    flash(gettext("Revision %(n)s is closed and kept as it was.", n=number))
    return redirect(url_for("plans.plan", plan_id=plan_id))


@blueprint.get("/compare")
@requires(Permission.READ_CLIENTS)
def compare(plan_id: UUID) -> str:
    """Any two revisions side by side, step by step."""
    with unit_of_work() as uow:
        view = queries.view_plan(uow, plan_id)
        return render_template(
            "plans/compare.html",
            view=view,
            name=view.client.name,
            **views.comparison(uow, view, whole_in_query("before"), whole_in_query("after")),
        )


@blueprint.get("/revisions/<int:number>")
@requires(Permission.READ_CLIENTS)
def revision(plan_id: UUID, number: int) -> str:
    """A revision as it was, rebuilt from what was kept and checked against its checksum."""
    with unit_of_work() as uow:
        view = queries.view_plan(uow, plan_id)
        snapshot = revisions.snapshot_of(uow, plan_id, number)
        frozen = {row.revision: row for row in queries.revisions_of(uow, plan_id)}
        return render_template(
            "plans/revision.html",
            view=view,
            name=view.client.name,
            number=number,
            frozen=frozen.get(number),
            steps=views.as_it_was(snapshot),
        )


def _href(plan_id: UUID) -> Callable[[int], str]:
    return lambda number: url_for("plans.step", plan_id=plan_id, number=number)


def _confirm_href(plan_id: UUID) -> Callable[[int], str]:
    return lambda number: url_for("plans.confirm", plan_id=plan_id, number=number)


def _step_page(
    plan_id: UUID,
    key: StepKey,
    *,
    forms: dict[str, ReasonForm] | None = None,
    due_form: DueForm | None = None,
    comment_form: CommentForm | None = None,
) -> str:
    href = _href(plan_id)
    with unit_of_work() as uow:
        view = queries.view_plan(uow, plan_id)
        row = view.step(key)
        section, missing, around = views.section_of(uow, view, key)
        desk = Desk(uow, view, key, view.content(key) or ROOMS[key].empty(), around, open=False)
        may_work = actor().may(Permission.WORK_PLANS)
        actions = allowed_actions(StepStatus(row.status), ActorKind.COUNSELLOR) if may_work else ()
        return render_template(
            "plans/step.html",
            view=view,
            name=view.client.name,
            key=key,
            row=row,
            names=step_names(gettext),
            segments=views.segments(view.steps, href),
            again=rests.look_again(uow, view, href, _confirm_href(plan_id), only=key),
            section=section,
            missing=missing,
            guidance=view.recipe_of(key).guidance,
            actions=[action.value for action in actions],
            forms={move: (forms or {}).get(move) or ReasonForm(prefix=move, formdata=None) for move in _MOVES},
            due_form=due_form or DueForm(data={"due_on": row.due_on}, formdata=None),
            comment_form=comment_form or CommentForm(formdata=None),
            comments=queries.comments_of(uow, plan_id, key),
            comment_href=url_for("plans.comment", plan_id=plan_id, number=key.number),
            history=views.history(uow, view, step=key),
            late=views.late_words(row.due_on, uow.now.astimezone(time_zone()).date())
            if row.status in OPEN_STATUSES
            else None,
            words=status_words(gettext),
            may_work=may_work,
            tools=tools_of(desk),
            check_ins=queries.waiting_check_ins(uow, plan_id) if key is StepKey.REVIEW else [],
            reader="counsellor",
        )
