"""Pages of handing over: choose who takes them, see who would get whom, start the job or set the cover up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.features.identity.pages import show_problems
from app.features.moves import covers, queries, service
from app.features.moves.forms import MoveForm
from app.features.moves.models import CaseloadMove
from app.features.organizations.queries import today_here
from app.features.selections.commands import Target
from app.features.selections.forms import target_of
from app.features.selections.service import look
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work

blueprint = Blueprint("moves", __name__)


def left_out_words() -> dict[str, str]:
    """Why people are left out, as it stands behind their number."""
    return {
        "unseen": gettext("are not yours to see, or are gone"),
        "inactive": gettext("are no longer active"),
        "elsewhere": gettext("are not in that caseload"),
        "already": gettext("are with one of them already"),
    }


@blueprint.route("/moves/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_PEOPLE)
def new() -> ResponseReturnValue:
    """Whose clients (`source`), or which (`selection`, `cohort`, `filter`, `client`), and who takes them."""
    source_id, target = _whom()
    with unit_of_work() as uow:
        if source_id is None and not target.named:
            return render_template("moves/whose.html", people=queries.holdings(uow, today_here(uow)))
        form = MoveForm(formdata=None)
        form.offer(queries.holdings(uow, today_here(uow)), source_id)
        form.first_on.data = today_here(uow)
        return _form_page(uow, form, source_id, target)


@blueprint.post("/moves/preview")
@requires(Permission.MANAGE_PEOPLE)
def preview() -> ResponseReturnValue:
    """Work out who would get whom, keep that, and show it."""
    source_id, target = _whom()
    form = MoveForm()
    with unit_of_work() as uow:
        form.offer(queries.holdings(uow, today_here(uow)), source_id)
    try:
        if form.validate():
            with unit_of_work() as uow:
                move = service.plan_move(uow, form.command(target, source_id))
            return redirect(url_for("moves.show", move_id=move.id))
    except InvalidInput as error:
        if not {problem.field for problem in error.problems} <= set(form.data):
            raise
        show_problems(form, error)
    with unit_of_work() as uow:
        return _form_page(uow, form, source_id, target)


@blueprint.get("/moves/<uuid:move_id>")
@requires(Permission.MANAGE_PEOPLE)
def show(move_id: UUID) -> ResponseReturnValue:
    """What was worked out, in numbers; it can be started as it is. One that was started leads to its job."""
    g.nav_endpoint = "overview.caseload"
    with unit_of_work() as uow:
        move = service.still_open(uow, move_id)
        if move.job_id is not None:
            return redirect(url_for("jobs.show", job_id=move.job_id))
        shown = plan_shown(uow, move)
    back = url_for("overview.caseload") if move.source_id is None else url_for("moves.new", source=move.source_id)
    return render_template("moves/preview.html", move=move, **shown, back=back)


@blueprint.post("/moves/<uuid:move_id>/start")
@requires(Permission.MANAGE_PEOPLE)
def start(move_id: UUID) -> ResponseReturnValue:
    """Do what was previewed; sending the form twice does it once."""
    with unit_of_work() as uow:
        move = service.still_open(uow, move_id)
        if move.kind == "cover":
            covers.plan_cover(uow, move.id)
            flash(gettext("The cover is set up. It begins and ends by itself."))
            return redirect(url_for("moves.list_covers"))
        job = service.start_move(uow, move.id)
    flash(gettext("The job has started."))
    return redirect(url_for("jobs.show", job_id=job.id))


def _whom() -> tuple[UUID | None, Target]:
    """Whose caseload, and which people, as the request names them."""
    g.nav_endpoint = "overview.caseload"
    try:
        source_id = UUID(given) if (given := request.values.get("source")) else None
    except ValueError:
        raise InvalidInput([FieldProblem("source", gettext("Choose somebody from the list."))]) from None
    return source_id, target_of(request.values)


def _form_page(uow: UnitOfWork, form: MoveForm, source_id: UUID | None, target: Target) -> ResponseReturnValue:
    source = None if source_id is None else queries.names_of(uow, [source_id]).get(source_id)
    if source_id is not None and source is None:
        raise InvalidInput([FieldProblem("source", gettext("Choose somebody from the list."))])
    chosen = look(uow, target) if target.named or source_id is None else None
    page = render_template(
        "moves/new.html", form=form, source=source, source_id=source_id, target=target, chosen=chosen
    )
    return page, 422 if form.errors else 200


def plan_shown(uow: UnitOfWork, move: CaseloadMove) -> dict[str, Any]:
    """A plan as pages and the command show it: whose clients, each receiver by name, who is left out and why."""
    receivers = move.numbers["receivers"]
    ids = [UUID(receiver["id"]) for receiver in receivers]
    names = queries.names_of(uow, [*ids, *([] if move.source_id is None else [move.source_id])])
    words = left_out_words()
    return {
        "source": "" if move.source_id is None else names[move.source_id],
        "total": len(move.client_ids),
        "receivers": [{**receiver, "name": names[UUID(receiver["id"])]} for receiver in receivers],
        "left_out": [(number, words[reason]) for reason, number in move.numbers["left_out"].items()],
    }
