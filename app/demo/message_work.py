"""A phase of messages: an organization's own words for a mail, and a mail that comes back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.composition import MESSAGE_KINDS
from app.demo.build import Build
from app.features.messaging.bounces import Taken, take_bounce
from app.features.messaging.kinds import OwnWords
from app.features.messaging.wordings import save_words, wordings_of
from app.infra.return_path import return_path

_WORDS = OwnWords(
    "A new way into your check-in",
    "Dear {given_name},\n\nyou asked us for a new link, and here it is:\n\n{link}\n\n"
    "It works once. If it gives you trouble, come by: the careers office is on the ground floor of the library.\n\n"
    "{organization}",
)
# Of somebody who is looked after and has not answered yet.
_ONE_MAIL = text(
    "SELECT m.id FROM messages m JOIN prompts p ON p.message_id = m.id JOIN reviews r ON r.id = p.review_id"
    " JOIN caseload_entries e ON e.client_id = m.client_id AND e.kind = 'primary'"
    " WHERE m.state = 'sent' AND r.state = 'open' ORDER BY m.id LIMIT 1"
)
# As a mail server writes it (RFC 3464): the mailbox is full, so the address stays good.
_CAME_BACK = b"""\
From: MAILER-DAEMON@mx.example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

The mail could not be delivered.
--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; somebody@example.org
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 mailbox full

--part--
"""


def let_a_mail_come_back(build: Build) -> dict[str, Any]:
    """Write one mail in the organization's own words, and let the mail of one person come back."""
    with build.runtime.database.unit_of_work(build.actor()) as uow:
        save_words(uow, wordings_of(MESSAGE_KINDS)["review_fresh_link"], "en", _WORDS)
        message_id = uow.session.execute(_ONE_MAIL).scalar_one_or_none()
    if message_id is None:
        return {"returned": 0}
    address = return_path(build.runtime.settings, build.organization(), message_id)
    return {"returned": int(take_bounce(build.runtime, _CAME_BACK, address) is Taken.RETURNED)}
