"""Personal tokens of the JSON API: made by a member, narrowed to scopes, stored as a digest.

A token reads `oct_<organization, 32 hex digits>_<secret>`: the organization is named so that the
row can be looked for under row security.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, or_, select, update

from app.domain import access
from app.domain.access import SCOPES, Actor, Permission, Role, scope_permissions
from app.domain.errors import FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.saying import later
from app.features.audit.service import record
from app.features.identity.models import User
from app.features.organizations.models import ApiToken, Membership, Organization, Tenant
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

_TEXT = re.compile(r"oct_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
# Written at most so often, so that reading by token does not mean writing rows.
_NOTE_USE_EVERY = timedelta(minutes=1)
LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateToken:
    """A name to know the token by, its scopes, and for how many days it works (1 to 366)."""

    name: str
    scopes: tuple[str, ...]
    days: int = 90


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a token speaks for, not yet narrowed: the owner as actor, where, the token's scopes, the owner's zone."""

    actor: Actor
    organization: Organization
    scopes: tuple[str, ...]
    time_zone: str | None
    locale: str | None

    def narrowed(self, *, changing: bool) -> Actor:
        """The actor with the permissions of both role and scopes."""
        allowed = scope_permissions(self.scopes, changing=changing)
        return replace(self.actor, permissions=self.actor.permissions & allowed)


def create_token(uow: UnitOfWork, command: CreateToken) -> tuple[ApiToken, str]:
    """Make a token of the actor. Returns its row and its text, which is shown once and stored nowhere.

    Raises Forbidden for a role without the API, InvalidInput for a bad name, scope or number of days.
    """
    if uow.actor.membership_id is None or not uow.actor.may(Permission.USE_API):
        raise Forbidden("Your role has no access to the API. Ask an administrator of your organization.")
    name = " ".join(command.name.split())
    problems = []
    if not 1 <= len(name) <= 80 or "\x00" in name:
        problems.append(FieldProblem("name", "Name the token in 1 to 80 characters, such as the program using it."))
    if not command.scopes or not set(command.scopes) <= set(SCOPES):
        problems.append(FieldProblem("scopes", later("Choose at least one of: %(scopes)s.", scopes=", ".join(SCOPES))))
    if not 1 <= command.days <= LONGEST_DAYS:
        problems.append(FieldProblem("days", later("Choose from 1 to %(most)s days.", most=LONGEST_DAYS)))
    if problems:
        raise InvalidInput(problems)
    secret = secrets.token_urlsafe(32)
    token = ApiToken(
        membership_id=uow.actor.membership_id,
        name=name,
        token_hash=_digest(secret),
        scopes=sorted(set(command.scopes)),
        expires_at=uow.now + timedelta(days=command.days),
        created_at=uow.now,
    )
    uow.session.add(token)
    uow.session.flush()
    record(uow, "token.created", "token", token.id, scopes=token.scopes, days=command.days)
    return token, f"oct_{uow.actor.organization_id.hex}_{secret}"


def own_tokens(actor: Actor, reset_at: datetime | None) -> Select[ApiToken]:
    """The actor's tokens that were ended neither one by one nor by a new password (at `reset_at`).

    Expired ones are among them, so that their owner sees why a program stopped.
    """
    own = select(ApiToken).where(ApiToken.membership_id == actor.membership_id, ApiToken.revoked_at.is_(None))
    return own if reset_at is None else own.where(ApiToken.created_at > reset_at)


def revoke_token(uow: UnitOfWork, token_id: UUID) -> None:
    """End one of the actor's tokens at once. Raises NotFound for another's or a revoked one."""
    token = uow.session.scalars(
        select(ApiToken).where(
            ApiToken.id == token_id,
            ApiToken.membership_id == uow.actor.membership_id,
            ApiToken.revoked_at.is_(None),
        )
    ).one_or_none()
    if token is None:
        raise NotFound("There is no such token, or it is not yours.")
    token.revoked_at = uow.now
    record(uow, "token.revoked", "token", token.id)


def find_bearer(runtime: Runtime, text: str) -> Bearer | None:
    """Whom a token speaks for.

    None when it is unknown, revoked, expired or older than its owner's new password, or when owner or organization
    are no longer active.
    """
    parts = _TEXT.fullmatch(text)
    if parts is None:
        return None
    organization_id = UUID(hex=parts[1])
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        row = uow.session.execute(
            select(ApiToken, Membership, Organization)
            .join(Membership, Membership.id == ApiToken.membership_id)
            .join(Organization, Organization.organization_id == ApiToken.organization_id)
            .join(Tenant, Tenant.id == ApiToken.organization_id)
            .where(
                Tenant.active,
                ApiToken.token_hash == _digest(parts[2]),
                ApiToken.revoked_at.is_(None),
                ApiToken.expires_at > uow.now,
                Membership.active,
            )
        ).one_or_none()
        if row is None:
            return None
        token, member, organization = row
        uow.session.execute(
            update(ApiToken)
            .where(
                ApiToken.id == token.id,
                or_(ApiToken.used_at.is_(None), ApiToken.used_at <= uow.now - _NOTE_USE_EVERY),
            )
            .values(used_at=uow.now)
            .execution_options(synchronize_session=False)
        )
    with runtime.database.identity_session() as session:
        user = session.execute(
            select(User.time_zone, User.locale, User.password_reset_at).where(User.id == member.user_id, User.active)
        ).one_or_none()
    if user is None or (user.password_reset_at is not None and token.created_at <= user.password_reset_at):
        return None
    actor = access.member(
        Role(member.role),
        organization_id,
        membership_id=member.id,
        user_id=member.user_id,
        name=member.name,
        shares_caseloads=organization.shares_caseloads,
    )
    if not actor.may(Permission.USE_API):
        return None
    return Bearer(actor, organization, tuple(token.scopes), user.time_zone, user.locale)


def _digest(secret: str) -> bytes:
    """What is stored: the SHA-256; the secret is 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).digest()
