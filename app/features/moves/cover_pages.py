"""Pages of cover: what goes on, what is to come, ending and extending it."""

from __future__ import annotations

from uuid import UUID

from flask import flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.features.moves import covers, queries
from app.features.moves.commands import ExtendCover
from app.features.moves.forms import ExtendForm
from app.features.moves.pages import blueprint
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work


@blueprint.get("/covers")
@requires(Permission.MANAGE_PEOPLE)
def list_covers() -> str:
    """Every cover: those that go on or are to come first."""
    g.nav_endpoint = "organizations.people"
    with unit_of_work() as uow:
        lines = queries.cover_lines(uow)
    return render_template("moves/covers.html", lines=lines)


@blueprint.post("/covers/<uuid:cover_id>/end")
@requires(Permission.MANAGE_PEOPLE)
def end_cover(cover_id: UUID) -> ResponseReturnValue:
    """End a cover now, or call off one that has not begun."""
    with unit_of_work() as uow:
        begun = queries.get_cover(uow, cover_id).state == "active"
        covers.end_cover(uow, cover_id)
    flash(
        gettext("The cover has ended. What was there before it stays.")
        if begun
        else gettext("The cover was called off. Nothing had begun.")
    )
    return redirect(url_for("moves.list_covers"))


@blueprint.post("/covers/<uuid:cover_id>/extend")
@requires(Permission.MANAGE_PEOPLE)
def extend_cover(cover_id: UUID) -> ResponseReturnValue:
    """Give a cover another last day."""
    form = ExtendForm()
    with unit_of_work() as uow:
        queries.get_cover(uow, cover_id)
        if not form.validate():
            raise InvalidInput([FieldProblem("last_on", gettext("Choose a day."))])
        covers.extend_cover(uow, ExtendCover(cover_id=cover_id, last_on=form.last_on.data))
    flash(gettext("The cover has its new last day."))
    return redirect(url_for("moves.list_covers"))
