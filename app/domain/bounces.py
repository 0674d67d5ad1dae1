"""Delivery status notifications (RFC 3464): which mail came back, and whether its address is gone for good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
# Codes of RFC 3463 that say of the address itself that it takes no mail: 5.0.0 (no more is said), 5.1.x (addressing),
# 5.2.0 and 5.2.1 (the mailbox is closed), 5.4.4 (no such domain). 5.1.7 and 5.1.8 are about the sender. A full mailbox,
# a message too large or called spam say nothing of the address.
_GONE = re.compile(r"5\.(0\.0|1\.(?!7$|8$)\d+|2\.[01]|4\.4)")


@dataclass(frozen=True, slots=True)
class Report:
    """What a notification says of one recipient: the action, the status, and the server's words."""

    action: str
    status: str
    words: str

    @property
    def failed(self) -> bool:
        """Whether the mail will not arrive any more."""
        return self.action == "failed" and self.status.startswith("5")

    @property
    def gone(self) -> bool:
        """Whether the address itself takes no mail (a hard bounce)."""
        return self.failed and _GONE.fullmatch(self.status) is not None


def read_report(raw: bytes) -> Report | None:
    """The worst a delivery status notification says; None for mail that is none, such as an absence notice."""
    try:
        message = BytesParser(policy=compat32).parsebytes(raw)
    except RecursionError:
        # Parts within parts without end: no mail server writes that.
        return None
    if message.get_content_type() != "multipart/report":
        return None
    reports = [
        report
        for part in message.walk()
        if part.get_content_type() == "message/delivery-status"
        for fields in _blocks(part)
        if (report := _report(fields)) is not None
    ]
    return max(reports, key=lambda report: (report.gone, report.failed), default=None)


def addresses_in(raw: bytes) -> list[str]:
    """Where a mail says it was sent to, the envelope's own account first: what its return path may be read from."""
    message = BytesParser(policy=compat32).parsebytes(raw, headersonly=True)
    names = ("X-Original-To", "Delivered-To", "Envelope-To", "To")
    return [str(value) for name in names for value in message.get_all(name, [])]


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _report(fields: Message) -> Report | None:
    action, status = fields.get("Action"), _STATUS.search(str(fields.get("Status", "")))
    if action is None or status is None:
        return None
    words = str(fields.get("Diagnostic-Code", "")).partition(";")[2] or str(fields.get("Diagnostic-Code", ""))
    # No database text can hold a NUL.
    return Report(str(action).strip().casefold(), status[0], " ".join(words.replace("\0", " ").split())[:200])
