"""Mails as tests read and make them: what the sink took, and notifications of mail that came back."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path


def letters_in(folder: Path) -> list[EmailMessage]:
    """The messages of a sink's folder, the oldest first."""
    paths = sorted((folder / "messages").glob("*.eml"))
    return [BytesParser(EmailMessage, policy=SMTP).parsebytes(path.read_bytes()) for path in paths]


def notification(
    to: str,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    more: Sequence[tuple[str, str]] = (),
    original: str = "Message-ID: <x@example.org>",
) -> bytes:
    """A delivery status notification as a mail server writes it (RFC 3464)."""
    blocks = "".join(
        f"Final-Recipient: rfc822; ann@example.org\r\nAction: {act}\r\nStatus: {code}\r\n"
        "Diagnostic-Code: smtp; 550 no such user here\r\n\r\n"
        for act, code in ((action, status), *more)
    )
    return (
        "From: MAILER-DAEMON@mx.example.org\r\n"
        f"To: {to}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\r\n\r\n'
        "--b1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nI am sorry to have to inform you.\r\n"
        f"--b1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n{blocks}"
        f"--b1\r\nContent-Type: text/rfc822-headers\r\n\r\n{original}\r\n\r\n--b1--\r\n"
    ).encode()
