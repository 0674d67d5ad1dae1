"""Which plans an actor may see, and on whose behalf they move steps."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from app.domain.access import Actor, Permission, Role
from app.domain.errors import Forbidden
from app.domain.steps import ActorKind
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.plans.models import Plan


def visible_plans(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `Plan`: the plans of the clients the actor may see; a client sees their own alone."""
    if actor.role is Role.CLIENT and actor.client_id is not None:
        return Plan.client_id == actor.client_id
    if actor.role in (Role.ADMIN, Role.SYSTEM):
        return visible_clients(actor)
    # Correlated to the plan alone, so that a query which joins clients too may use it.
    yours = select(Client.id).where(Client.id == Plan.client_id, visible_clients(actor))
    return yours.correlate(Plan).exists()


def kind_of(actor: Actor) -> ActorKind:
    """On whose behalf this actor moves steps. Raises Forbidden for one who does not work on plans."""
    if actor.may(Permission.OWN_PLAN):
        return ActorKind.CLIENT
    if actor.may(Permission.WORK_PLANS):
        return ActorKind.COUNSELLOR
    raise Forbidden("You may read this plan but not change it.")
