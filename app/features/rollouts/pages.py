"""Pages of rolling out: difference and preview, the roll-out with its stages, and what can still be done."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.rollouts import Choice
from app.domain.template_content import parse_content
from app.features.identity.pages import refused
from app.features.jobs.pages import progress_view
from app.features.plans import templates
from app.features.plans.template_words import difference_words
from app.features.plans.words import step_names
from app.features.rollouts import previews, queries, service
from app.features.rollouts.commands import NextStage, RollOut
from app.features.rollouts.forms import NextForm, StartForm
from app.features.rollouts.words import PHASE_TAGS, choice_words, outcome_words, phase_words
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work
from app.infra.web.given import whole_in_query

blueprint = Blueprint("rollouts", __name__)
_PAGE = 50


@blueprint.before_request
def _stand_under_templates() -> None:
    g.nav_endpoint = "templates.index"


@blueprint.get("/templates/<uuid:template_id>/roll-outs")
@requires(Permission.ROLL_OUT)
def index(template_id: UUID) -> str:
    """The roll-outs of a template, newest first."""
    with unit_of_work() as uow:
        template = templates.find_template(uow, template_id)
        views = [queries.view_rollout(uow, row.id) for row in queries.list_rollouts(uow, template_id)]
    return render_template("rollouts/index.html", template=template, views=views, **_words())


@blueprint.get("/templates/<uuid:template_id>/roll-out")
@requires(Permission.ROLL_OUT)
def new(template_id: UUID) -> str:
    """What a version would change: side by side with the one before, and by step in the plans that are there."""
    form = StartForm(formdata=None)
    form.key.data = uuid4().hex
    with unit_of_work() as uow:
        version = whole_in_query("version") or _latest(uow, template_id)
        return _new(uow, template_id, version, _choice(request.args.get("choice", Choice.NOT_STARTED.value)), form)


@blueprint.post("/templates/<uuid:template_id>/roll-out")
@requires(Permission.ROLL_OUT)
def create(template_id: UUID) -> ResponseReturnValue:
    """Begin what was previewed; sending the form twice begins one."""
    form = StartForm()
    with unit_of_work() as uow:
        version = whole_in_query("version") or _latest(uow, template_id)
        choice = _choice(form.choice.data or "")
        if not form.validate():
            return _new(uow, template_id, version, choice, form), 422
        rollout = service.start_rollout(
            uow,
            RollOut(
                template_id=template_id,
                version=version,
                choice=choice,
                percent=int(form.percent.data),
                most_conflicts=form.most_conflicts.data,
                standing=bool(form.standing.data),
                idempotency_key=form.key.data or None,
            ),
        )
    flash(gettext("The roll-out has begun."))
    return redirect(url_for("rollouts.show", rollout_id=rollout.id))


@blueprint.get("/roll-outs/<uuid:rollout_id>")
@requires(Permission.ROLL_OUT)
def show(rollout_id: UUID) -> str:
    """One roll-out: its stages, the conflicts met, and what can be done next."""
    offset = whole_in_query("from") or 0
    with unit_of_work() as uow:
        view = queries.view_rollout(uow, rollout_id)
        lines = queries.conflicts_of(uow, rollout_id, limit=_PAGE + 1, offset=offset)
    form = NextForm(data={"number": len(view.stages) + 1}, formdata=None)
    return render_template(
        "rollouts/show.html",
        view=view,
        rollout=view.rollout,
        progress=[progress_view(stage.job, stage.progress) for stage in view.stages],
        lines=lines[:_PAGE],
        next_from=offset + _PAGE if len(lines) > _PAGE else None,
        form=form,
        names=step_names(gettext),
        outcomes=outcome_words(gettext),
        **_words(),
    )


@blueprint.post("/roll-outs/<uuid:rollout_id>/continue")
@requires(Permission.ROLL_OUT)
def go_on(rollout_id: UUID) -> Response:
    """Begin the next stage; sending the form twice begins one."""
    form = NextForm()
    if not form.validate():
        raise refused(form)
    try:
        number = int(form.number.data or "")
    except ValueError:
        raise InvalidInput([FieldProblem("number", gettext("Load the page again."))]) from None
    with unit_of_work() as uow:
        command = NextStage(rollout_id=rollout_id, number=number, most_conflicts=form.most_conflicts.data)
        service.next_stage(uow, command)
    flash(gettext("The next stage has begun."))
    return redirect(url_for("rollouts.show", rollout_id=rollout_id))


@blueprint.post("/roll-outs/<uuid:rollout_id>/<any(stop, back):act>")
@requires(Permission.ROLL_OUT)
def do(rollout_id: UUID, act: str) -> Response:
    """Stop the roll-out where it is, or bring every plan back."""
    with unit_of_work() as uow:
        if act == "stop":
            service.stop(uow, rollout_id)
            flash(gettext("The roll-out is stopped. What it has done stays."))
        else:
            service.roll_back(uow, rollout_id)
            flash(gettext("The plans are being brought back. What was touched since stays and is listed."))
    return redirect(url_for("rollouts.show", rollout_id=rollout_id))


def _new(uow: UnitOfWork, template_id: UUID, version: int, choice: Choice, form: StartForm) -> str:
    template, _ = previews.published(uow, template_id, version)
    form.choice.data = choice.value
    seen = previews.preview(uow, template_id, version, choice)
    versions = templates.versions_of(uow, template_id)
    contents = {row.version: parse_content(row.content) for row in versions}
    # Beside the version most plans follow; without plans beside the one before.
    before = max(seen.versions, key=lambda number: (seen.versions[number], number)) if seen.versions else version - 1
    changes = difference_words(contents[before], contents[version]) if before in contents else []
    return render_template(
        "rollouts/new.html",
        template=template,
        version=version,
        before=before,
        changes=changes,
        seen=seen,
        choice=choice,
        form=form,
        names=step_names(gettext),
        outcomes=outcome_words(gettext),
        open_rollout=next((row for row in queries.list_rollouts(uow, template_id) if row.state == "open"), None),
        **_words(),
    )


def _latest(uow: UnitOfWork, template_id: UUID) -> int:
    templates.find_template(uow, template_id)
    numbers = [row.version for row in templates.versions_of(uow, template_id) if row.state == "published"]
    if not numbers:
        raise InvalidInput([FieldProblem("version", gettext("No version is published yet. Publish one first."))])
    return max(numbers)


def _choice(written: str) -> Choice:
    try:
        return Choice(written)
    except ValueError:
        raise InvalidInput([FieldProblem("choice", gettext("Choose one of the three."))]) from None


def _words() -> dict[str, Any]:
    return {"choices": choice_words(gettext), "phases": phase_words(gettext), "tags": PHASE_TAGS}
