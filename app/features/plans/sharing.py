"""Use cases of templates that go further: saved as a file, taken from one, and made anew for next year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import FieldProblem
from app.domain.saying import later
from app.domain.template_content import TemplateContent, content_as_json, missing_terms, parse_content
from app.domain.template_files import SharedTemplate, instruments_named, read_template, template_as_file
from app.domain.template_years import for_next_year, guess_term, next_year_name, terms_named
from app.features.audit.service import record
from app.features.instruments.models import Instrument
from app.features.plans.models import PlanTemplate
from app.features.plans.queries import terms_of
from app.features.plans.templates import MOST_NAME, create_template, find_template, find_version, versions_of
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class NextYear:
    """What a copy for next year begins from: a free name, and for each term named the guessed one (None: no guess)."""

    name: str
    terms: Mapping[str, str | None]
    choices: Sequence[str]
    content: TemplateContent


def export_template(uow: UnitOfWork, template_id: UUID, version: int) -> dict[str, Any]:
    """A version as the plain JSON object of its file. Raises NotFound for a template or version that is not there."""
    template, found = find_template(uow, template_id), find_version(uow, template_id, version)
    shared = SharedTemplate(template.name, template.description, found.version, parse_content(found.content))
    file = template_as_file(shared)
    record(uow, "template.exported", "template", template_id, version=version, checksum=file["checksum"])
    return file


def import_template(uow: UnitOfWork, file: Mapping[str, Any], *, name: str = "") -> PlanTemplate:
    """A template's file as a new template whose draft it is; `name` stands in for the file's own.

    What it names and is not here `lacking` tells. Raises InvalidInput with every problem of the file and its place, or
    for a name in use, Forbidden for one who only uses templates.
    """
    shared = read_template(file)
    template = create_template(
        uow,
        name=name.strip() or shared.name,
        description=shared.description,
        content=content_as_json(shared.content),
    )
    record(uow, "template.imported", "template", template.id, version=shared.version, checksum=file["checksum"])
    return template


def lacking(uow: UnitOfWork, content: TemplateContent) -> list[FieldProblem]:
    """What a recipe names that the organization does not have: terms, without which it is not published, and
    questionnaires, which can be loaded later."""
    wanted = instruments_named(content)
    known = set(uow.session.scalars(select(Instrument.key).where(Instrument.key.in_(wanted), Instrument.active)))
    return [
        *missing_terms(content, terms_of(uow)),
        *(
            FieldProblem(
                "instruments",
                later("The questionnaire “%(key)s” is not here. Load it, or take it out of the template.", key=key),
            )
            for key in wanted
            if key not in known
        ),
    ]


def plan_next_year(uow: UnitOfWork, template_id: UUID) -> NextYear:
    """What a copy of the latest version for next year would begin from. Raises NotFound."""
    template = find_template(uow, template_id)
    content = parse_content(versions_of(uow, template_id)[0].content)
    terms = terms_of(uow)
    taken = set(uow.session.scalars(select(PlanTemplate.name)))
    return NextYear(
        _free(next_year_name(template.name), taken),
        {name: guess_term(name, terms) for name in terms_named(content)},
        [term.name for term in terms],
        content,
    )


def copy_for_next_year(uow: UnitOfWork, template_id: UUID, *, name: str, terms: Mapping[str, str]) -> PlanTemplate:
    """A new template whose draft is the latest version with its terms exchanged and its review days moved.

    `terms` says for each term named which follows it. Raises NotFound, InvalidInput for a term without one, Forbidden
    for one who only uses templates.
    """
    source = find_template(uow, template_id)
    content = parse_content(versions_of(uow, template_id)[0].content)
    moved = for_next_year(content, terms, terms_of(uow))
    return create_template(uow, name=name, description=source.description, content=content_as_json(moved))


def _free(name: str, taken: set[str]) -> str:
    found, number = name[:MOST_NAME], 2
    while found in taken:
        ending = f" ({number})"
        found, number = name[: MOST_NAME - len(ending)] + ending, number + 1
    return found
