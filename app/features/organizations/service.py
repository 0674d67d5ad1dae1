"""Use cases of organizations and memberships."""

from __future__ import annotations

import re
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.domain import access
from app.domain.access import Actor, Role
from app.domain.errors import Conflict, FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.audit.models import AuditHead
from app.features.audit.service import record
from app.features.identity.models import UserPlace
from app.features.organizations.models import Membership, Organization, Tenant
from app.infra.db.open import UnitOfWork
from app.infra.locales import LANGUAGES
from app.infra.runtime import Runtime

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])")


def is_time_zone(name: str) -> bool:
    """Whether `name` is a time zone of the IANA database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def create_organization(runtime: Runtime, *, slug: str, name: str, time_zone: str, locale: str) -> UUID:
    """Make an organization; the operator's use case.

    Raises InvalidInput for an unknown time zone or language and a bad slug, Conflict for a slug in use.
    """
    problems = []
    if not _SLUG.fullmatch(slug):
        problems.append(
            FieldProblem(
                "slug", later("%(slug)s is not a slug; use 2 to 40 small letters, digits and hyphens.", slug=slug)
            )
        )
    if not name.strip():
        problems.append(FieldProblem("name", "Give the organization a name."))
    if not is_time_zone(time_zone):
        problems.append(
            FieldProblem(
                "time_zone",
                later("%(time_zone)s is not a time zone; use a name such as Europe/Dublin.", time_zone=time_zone),
            )
        )
    if locale not in LANGUAGES:
        problems.append(
            FieldProblem(
                "locale",
                later(
                    "%(locale)s is not a language of Octant; use %(locales)s.",
                    locale=locale,
                    locales=" or ".join(LANGUAGES),
                ),
            )
        )
    if problems:
        raise InvalidInput(problems)
    organization_id = uuid4()
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        made = uow.session.execute(
            pg_insert(Tenant).values(id=organization_id, slug=slug).on_conflict_do_nothing().returning(Tenant.id)
        )
        if made.one_or_none() is None:
            raise Conflict(later("There is an organization %(slug)s already.", slug=slug))
        uow.session.add(Organization(organization_id=organization_id, name=name, time_zone=time_zone, locale=locale))
        uow.session.flush()
        uow.session.add(AuditHead(organization_id=organization_id))
        uow.session.flush()
        record(uow, "organization.created", "organization", organization_id, slug=slug)
    return organization_id


def add_member(uow: UnitOfWork, *, user_id: UUID, role: Role, name: str, email: str) -> Membership:
    """Make a user a member; the user must exist. An earlier membership is taken up again with the new role."""
    uow.session.execute(
        pg_insert(UserPlace).values(user_id=user_id, organization_id=uow.actor.organization_id).on_conflict_do_nothing()
    )
    member = uow.session.scalars(select(Membership).where(Membership.user_id == user_id)).one_or_none()
    if member is None:
        member = Membership(user_id=user_id, role=role.value, name=name, email=email)
        uow.session.add(member)
    else:
        member.role, member.name, member.email, member.active = role.value, name, email, True
    uow.session.flush()
    record(uow, "member.added", "membership", member.id, role=role.value)
    return member


def organization_of(uow: UnitOfWork) -> Organization:
    """The actor's organization."""
    return uow.session.scalars(select(Organization)).one()


def find_actor(runtime: Runtime, organization_id: UUID, user_id: UUID) -> tuple[Actor, Organization] | None:
    """The actor a user is in an organization, with the organization; None without an active membership.

    A suspended organization has no actors.
    """
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        row = uow.session.execute(
            select(Membership, Organization)
            .join(Organization, Organization.organization_id == Membership.organization_id)
            .join(Tenant, Tenant.id == Membership.organization_id)
            .where(Membership.user_id == user_id, Membership.active, Tenant.active)
        ).one_or_none()
        if row is None:
            return None
        member, organization = row
        client_id = None
        if member.role == Role.CLIENT:
            # By name, because clients stand above organizations on the ladder.
            client_id = uow.session.execute(
                text("SELECT id FROM clients WHERE membership_id = :m AND active"), {"m": member.id}
            ).scalar_one_or_none()
        actor = access.member(
            Role(member.role),
            organization_id,
            membership_id=member.id,
            user_id=user_id,
            client_id=client_id,
            name=member.name,
            shares_caseloads=organization.shares_caseloads,
        )
        return actor, organization
