"""Use cases of sign-in: users and their signed-in browsers. All run as the sign-in role."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, or_, select, text, update
from sqlalchemy.orm import Session

from app.features.identity.models import User, UserPlace, UserSession

# TRUST S3: a session ends after half an hour without a request, and after twelve hours in any case.
IDLE = timedelta(minutes=30)
LIFETIME = timedelta(hours=12)


def fold_email(address: str) -> str:
    """One spelling per address: surrounding space off, NFKC, case folded."""
    return unicodedata.normalize("NFKC", address.strip()).casefold()


def token_hash(token: str) -> bytes:
    """What is stored of a random token: its SHA-256 (32 bytes)."""
    return hashlib.sha256(token.encode()).digest()


def find_or_create_user(session: Session, email: str, name: str) -> User:
    """The user with this address, made without a password when there is none."""
    folded = fold_email(email)
    user = session.scalars(select(User).where(User.email == folded)).one_or_none()
    if user is None:
        user = User(email=folded, name=name)
        session.add(user)
        session.flush()
    return user


def start_session(
    session: Session,
    user_id: UUID,
    now: datetime,
    *,
    organization_id: UUID | None = None,
    user_agent: str = "",
    address: str = "",
) -> str:
    """Sign a browser in and return the random token its cookie carries (256 bits, shown once).

    Without `organization_id` a user who has one place begins there; with several they choose. Sessions
    of theirs that ended by time are removed, so that the table holds no more than people use.
    """
    ended = or_(UserSession.expires_at <= now, UserSession.seen_at <= now - IDLE)
    session.execute(delete(UserSession).where(UserSession.user_id == user_id, ended))
    token = secrets.token_urlsafe(32)
    if organization_id is None:
        places = places_of(session, user_id)
        organization_id = places[0] if len(places) == 1 else None
    session.add(
        UserSession(
            token_hash=token_hash(token),
            user_id=user_id,
            organization_id=organization_id,
            created_at=now,
            seen_at=now,
            expires_at=now + LIFETIME,
            user_agent=user_agent[:200],
            address=address[:64],
        )
    )
    session.flush()
    return token


def find_user(session: Session, email: str) -> User | None:
    """The user with this address, in whatever spelling it was typed."""
    return session.scalars(select(User).where(User.email == fold_email(email))).one_or_none()


_LIVE_SESSION = text(
    """
    SELECT s.organization_id, s.seen_at, u.id, u.name, u.email, u.locale, u.time_zone, u.theme,
           ARRAY(SELECT p.organization_id FROM user_places p WHERE p.user_id = u.id ORDER BY 1) AS places
    FROM user_sessions s JOIN users u ON u.id = s.user_id
    WHERE s.token_hash = :digest AND s.expires_at > :now AND s.seen_at > :idle AND u.active
    """
)


def find_session(session: Session, token: str, now: datetime) -> Row[Any] | None:
    """The live session of a token: its organization, and id, name, email, locale, time_zone, theme, places of its user.

    None when it ended, idled out or never was. Places come along because every page's frame shows them.
    """
    digest = token_hash(token)
    # Every request asks this, so it is written out and not put together each time.
    row = session.execute(_LIVE_SESSION, {"digest": digest, "now": now, "idle": now - IDLE}).one_or_none()
    # Written at most once a minute, so that reading pages does not mean writing rows.
    if row is not None and now - row.seen_at > timedelta(minutes=1):
        session.execute(update(UserSession).where(UserSession.token_hash == digest).values(seen_at=now))
    return row


def password_reset_at(session: Session, user_id: UUID | None) -> datetime | None:
    """When the user last set a new password by a link; API tokens made until then have ended."""
    return session.scalars(select(User.password_reset_at).where(User.id == user_id)).one_or_none()


def end_session(session: Session, token: str) -> None:
    """Sign this browser out."""
    session.execute(delete(UserSession).where(UserSession.token_hash == token_hash(token)))


def end_all_sessions(session: Session, user_id: UUID, *, but: str | None = None) -> None:
    """Sign the user out everywhere, or everywhere but in the browser whose token is `but`."""
    ended = delete(UserSession).where(UserSession.user_id == user_id)
    if but is not None:
        ended = ended.where(UserSession.token_hash != token_hash(but))
    session.execute(ended)


def end_sessions_in(session: Session, user_id: UUID, organization_id: UUID) -> None:
    """Sign the user out of every browser that works in this organization."""
    session.execute(
        delete(UserSession).where(UserSession.user_id == user_id, UserSession.organization_id == organization_id)
    )


def end_session_by_digest(session: Session, user_id: UUID, digest: bytes) -> bool:
    """Sign one browser of the user out, by the stored digest of its token; False when there is none."""
    ended = session.scalars(
        delete(UserSession)
        .where(UserSession.user_id == user_id, UserSession.token_hash == digest)
        .returning(UserSession.token_hash)
    )
    return ended.first() is not None


def live_sessions(session: Session, user_id: UUID, now: datetime) -> Sequence[UserSession]:
    """The user's signed-in browsers, the one used last first."""
    return session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.expires_at > now, UserSession.seen_at > now - IDLE)
        .order_by(UserSession.seen_at.desc())
    ).all()


def places_of(session: Session, user_id: UUID) -> list[UUID]:
    """Organizations the user may look into, by id."""
    return list(
        session.scalars(
            select(UserPlace.organization_id).where(UserPlace.user_id == user_id).order_by(UserPlace.organization_id)
        )
    )
