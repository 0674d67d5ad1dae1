"""Which clients an actor may see."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, false, true

from app.domain.access import Actor, Permission, Role
from app.features.clients.models import CaseloadEntry, Client


def visible_clients(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `Client`: all for administrators and workers, the caseload for counsellors, oneself for clients.

    Where the organization shares caseloads, a counsellor sees all. An analyst sees nobody.
    """
    if actor.client_id is not None and actor.role is Role.CLIENT:
        return Client.id == actor.client_id
    if not actor.may(Permission.READ_CLIENTS):
        return false()
    if actor.role in (Role.ADMIN, Role.SYSTEM) or actor.shares_caseloads:
        return true()
    return exists().where(
        # The organization is named for the index: the primary key begins with it.
        CaseloadEntry.organization_id == Client.organization_id,
        CaseloadEntry.client_id == Client.id,
        CaseloadEntry.membership_id == actor.membership_id,
    )
