"""The client's page on which another way is taken, with what that sets aside and brings back told before."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.steps import OPEN_STATUSES, StepKey
from app.features.steps.career_path.service import SwitchPath, switch_path
from app.features.steps.career_path.ways import preview, way_of
from app.features.steps.parts import path_name
from app.features.steps.views import own_plan
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work
from app.infra.web.given import whole_in_form

blueprint = Blueprint("career_path", __name__)
_KEY = StepKey.CAREER_PATH
_ADDRESS = "/my-plan/ways/<path>"


@blueprint.get(_ADDRESS)
@requires(Permission.OWN_PLAN)
def switch(path: str) -> str:
    """What taking this way would do; nothing is written."""
    with unit_of_work() as uow:
        view = own_plan(uow)
        content = view.content(_KEY)
        way = way_of(content, path)
        if way is None:
            raise NotFound(gettext("There is no such way. Load the step again."))
        found = preview(view.written, path)
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
            open=view.step(_KEY).status in OPEN_STATUSES,
        )


@blueprint.post(_ADDRESS)
@requires(Permission.OWN_PLAN)
def take(path: str) -> Response:
    """Take the way the preview was shown for."""
    over = whole_in_form("over")
    if over is None:
        raise InvalidInput([FieldProblem("over", gettext("Load the page again and repeat."))])
    with unit_of_work() as uow:
        plan_id = own_plan(uow).plan.id
        switch_path(uow, SwitchPath(plan_id, path, over), gettext)
    flash(gettext("Another way is taken. What belongs to the one before is set aside and comes back with it."))
    return redirect(url_for("overview.my_step", number=_KEY.number, part=4))
