"""The phase of handing over: a caseload shared out, cover for a time, due days shifted for many, and two doubles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.demo.build import Build
from app.demo.cohort import COUNSELLORS, EVERYONE
from app.features.clients.commands import ClientDetails
from app.features.clients.models import CaseloadEntry, Client
from app.features.clients.service import create_client
from app.features.cohorts.models import Cohort
from app.features.edits.service import BulkEdit
from app.features.edits.service import start as start_edit
from app.features.jobs.models import Job
from app.features.moves.commands import PlanMove
from app.features.moves.covers import plan_cover
from app.features.moves.models import Cover
from app.features.moves.service import MOVE, plan_move, start_move
from app.features.organizations.members import set_minutes
from app.features.selections.commands import Target
from app.infra.db.open import UnitOfWork

# Of a working week, so many minutes are for clients.
_MINUTES = (1200, 900, 600)
_HANDED_OVER = 6
_COVER_DAYS = 14
# Of the roster's people by their place in it: how the system before it wrote their id, and the house of their address.
_FORMERLY = ((4, "{0[0]}-{0[1]}", ""), (9, "former {0[1]}", "former.example.org"))


def hand_over(build: Build) -> dict[str, Any]:
    """Say who has how much time, share some people of one out to the others, and cover for one who is away.

    A start that goes on where the last one stopped does nothing twice.
    """
    admin, database = build.actor(), build.runtime.database
    members = [_known(build.actor(email).membership_id) for email in COUNSELLORS]
    with database.unit_of_work(admin) as uow:
        for member, minutes in zip(members, _MINUTES, strict=True):
            set_minutes(uow, member, minutes)
        moved = uow.session.scalars(select(Job.id).where(Job.kind == MOVE)).first()
        if moved is None:
            some = uow.session.scalars(
                select(Client.id)
                .join(CaseloadEntry, CaseloadEntry.client_id == Client.id)
                .where(CaseloadEntry.membership_id == members[1], Client.active)
                .order_by(Client.family_folded.desc(), Client.id)
                .limit(_HANDED_OVER)
            ).all()
            target = Target(client_ids=tuple(some))
            command = PlanMove(source_id=members[1], target=target, receiver_ids=(members[0], members[2]))
            moved = start_move(uow, plan_move(uow, command).id).id
    build.wait_for_job(moved)
    with database.unit_of_work(admin) as uow:
        if uow.session.scalars(select(Cover.id)).first() is None:
            today = uow.now.date()
            for first in (today + timedelta(days=1), today + timedelta(days=60)):
                away, there = (members[2], members[:2]) if first < today + timedelta(days=30) else (members[1], members)
                command = PlanMove(
                    source_id=away,
                    receiver_ids=tuple(member for member in there if member != away),
                    first_on=first,
                    last_on=first + timedelta(days=_COVER_DAYS),
                )
                plan_cover(uow, plan_move(uow, command).id)
        cohort = uow.session.scalars(select(Cohort.id).where(Cohort.name == EVERYONE)).one()
        values = {"mode": "shift", "by": 2, "steps": [8]}
        edit = BulkEdit(kind="due", values=values, target=Target(cohort_id=cohort), idempotency_key="demonstration")
        known = uow.session.scalars(
            select(Job.id).where(Job.idempotency_key == "demonstration", Job.kind == "edits.due")
        )
        shifted = known.first() or start_edit(uow, edit).id
        _former_records(uow)
    build.wait_for_job(shifted)
    return {"handed_over": _HANDED_OVER}


def _former_records(uow: UnitOfWork) -> None:
    """Records of a system before, no longer active, of people whom the roster brought under another id."""
    people = uow.session.scalars(select(Client).where(Client.active).order_by(Client.external_id).limit(10)).all()
    known = set(uow.session.scalars(select(Client.external_id)))
    for place, written, house in _FORMERLY:
        one = people[min(place, len(people) - 1)]
        former = written.format((one.external_id[:1], one.external_id[1:]))
        if former in known:
            continue
        address = f"{one.email.partition('@')[0]}@{house}" if house and one.email else one.email
        details = ClientDetails(
            external_id=former,
            given_name=one.given_name,
            family_name=one.family_name,
            email=address,
            active=False,
        )
        create_client(uow, details)


def _known(member: UUID | None) -> UUID:
    if member is None:
        raise LookupError("a counsellor of the demonstration is no member")
    return member
