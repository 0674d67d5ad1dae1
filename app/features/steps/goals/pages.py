"""The client's page on which locked levels of a goal are changed, with a reason."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.steps import StepKey
from app.features.steps.goals.forms import LEVEL_FIELDS, LEVEL_LABELS
from app.features.steps.goals.service import ChangeLevels, change_levels
from app.features.steps.parts import MOST_LINE, written
from app.features.steps.views import own_plan
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work

blueprint = Blueprint("goals", __name__)


def _level(label: str) -> StringField:
    return StringField(label, validators=[InputRequired(_("Describe all five levels.")), Length(max=MOST_LINE)])


class LevelsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF carries no types
    """The five levels of one goal, and why they change."""

    level_a = _level(LEVEL_LABELS["level_a"])
    level_b = _level(LEVEL_LABELS["level_b"])
    level_c = _level(LEVEL_LABELS["level_c"])
    level_d = _level(LEVEL_LABELS["level_d"])
    level_e = _level(LEVEL_LABELS["level_e"])
    why = TextAreaField(
        _("Why do the levels change?"),
        validators=[InputRequired(_("Write why the levels change; it is kept with them.")), Length(max=MOST_LINE)],
    )


@blueprint.route("/my-plan/goals/<goal>/levels", methods=["GET", "POST"])
@requires(Permission.OWN_PLAN)
def levels(goal: str) -> str | Response | tuple[str, int]:
    """Describe the levels of a goal anew."""
    form = LevelsForm()
    with unit_of_work() as uow:
        view = own_plan(uow)
        row = next((row for row in written(view.content(StepKey.GOALS), "goals", "text") if row["id"] == goal), None)
        if row is None:
            raise NotFound(gettext("There is no such goal. Load the page again."))
        if form.validate_on_submit():
            typed = {level: form[name].data for name, level in LEVEL_FIELDS.items()}
            change_levels(uow, ChangeLevels(view.plan.id, goal, typed, form.why.data), gettext)
    if form.is_submitted() and not form.errors:
        flash(gettext("The levels are changed. What they were, and why, stays beside them."))
        return redirect(url_for("overview.my_step", number=StepKey.GOALS.number, part=1, _anchor="locked"))
    if not form.is_submitted():
        for name, level in LEVEL_FIELDS.items():
            form[name].data = (row.get("levels") or {}).get(level, "")
    page = render_template("steps/levels.html", form=form, goal=row)
    return page, 422 if form.is_submitted() else 200
