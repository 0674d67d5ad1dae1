"""JSON of plan templates: list, versions, draft, publish."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort
from sqlalchemy import select

from app.domain.access import Permission
from app.domain.template_content import parse_content
from app.features.plans import sharing, templates
from app.features.plans.commands import SaveDraft
from app.features.plans.models import PlanTemplate, TemplateVersion
from app.features.plans.schemas import (
    CopySchema,
    DraftSchema,
    NewNextYearSchema,
    NewTemplateSchema,
    NextYearSchema,
    TakeFileSchema,
    TakenTemplateSchema,
    TemplateContentSchema,
    TemplateFileSchema,
    TemplateQuery,
    TemplateSchema,
    TemplateVersionSchema,
)
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint, conditional
from app.infra.web.api.once import once
from app.infra.web.api.paging import page
from app.infra.web.api.parser import matching_tag
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import unit_of_work
from app.infra.web.words import said

blueprint = ApiBlueprint("Templates", __name__, description="Recipes of the eight steps, in versions.")
_VERSION = "/templates/<uuid:template_id>/versions/<int(min=1,max=1000000):version>"


@blueprint.get("/templates")
@requires(Permission.USE_TEMPLATES)
@blueprint.arguments(TemplateQuery, location="query")
@blueprint.response(200, page_of(TemplateSchema))
def list_templates(query: dict[str, Any]) -> dict[str, Any]:
    """Templates by name."""
    with unit_of_work() as uow:
        archived = PlanTemplate.archived_at
        found = select(PlanTemplate).where(archived.is_not(None) if query["archived"] else archived.is_(None))
        return page(uow, found, (PlanTemplate.name, PlanTemplate.id), query)


@blueprint.post("/templates")
@requires(Permission.MANAGE_TEMPLATES)
@once
@blueprint.arguments(NewTemplateSchema)
@blueprint.response(201, TemplateSchema)
def create_template(uow: UnitOfWork, body: dict[str, Any]) -> PlanTemplate:
    """Make a template with a first draft."""
    return templates.create_template(uow, **body)


@blueprint.get("/templates/<uuid:template_id>")
@requires(Permission.USE_TEMPLATES)
@blueprint.response(200, TemplateSchema)
def read_template(template_id: UUID) -> PlanTemplate:
    """One template."""
    with unit_of_work() as uow:
        return templates.find_template(uow, template_id)


@blueprint.get("/templates/<uuid:template_id>/versions")
@requires(Permission.USE_TEMPLATES)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(TemplateVersionSchema))
def list_template_versions(query: dict[str, Any], template_id: UUID) -> dict[str, Any]:
    """Versions of a template, newest first."""
    with unit_of_work() as uow:
        templates.find_template(uow, template_id)
        found = select(TemplateVersion).where(TemplateVersion.template_id == template_id)
        return page(uow, found, (TemplateVersion.version,), query, descending=True)


@blueprint.get(_VERSION)
@requires(Permission.USE_TEMPLATES)
@blueprint.response(200, TemplateContentSchema)
def read_template_version(template_id: UUID, version: int) -> tuple[TemplateVersion, int, dict[str, str]]:
    """One version with its content; its ETag is what a new draft is saved over."""
    with unit_of_work() as uow:
        found = templates.find_version(uow, template_id, version)
        return found, 200, {"ETag": f'"{found.checksum}"'}


@blueprint.put("/templates/<uuid:template_id>/draft")
@conditional
@requires(Permission.MANAGE_TEMPLATES)
@blueprint.arguments(DraftSchema)
@blueprint.response(200, TemplateContentSchema)
def save_draft(body: dict[str, Any], template_id: UUID) -> tuple[TemplateVersion, int, dict[str, str]]:
    """Save the draft over the latest version; where that is published, this makes the next draft."""
    over = matching_tag()
    with unit_of_work() as uow:
        templates.find_template(uow, template_id)
        if templates.versions_of(uow, template_id)[0].checksum != over:
            abort(412)
        saved = templates.save_draft(uow, SaveDraft(template_id=template_id, over=over, **body))
        return saved, 200, {"ETag": f'"{saved.checksum}"'}


@blueprint.delete("/templates/<uuid:template_id>/draft")
@requires(Permission.MANAGE_TEMPLATES)
@blueprint.response(204)
def discard_draft(template_id: UUID) -> None:
    """Throw the draft away; the published versions stay."""
    with unit_of_work() as uow:
        templates.discard_draft(uow, template_id)


@blueprint.post("/templates/<uuid:template_id>/publish")
@requires(Permission.MANAGE_TEMPLATES)
@blueprint.response(200, TemplateVersionSchema)
def publish_template(template_id: UUID) -> TemplateVersion:
    """Publish the draft: this version never changes again and can be assigned."""
    with unit_of_work() as uow:
        return templates.publish_template(uow, template_id)


@blueprint.post("/templates/<uuid:template_id>/duplicate")
@requires(Permission.MANAGE_TEMPLATES)
@once
@blueprint.arguments(CopySchema)
@blueprint.response(201, TemplateSchema)
def duplicate_template(uow: UnitOfWork, body: dict[str, Any], template_id: UUID) -> PlanTemplate:
    """Make a template whose first draft is the latest version of this one."""
    return templates.duplicate_template(uow, template_id, body["name"])


@blueprint.get(f"{_VERSION}/file")
@requires(Permission.USE_TEMPLATES)
@blueprint.response(200, TemplateFileSchema)
def read_template_file(template_id: UUID, version: int) -> dict[str, Any]:
    """One version as a file that another organization can take."""
    with unit_of_work() as uow:
        return sharing.export_template(uow, template_id, version)


@blueprint.post("/templates/files")
@requires(Permission.MANAGE_TEMPLATES)
@once
@blueprint.arguments(TakeFileSchema)
@blueprint.response(201, TakenTemplateSchema)
def take_template_file(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, Any]:
    """Make a template whose first draft is what the file holds; its checksum must be right."""
    made = sharing.import_template(uow, body["file"], name=body["name"])
    content = parse_content(templates.versions_of(uow, made.id)[0].content)
    shown = ("id", "name", "description", "archived_at", "created_at")
    return {name: getattr(made, name) for name in shown} | {
        "lacking": [
            {"field": problem.field, "sentence": said(problem.sentence)} for problem in sharing.lacking(uow, content)
        ]
    }


@blueprint.get("/templates/<uuid:template_id>/next-year")
@requires(Permission.MANAGE_TEMPLATES)
@blueprint.response(200, NextYearSchema)
def plan_next_year(template_id: UUID) -> sharing.NextYear:
    """What a copy for next year would begin from; nothing happens."""
    with unit_of_work() as uow:
        return sharing.plan_next_year(uow, template_id)


@blueprint.post("/templates/<uuid:template_id>/next-year")
@requires(Permission.MANAGE_TEMPLATES)
@once
@blueprint.arguments(NewNextYearSchema)
@blueprint.response(201, TemplateSchema)
def copy_for_next_year(uow: UnitOfWork, body: dict[str, Any], template_id: UUID) -> PlanTemplate:
    """Make a template whose first draft is the latest version of this one, its days moved to next year's terms."""
    terms = {name: term for name, term in body["terms"].items() if isinstance(term, str)}
    return sharing.copy_for_next_year(uow, template_id, name=body["name"], terms=terms)


@blueprint.post("/templates/<uuid:template_id>/archive")
@requires(Permission.MANAGE_TEMPLATES)
@blueprint.response(200, TemplateSchema)
def archive_template(template_id: UUID) -> PlanTemplate:
    """Take a template out of the lists; plans that follow it go on."""
    with unit_of_work() as uow:
        templates.archive_template(uow, template_id)
        return templates.find_template(uow, template_id)


@blueprint.post("/templates/<uuid:template_id>/restore")
@requires(Permission.MANAGE_TEMPLATES)
@blueprint.response(200, TemplateSchema)
def restore_template(template_id: UUID) -> PlanTemplate:
    """Bring an archived template back."""
    with unit_of_work() as uow:
        templates.archive_template(uow, template_id, archive=False)
        return templates.find_template(uow, template_id)
