"""Reads of organizations."""

from __future__ import annotations

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.domain.errors import NotFound
from app.domain.saying import later
from app.features.organizations.models import Organization, Tenant
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime


def find_organization(runtime: Runtime, slug: str, *, active: bool = True) -> UUID:
    """The id of the active (or suspended) organization with this slug. Raises NotFound naming it."""
    with runtime.database.directory_session() as session:
        found = session.scalars(select(Tenant.id).where(Tenant.slug == slug, Tenant.active == active)).one_or_none()
    if found is None:
        raise NotFound(
            later("There is no organization %(slug)s.", slug=slug)
            if active
            else later("There is no suspended organization %(slug)s.", slug=slug)
        )
    return found


def today_here(uow: UnitOfWork) -> date:
    """Today where the organization is."""
    zone = uow.session.execute(select(Organization.time_zone)).scalar_one()
    return uow.now.astimezone(ZoneInfo(zone)).date()
