"""Use cases of pauses: put one in, end it. What it shifts is worked out anew in the same transaction or soon after.

A client's pause is for whoever works on the client's plan; a holiday, which stops everybody's prompts, is for those
who set the organization's policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select

from app.domain.access import Permission
from app.domain.errors import FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.pauses import HOLIDAY
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.clients.policy import visible_clients
from app.features.organizations.models import Organization
from app.features.plans.models import Plan
from app.features.reviews.commands import AddPause, EndPause
from app.features.reviews.models import ReviewPause
from app.features.reviews.schedule import schedule_plans
from app.infra.db.open import Bell, UnitOfWork

# A holiday stops the prompts of a whole organization, so a mistyped year must not pass.
LONGEST_HOLIDAY = 92
_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 1, 1)


@dataclass(frozen=True, slots=True)
class PauseLine:
    """A pause with the name of whose it is (empty for a holiday), and whether it has begun by today."""

    pause: ReviewPause
    name: str
    begun: bool


def add_pause(uow: UnitOfWork, command: AddPause) -> UUID:
    """Put a pause in; returns its id.

    Raises NotFound for a client the actor may not see, Forbidden for who may not, InvalidInput for days that cannot be.
    """
    _check_right(uow, command.client_id)
    _check_days(command)
    pause = ReviewPause(
        client_id=command.client_id,
        kind=command.kind,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        note=command.note.strip(),
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(pause)
    uow.session.flush()
    _work_out(uow, command.client_id)
    record(uow, "pause.added", *_subject(pause), **_days(pause))
    return pause.id


def end_pause(uow: UnitOfWork, command: EndPause) -> None:
    """Give a pause its last day, or take one away that has not begun (no last day, or one before its first).

    A pause that has begun keeps its first day and lasts until yesterday at least: what it has shifted stays true.
    Raises NotFound, Forbidden, or InvalidInput for a last day that lies back further.
    """
    seen = or_(
        ReviewPause.client_id.is_(None),
        ReviewPause.client_id.in_(select(Client.id).where(visible_clients(uow.actor))),
    )
    pause = uow.session.scalars(
        select(ReviewPause).where(ReviewPause.id == command.pause_id, seen).with_for_update()
    ).one_or_none()
    if pause is None:
        raise NotFound("There is no such pause, or it is not yours to see.")
    _check_right(uow, pause.client_id)
    today = today_of(uow, pause.client_id)
    last = command.last_on
    if pause.starts_on > today and (last is None or last < pause.starts_on):
        record(uow, "pause.removed", *_subject(pause), **_days(pause))
        uow.session.delete(pause)
    else:
        least = max(pause.starts_on, min(today - timedelta(days=1), pause.ends_on or date.max))
        last = least if last is None else last
        if last < least:
            raise InvalidInput(
                [FieldProblem("last_on", later("It has lasted that long already. Choose %(day)s or later.", day=least))]
            )
        _check_days(
            AddPause(client_id=pause.client_id, kind=pause.kind, starts_on=pause.starts_on, ends_on=last),  # type: ignore[arg-type] # the database holds nothing else
            "last_on",
        )
        pause.ends_on = last
        record(uow, "pause.ended", *_subject(pause), **_days(pause))
    uow.session.flush()
    _work_out(uow, pause.client_id)


def pauses_of(uow: UnitOfWork, *, client_id: UUID | None = None) -> list[PauseLine]:
    """The pauses that are on or to come: of one client, or of all the actor may see; holidays with both.

    Raises NotFound for a client the actor may not see.
    """
    if client_id is not None:
        _see(uow, client_id)
    mine = ReviewPause.client_id.in_(select(Client.id).where(visible_clients(uow.actor)))
    of: ColumnElement[bool] = mine if client_id is None else ReviewPause.client_id == client_id
    today = today_of(uow, None)
    rows = uow.session.execute(
        select(ReviewPause, Client.given_name, Client.family_name)
        .outerjoin(Client, Client.id == ReviewPause.client_id)
        .where(
            or_(of, ReviewPause.client_id.is_(None)),
            or_(ReviewPause.ends_on.is_(None), ReviewPause.ends_on >= today - timedelta(days=1)),
        )
        .order_by(ReviewPause.starts_on, ReviewPause.id)
    )
    return [
        PauseLine(pause, f"{given} {family}" if given is not None else "", pause.starts_on <= today)
        for pause, given, family in rows
    ]


def today_of(uow: UnitOfWork, client_id: UUID | None) -> date:
    """Today where the client is, or the organization."""
    zone = uow.session.execute(select(Organization.time_zone)).scalar_one()
    if client_id is not None:
        own = uow.session.execute(select(Client.time_zone).where(Client.id == client_id)).scalar_one_or_none()
        zone = own or zone
    return uow.now.astimezone(ZoneInfo(zone)).date()


def name_of(uow: UnitOfWork, client_id: UUID) -> str:
    """The client's name. Raises NotFound for one the actor may not see."""
    return _see(uow, client_id)


def _see(uow: UnitOfWork, client_id: UUID) -> str:
    name = uow.session.execute(
        select(Client.given_name + " " + Client.family_name).where(Client.id == client_id, visible_clients(uow.actor))
    ).scalar_one_or_none()
    if name is None:
        raise NotFound("There is no such person, or they are not yours to see.")
    return name


def _check_right(uow: UnitOfWork, client_id: UUID | None) -> None:
    if client_id is not None:
        _see(uow, client_id)
        if not uow.actor.may(Permission.WORK_PLANS):
            raise Forbidden("You may read this plan but not change it.")
    elif not uow.actor.may(Permission.MANAGE_COHORTS):
        raise Forbidden("Only an administrator can set holidays: they hold for everybody.")


def _check_days(command: AddPause, field: str = "ends_on") -> None:
    first, last = command.starts_on, command.ends_on
    problems = []
    if (command.kind == HOLIDAY) != (command.client_id is None):
        problems.append(FieldProblem("kind", "A holiday is the whole organization's. Choose another kind."))
    if not _EARLIEST <= first <= _LATEST:
        problems.append(FieldProblem("starts_on", "Check the year of the first day."))
    if last is not None and not first <= last <= _LATEST:
        problems.append(FieldProblem(field, "The last day lies before the first. Choose a later one."))
    elif command.client_id is None and (last is None or (last - first).days >= LONGEST_HOLIDAY):
        problems.append(
            FieldProblem(
                field, later("A holiday has a last day, at most %(days)s days after its first.", days=LONGEST_HOLIDAY)
            )
        )
    if problems:
        raise InvalidInput(problems)


def _work_out(uow: UnitOfWork, client_id: UUID | None) -> None:
    """Work out anew what the pause moves: one plan now, everybody's by the workers (triggers have marked them)."""
    if client_id is None:
        uow.ring(Bell.PROMPT)
        return
    plans: Sequence[UUID] = uow.session.scalars(
        select(Plan.id).where(Plan.client_id == client_id, Plan.status == "active")
    ).all()
    schedule_plans(uow, plans)


def _subject(pause: ReviewPause) -> tuple[str, UUID | None]:
    """Whose it is. Why a person is away is nobody's business in the ledger."""
    return ("client", pause.client_id) if pause.client_id else ("organization", pause.organization_id)


def _days(pause: ReviewPause) -> dict[str, Any]:
    return {"starts_on": str(pause.starts_on), "ends_on": None if pause.ends_on is None else str(pause.ends_on)}
