"""Telling staff that a client has not answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Silence:
    """A review that nobody answered in time, told to the plan's counsellor or, later, to the administrators."""

    review_id: UUID
    plan_id: UUID
    occurrence_on: date
    to_admins: bool


def tell_staff(uow: UnitOfWork, silent: Sequence[Silence]) -> None:
    """Say in the transaction that escalates who has to know; each review once for each of the two.

    The review's moment of telling and the plan's history are written by then: Today and the reviews page show them.
    """
