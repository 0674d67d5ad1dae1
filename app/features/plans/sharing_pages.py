"""Pages of templates that go further: saved as a file, taken from one, and made anew for next year."""

from __future__ import annotations

from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from app.domain.access import Permission
from app.domain.cadence import OnDates
from app.domain.canonical import canonical_json
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.file_names import safe_name
from app.domain.template_files import LARGEST_FILE, parse_file
from app.features.plans import sharing, templates
from app.features.plans.sharing_forms import TemplateFileForm, next_year_form
from app.features.plans.template_pages import blueprint
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work
from app.infra.web.given import whole_in_query


@blueprint.get("/<uuid:template_id>/file")
@requires(Permission.USE_TEMPLATES)
def save_file(template_id: UUID) -> FlaskResponse:
    """A version as a file: the one named, else the latest."""
    with unit_of_work() as uow:
        template = templates.find_template(uow, template_id)
        version = whole_in_query("version") or templates.versions_of(uow, template_id)[0].version
        file = sharing.export_template(uow, template_id, version)
    answer = FlaskResponse(canonical_json(file) + "\n", mimetype="application/json")
    name = safe_name(f"{template.name} {version}.json")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@blueprint.route("/from-file", methods=["GET", "POST"])
@requires(Permission.MANAGE_TEMPLATES)
def from_file() -> ResponseReturnValue:
    """Choose a template's file; it comes in as a draft, or every problem is listed with its place."""
    form = TemplateFileForm()
    problems: tuple[FieldProblem, ...] = ()
    if request.method == "POST" and form.validate():
        upload: FileStorage = form.file.data
        try:
            file = parse_file(upload.read(LARGEST_FILE + 1))
            with unit_of_work() as uow:
                made = sharing.import_template(uow, file, name=form.name.data or "")
        except InvalidInput as invalid:
            problems = invalid.problems
        else:
            flash(gettext("The template is here as a draft. Read it, then publish it."))
            return redirect(url_for("templates.show", template_id=made.id))
    page = render_template("templates/from_file.html", form=form, problems=problems)
    return page, 422 if request.method == "POST" else 200


@blueprint.route("/<uuid:template_id>/next-year", methods=["GET", "POST"])
@requires(Permission.MANAGE_TEMPLATES)
def next_year(template_id: UUID) -> ResponseReturnValue:
    """A copy for next year: which term follows each, and what it is called."""
    with unit_of_work() as uow:
        template = templates.find_template(uow, template_id)
        planned = sharing.plan_next_year(uow, template_id)
        form = next_year_form(planned.terms, planned.choices, planned.name)
        problems: tuple[FieldProblem, ...] = ()
        if request.method == "POST" and form.validate():
            try:
                made = sharing.copy_for_next_year(
                    uow, template_id, name=form.name.data, terms=form.chosen(list(planned.terms))
                )
            except InvalidInput as invalid:
                problems = invalid.problems
            else:
                flash(gettext("This is the copy. Publish it to assign it."))
                return redirect(url_for("templates.show", template_id=made.id))
        cadence = planned.content.review_policy.cadence
        page = render_template(
            "templates/next_year.html",
            template=template,
            form=form,
            fields=[form[f"term-{number}"] for number in range(len(planned.terms))],
            days=cadence.dates if isinstance(cadence, OnDates) else (),
            problems=problems,
        )
    return page, 422 if request.method == "POST" else 200
