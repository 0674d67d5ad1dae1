"""Which assessments and sittings an actor may see: those of the clients they may see."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from app.domain.access import Actor
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.instruments.models import Assessment, Sitting


def visible_assessments(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `Assessment`."""
    return Assessment.client_id.in_(select(Client.id).where(visible_clients(actor)))


def visible_sittings(actor: Actor) -> ColumnElement[bool]:
    """A criterion over `Sitting`."""
    return Sitting.client_id.in_(select(Client.id).where(visible_clients(actor)))
