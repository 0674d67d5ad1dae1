"""Pages of templates: the list, one template with its versions, the editor, two versions side by side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.wrappers import Response

from app.domain.access import Permission
from app.domain.errors import Conflict, InvalidInput
from app.domain.steps import StepKey
from app.domain.template_content import content_as_json, parse_content
from app.features.instruments.models import Instrument
from app.features.plans import templates
from app.features.plans.commands import SaveDraft
from app.features.plans.default_template import default_content
from app.features.plans.queries import terms_of
from app.features.plans.sharing import lacking
from app.features.plans.template_forms import CopyForm, TemplateForm, make_form
from app.features.plans.template_words import difference_words, due_words, policy_words
from app.features.plans.words import step_names
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.context import actor, place, unit_of_work
from app.infra.web.given import whole_in_query

blueprint = Blueprint("templates", __name__, url_prefix="/templates")


@blueprint.get("")
@requires(Permission.USE_TEMPLATES)
def index() -> str:
    """All templates; archived ones on asking."""
    archived = "archived" in request.args
    with unit_of_work() as uow:
        rows = templates.list_templates(uow, archived=archived)
    return render_template("templates/index.html", rows=rows, archived=archived, may_manage=_may_manage())


@blueprint.get("/new")
@requires(Permission.MANAGE_TEMPLATES)
def new() -> str:
    """A new template, begun from the eight steps in our words."""
    language = "zh" if place().locale.startswith("zh") else "en"
    recipe = content_as_json(parse_content(default_content(language)))
    with unit_of_work() as uow:
        return _editor(None, _form(uow, recipe))


@blueprint.post("/new")
@requires(Permission.MANAGE_TEMPLATES)
def create() -> Response | tuple[str, int]:
    """Make the template with its first draft."""
    with unit_of_work() as uow:
        form = _form(uow)
        if form.validate():
            try:
                made = templates.create_template(
                    uow, name=form.name.data, description=form.description.data or "", content=form.content()
                )
            except InvalidInput as invalid:
                form.take(invalid.problems)
            else:
                flash(gettext("The draft is saved. Publish it to assign it."))
                return redirect(url_for("templates.show", template_id=made.id))
        return _editor(None, form), 422


@blueprint.get("/<uuid:template_id>")
@requires(Permission.USE_TEMPLATES)
def show(template_id: UUID) -> str:
    """One template: a version's steps and the history of versions."""
    with unit_of_work() as uow:
        template = templates.find_template(uow, template_id)
        versions = templates.versions_of(uow, template_id)
        asked = whole_in_query("version")
        shown = templates.find_version(uow, template_id, asked) if asked else versions[0]
        content = parse_content(shown.content)
        return render_template(
            "templates/show.html",
            template=template,
            versions=versions,
            shown=shown,
            recipes=[(recipe, due_words(recipe.due)) for recipe in content.steps],
            policy=policy_words(content.review_policy),
            names=step_names(gettext),
            copy_form=CopyForm(data={"name": gettext("%(name)s (copy)", name=template.name)}, formdata=None),
            may_manage=_may_manage(),
            lacking=lacking(uow, content) if shown is versions[0] else (),
        )


@blueprint.get("/<uuid:template_id>/edit")
@requires(Permission.MANAGE_TEMPLATES)
def edit(template_id: UUID) -> str:
    """The editor, filled with the latest version."""
    with unit_of_work() as uow:
        template = templates.find_template(uow, template_id)
        latest = templates.versions_of(uow, template_id)[0]
        form = _form(uow, latest.content, name=template.name, description=template.description, over=latest.checksum)
        return _editor(template_id, form, published=latest.state == "published")


@blueprint.post("/<uuid:template_id>/edit")
@requires(Permission.MANAGE_TEMPLATES)
def save(template_id: UUID) -> Response | tuple[str, int]:
    """Save the draft; saving over a published version makes the next draft."""
    status = 422
    with unit_of_work() as uow:
        form = _form(uow)
        if form.validate():
            command = SaveDraft(
                template_id=template_id,
                name=form.name.data,
                description=form.description.data or "",
                content=form.content(),
                over=form.over.data or "",
            )
            try:
                saved = templates.save_draft(uow, command)
            except InvalidInput as invalid:
                form.take(invalid.problems)
            except Conflict as conflict:
                form.form_errors.append(conflict.sentence)
                status = 409
            else:
                flash(gettext("Version %(n)s is saved.", n=saved.version))
                return redirect(url_for("templates.show", template_id=template_id))
        return _editor(template_id, form), status


@blueprint.post("/<uuid:template_id>/<any(publish, discard, archive, unarchive):act>")
@requires(Permission.MANAGE_TEMPLATES)
def do(template_id: UUID, act: str) -> Response:
    """Publish or discard the draft, archive the template or bring it back."""
    with unit_of_work() as uow:
        if act == "publish":
            version = templates.publish_template(uow, template_id)
            flash(gettext("Version %(n)s is published and can be assigned.", n=version.version))
        elif act == "discard":
            templates.discard_draft(uow, template_id)
            flash(gettext("The draft is thrown away."))
        else:
            templates.archive_template(uow, template_id, archive=act == "archive")
            flash(gettext("The template is archived.") if act == "archive" else gettext("The template is back."))
    return redirect(url_for("templates.show", template_id=template_id))


@blueprint.post("/<uuid:template_id>/duplicate")
@requires(Permission.MANAGE_TEMPLATES)
def duplicate(template_id: UUID) -> Response:
    """Make a copy under another name."""
    with unit_of_work() as uow:
        copy_id = templates.duplicate_template(uow, template_id, CopyForm().name.data or "").id
    flash(gettext("This is the copy. Publish it to assign it."))
    return redirect(url_for("templates.show", template_id=copy_id))


@blueprint.get("/<uuid:template_id>/compare")
@requires(Permission.USE_TEMPLATES)
def compare(template_id: UUID) -> str:
    """Two versions side by side."""
    with unit_of_work() as uow:
        template = templates.find_template(uow, template_id)
        versions = templates.versions_of(uow, template_id)
        after = whole_in_query("after") or versions[0].version
        before = whole_in_query("before") or max(1, after - 1)
        old, new = templates.recipes_of(uow, template_id, before, after)
        return render_template(
            "templates/compare.html",
            template=template,
            versions=versions,
            before=before,
            after=after,
            changes=difference_words(old, new),
        )


def _may_manage() -> bool:
    return actor().may(Permission.MANAGE_TEMPLATES)


def _form(uow: UnitOfWork, content: dict[str, Any] | None = None, **values: Any) -> TemplateForm:
    loaded = select(Instrument.key, Instrument.title).where(Instrument.active).order_by(Instrument.title)
    return make_form(
        content,
        terms=list(dict.fromkeys(term.name for term in terms_of(uow))),
        instruments=[(row.key, row.title) for row in uow.session.execute(loaded)],
        **values,
    )


def _editor(template_id: UUID | None, form: TemplateForm, *, published: bool = False) -> str:
    return render_template(
        "templates/edit.html",
        template_id=template_id,
        form=form,
        published=published,
        keys=list(StepKey),
        names=step_names(gettext),
    )
