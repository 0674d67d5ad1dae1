"""Pages of cohorts."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.domain.rules import Field, parse_rule
from app.features.cohorts import queries, service
from app.features.cohorts.commands import ChangeCohort, ChangeMembers, CreateCohort, PasteMembers
from app.features.cohorts.forms import RuleForm, field_labels, in_words, operator_words, posted, stored
from app.features.cohorts.models import Cohort
from app.infra.db.open import UnitOfWork
from app.infra.drawing.row_dials import dial_definitions, row_dials
from app.infra.web.access import requires
from app.infra.web.context import unit_of_work
from app.infra.web.words import status_words

blueprint = Blueprint("cohorts", __name__)
_PAGE = 50
_AN_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A longer list of unknown ids helps nobody on a page.
_UNKNOWN_SHOWN = 50


@blueprint.get("/cohorts")
@requires(Permission.USE_COHORTS)
def index() -> str:
    """Every cohort with its size."""
    archived = request.args.get("archived") == "1"
    with unit_of_work() as uow:
        lines = queries.list_cohorts(uow, archived=archived)
    return render_template("cohorts/index.html", lines=lines, archived=archived)


@blueprint.get("/cohorts/<uuid:cohort_id>")
@requires(Permission.USE_COHORTS)
def show(cohort_id: UUID) -> str:
    """One cohort: what it is for, its rule, its members."""
    return _show(cohort_id)


def _show(cohort_id: UUID, *, pasted: service.Pasted | None = None, problem: str = "", text: str = "") -> str:
    given = request.args.get("page", "1")
    number = max(1, int(given)) if given.isascii() and given.isdigit() and len(given) < 6 else 1
    with unit_of_work() as uow:
        cohort = queries.get_cohort(uow, cohort_id)
        page = queries.members_of(uow, cohort_id, offset=(number - 1) * _PAGE, limit=_PAGE)
        fields = queries.rule_fields(uow, field_labels()) if cohort.rule is not None else ()
    states = {m.statuses for m in page.members if m.statuses}
    first = (number - 1) * _PAGE
    return render_template(
        "cohorts/show.html",
        cohort=cohort,
        members=page.members,
        total=page.total,
        rule=in_words(cohort.rule, fields) if cohort.rule is not None else [],
        any_of="any" in (cohort.rule or {}),
        dials=row_dials(states, status_words()),
        dial_definitions=dial_definitions(states),
        pasted=pasted,
        unknown=pasted.unknown[:_UNKNOWN_SHOWN] if pasted else (),
        problem=problem,
        text=text,
        pages={
            "number": number,
            "pages": max(1, -(-page.total // _PAGE)),
            "first": first + 1 if page.members else 0,
            "last": first + len(page.members),
            "total": page.total,
            "href": lambda n: url_for("cohorts.show", cohort_id=cohort_id, page=n),
        },
    )


@blueprint.route("/cohorts/new", methods=["GET", "POST"])
@requires(Permission.MANAGE_COHORTS)
def new() -> ResponseReturnValue:
    """Make a fixed list, which is filled afterwards."""
    name = request.form.get("name", "")
    problem = ""
    if request.method == "POST":
        try:
            with unit_of_work() as uow:
                cohort = service.create_cohort(uow, CreateCohort(name=name))
            flash(gettext("%(name)s is made. Add people to it.", name=cohort.name))
            return redirect(url_for("cohorts.show", cohort_id=cohort.id))
        except InvalidInput as error:
            problem = error.problems[0].sentence
    page = render_template("cohorts/new.html", name=name, problem=problem)
    return page, 422 if problem else 200


@blueprint.route("/cohorts/new-rule", methods=["GET", "POST"])
@requires(Permission.MANAGE_COHORTS)
def new_rule() -> ResponseReturnValue:
    """Make a cohort that fills itself by a rule."""
    return _rule_page(None)


@blueprint.route("/cohorts/<uuid:cohort_id>/edit", methods=["GET", "POST"])
@requires(Permission.MANAGE_COHORTS)
def edit(cohort_id: UUID) -> ResponseReturnValue:
    """Rename a cohort, or change its rule."""
    return _rule_page(cohort_id)


def _rule_page(cohort_id: UUID | None) -> ResponseReturnValue:
    count: int | None = None
    with unit_of_work() as uow:
        cohort = queries.get_cohort(uow, cohort_id) if cohort_id is not None else None
        fields = queries.rule_fields(uow, field_labels())
        if request.method == "POST":
            form = posted(request.form, fields)
        elif cohort is not None:
            form = stored(cohort.name, cohort.rule or {"all": []}, fields)
        else:
            # A roster keeps people who left; a new rule begins without them.
            form = stored("", {"all": [{"field": "@active", "is": "is", "values": [True]}]}, fields)
        fixed = cohort is not None and cohort.kind == "fixed"
        if not fixed:
            count = _count(uow, form, fields, show=request.form.get("act") in ("count", "save"))
    if request.form.get("act") == "save" and not form.problems:
        try:
            saved = _save(cohort_id, form, fixed=fixed)
            flash(gettext("%(name)s is saved.", name=saved.name))
            return redirect(url_for("cohorts.show", cohort_id=saved.id))
        except InvalidInput as error:
            _put(form, error)
    page = render_template(
        "cohorts/rule.html",
        form=form,
        fields=fields,
        count=count,
        cohort=cohort,
        fixed=fixed,
        operators=operator_words(),
    )
    return page, 422 if form.problems else 200


def _count(uow: UnitOfWork, form: RuleForm, fields: tuple[Field, ...], *, show: bool) -> int | None:
    """How many match now; None while the rule is not whole, whose problems are shown only when asked for."""
    try:
        return queries.count_matching(uow, parse_rule(form.as_json(), fields))
    except InvalidInput as error:
        if show:
            _put(form, error)
        return None


def _save(cohort_id: UUID | None, form: RuleForm, *, fixed: bool) -> Cohort:
    rule: dict[str, Any] | None = None if fixed else form.as_json()
    with unit_of_work() as uow:
        if cohort_id is None:
            return service.create_cohort(uow, CreateCohort(name=form.name, rule=rule))
        return service.change_cohort(uow, ChangeCohort(cohort_id=cohort_id, name=form.name, rule=rule))


def _put(form: RuleForm, error: InvalidInput) -> None:
    for problem in error.problems:
        head, _, index = problem.field.partition(".")
        if head == "conditions" and index.isdigit():
            form.rows[int(index)].problem = problem.sentence
            form.problems.append((f"value-{index}", problem.sentence))
        else:
            form.problems.append(("name" if head == "name" else "about", problem.sentence))


@blueprint.post("/cohorts/<uuid:cohort_id>/members")
@requires(Permission.MANAGE_COHORTS)
def paste(cohort_id: UUID) -> ResponseReturnValue:
    """Add whoever a pasted list names, and say whom nobody knows."""
    text = request.form.get("text", "")
    try:
        with unit_of_work() as uow:
            report = service.paste_members(uow, PasteMembers(cohort_id=cohort_id, text=text))
    except InvalidInput as error:
        return _show(cohort_id, problem=error.problems[0].sentence, text=text), 422
    if report.unknown:
        return _show(cohort_id, pasted=report, text="\n".join(report.unknown))
    flash(ngettext("%(num)s person was added.", "%(num)s people were added.", report.added))
    return redirect(url_for("cohorts.show", cohort_id=cohort_id))


@blueprint.post("/cohorts/<uuid:cohort_id>/remove")
@requires(Permission.MANAGE_COHORTS)
def remove(cohort_id: UUID) -> ResponseReturnValue:
    """Take the ticked people off a list."""
    # What is no id stands for nobody.
    ids = [UUID(value) for value in request.form.getlist("client") if _AN_ID.fullmatch(value)]
    with unit_of_work() as uow:
        removed = service.remove_members(uow, ChangeMembers(cohort_id=cohort_id, clients=ids))
    flash(ngettext("%(num)s person was taken off.", "%(num)s people were taken off.", removed))
    return redirect(url_for("cohorts.show", cohort_id=cohort_id))


@blueprint.post("/cohorts/<uuid:cohort_id>/archive")
@requires(Permission.MANAGE_COHORTS)
def archive(cohort_id: UUID) -> ResponseReturnValue:
    """Put a cohort away, or take it up again."""
    archived = request.form.get("archived") != "0"
    with unit_of_work() as uow:
        cohort = service.archive_cohort(uow, cohort_id, archived=archived)
    said = gettext("%(name)s is archived.", name=cohort.name)
    flash(said if archived else gettext("%(name)s is in use again.", name=cohort.name))
    return redirect(url_for("cohorts.index"))
