"""Telling staff that a client has not answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from app.features.clients.models import Client
from app.features.messaging.inbox import administrators, members_looking_after, put_notices
from app.features.plans.models import Plan
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

    A notice in the inbox of who looks after the client first, or of the administrators; Today and the reviews page
    show the same from the review's moment of telling.
    """
    if not silent:
        return
    people = {
        row.id: row
        for row in uow.session.execute(
            select(Plan.id, Client.id.label("client_id"), (Client.given_name + " " + Client.family_name).label("name"))
            .join(Client, Client.id == Plan.client_id)
            .where(Plan.id.in_([one.plan_id for one in silent]))
        )
    }
    first = [people[one.plan_id].client_id for one in silent if not one.to_admins]
    looking = members_looking_after(uow, first) if first else {}
    admins = administrators(uow) if any(one.to_admins for one in silent) else []
    put_notices(
        uow,
        [
            {
                "membership_id": member,
                "dedupe_key": f"silent:{one.review_id}:{'admins' if one.to_admins else 'first'}",
                "kind": "review_still_silent" if one.to_admins else "review_silent",
                "params": {"name": people[one.plan_id].name, "day": one.occurrence_on.isoformat()},
                "href": f"/clients/{people[one.plan_id].client_id}",
            }
            for one in silent
            for member in (admins if one.to_admins else looking.get(people[one.plan_id].client_id, []))
        ],
    )
