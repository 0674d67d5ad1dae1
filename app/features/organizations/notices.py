"""What follows a change of who works here: the invitation's mail, and the end of sessions (TRUST S3)."""

from __future__ import annotations

from flask_babel import force_locale

from app.features.identity.messages import invitation_mail
from app.features.identity.pages import post
from app.features.identity.service import end_sessions_in
from app.features.organizations import invitations
from app.features.organizations.models import Membership
from app.infra.web.context import place, runtime


def send_invitation(email: str, name: str, link: str) -> None:
    """Mail the link of a committed invitation, after the answer."""
    address = f"{runtime().settings.public_url.rstrip('/')}/invitation/{link}"
    with force_locale(place().locale):
        subject, text = invitation_mail(name, place().name, address, invitations.DAYS)
    letters = post()
    letters.later(lambda: letters.send(email, subject, text))


def end_sessions(member: Membership) -> None:
    """End the sessions of a member whose role or access changed, in this organization."""
    with runtime().database.identity_session() as database:
        end_sessions_in(database, member.user_id, member.organization_id)
