"""Single-use links to an account: asked for, looked at without being used up, and redeemed once (TRUST S7)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.domain.errors import Gone
from app.features.identity.models import User, UserToken
from app.features.identity.passwords import check_password, hash_password
from app.features.identity.service import end_all_sessions, find_user, token_hash
from app.infra.runtime import Runtime

RESET = "reset"
RESET_LIVES = timedelta(minutes=30)


def make_reset(session: Session, email: str, now: datetime) -> tuple[User, str] | None:
    """A new reset link for the account of `email`: the user and the token; None when there is no account."""
    user = find_user(session, email)
    if user is None or not user.active:
        return None
    session.execute(delete(UserToken).where(UserToken.user_id == user.id, UserToken.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(
        UserToken(
            token_hash=token_hash(token),
            user_id=user.id,
            purpose=RESET,
            created_at=now,
            expires_at=now + RESET_LIVES,
        )
    )
    session.flush()
    return user, token


def user_of_reset(session: Session, token: str, now: datetime) -> User | None:
    """Whose password the link may set, while it is unused and in time; looking uses nothing up."""
    return session.scalars(
        select(User)
        .join(UserToken, UserToken.user_id == User.id)
        .where(
            UserToken.token_hash == token_hash(token),
            UserToken.purpose == RESET,
            UserToken.used_at.is_(None),
            UserToken.expires_at > now,
            User.active,
        )
    ).one_or_none()


def redeem_reset(runtime: Runtime, token: str, password: str, *, gone: str) -> User:
    """Set the password of the link's user, once; every browser of theirs is signed out, every API token ends.

    Raises InvalidInput for a password that is refused (the link stays good) and Gone with the
    sentence `gone` for a link that is used, expired or not one of ours.
    """
    now = runtime.clock()
    with runtime.database.identity_session() as session:
        user = user_of_reset(session, token, now)
    if user is None:
        raise Gone(gone)
    check_password(password, about=(user.name, user.email), list_file=runtime.settings.common_passwords_file)
    new_hash = hash_password(password)
    with runtime.database.identity_session() as session:
        redeemed = session.scalars(
            update(UserToken)
            .where(
                UserToken.token_hash == token_hash(token),
                UserToken.purpose == RESET,
                UserToken.used_at.is_(None),
                UserToken.expires_at > now,
            )
            .values(used_at=now)
            .returning(UserToken.user_id)
        ).one_or_none()
        if redeemed is None:
            raise Gone(gone)
        owner = session.get_one(User, redeemed)
        owner.password_hash, owner.password_reset_at = new_hash, now
        # Other links of this person would be a second way in that they no longer expect.
        session.execute(delete(UserToken).where(UserToken.user_id == redeemed, UserToken.used_at.is_(None)))
        end_all_sessions(session, redeemed)
    return user
