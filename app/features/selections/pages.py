"""Pages of saved filters, with how many people each selects now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.domain.rules import Field, parse_rule, stored_rule
from app.features.cohorts.forms import RuleForm, in_words, operator_words, posted, stored
from app.features.selections import filters as service
from app.features.selections import queries
from app.features.selections.commands import SaveFilter
from app.features.selections.models import SavedFilter
from app.features.selections.words import filter_words
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work

blueprint = Blueprint("selections", __name__)
_NEW: dict[str, Any] = {"all": [{"field": "@active", "is": "is", "values": [True]}]}


@blueprint.get("/filters")
@requires(Permission.USE_COHORTS)
def filters() -> str:
    """The reader's filters and those shared with everybody; `?sizes=1` counts all of them at once."""
    g.nav_endpoint = "overview.caseload"
    with unit_of_work() as uow:
        lines = queries.list_filters(uow)
        fields = queries.filter_fields(uow, filter_words()) if lines else ()
        counted = queries.sizes(uow, [line.filter for line in lines]) if request.args.get("sizes") == "1" else {}
    return render_template(
        "selections/filters.html",
        lines=lines,
        sizes=counted,
        said={line.filter.id: in_words(line.filter.rule, fields) for line in lines},
        may_assign=actor().may(Permission.ASSIGN),
    )


@blueprint.get("/filters/<uuid:filter_id>/size")
@requires(Permission.USE_COHORTS)
def size(filter_id: UUID) -> str:
    """How many people the filter selects now; the list of filters takes it in."""
    g.nav_endpoint = "overview.caseload"
    with unit_of_work() as uow:
        saved = queries.get_filter(uow, filter_id)
        number = queries.count_filter(uow, stored_rule(saved.rule))
    return render_template("selections/size.html", saved=saved, number=number)


@blueprint.post("/filters/size")
@requires(Permission.USE_COHORTS)
def live_size() -> str:
    """How many people the conditions select as they stand in the form; none while they are not whole."""
    g.nav_endpoint = "overview.caseload"
    with unit_of_work() as uow:
        fields = queries.filter_fields(uow, filter_words())
        number = _count(uow, posted(request.form, fields), fields, show=False)
    return render_template("selections/live_size.html", number=number)


@blueprint.route("/filters/new", methods=["GET", "POST"])
@requires(Permission.USE_COHORTS)
def new_filter() -> ResponseReturnValue:
    """Describe whom a filter selects, see how many they are, keep it."""
    return _filter_page(None)


@blueprint.route("/filters/<uuid:filter_id>", methods=["GET", "POST"])
@requires(Permission.USE_COHORTS)
def edit_filter(filter_id: UUID) -> ResponseReturnValue:
    """One filter: whom it selects, how many they are, and changing it where it is the reader's."""
    return _filter_page(filter_id)


def _filter_page(filter_id: UUID | None) -> ResponseReturnValue:
    g.nav_endpoint = "overview.caseload"
    saving = request.form.get("act") == "save"
    with unit_of_work() as uow:
        saved = queries.get_filter(uow, filter_id) if filter_id is not None else None
        mine = saved is None or queries.may_change(uow, saved)
        fields = queries.filter_fields(uow, filter_words())
        shared = request.form.get("shared") == "1"
        if request.method == "POST":
            form = posted(request.form, fields)
        else:
            form = stored(saved.name, saved.rule, fields) if saved is not None else stored("", _NEW, fields)
            shared = saved is not None and saved.shared
        number = _count(uow, form, fields, show=saving or request.form.get("act") == "count")
    if saving and not form.problems:
        try:
            kept = _save(saved, form, shared=shared)
            flash(gettext("%(name)s is saved.", name=kept.name))
            return redirect(url_for("selections.edit_filter", filter_id=kept.id))
        except InvalidInput as error:
            _put(form, error)
    page = render_template(
        "selections/filter.html",
        form=form,
        fields=fields,
        number=number,
        saved=saved,
        mine=mine,
        shared=shared,
        said=in_words(form.as_json(), fields) if not mine else [],
        operators=operator_words(),
    )
    return page, 422 if form.problems else 200


def _save(saved: SavedFilter | None, form: RuleForm, *, shared: bool) -> SavedFilter:
    command = SaveFilter(name=form.name, rule=form.as_json(), shared=shared)
    with unit_of_work() as uow:
        if saved is None:
            return service.create_filter(uow, command)
        return service.change_filter(uow, saved.id, command)


@blueprint.post("/filters/<uuid:filter_id>/delete")
@requires(Permission.USE_COHORTS)
def delete_filter(filter_id: UUID) -> ResponseReturnValue:
    """Forget a filter; nobody's data changes."""
    with unit_of_work() as uow:
        name = service.delete_filter(uow, filter_id)
    flash(gettext("%(name)s is deleted.", name=name))
    return redirect(url_for("selections.filters"))


def _count(uow: UnitOfWork, form: RuleForm, fields: tuple[Field, ...], *, show: bool) -> int | None:
    """How many match now; None while the rule is not whole, whose problems are shown only when asked for."""
    try:
        return queries.count_filter(uow, parse_rule(form.as_json(), fields))
    except InvalidInput as error:
        if show:
            _put(form, error)
        return None


def _put(form: RuleForm, error: InvalidInput) -> None:
    for problem in error.problems:
        head, _, index = problem.field.partition(".")
        if head == "conditions" and index.isdigit():
            form.rows[int(index)].problem = problem.sentence
            form.problems.append((f"value-{index}", problem.sentence))
        else:
            form.problems.append(("name" if head == "name" else "about", problem.sentence))
