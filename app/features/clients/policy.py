"""Which clients an actor may see."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, exists, false, select, true

from app.domain import access
from app.domain.access import Actor, Permission, Role
from app.features.clients.models import CaseloadEntry, Client
from app.features.organizations.models import Membership, Organization
from app.infra.db.open import UnitOfWork


def sees_everybody(actor: Actor) -> bool:
    """Whether an actor who may read clients sees all of them; others see their own caseload, or themselves."""
    return actor.role in (Role.ADMIN, Role.SYSTEM) or actor.shares_caseloads


def visible_clients(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `Client`: all for administrators and workers, the caseload for counsellors, oneself for clients.

    Where the organization shares caseloads, a counsellor sees all. An analyst sees nobody.
    """
    if actor.client_id is not None and actor.role is Role.CLIENT:
        return Client.id == actor.client_id
    if not actor.may(Permission.READ_CLIENTS):
        return false()
    if sees_everybody(actor):
        return true()
    return exists().where(
        # The organization is named for the index: the primary key begins with it.
        CaseloadEntry.organization_id == Client.organization_id,
        CaseloadEntry.client_id == Client.id,
        CaseloadEntry.membership_id == actor.membership_id,
    )


def member_now(uow: UnitOfWork, membership_id: UUID) -> Actor | None:
    """A member who is not here to ask, with what they may do as it is now; None for one who works here no more."""
    row = uow.session.execute(
        select(Membership.role, Membership.name, Organization.shares_caseloads)
        .join(Organization, Organization.organization_id == Membership.organization_id)
        .where(Membership.id == membership_id, Membership.active)
    ).one_or_none()
    if row is None:
        return None
    return access.member(
        Role(row.role),
        uow.actor.organization_id,
        membership_id=membership_id,
        name=row.name,
        shares_caseloads=row.shares_caseloads,
    )


def seen_by(uow: UnitOfWork, membership_id: UUID | None) -> ColumnElement[bool]:
    """`visible_clients` of a member who is not here to ask, as it is now; none for one who does not work here any more.

    All for Octant's own doing (None).
    """
    if membership_id is None:
        return true()
    found = member_now(uow, membership_id)
    return false() if found is None else visible_clients(found)
