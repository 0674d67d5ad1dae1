"""Pages of labels: the list of them, and putting one on or taking one off a client."""

from __future__ import annotations

from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.features.clients import labels as service
from app.features.clients.commands import CreateLabel
from app.features.clients.pages import blueprint
from app.features.clients.queries import get_client
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work


def tone_words() -> dict[str, str]:
    """How a label can be drawn, in the reader's language."""
    return {
        "plain": gettext("plain"),
        "ok": gettext("green"),
        "brass": gettext("brass"),
        "bad": gettext("red"),
        "wait": gettext("blue"),
    }


@blueprint.route("/labels", methods=["GET", "POST"])
@requires(Permission.WORK_PLANS)
def labels() -> ResponseReturnValue:
    """The organization's labels and the reader's own, and one more of them."""
    g.nav_endpoint = "overview.caseload"
    problem = ""
    if request.method == "POST":
        command = CreateLabel(
            name=request.form.get("name", ""),
            tone=request.form.get("tone", "plain"),
            shared=request.form.get("shared") == "1",
        )
        try:
            with unit_of_work() as uow:
                made = service.create_label(uow, command)
            flash(gettext("%(name)s is made.", name=made.name))
            return redirect(url_for("clients.labels"))
        except InvalidInput as error:
            problem = error.problems[0].sentence
    with unit_of_work() as uow:
        lines = service.list_labels(uow)
    page = render_template(
        "clients/labels.html", lines=lines, tones=tone_words(), problem=problem, longest=service.LONGEST
    )
    return page, 422 if problem else 200


@blueprint.post("/labels/<uuid:label_id>")
@requires(Permission.WORK_PLANS)
def change_label(label_id: UUID) -> ResponseReturnValue:
    """Rename a label, or draw it otherwise."""
    with unit_of_work() as uow:
        changed = service.change_label(
            uow, label_id, name=request.form.get("name", ""), tone=request.form.get("tone", "plain")
        )
    flash(gettext("%(label)s is saved.", label=changed.name))
    return redirect(url_for("clients.labels"))


@blueprint.post("/labels/<uuid:label_id>/delete")
@requires(Permission.WORK_PLANS)
def delete_label(label_id: UUID) -> ResponseReturnValue:
    """Take a label off everybody and away."""
    with unit_of_work() as uow:
        name = service.get_label(uow, label_id).name
        service.delete_label(uow, label_id)
    flash(gettext("%(name)s is deleted.", name=name))
    return redirect(url_for("clients.labels"))


@blueprint.post("/clients/<uuid:client_id>/labels")
@requires(Permission.WORK_PLANS)
def put_label(client_id: UUID) -> ResponseReturnValue:
    """Put a label on the person, or take one off."""
    try:
        label_id = UUID(request.form.get("put") or request.form.get("take", ""))
    except ValueError:
        raise InvalidInput([FieldProblem("put", gettext("Choose a label from the list."))]) from None
    with unit_of_work() as uow:
        get_client(uow, client_id)
        act = service.put_labels if request.form.get("put") else service.take_labels
        act(uow, label_id, [client_id])
    return redirect(url_for("overview.client", client_id=client_id) + "#labels")
