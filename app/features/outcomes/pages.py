"""Pages of outcomes: a client's, the classes in figures, and whom nothing is known of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.features.clients.models import Client
from app.features.clients.queries import get_client
from app.features.identity.pages import refused, show_problems
from app.features.organizations.queries import today_here
from app.features.outcomes import queries, service
from app.features.outcomes.commands import RecordOutcome, SetGraduation
from app.features.outcomes.forms import GraduationForm, OutcomeForm
from app.features.outcomes.queries import OfClass
from app.features.outcomes.words import employment_words, source_words, status_words
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work
from app.infra.web.given import whole_in_query
from app.infra.web.words import say_here

blueprint = Blueprint("outcomes", __name__)


@blueprint.route("/clients/<uuid:client_id>/outcomes", methods=["GET", "POST"])
@requires(Permission.WORK_PLANS)
def of_client(client_id: UUID) -> ResponseReturnValue:
    """What became of a client: record something, and everything that was known."""
    g.nav_endpoint = "overview.caseload"
    form = OutcomeForm()
    form.offer(say_here)
    try:
        with unit_of_work() as uow:
            client, _, chosen = _of_client(uow, client_id)
            if not form.is_submitted():
                form.known_on.data, form.source.data = today_here(uow), "counsellor"
            if chosen is not None and form.validate_on_submit():
                given = form.destination(
                    known_on=form.known_on.data, source=form.source.data, occupation=form.occupation.data or ""
                )
                year = chosen.graduation.class_year
                service.record_outcome(uow, RecordOutcome(client_id=client_id, class_year=year, destination=given))
                flash(gettext("What became of %(name)s is recorded.", name=client.name))
                return redirect(url_for("overview.client", client_id=client_id))
    except InvalidInput as error:
        show_problems(form, error)
    with unit_of_work() as uow:
        client, classes, chosen = _of_client(uow, client_id)
    page = render_template(
        "outcomes/client.html",
        form=form,
        graduation_form=GraduationForm(formdata=None),
        client=client,
        classes=classes,
        chosen=chosen,
        **outcome_words(),
    )
    return page, 422 if form.is_submitted() else 200


def _of_client(uow: UnitOfWork, client_id: UUID) -> tuple[Client, list[OfClass], OfClass | None]:
    """A client, their graduations, and the one the address asks for, else the last."""
    client, classes = get_client(uow, client_id), queries.history_of(uow, client_id)
    wanted, last = whole_in_query("class"), classes[0] if classes else None
    return client, classes, next((one for one in classes if one.graduation.class_year == wanted), last)


def outcome_words() -> dict[str, Any]:
    """The words of statuses, employment and sources, for templates."""
    return {
        "status_words": status_words(say_here),
        "employment_words": employment_words(say_here),
        "source_words": source_words(say_here),
    }


@blueprint.post("/clients/<uuid:client_id>/graduation")
@requires(Permission.WORK_PLANS)
def graduation(client_id: UUID) -> ResponseReturnValue:
    """Keep the day of a graduation, put it right, or take it away."""
    was = request.form.get("class_year", type=int)
    back = redirect(url_for("outcomes.of_client", client_id=client_id))
    if request.form.get("act") == "remove" and was is not None:
        with unit_of_work() as uow:
            service.remove_graduation(uow, client_id, was)
        flash(gettext("The graduation is taken away."))
        return back
    form = GraduationForm()
    if not form.validate():
        raise refused(form)
    with unit_of_work() as uow:
        command = SetGraduation(client_id=client_id, graduated_on=form.graduated_on.data, class_year=was)
        made = service.set_graduation(uow, command)
        flash(gettext("Class of %(year)s.", year=made.class_year))
    return back


@blueprint.post("/clients/<uuid:client_id>/outcomes/<uuid:outcome_id>/withdraw")
@requires(Permission.WORK_PLANS)
def withdraw(client_id: UUID, outcome_id: UUID) -> ResponseReturnValue:
    """Take back what was recorded by mistake; it stays in the history."""
    with unit_of_work() as uow:
        service.withdraw_outcome(uow, client_id, outcome_id)
    flash(gettext("It is withdrawn and counts no more."))
    return redirect(url_for("outcomes.of_client", client_id=client_id))
