import json
import smtplib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from app.infra.mailsink.faults import Faults
from app.infra.mailsink.launch import MailSink, start_mailsink


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[MailSink]:
    running = start_mailsink(tmp_path / "mail")
    yield running
    running.stop()


def _mail(number: int = 1, to: str = "ada@example.org") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<m{number}@octant.test>"
    message["From"] = "centre@example.org"
    message["To"] = to
    message["Subject"] = f"Review <{number}>"
    message.set_content("Look at http://127.0.0.1:9/plan?a=1&b=2.\n.a line with a dot & <script>")
    message.add_alternative("<p>Hello <script>alert(1)</script></p>", subtype="html")
    return message


def _get(url: str, host: str | None = None) -> tuple[str, dict[str, str]]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})  # noqa: S310 - always http to ourselves
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
        return answer.read().decode(), dict(answer.headers)


def test_an_acknowledged_message_is_on_disk_in_the_ledger_and_survives_kill_9(tmp_path: Path) -> None:
    sink = start_mailsink(tmp_path / "mail")
    with smtplib.SMTP(sink.host, sink.smtp_port) as client:
        client.send_message(_mail())
        sink.kill()  # the moment the 250 was heard
        client.close()
    kept = list((tmp_path / "mail" / "messages").glob("*.eml"))
    assert len(kept) == 1
    assert b"\r\n.a line with a dot" in kept[0].read_bytes()
    assert json.loads((tmp_path / "mail" / "ledger.jsonl").read_text())["to"] == ["ada@example.org"]

    with (tmp_path / "mail" / "ledger.jsonl").open("a") as ledger:
        ledger.write('{"message_id": "<cut@octa')  # a line a kill cut short
    again = start_mailsink(tmp_path / "mail", smtp_port=sink.smtp_port)
    try:
        assert again.smtp_port == sink.smtp_port
        assert again.times_seen("<m1@octant.test>") == 1
        assert again.times_seen("<m2@octant.test>") == 0
        with smtplib.SMTP(again.host, again.smtp_port) as client:
            client.send_message(_mail(1))
            client.send_message(_mail(2))
        assert again.times_seen("<m1@octant.test>") == 2
    finally:
        again.stop()
    third = start_mailsink(tmp_path / "mail")
    try:
        assert (third.times_seen("<m1@octant.test>"), third.times_seen("<m2@octant.test>")) == (2, 1)
    finally:
        third.stop()


def test_without_spool_only_the_ledger_is_kept(tmp_path: Path) -> None:
    sink = start_mailsink(tmp_path / "mail", keep_messages=False)
    try:
        with smtplib.SMTP(sink.host, sink.smtp_port) as client:
            client.send_message(_mail())
        assert sink.times_seen("<m1@octant.test>") == 1
        assert not list((tmp_path / "mail" / "messages").iterdir())
    finally:
        sink.stop()


def test_fifty_mails_over_one_connection_wait_for_no_timer(sink: MailSink) -> None:
    with smtplib.SMTP(sink.host, sink.smtp_port) as client:
        client.send_message(_mail(0))
        started = time.perf_counter()
        for number in range(1, 51):
            client.send_message(_mail(number))
        took = time.perf_counter() - started
    assert took < 50 * 0.04  # one delayed acknowledgement (40 ms) a mail would take longer than this


def test_pages_list_newest_first_and_show_html_in_a_sandbox(sink: MailSink) -> None:
    with smtplib.SMTP(sink.host, sink.smtp_port) as client:
        for number in (1, 2):
            client.send_message(_mail(number))
    listing, headers = _get(sink.url + "/")
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert listing.index("Review &lt;2&gt;") < listing.index("Review &lt;1&gt;")
    path = listing.split('href="/message/')[1].split('"')[0]

    page, _ = _get(f"{sink.url}/message/{path}")
    assert '<a href="http://127.0.0.1:9/plan?a=1&amp;b=2" rel="noreferrer">' in page
    assert "<script>" not in page
    assert 'iframe sandbox="allow-popups' in page
    body, headers = _get(f"{sink.url}/message/{path}/html")
    assert "<script>alert(1)</script>" in body
    assert headers["Content-Security-Policy"].startswith("sandbox ")
    assert "allow-scripts" not in headers["Content-Security-Policy"]
    assert "allow-same-origin" not in headers["Content-Security-Policy"]
    raw, headers = _get(f"{sink.url}/message/{path}.eml")
    assert raw.startswith("Message-ID: <m2@octant.test>")
    assert headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["/message/../ledger", "/message/..%2Fledger", "/message/1/html", "/nothing"])
def test_unknown_paths_are_not_found(sink: MailSink, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        _get(sink.url + path)
    caught.value.close()


def test_another_host_name_is_refused_and_lookup_and_health_answer(sink: MailSink) -> None:
    with pytest.raises(urllib.error.HTTPError, match="421") as caught:
        _get(sink.url + "/", host="evil.example")
    caught.value.close()
    assert json.loads(_get(sink.url + "/lookup?message_id=%3Cm1@octant.test%3E")[0])["seen"] is False
    with smtplib.SMTP(sink.host, sink.smtp_port) as client:
        client.send_message(_mail())
    assert json.loads(_get(sink.url + "/lookup?message_id=%3Cm1@octant.test%3E")[0])["seen"] is True
    assert json.loads(_get(sink.url + "/healthz")[0]) == {"ok": True, "accepted": 1}


def test_recipients_fail_by_pattern_and_only_as_often_as_told(sink: MailSink) -> None:
    sink.set_rules(
        [
            {"on": "rcpt", "match": "*@bounce.example", "answer": "550 5.1.1 No such user"},
            {"on": "rcpt", "match": "*@busy.example", "answer": "450 4.2.1 Later", "skip": 1, "times": 1},
        ]
    )
    with smtplib.SMTP(sink.host, sink.smtp_port) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            client.send_message(_mail(1, "x@BOUNCE.example"))
        assert caught.value.recipients["x@BOUNCE.example"][0] == 550
        client.send_message(_mail(2, "x@busy.example"))
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            client.send_message(_mail(3, "x@busy.example"))
        assert caught.value.recipients["x@busy.example"][0] == 450
        client.send_message(_mail(3, "x@busy.example"))
    assert [sink.times_seen(f"<m{number}@octant.test>") for number in (1, 2, 3)] == [0, 1, 1]


def test_a_421_storm_and_a_refused_connection_end_the_connection(sink: MailSink) -> None:
    sink.set_rules([{"on": "connect", "answer": "421 4.3.2 Busy", "times": 1}, {"on": "connect", "close": "lost"}])
    with pytest.raises(smtplib.SMTPConnectError, match="421"):
        smtplib.SMTP(sink.host, sink.smtp_port)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        smtplib.SMTP(sink.host, sink.smtp_port)
    sink.set_rules([{"on": "rcpt", "answer": "421 4.7.0 Too many"}])
    with smtplib.SMTP(sink.host, sink.smtp_port) as client:
        with pytest.raises(smtplib.SMTPException):
            client.send_message(_mail())
        assert client.sock is None
    sink.set_rules([])
    with smtplib.SMTP(sink.host, sink.smtp_port) as client:
        client.send_message(_mail())


@pytest.mark.parametrize(("close", "heard", "kept"), [("lost", False, 0), ("before", False, 1), ("after", True, 1)])
def test_the_connection_closes_around_the_final_250(sink: MailSink, close: str, *, heard: bool, kept: int) -> None:
    sink.set_rules([{"on": "data", "close": close}])
    client = smtplib.SMTP(sink.host, sink.smtp_port)
    try:
        if heard:
            client.send_message(_mail())
            with pytest.raises(smtplib.SMTPServerDisconnected):
                client.noop()
        else:
            with pytest.raises(smtplib.SMTPServerDisconnected):
                client.send_message(_mail())
    finally:
        client.close()
    assert sink.times_seen("<m1@octant.test>") == kept


def test_a_rule_may_delay_the_answer_and_a_wrong_rule_is_refused(sink: MailSink) -> None:
    sink.set_rules([{"on": "data", "delay": 0.3}])
    with smtplib.SMTP(sink.host, sink.smtp_port) as client:
        started = time.perf_counter()
        client.send_message(_mail())
        assert time.perf_counter() - started >= 0.3
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        sink.set_rules([{"on": "lunch"}])
    caught.value.close()


def test_one_in_three_fails_for_every_recipient_and_the_same_ones_for_a_seed() -> None:
    def refused(seed: str, order: list[str]) -> dict[str, list[bool]]:
        faults = Faults([{"on": "rcpt", "answer": "450 later", "one_in": 3, "seed": seed}])
        found: dict[str, list[bool]] = {"a@x": [], "b@x": []}
        for who in order:
            found[who].append(faults.ask("rcpt", [who]) is not None)
        return found

    mixed = refused("1", ["a@x", "b@x"] * 30)
    assert refused("1", ["b@x"] * 30 + ["a@x"] * 30) == mixed
    for drawn in mixed.values():
        assert [sum(drawn[first : first + 3]) for first in range(0, 30, 3)] == [1] * 10
    assert refused("2", ["a@x", "b@x"] * 30) != mixed
    with pytest.raises(ValueError, match="one_in"):
        Faults([{"on": "rcpt", "one_in": 0}])


def test_stopping_frees_the_ports(tmp_path: Path) -> None:
    sink = start_mailsink(tmp_path / "mail")
    sink.stop()
    assert sink.process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((sink.host, sink.smtp_port), timeout=2)
