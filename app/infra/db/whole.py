"""Statements about a whole organization, whose joins are of whole sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from app.infra.db.open import UnitOfWork

_LOOPS = text("SELECT set_config('enable_nestloop', :to, true)")


@contextmanager
def joined_as_sets(uow: UnitOfWork, *, whole: bool = True) -> Iterator[None]:
    """Let the statements of the block join by hashing, where `whole`: what they read is most of an organization.

    The planner is told little of organizations (`app.infra.db.migrate`) and takes what is left after some conditions
    for a few rows; it would then look up the others one by one, a hundred thousand times.
    """
    if not whole:
        yield
        return
    # Of this transaction alone: where the block fails, rolling back puts it back too.
    uow.session.execute(_LOOPS, {"to": "off"})
    yield
    uow.session.execute(_LOOPS, {"to": "on"})
