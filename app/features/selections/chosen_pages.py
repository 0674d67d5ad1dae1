"""Pages of chosen people: by a list or a file of ids, and what can be done with them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from uuid import UUID

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.clients.queries import select_ids
from app.features.selections import lists
from app.features.selections.acts import acts_of
from app.features.selections.pages import blueprint
from app.features.selections.service import find_selection
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work

# As many are named on the page of chosen people; all of them are in the act.
_SHOWN, _UNKNOWN_SHOWN = 100, 200


@blueprint.route("/chosen/list", methods=["GET", "POST"])
@requires(Permission.READ_CLIENTS)
def from_list() -> ResponseReturnValue:
    """Choose people by a pasted list or a file of ids or e-mail addresses."""
    g.nav_endpoint = "overview.caseload"
    problem = ""
    if request.method == "POST":
        try:
            with unit_of_work() as uow:
                lines, name = _listed()
                selection = lists.choose_listed(uow, lines, name=name)
            return redirect(url_for("selections.show", selection_id=selection.id))
        except InvalidInput as error:
            problem = error.problems[0].sentence
    page = render_template("selections/list.html", problem=problem, text=request.form.get("text", ""))
    return page, 422 if problem else 200


def _listed() -> tuple[list[lists.Line], str]:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return lists.lines_of_text(request.form.get("text", "")), ""
    with tempfile.NamedTemporaryFile(suffix=".list") as kept:
        shutil.copyfileobj(upload.stream, kept, 1 << 18)
        kept.flush()
        return lists.lines_of_file(Path(kept.name)), upload.filename


@blueprint.get("/chosen/<uuid:selection_id>")
@requires(Permission.READ_CLIENTS)
def show(selection_id: UUID) -> str:
    """The people chosen, the lines nobody was found for, and what can be done with them."""
    g.nav_endpoint = "overview.caseload"
    with unit_of_work() as uow:
        selection = find_selection(uow, selection_id)
        people = uow.session.execute(
            select(Client.id, Client.given_name, Client.family_name, Client.external_id)
            .where(Client.id.in_(select_ids(selection.client_ids[:_SHOWN])), visible_clients(uow.actor))
            .order_by(Client.family_folded, Client.given_folded, Client.id)
        ).all()
    return render_template(
        "selections/show.html",
        selection=selection,
        people=people,
        more=max(0, len(selection.client_ids) - _SHOWN),
        unknown=selection.unknown[:_UNKNOWN_SHOWN],
        acts=acts_of(actor()),
    )
