"""Writing to a client, with what they were written this week in sight."""

from __future__ import annotations

from uuid import UUID

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.features.clients import queries
from app.features.clients.forms import LetterForm
from app.features.clients.letters import WriteLetter, contacts_with
from app.features.clients.letters import write_letter as write
from app.features.clients.pages import blueprint
from app.features.identity.pages import show_problems
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work


@blueprint.route("/clients/<uuid:client_id>/write", methods=["GET", "POST"])
@requires(Permission.WORK_PLANS)
def write_letter(client_id: UUID) -> ResponseReturnValue:
    """Write a mail to the person; one that finds no contact left this week waits for the next."""
    g.nav_endpoint = "overview.caseload"
    form = LetterForm()
    with unit_of_work() as uow:
        client, contacts = queries.get_client(uow, client_id), contacts_with(uow, client_id)
    try:
        if form.validate_on_submit():
            letter = WriteLetter(
                client_id=client_id, subject=form.subject.data, text=form.text.data, urgent=form.urgent.data
            )
            with unit_of_work() as uow:
                write(uow, letter)
            waits = not letter.urgent and contacts.left == 0
            flash(
                gettext("Your mail waits for next week: enough was sent in this one.")
                if waits
                else gettext("Your mail is on its way.")
            )
            return redirect(url_for("overview.client", client_id=client_id))
    except InvalidInput as error:
        show_problems(form, error)
    page = render_template("clients/write.html", form=form, client=client, contacts=contacts)
    return page, 422 if form.is_submitted() else 200
