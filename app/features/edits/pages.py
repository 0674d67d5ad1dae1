"""Pages of bulk edits: what to change, the form of the kind, the preview, and the start."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf import FlaskForm

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.features.edits import service
from app.features.edits.forms import FORMS, OFFERS
from app.features.edits.kinds import EditKind
from app.features.edits.registry import EDITS
from app.features.edits.service import BulkEdit
from app.features.identity.pages import refused, show_problems
from app.features.selections.forms import target_of
from app.features.selections.service import look
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work

blueprint = Blueprint("edits", __name__)
_KIND = f"<any({', '.join(EDITS)}):kind>"


@blueprint.before_request
def _stand_under_caseload() -> None:
    g.nav_endpoint = "overview.caseload"


@blueprint.route("/edits/new", methods=["GET", "POST"])
@requires(Permission.WORK_PLANS)
def new() -> str:
    """What can be changed of the people chosen."""
    target = target_of(request.values)
    with unit_of_work() as uow:
        chosen = look(uow, target) if target.named else None
    kinds = [kind for kind in EDITS.values() if actor().may(kind.permission)]
    return render_template("edits/new.html", kinds=kinds, target=target, chosen=chosen)


@blueprint.route(f"/edits/{_KIND}", methods=["GET", "POST"])
@requires(Permission.WORK_PLANS)
def form(kind: str) -> ResponseReturnValue:
    """The form of one kind; opened with the people chosen, or with what was typed before the preview."""
    if not target_of(request.values).named:
        return redirect(url_for("edits.new"))
    with unit_of_work() as uow:
        found = service.find_kind(uow, kind)
        return _form_page(uow, found, _form(uow, found, typed="back" in request.form))


@blueprint.post(f"/edits/{_KIND}/preview")
@requires(Permission.WORK_PLANS)
def preview(kind: str) -> ResponseReturnValue:
    """What would happen, in numbers, with ten people of whom it is shown."""
    with unit_of_work() as uow:
        found = service.find_kind(uow, kind)
        shown = _form(uow, found)
        valid = shown.validate()
    try:
        if valid:
            with unit_of_work() as uow:
                return _preview_page(uow, found, shown)
    except InvalidInput as error:
        if "target" in {problem.field for problem in error.problems}:
            raise
        show_problems(shown, error)
    with unit_of_work() as uow:
        return _form_page(uow, found, shown)


@blueprint.post(f"/edits/{_KIND}/start")
@requires(Permission.WORK_PLANS)
def start(kind: str) -> ResponseReturnValue:
    """Start the job that was previewed; sending the form twice starts one."""
    with unit_of_work() as uow:
        found = service.find_kind(uow, kind)
        shown = _form(uow, found)
        if not shown.validate():
            raise refused(shown)
        job = service.start(uow, _command(found, shown))
    flash(gettext("The job has started."))
    return redirect(url_for("jobs.show", job_id=job.id))


def _form(uow: UnitOfWork, kind: EditKind, *, typed: bool = True) -> FlaskForm:
    made = FORMS[kind.name](formdata=request.form if typed else None)
    if kind.name in OFFERS:
        OFFERS[kind.name](uow, made)
    return made


def _command(kind: EditKind, form: FlaskForm) -> BulkEdit:
    values = {name: value for name, value in form.data.items() if name != "csrf_token"}
    key = request.form.get("key", "")[:64] or None
    return BulkEdit(kind=kind.name, values=values, target=target_of(request.form), idempotency_key=key)


def _form_page(uow: UnitOfWork, kind: EditKind, form: FlaskForm) -> ResponseReturnValue:
    target = target_of(request.values)
    fields = [field for field in form if field.name != "csrf_token"]
    page = render_template(
        "edits/form.html", kind=kind, form=form, fields=fields, target=target, chosen=look(uow, target)
    )
    return page, 422 if form.errors else 200


def _preview_page(uow: UnitOfWork, kind: EditKind, form: FlaskForm) -> str:
    selection, values, numbers = service.preview(uow, _command(kind, form))
    sent: list[tuple[str, Any]] = [
        (name, value) for name, value in request.form.items(multi=True) if name in form and name != "csrf_token"
    ]
    shown = [(line.client_id, line.name, kind.words(line.before), kind.words(line.after)) for line in numbers.sample]
    differs = any(line.before is not None or line.after is not None for line in numbers.sample)
    return render_template(
        "edits/preview.html",
        kind=kind,
        what=kind.say(uow, values),
        selection=selection,
        numbers=numbers,
        sample=shown,
        differs=differs,
        sent=sent,
        key=uuid4().hex,
    )
