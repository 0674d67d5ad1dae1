"""Choosing all graduates of a class of whom nothing is known."""

from __future__ import annotations

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.outcomes import FIRST_CLASS, LAST_CLASS
from app.features.outcomes.queries import missing
from app.features.selections.pages import blueprint
from app.features.selections.service import freeze
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work


@blueprint.post("/outcomes/<int:class_year>/chosen")
@requires(Permission.READ_CLIENTS)
def choose_missing(class_year: int) -> ResponseReturnValue:
    """Keep them as they are now and show what can be done with them."""
    if not FIRST_CLASS <= class_year <= LAST_CLASS:
        raise NotFound(gettext("There is no such class."))
    with unit_of_work() as uow:
        name = gettext("Class of %(year)s, nothing known", year=class_year)
        selection = freeze(uow, missing(class_year, actor()), origin="clients", name=name)
    return redirect(url_for("selections.show", selection_id=selection.id))
