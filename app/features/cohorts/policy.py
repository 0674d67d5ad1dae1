"""Which cohorts an actor may see."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, true

from app.domain.access import Actor, Permission


def visible_cohorts(actor: Actor) -> ColumnElement[bool]:
    """All cohorts for those who may use them, else none; whose members they see is `visible_clients`."""
    return true() if actor.may(Permission.USE_COHORTS) else false()
