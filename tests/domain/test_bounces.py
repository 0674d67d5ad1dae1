"""Delivery status notifications: which say that an address is gone, and which do not."""

from __future__ import annotations

import pytest

from app.domain.bounces import addresses_in, read_report
from tests.messaging.letters import notification


@pytest.mark.parametrize(
    ("action", "status", "failed", "gone"),
    [
        ("failed", "5.1.1", True, True),
        ("Failed", "5.1.10", True, True),
        ("failed", "5.0.0", True, True),
        ("failed", "5.2.1", True, True),
        ("failed", "5.4.4", True, True),
        ("failed", "5.2.2", True, False),
        ("failed", "5.1.8", True, False),
        ("failed", "5.3.4", True, False),
        ("failed", "5.7.1", True, False),
        ("failed", "4.4.7", False, False),
        ("delayed", "4.2.2", False, False),
        ("delivered", "2.1.5", False, False),
    ],
)
def test_what_a_status_says(action: str, status: str, *, failed: bool, gone: bool) -> None:
    report = read_report(notification("bounce+x@example.org", action=action, status=status))
    assert report is not None
    assert (report.failed, report.gone, report.status) == (failed, gone, status)
    assert report.words == "550 no such user here"


def test_the_worst_of_several_recipients_counts() -> None:
    raw = notification("b@example.org", status="4.2.2", action="delayed", more=[("failed", "5.1.1")])
    report = read_report(raw)
    assert report is not None
    assert report.gone


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Subject: I am away\r\n\r\nBack on Monday. 550 5.1.1 action: failed",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nfailed\r\n--x--",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; x\r\n\r\nAction: failed\r\n\r\n--x--",
    ],
)
def test_what_is_no_notification_says_nothing(raw: bytes) -> None:
    assert read_report(raw) is None


def test_the_envelopes_own_account_of_the_address_comes_first() -> None:
    raw = b"To: Other <other@example.org>\r\nDelivered-To: bounce+a@example.org\r\n\r\nx"
    assert addresses_in(raw)[0] == "bounce+a@example.org"
