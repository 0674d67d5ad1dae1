"""What a request knows: its runtime, who acts, and where they are."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app, g

from app.domain.access import Actor
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The organization a request works in, as pages need it."""

    organization_id: UUID
    name: str
    time_zone: str
    locale: str
    client_word: str
    counsellor_word: str
    accent: str | None
    small_cell_threshold: int


def runtime() -> Runtime:
    """The ports of this process."""
    return current_app.extensions["octant"]  # type: ignore[no-any-return] # put there by the factory


def actor() -> Actor:
    """Who acts in this request. Raises RuntimeError on a route that serves nobody in particular."""
    found: Actor | None = g.get("actor")
    if found is None:
        raise RuntimeError("no actor: the route is public or signed_in")
    return found


def place() -> Place:
    """The organization of this request; same condition as `actor`."""
    found: Place = g.place
    return found


def time_zone() -> ZoneInfo:
    """The reader's time zone: their own, else the organization's."""
    return ZoneInfo(g.get("time_zone") or "UTC")


def unit_of_work() -> AbstractContextManager[UnitOfWork]:
    """A transaction of this request's actor: returning commits, raising rolls back."""
    return runtime().database.unit_of_work(actor(), request_id=g.get("request_id", ""))
