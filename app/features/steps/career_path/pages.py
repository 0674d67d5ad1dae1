"""The client's page on which another way is taken, with what that sets aside and brings back told before."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.steps import ActorKind, StepAction, StepKey, StepStatus, allowed_actions
from app.features.plans import queries
from app.features.steps.career_path.service import SwitchPath, switch_path
from app.features.steps.career_path.ways import preview, way_of
from app.features.steps.parts import path_name
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work
from app.infra.web.given import whole_in_form
from app.infra.web.words import words_here

blueprint = Blueprint("career_path", __name__)
_KEY = StepKey.CAREER_PATH
_ADDRESS = "/my-plan/ways/<path>"


def _own(uow: UnitOfWork) -> queries.PlanView:
    plan = queries.plan_of_client(uow, client) if (client := actor().client_id) else None
    if plan is None:
        raise NotFound(gettext("You have no plan yet. Your %(counsellor)s will give you one.", **words_here()))
    return queries.view_plan(uow, plan.id)


@blueprint.get(_ADDRESS)
@requires(Permission.OWN_PLAN)
def switch(path: str) -> str:
    """What taking this way would do; nothing is written."""
    with unit_of_work() as uow:
        view = _own(uow)
        content = view.content(_KEY)
        way = way_of(content, path)
        if way is None:
            raise NotFound(gettext("There is no such way. Load the step again."))
        found = preview({step: row.content for step, row in view.contents.items()}, path)
        before = way_of(content, found.before)
        return render_template(
            "steps/path_switch.html",
            path=path,
            to=path_name(way, gettext),
            before=path_name(before, gettext) if before else None,
            same=found.before == path,
            parts=[
                (gettext("Goals"), found.goals),
                (gettext("Actions"), found.actions),
                (gettext("Milestones"), found.milestones),
            ],
            orphans=found.orphans,
            version=view.version(_KEY),
            open=StepAction.SAVE in allowed_actions(StepStatus(view.step(_KEY).status), ActorKind.CLIENT),
        )


@blueprint.post(_ADDRESS)
@requires(Permission.OWN_PLAN)
def take(path: str) -> Response:
    """Take the way the preview was shown for."""
    over = whole_in_form("over")
    if over is None:
        raise InvalidInput([FieldProblem("over", gettext("Load the page again and repeat."))])
    with unit_of_work() as uow:
        plan_id = _own(uow).plan.id
        switch_path(uow, SwitchPath(plan_id, path, over), gettext)
    flash(gettext("Another way is taken. What belongs to the one before is set aside and comes back with it."))
    return redirect(url_for("overview.my_step", number=_KEY.number, part=4))
