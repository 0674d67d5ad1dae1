"""Invitations: single-use links that make someone a member; good for seven days (TRUST S7)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask_babel import gettext
from sqlalchemy import delete, select, text, update

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, FieldProblem, Forbidden, Gone, InvalidInput, NotFound
from app.features.audit.service import record
from app.features.identity.models import User
from app.features.identity.passwords import check_password, hash_password
from app.features.identity.service import find_or_create_user, find_user, fold_email, token_hash
from app.features.organizations.commands import Invite
from app.features.organizations.models import Invitation, Membership, Organization, Tenant
from app.features.organizations.service import add_member
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """An open invitation as its link's page shows it."""

    organization_id: UUID
    organization: str
    email: str
    name: str
    role: Role
    has_password: bool


def invite(uow: UnitOfWork, command: Invite) -> str:
    """Invite somebody, in place of an earlier open invitation of the same address; return the link's text.

    The answer does not depend on whether the address has an account. Raises InvalidInput for an
    address that is none, NotFound for a client of nobody's, Conflict for who is a member already.
    """
    email = fold_email(command.email)
    if email.count("@") != 1 or any(c.isspace() for c in email) or email.startswith("@") or email.endswith("@"):
        raise InvalidInput([FieldProblem("email", gettext("Enter an e-mail such as name@example.org."))])
    # One at a time for an address: two at once would both find no earlier one to take the place of.
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))"),
        {"whose": f"invite:{uow.actor.organization_id}:{email}"},
    )
    member = uow.session.scalars(select(Membership).where(Membership.email == email, Membership.active)).first()
    if member is not None:
        raise Conflict(gettext("%(email)s is a member already.", email=email))
    if command.client_id is not None:
        _client_without_portal(uow, command.client_id)
    uow.session.execute(delete(Invitation).where(Invitation.email == email, Invitation.accepted_at.is_(None)))
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(
        email=email,
        name=" ".join(command.name.split()),
        role=command.role.value,
        client_id=command.client_id,
        token_hash=token_hash(secret),
        expires_at=uow.now + timedelta(days=DAYS),
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(invitation)
    uow.session.flush()
    record(uow, "invitation.sent", "invitation", invitation.id, role=command.role.value)
    return f"{uow.actor.organization_id.hex}.{secret}"


def _client_without_portal(uow: UnitOfWork, client_id: UUID) -> None:
    # By name, because clients stand above organizations on the ladder.
    row = uow.session.execute(text("SELECT membership_id FROM clients WHERE id = :c AND active"), {"c": client_id})
    found = row.one_or_none()
    if found is None:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    if found.membership_id is not None:
        raise Conflict(gettext("This person has access to the portal already."))


def client_to_invite(uow: UnitOfWork, client_id: UUID) -> Invite:
    """The invitation a client would get. Raises NotFound, or InvalidInput when the client has no e-mail."""
    row = uow.session.execute(
        text("SELECT email, given_name, family_name FROM clients WHERE id = :c AND active"), {"c": client_id}
    ).one_or_none()
    if row is None:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    if not row.email:
        raise InvalidInput([FieldProblem("email", gettext("Give this person an e-mail first, then invite them."))])
    return Invite(email=row.email, name=f"{row.given_name} {row.family_name}", role=Role.CLIENT, client_id=client_id)


def pending_invitations(uow: UnitOfWork) -> Sequence[Invitation]:
    """Invitations nobody has accepted, the newest first; expired ones too, so that they can be sent again."""
    return uow.session.scalars(
        select(Invitation).where(Invitation.accepted_at.is_(None)).order_by(Invitation.created_at.desc())
    ).all()


def renew_invitation(uow: UnitOfWork, invitation_id: UUID) -> tuple[Invitation, str]:
    """Give an open invitation a new link for another seven days; the old link ends."""
    invitation = _open_invitation(uow, invitation_id)
    secret = secrets.token_urlsafe(32)
    invitation.token_hash = token_hash(secret)
    invitation.expires_at = uow.now + timedelta(days=DAYS)
    record(uow, "invitation.sent", "invitation", invitation.id, role=invitation.role)
    return invitation, f"{uow.actor.organization_id.hex}.{secret}"


def revoke_invitation(uow: UnitOfWork, invitation_id: UUID) -> None:
    """Take an open invitation back; its link ends."""
    invitation = _open_invitation(uow, invitation_id)
    record(uow, "invitation.revoked", "invitation", invitation.id)
    uow.session.delete(invitation)


def _open_invitation(uow: UnitOfWork, invitation_id: UUID) -> Invitation:
    invitation = uow.session.scalars(
        select(Invitation).where(Invitation.id == invitation_id, Invitation.accepted_at.is_(None))
    ).one_or_none()
    if invitation is None:
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    return invitation


def _gone() -> Gone:
    return Gone(gettext("This invitation has expired or was already used. Ask the person who sent it for a fresh one."))


def _parts(link: str) -> tuple[UUID, bytes]:
    organization, _, secret = link.partition(".")
    try:
        return UUID(hex=organization), token_hash(secret)
    except ValueError:
        raise _gone() from None


def look_at_invitation(runtime: Runtime, link: str) -> Invited:
    """What an open invitation says; looking uses nothing up. Raises Gone for any link that is not open."""
    organization_id, digest = _parts(link)
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        row = uow.session.execute(
            select(Invitation, Organization)
            .join(Organization, Organization.organization_id == Invitation.organization_id)
            .join(Tenant, Tenant.id == Invitation.organization_id)
            .where(
                Invitation.token_hash == digest,
                Invitation.accepted_at.is_(None),
                Invitation.expires_at > uow.now,
                Tenant.active,
            )
        ).one_or_none()
    if row is None:
        raise _gone()
    invitation, organization = row
    with runtime.database.identity_session() as session:
        user = find_user(session, invitation.email)
    return Invited(
        organization_id=organization_id,
        organization=organization.name,
        email=invitation.email,
        name=invitation.name,
        role=Role(invitation.role),
        has_password=user is not None and user.password_hash is not None,
    )


def accept_as_new(runtime: Runtime, link: str, *, name: str, password: str) -> UUID:
    """Accept for somebody without a password: sets name and password; returns the user's id.

    Whoever holds the link reads that address's mail, which is all that a new account can prove.
    Raises Gone, Forbidden when the account has a password (its owner signs in instead), InvalidInput.
    """
    invited = look_at_invitation(runtime, link)
    if invited.has_password:
        raise Forbidden(gettext("There is an account for this address. Sign in with it to accept."))
    check_password(
        password,
        about=(name, invited.email, invited.organization),
        list_file=runtime.settings.common_passwords_file,
    )
    new_hash = hash_password(password)
    with runtime.database.identity_session() as session:
        user_id = find_or_create_user(session, invited.email, name).id
    _redeem(runtime, link, user_id, name)
    with runtime.database.identity_session() as session:
        # Only while there is none: a link never replaces the password of an account in use.
        session.execute(
            update(User)
            .where(User.id == user_id, User.password_hash.is_(None))
            .values(name=name, password_hash=new_hash)
        )
    return user_id


def accept_as_user(runtime: Runtime, link: str, user_id: UUID) -> UUID:
    """Accept for the signed-in user the invitation is for; returns the organization's id.

    Raises Gone, and Forbidden when the invitation is for another address.
    """
    invited = look_at_invitation(runtime, link)
    with runtime.database.identity_session() as session:
        user = session.get_one(User, user_id)
    if user.email != invited.email:
        raise Forbidden(
            gettext("This invitation is for another address. Sign out, and sign in with the one it was sent to.")
        )
    _redeem(runtime, link, user_id, user.name)
    return invited.organization_id


def _redeem(runtime: Runtime, link: str, user_id: UUID, name: str) -> None:
    organization_id, digest = _parts(link)
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        invitation = uow.session.scalars(
            update(Invitation)
            .where(Invitation.token_hash == digest, Invitation.accepted_at.is_(None), Invitation.expires_at > uow.now)
            .values(accepted_at=uow.now)
            .returning(Invitation)
        ).one_or_none()
        if invitation is None:
            raise _gone()
        member = add_member(uow, user_id=user_id, role=Role(invitation.role), name=name, email=invitation.email)
        if invitation.client_id is not None:
            linked = uow.session.execute(
                text("UPDATE clients SET membership_id = :m WHERE id = :c AND membership_id IS NULL AND active"),
                {"m": member.id, "c": invitation.client_id},
            )
            if linked.rowcount != 1:  # type: ignore[attr-defined] # a statement's result counts its rows
                raise _gone()
        record(uow, "invitation.accepted", "invitation", invitation.id, membership=str(member.id))
