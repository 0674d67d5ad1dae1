"""Pages of assigning: choose, preview with numbers, run as a job."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.features.assignments import queries, service
from app.features.assignments.commands import AssignTemplate
from app.features.assignments.forms import AssignForm
from app.features.cohorts.models import Cohort
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import time_zone, unit_of_work
from app.infra.web.words import said

blueprint = Blueprint("assignments", __name__)
# More people than one caseload has; a larger group is a cohort.
_MOST_TICKED = 5000


def _ticked() -> tuple[UUID, ...]:
    try:
        ids = tuple(dict.fromkeys(UUID(value) for value in request.values.getlist("client")))
    except ValueError:
        raise InvalidInput([FieldProblem("client", gettext("Choose people from the list."))]) from None
    if len(ids) > _MOST_TICKED:
        raise InvalidInput([FieldProblem("client", gettext("Tick at most 5,000 people, or make them a cohort."))])
    return ids


def _cohort(uow: UnitOfWork, form: AssignForm) -> Cohort | None:
    if not form.cohort.data:
        return None
    try:
        return uow.session.get(Cohort, (uow.actor.organization_id, UUID(form.cohort.data)))
    except ValueError:
        raise InvalidInput([FieldProblem("cohort", gettext("Choose a cohort from the list."))]) from None


def _form(uow: UnitOfWork) -> AssignForm:
    form = AssignForm(formdata=request.values)
    choices = queries.latest_published(uow)
    form.template.choices = [(f"{t.id}:{version}", f"{t.name} · {version}") for t, version in choices]
    if not form.started_on.raw_data:
        form.started_on.data = uow.now.astimezone(time_zone()).date()
    form.key.data = form.key.data or uuid4().hex
    return form


def _command(form: AssignForm) -> AssignTemplate:
    template, _, version = str(form.template.data).partition(":")
    return AssignTemplate(
        template_id=UUID(template),
        version=int(version),
        started_on=form.started_on.data,
        cohort_id=UUID(form.cohort.data) if form.cohort.data else None,
        client_ids=() if form.cohort.data else _ticked(),
        standing=bool(form.standing.data),
        idempotency_key=form.key.data,
    )


@blueprint.route("/assignments/new", methods=["GET", "POST"])
@requires(Permission.ASSIGN)
def new() -> str:
    """Choose what to give to the cohort or to the people ticked; nothing happens yet."""
    with unit_of_work() as uow:
        form = _form(uow)
        cohort = _cohort(uow, form)
    return render_template("assignments/new.html", form=form, cohort=cohort, ticked=_ticked())


@blueprint.post("/assignments/preview")
@requires(Permission.ASSIGN)
def preview() -> str | tuple[str, int]:
    """What would happen, in numbers."""
    with unit_of_work() as uow:
        form = _form(uow)
        cohort = _cohort(uow, form)
        if not form.validate():
            return render_template("assignments/new.html", form=form, cohort=cohort, ticked=_ticked()), 422
        command = _command(form)
        try:
            numbers = queries.preview(uow, command)
        except InvalidInput as invalid:
            form.template.errors = [said(problem.sentence) for problem in invalid.problems]
            return render_template("assignments/new.html", form=form, cohort=cohort, ticked=_ticked()), 422
        template, _ = queries.published_version(uow, command.template_id, command.version)
    return render_template(
        "assignments/preview.html",
        form=form,
        cohort=cohort,
        ticked=_ticked(),
        numbers=numbers,
        template=template,
        command=command,
    )


@blueprint.post("/assignments")
@requires(Permission.ASSIGN)
def create() -> Response:
    """Start the job that was previewed; sending the form twice starts one."""
    with unit_of_work() as uow:
        form = _form(uow)
        if not form.validate():
            said = {name: " ".join(map(str, errors)) for name, errors in form.errors.items()}
            raise InvalidInput([FieldProblem(name, sentence) for name, sentence in said.items()])
        job = service.assign_template(uow, _command(form))
    flash(gettext("The job has started."))
    return redirect(url_for("jobs.show", job_id=job.id))
