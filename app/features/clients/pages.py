"""Pages of clients: add and edit one, note a contact, define attributes."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.features.clients import queries, service
from app.features.clients.commands import ChangeAttribute, DefineAttribute
from app.features.clients.forms import AttributeForm, client_form, renamed
from app.features.identity.pages import show_problems
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work

blueprint = Blueprint("clients", __name__)


@blueprint.route("/clients/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_PEOPLE)
def new() -> ResponseReturnValue:
    """Add one person by hand."""
    g.nav_endpoint = "overview.caseload"
    try:
        with unit_of_work() as uow:
            attributes = queries.attributes(uow)
            form = client_form(attributes)
            if form.validate_on_submit():
                client = service.create_client(uow, form.details(attributes))
                flash(gettext("%(name)s is added.", name=client.name))
                return redirect(url_for("overview.client", client_id=client.id))
    except InvalidInput as error:
        show_problems(form, renamed(error))
    return _form_page(form, None)


@blueprint.route("/clients/<uuid:client_id>/edit", methods=["GET", "POST"])
@requires(Permission.WORK_PLANS)
def edit(client_id: UUID) -> ResponseReturnValue:
    """Change what is known of a person."""
    g.nav_endpoint = "overview.caseload"
    try:
        with unit_of_work() as uow:
            client = queries.get_client(uow, client_id)
            attributes = queries.attributes(uow)
            form = client_form(attributes, client)
            if form.validate_on_submit():
                service.edit_client(uow, client_id, form.details(attributes))
                flash(gettext("The changes are saved."))
                return redirect(url_for("overview.client", client_id=client_id))
    except InvalidInput as error:
        show_problems(form, renamed(error))
    return _form_page(form, client_id)


def _form_page(form: object, client_id: UUID | None) -> ResponseReturnValue:
    page = render_template("clients/form.html", form=form, client_id=client_id)
    return page, 422 if request.method == "POST" else 200


@blueprint.post("/clients/<uuid:client_id>/contact")
@requires(Permission.WORK_PLANS)
def contact(client_id: UUID) -> ResponseReturnValue:
    """Note that the person was met or spoken to today."""
    with unit_of_work() as uow:
        client = queries.get_client(uow, client_id)
        service.record_contact(uow, client_id)
        flash(gettext("Noted: you met %(name)s today.", name=client.name))
    if request.form.get("back") == "today":
        return redirect(url_for("overview.today"))
    return redirect(url_for("overview.client", client_id=client_id))


@blueprint.route("/clients/attributes", methods=["GET", "POST"])
@requires(Permission.MANAGE_PEOPLE)
def attributes() -> ResponseReturnValue:
    """What the organization keeps about each client, and one more of it."""
    g.nav_endpoint = "organizations.settings"
    form = AttributeForm()
    form.name_kinds()
    try:
        with unit_of_work() as uow:
            if form.validate_on_submit():
                choices = (form.choices.data or "").splitlines()
                command = DefineAttribute(label=form.label.data, kind=form.kind.data, choices=choices)
                made = service.define_attribute(uow, command)
                flash(gettext("%(label)s is added.", label=made.label))
                return redirect(url_for("clients.attributes"))
    except InvalidInput as error:
        show_problems(form, error)
    with unit_of_work() as uow:
        rows = queries.attribute_rows(uow)
    page = render_template(
        "clients/attributes.html",
        form=form,
        rows=rows,
        kinds={choice.value: choice.label for choice in form.kind.choices},
    )
    return page, 422 if request.method == "POST" else 200


@blueprint.post("/clients/attributes/<uuid:attribute_id>")
@requires(Permission.MANAGE_PEOPLE)
def change_attribute(attribute_id: UUID) -> ResponseReturnValue:
    """Rename an attribute or change its choices."""
    position = request.form.get("position", "0")
    command = ChangeAttribute(
        attribute_id=attribute_id,
        label=request.form.get("label", ""),
        choices=request.form.get("choices", "").splitlines(),
        position=int(position) if position.isascii() and position.isdigit() and len(position) < 5 else 0,
    )
    with unit_of_work() as uow:
        changed = service.change_attribute(uow, command)
        flash(gettext("%(label)s is saved.", label=changed.label))
    return redirect(url_for("clients.attributes"))
