"""Members: their role, and whether they may come in. An organization always keeps an administrator."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask_babel import gettext
from sqlalchemy import select, text

from app.domain.access import Role
from app.domain.errors import Conflict, FieldProblem, InvalidInput, NotFound
from app.domain.saying import later
from app.features.audit.service import record
from app.features.organizations.models import Membership
from app.infra.db.open import UnitOfWork

# As many as a week has.
MOST_MINUTES = 7 * 24 * 60
STAFF = (Role.ADMIN, Role.COUNSELLOR, Role.ANALYST)


def staff_members(uow: UnitOfWork) -> Sequence[Membership]:
    """Members who work here, active ones first, by name."""
    return uow.session.scalars(
        select(Membership)
        .where(Membership.role != Role.CLIENT)
        .order_by(Membership.active.desc(), Membership.name, Membership.id)
    ).all()


def change_role(uow: UnitOfWork, membership_id: UUID, role: Role) -> Membership:
    """Give a member who works here another role.

    The caller then ends the user's sessions in this organization (TRUST S3). Raises Conflict for the
    last administrator, NotFound for a client's membership.
    """
    member = _member(uow, membership_id)
    if member.role == Role.CLIENT or role not in STAFF:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    if member.role == role:
        return member
    if role is not Role.ADMIN:
        _keep_an_admin(uow, member)
    record(uow, "member.role_changed", "membership", member.id, before=member.role, after=role.value)
    member.role = role.value
    return member


def deactivate(uow: UnitOfWork, membership_id: UUID) -> Membership:
    """Keep a member out; what they wrote stays. The caller then ends their sessions here."""
    member = _member(uow, membership_id)
    if member.active:
        _keep_an_admin(uow, member)
        member.active = False
        record(uow, "member.deactivated", "membership", member.id)
    return member


def set_minutes(uow: UnitOfWork, membership_id: UUID, minutes: int | None) -> Membership:
    """Say how many minutes a week a member has for clients (None: not said). Raises InvalidInput, NotFound."""
    member = _member(uow, membership_id)
    if minutes is not None and not 0 <= minutes <= MOST_MINUTES:
        sentence = later("Give a whole number from %(least)s to %(most)s.", least=0, most=MOST_MINUTES)
        raise InvalidInput([FieldProblem("weekly_minutes", sentence)])
    if member.weekly_minutes != minutes:
        member.weekly_minutes = minutes
        record(uow, "member.minutes_set", "membership", member.id, minutes=minutes)
    return member


def caseload_sizes(uow: UnitOfWork) -> dict[UUID, int]:
    """How many clients each member has in their caseload, those who have any."""
    # By name, because clients stand above organizations on the ladder.
    rows = uow.session.execute(
        text("SELECT membership_id, count(*) AS clients FROM caseload_entries GROUP BY membership_id")
    )
    return {row.membership_id: row.clients for row in rows}


def reactivate(uow: UnitOfWork, membership_id: UUID) -> Membership:
    """Let a member in again, with the role they had."""
    member = _member(uow, membership_id)
    if not member.active:
        member.active = True
        record(uow, "member.reactivated", "membership", member.id)
    return member


def _member(uow: UnitOfWork, membership_id: UUID) -> Membership:
    member = uow.session.scalars(select(Membership).where(Membership.id == membership_id)).one_or_none()
    if member is None:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    return member


def _keep_an_admin(uow: UnitOfWork, leaving: Membership) -> None:
    # Locked, so that two administrators who remove each other at once do not both succeed.
    admins = uow.session.scalars(
        select(Membership.id)
        .where(Membership.role == Role.ADMIN, Membership.active)
        .order_by(Membership.id)
        .with_for_update()
    ).all()
    if list(admins) == [leaving.id]:
        raise Conflict(
            gettext("%(name)s is the last administrator. Make somebody else an administrator first.", name=leaving.name)
        )
