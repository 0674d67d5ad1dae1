"""Telling staff of plans: a client has not answered, or a review was opened beside the calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.features.clients.models import Client
from app.features.messaging.inbox import administrators, members_looking_after, put_notices
from app.features.plans.models import Plan
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class AboutPlan:
    """A notice about a plan, as `put_notices` takes it: its sentence may name the client (`name`)."""

    plan_id: UUID
    dedupe_key: str
    kind: str
    params: Mapping[str, Any]
    to_admins: bool = False


@dataclass(frozen=True, slots=True)
class Silence:
    """A review that nobody answered in time, told to the plan's counsellor or, later, to the administrators."""

    review_id: UUID
    plan_id: UUID
    occurrence_on: date
    to_admins: bool


def tell_staff(uow: UnitOfWork, told: Sequence[AboutPlan]) -> None:
    """Put notices into the inboxes of who looks after each plan's client first, or of the administrators.

    They lead to the client's page.
    """
    if not told:
        return
    people = {
        row.id: row
        for row in uow.session.execute(
            select(Plan.id, Client.id.label("client_id"), (Client.given_name + " " + Client.family_name).label("name"))
            .join(Client, Client.id == Plan.client_id)
            .where(Plan.id.in_([one.plan_id for one in told]))
        )
    }
    first = [people[one.plan_id].client_id for one in told if not one.to_admins]
    looking = members_looking_after(uow, first) if first else {}
    admins = administrators(uow) if any(one.to_admins for one in told) else []
    put_notices(
        uow,
        [
            {
                "membership_id": member,
                "dedupe_key": one.dedupe_key,
                "kind": one.kind,
                "params": {"name": people[one.plan_id].name} | dict(one.params),
                "href": f"/clients/{people[one.plan_id].client_id}",
            }
            for one in told
            for member in (admins if one.to_admins else looking.get(people[one.plan_id].client_id, []))
        ],
    )


def tell_silence(uow: UnitOfWork, silent: Sequence[Silence]) -> None:
    """Say in the transaction that escalates who has to know; each review once for each of the two.

    Today and the reviews page show the same from the review's moment of telling.
    """
    tell_staff(
        uow,
        [
            AboutPlan(
                one.plan_id,
                f"silent:{one.review_id}:{'admins' if one.to_admins else 'first'}",
                "review_still_silent" if one.to_admins else "review_silent",
                {"day": one.occurrence_on.isoformat()},
                one.to_admins,
            )
            for one in silent
        ],
    )
