"""Use cases of templates: a draft is edited, publishing freezes it, editing a published one makes a new draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.domain.access import Permission
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.saying import later
from app.domain.template_content import (
    TemplateContent,
    checksum,
    content_as_json,
    missing_terms,
    parse_content,
)
from app.features.audit.service import record
from app.features.plans.commands import SaveDraft
from app.features.plans.default_template import default_content
from app.features.plans.models import Plan, PlanTemplate, TemplateVersion
from app.features.plans.queries import terms_of
from app.infra.db.open import UnitOfWork

MOST_NAME = 120


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A template in the list: its latest published version, whether a draft waits, and how many plans follow it."""

    template: PlanTemplate
    published: int | None
    draft: int | None
    plans: int


def list_templates(uow: UnitOfWork, *, archived: bool = False) -> list[TemplateRow]:
    """The organization's templates by name; archived ones only when asked."""
    published = func.max(TemplateVersion.version).filter(TemplateVersion.state == "published")
    draft = func.max(TemplateVersion.version).filter(TemplateVersion.state == "draft")
    plans = select(func.count()).where(Plan.template_id == PlanTemplate.id, Plan.status == "active").scalar_subquery()
    rows = uow.session.execute(
        select(PlanTemplate, published, draft, plans)
        .join(TemplateVersion, TemplateVersion.template_id == PlanTemplate.id)
        .where(PlanTemplate.archived_at.is_not(None) if archived else PlanTemplate.archived_at.is_(None))
        .group_by(PlanTemplate.organization_id, PlanTemplate.id)
        .order_by(PlanTemplate.name)
    )
    return [TemplateRow(*row) for row in rows]


def find_template(uow: UnitOfWork, template_id: UUID, *, lock: bool = False) -> PlanTemplate:
    """The template. Raises NotFound when there is none."""
    statement = select(PlanTemplate).where(PlanTemplate.id == template_id)
    template = uow.session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if template is None:
        raise NotFound("There is no such template.")
    return template


def versions_of(uow: UnitOfWork, template_id: UUID) -> list[TemplateVersion]:
    """All versions of a template, newest first."""
    return list(
        uow.session.scalars(
            select(TemplateVersion)
            .where(TemplateVersion.template_id == template_id)
            .order_by(TemplateVersion.version.desc())
        )
    )


def find_version(uow: UnitOfWork, template_id: UUID, version: int) -> TemplateVersion:
    """One version. Raises NotFound when there is none."""
    for row in versions_of(uow, template_id):
        if row.version == version:
            return row
    raise NotFound("This template has no such version.")


def recipes_of(uow: UnitOfWork, template_id: UUID, *versions: int) -> list[TemplateContent]:
    """The recipes of some versions of a template, in this order. Raises NotFound for a version that is not there."""
    return [parse_content(find_version(uow, template_id, version).content) for version in versions]


def create_template(
    uow: UnitOfWork, *, name: str, description: str = "", content: Mapping[str, Any] | None = None
) -> PlanTemplate:
    """Make a template with a first draft (the eight steps in our words unless `content` is given).

    Raises InvalidInput for a name in use or content without steps, Forbidden for one who only uses templates.
    """
    _manage(uow)
    recipe = parse_content(content if content is not None else default_content("en"))
    template = PlanTemplate(
        name=_free_name(uow, name),
        description=description.strip(),
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(template)
    uow.session.flush()
    _add_version(uow, template, 1, content_as_json(recipe))
    record(uow, "template.created", "template", template.id)
    return template


def create_default_template(uow: UnitOfWork, *, language: str = "en") -> PlanTemplate:
    """The eight-step template a new organization begins with, published; `language` "zh" gives it in Chinese."""
    chinese = language.lower().startswith("zh")
    template = create_template(
        uow,
        name="生涯规划八步法" if chinese else "Career plan in eight steps",
        description="新机构的起始模板。" if chinese else "The template a new organization begins with.",
        content=default_content("zh" if chinese else "en"),
    )
    publish_template(uow, template.id)
    return template


def save_draft(uow: UnitOfWork, command: SaveDraft) -> TemplateVersion:
    """Store the draft as typed; where only published versions are, this makes the next draft.

    Raises Conflict when the draft changed since it was opened, InvalidInput with every problem of the recipe.
    """
    _manage(uow)
    template = find_template(uow, command.template_id, lock=True)
    _not_archived(template)
    recipe = parse_content(command.content)
    latest = versions_of(uow, template.id)[0]
    if latest.checksum != command.over:
        raise Conflict(
            "Somebody else changed this template since you opened it. Your changes are still in the form: "
            "open the template in another window, compare, and save again."
        )
    template.name = _free_name(uow, command.name, of=template)
    template.description = command.description.strip()
    content = content_as_json(recipe)
    if latest.state == "published":
        if latest.checksum == checksum(recipe):
            record(uow, "template.renamed", "template", template.id)
            return latest
        latest = _add_version(uow, template, latest.version + 1, content)
    else:
        latest.content, latest.checksum = content, checksum(recipe)
        uow.session.flush()
    record(uow, "template.draft_saved", "template", template.id, version=latest.version)
    return latest


def publish_template(uow: UnitOfWork, template_id: UUID) -> TemplateVersion:
    """Publish the draft: from here on the version never changes and can be assigned.

    Raises Conflict without a draft, InvalidInput when a step is due by a term that does not exist.
    """
    _manage(uow)
    template = find_template(uow, template_id, lock=True)
    _not_archived(template)
    draft = versions_of(uow, template_id)[0]
    if draft.state != "draft":
        raise Conflict("There is no draft to publish. Change the template first; that makes a new draft.")
    refuse_missing_terms(uow, parse_content(draft.content))
    draft.state, draft.published_at = "published", uow.now
    uow.session.flush()
    record(uow, "template.published", "template", template_id, version=draft.version, checksum=draft.checksum)
    return draft


def refuse_missing_terms(uow: UnitOfWork, content: TemplateContent) -> None:
    """Raise InvalidInput naming each step that is due by a term the organization does not have."""
    if problems := missing_terms(content, terms_of(uow)):
        raise InvalidInput(problems)


def discard_draft(uow: UnitOfWork, template_id: UUID) -> None:
    """Throw the draft away; the published versions stay. Raises Conflict when nothing was published yet."""
    _manage(uow)
    find_template(uow, template_id, lock=True)
    versions = versions_of(uow, template_id)
    if versions[0].state != "draft" or len(versions) == 1:
        raise Conflict("There is no draft beside a published version. Archive the template instead.")
    uow.session.delete(versions[0])
    uow.session.flush()
    record(uow, "template.draft_discarded", "template", template_id, version=versions[0].version)


def duplicate_template(uow: UnitOfWork, template_id: UUID, name: str) -> PlanTemplate:
    """A new template whose first draft is the latest version of another."""
    source = find_template(uow, template_id)
    content = versions_of(uow, template_id)[0].content
    return create_template(uow, name=name, description=source.description, content=content)


def archive_template(uow: UnitOfWork, template_id: UUID, *, archive: bool = True) -> None:
    """Take a template out of the lists, or bring it back; plans that follow it go on."""
    _manage(uow)
    template = find_template(uow, template_id, lock=True)
    if (template.archived_at is not None) == archive:
        return
    template.archived_at = uow.now if archive else None
    record(uow, "template.archived" if archive else "template.unarchived", "template", template_id)


def _add_version(uow: UnitOfWork, template: PlanTemplate, number: int, content: dict[str, Any]) -> TemplateVersion:
    version = TemplateVersion(
        template_id=template.id,
        version=number,
        content=content,
        checksum=checksum(parse_content(content)),
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(version)
    uow.session.flush()
    return version


def _free_name(uow: UnitOfWork, name: str, *, of: PlanTemplate | None = None) -> str:
    name = name.strip()
    if not name or len(name) > MOST_NAME:
        raise InvalidInput(
            [FieldProblem("name", later("Give the template a name of at most %(most)s letters.", most=MOST_NAME))]
        )
    taken = uow.session.scalars(select(PlanTemplate.id).where(PlanTemplate.name == name)).one_or_none()
    if taken is not None and (of is None or taken != of.id):
        raise InvalidInput(
            [FieldProblem("name", later('There is a template "%(name)s" already. Choose another name.', name=name))]
        )
    return name


def _not_archived(template: PlanTemplate) -> None:
    if template.archived_at is not None:
        raise Conflict("This template is archived. Bring it back first.")


def _manage(uow: UnitOfWork) -> None:
    if not uow.actor.may(Permission.MANAGE_TEMPLATES):
        raise Forbidden("You may use templates but not change them. Ask an administrator of your organization.")
