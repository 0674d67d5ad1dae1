"""Proving who one is by a password: counted, uniform in its answer and in its time (TRUST S5, S6)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.features.identity import guard
from app.features.identity.models import User
from app.features.identity.passwords import hash_password, needs_rehash, verify_password
from app.features.identity.service import find_user, fold_email, start_session
from app.infra.runtime import Runtime
from app.infra.web.throttle import Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a browser gave to sign in: e-mail, password, its address, name and device cookie."""

    email: str
    password: str
    address: str
    user_agent: str
    device_cookie: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A new session: its token, whose it is, and the device cookie to keep."""

    token: str
    user_id: UUID
    device_cookie: str


def sign_in(runtime: Runtime, throttle: Throttle, attempt: Attempt) -> SignedIn | None:
    """Start a session for a right e-mail and password; None for any wrong pair, whatever is wrong with it.

    Raises TooMany when the tries are spent. The hash is computed outside any transaction.
    """
    email = fold_email(attempt.email)[:320]
    with runtime.database.identity_session() as session:
        user = find_user(session, email)
    device = guard.read_device(runtime.settings, attempt.device_cookie)
    if device is not None and (user is None or device.user_id != user.id):
        device = None
    guard.admit_attempt(throttle, email=email, address=attempt.address, device=device)
    stored = user.password_hash if user is not None and user.active else None
    if not verify_password(stored, attempt.password) or user is None or stored is None:
        guard.note_failure(throttle, address=attempt.address, device=device)
        return None
    guard.note_success(throttle, email=email, device=device)
    renewed = hash_password(attempt.password) if needs_rehash(stored) else None
    kept = attempt.device_cookie if device is not None else None
    return open_session(runtime, user.id, attempt, new_hash=renewed, kept_device=kept)


def open_session(
    runtime: Runtime, user_id: UUID, attempt: Attempt, *, new_hash: str | None = None, kept_device: str | None = None
) -> SignedIn:
    """Start a session for a user who proved who they are; `new_hash` replaces the stored one."""
    with runtime.database.identity_session() as session:
        if new_hash is not None:
            session.get_one(User, user_id).password_hash = new_hash
        token = start_session(session, user_id, runtime.clock(), user_agent=attempt.user_agent, address=attempt.address)
    return SignedIn(
        token=token,
        user_id=user_id,
        device_cookie=kept_device or guard.new_device(runtime.settings, user_id),
    )
