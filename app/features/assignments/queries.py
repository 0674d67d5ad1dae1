"""Reads of assigning: whom a target reaches, and what a preview says of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, and_, cast, func, or_, select

from app.domain.errors import FieldProblem as Problem
from app.domain.errors import InvalidInput, NotFound
from app.domain.template_content import parse_content
from app.features.assignments.commands import AssignTemplate
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.cohorts.models import Cohort, CohortMember
from app.features.plans.models import Plan, PlanTemplate, TemplateVersion
from app.features.plans.templates import refuse_missing_terms
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Preview:
    """What an assignment would do, in numbers of clients; and who could get a prompt by e-mail."""

    targeted: int
    created: int
    with_plan: int
    inactive: int
    without_email: int
    not_yours: int


def target_of(uow: UnitOfWork, command: AssignTemplate) -> Select[UUID]:
    """Ids of the clients the command names and the actor may assign to, in order of name."""
    chosen = select(Client.id).where(visible_clients(uow.actor))
    if command.cohort_id is not None:
        chosen = chosen.join(CohortMember, CohortMember.client_id == Client.id)
        chosen = chosen.where(CohortMember.cohort_id == command.cohort_id)
    else:
        chosen = chosen.where(Client.id == func.any(cast(list(command.client_ids), ARRAY(Uuid))))
    return chosen.order_by(Client.family_folded, Client.given_folded, Client.id)


def published_version(uow: UnitOfWork, template_id: UUID, version: int) -> tuple[PlanTemplate, TemplateVersion]:
    """The template and its published version. Raises NotFound for a draft or a template that is not there."""
    row = uow.session.execute(
        select(PlanTemplate, TemplateVersion)
        .join(TemplateVersion, TemplateVersion.template_id == PlanTemplate.id)
        .where(
            PlanTemplate.id == template_id,
            TemplateVersion.version == version,
            TemplateVersion.state == "published",
        )
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such published version of a template.")
    template, found = row
    return template, found


def latest_published(uow: UnitOfWork) -> list[tuple[PlanTemplate, int]]:
    """Templates that can be assigned, each with its latest published version, by name."""
    latest = (
        select(TemplateVersion.template_id, func.max(TemplateVersion.version).label("version"))
        .where(TemplateVersion.state == "published")
        .group_by(TemplateVersion.template_id)
        .subquery()
    )
    rows = uow.session.execute(
        select(PlanTemplate, latest.c.version)
        .join(latest, latest.c.template_id == PlanTemplate.id)
        .where(PlanTemplate.archived_at.is_(None))
        .order_by(PlanTemplate.name)
    )
    return [(template, version) for template, version in rows]


def preview(uow: UnitOfWork, command: AssignTemplate) -> Preview:
    """Count what the command would do.

    Raises NotFound for a foreign template or cohort, InvalidInput for a bad target or a recipe that cannot be followed.
    """
    _, version = published_version(uow, command.template_id, command.version)
    check_target(uow, command)
    refuse_missing_terms(uow, parse_content(version.content))
    target = target_of(uow, command).order_by(None).subquery()
    plan = and_(Plan.client_id == Client.id, Plan.status == "active")
    row = uow.session.execute(
        select(
            func.count().label("targeted"),
            func.count().filter(Client.active, Plan.id.is_(None)).label("created"),
            func.count().filter(Client.active, Plan.id.is_not(None)).label("with_plan"),
            func.count().filter(~Client.active).label("inactive"),
            func.count()
            .filter(Client.active, Plan.id.is_(None), or_(Client.email.is_(None), Client.email == ""))
            .label("without_email"),
        )
        .select_from(Client)
        .join(target, target.c.id == Client.id)
        .outerjoin(Plan, plan)
    ).one()
    named = len(set(command.client_ids))
    if command.cohort_id is not None:
        named = uow.session.execute(
            select(func.count()).select_from(CohortMember).where(CohortMember.cohort_id == command.cohort_id)
        ).scalar_one()
    return Preview(
        targeted=row.targeted,
        created=row.created,
        with_plan=row.with_plan,
        inactive=row.inactive,
        without_email=row.without_email,
        not_yours=named - row.targeted,
    )


def check_target(uow: UnitOfWork, command: AssignTemplate) -> None:
    """Raise InvalidInput unless exactly one target is named, NotFound for a foreign cohort."""
    if (command.cohort_id is None) == (not command.client_ids):
        raise InvalidInput([Problem("target", "Choose a cohort, or tick at least one person.")])
    if command.standing and command.cohort_id is None:
        raise InvalidInput([Problem("standing", "Only an assignment to a cohort can go on for later members.")])
    if command.cohort_id is not None:
        found = uow.session.scalars(select(Cohort.id).where(Cohort.id == command.cohort_id)).one_or_none()
        if found is None:
            raise NotFound("There is no such cohort.")
