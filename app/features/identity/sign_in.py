"""The signed-in user as Flask-Login sees it: the id in the cookie is the session's random token."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask_login import UserMixin

from app.features.identity.service import find_session
from app.infra.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInUser(UserMixin):  # type: ignore[misc] # Flask-Login carries no types
    """One signed-in browser of a user."""

    id: UUID
    token: str
    name: str
    email: str
    locale: str | None
    time_zone: str | None
    theme: str
    organization_id: UUID | None
    places: tuple[UUID, ...]

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie."""
        return self.token


def load_user(runtime: Runtime, token: str) -> SignedInUser | None:
    """The user of a session token, or None when the session has ended."""
    with runtime.database.identity_session() as session:
        row = find_session(session, token, runtime.clock())
        if row is None:
            return None
        return SignedInUser(
            id=row.id,
            token=token,
            name=row.name,
            email=row.email,
            locale=row.locale,
            time_zone=row.time_zone,
            theme=row.theme,
            organization_id=row.organization_id,
            places=tuple(row.places),
        )
