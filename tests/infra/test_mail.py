"""M2: what each fault of a mail server makes of an attempt; and messages that cannot be smuggled into."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as with_options
from hypothesis import strategies as st

from app.config import Settings
from app.infra.mail import Fate, MailConnection, look_up, send_account_mail
from app.infra.mail_message import Address, Letter, write_letter
from app.infra.mailsink.launch import start_mailsink
from tests.infra.smtp_stub import CLOSE, HANG, RESET, SmtpStub

SENDER = Address.parse("Octant <octant@example.org>")
LETTER = Letter("<one@example.org>", SENDER, Address("Ann", "ann@example.org"), "Hello", "Words", "<p>Words</p>")


def settings(url: str, lookup: str = "") -> Settings:
    return Settings(
        database_url="postgresql://x",
        identity_database_url="postgresql://x",
        broker_url="redis://x",
        secret_key="k" * 32,
        public_url="https://octant.example.org",
        storage_dir=Path("x"),
        smtp_url=url,
        mail_from="Octant <octant@example.org>",
        mail_lookup_url=lookup,
    )


# moment, what the server does, fate, whether the relay as a whole is in trouble, messages it took
TABLE = [
    ("connect", "554 no service", Fate.LATER, True, 0),
    ("connect", "421 too many", Fate.LATER, True, 0),
    ("connect", HANG, Fate.LATER, True, 0),
    ("connect", CLOSE, Fate.LATER, True, 0),
    ("ehlo", "421 go away", Fate.LATER, True, 0),
    ("ehlo", HANG, Fate.LATER, True, 0),
    ("mail", "451 busy", Fate.LATER, False, 0),
    ("mail", "550 not you", Fate.REFUSED, False, 0),
    ("mail", HANG, Fate.LATER, True, 0),
    ("rcpt", "450 mailbox full", Fate.LATER, False, 0),
    ("rcpt", "550 no such user", Fate.REFUSED, False, 0),
    ("rcpt", "421 closing", Fate.LATER, True, 0),
    ("rcpt", RESET, Fate.LATER, True, 0),
    ("data", "451 later", Fate.LATER, False, 0),
    ("data", "554 no", Fate.REFUSED, False, 0),
    ("data", CLOSE, Fate.LATER, True, 0),
    ("dot", "452 no room", Fate.LATER, False, 0),
    ("dot", "554 spam", Fate.REFUSED, False, 0),
    ("dot", CLOSE, Fate.UNKNOWN, False, 0),
    ("dot", HANG, Fate.UNKNOWN, False, 0),
    ("kept", CLOSE, Fate.UNKNOWN, False, 1),
    ("kept", RESET, Fate.UNKNOWN, False, 1),
    ("after", RESET, Fate.SENT, False, 1),
]


@pytest.mark.parametrize("pipelining", [False, True])
@pytest.mark.parametrize(("moment", "does", "fate", "down", "taken"), TABLE)
def test_m2_each_fault_has_its_fate(
    moment: str, does: str, fate: Fate, down: bool, taken: int, *, pipelining: bool
) -> None:
    stub = SmtpStub({moment: does}, pipelining=pipelining)
    connection = MailConnection(stub.url, seconds=0.5 if does == HANG else 5)
    try:
        outcome = connection.send(SENDER.address, "ann@example.org", write_letter(LETTER))
    finally:
        connection.close()
        stub.stop()
    assert (outcome.fate, outcome.relay_down, len(stub.taken)) == (fate, down, taken)
    assert outcome.reason or fate is Fate.SENT


def test_m2_a_refused_connection_and_a_failed_tls_are_tried_later() -> None:
    outcome = MailConnection("smtp://127.0.0.1:1").send(SENDER.address, "ann@example.org", b"x\r\n")
    assert (outcome.fate, outcome.relay_down) == (Fate.LATER, True)
    stub = SmtpStub({})
    try:
        for scheme in ("smtps", "smtp+starttls"):
            connection = MailConnection(f"{scheme}://127.0.0.1:{stub.port}", seconds=1)
            outcome = connection.send(SENDER.address, "ann@example.org", b"x\r\n")
            assert (outcome.fate, outcome.relay_down) == (Fate.LATER, True)
    finally:
        stub.stop()
    assert stub.taken == []


@pytest.mark.parametrize("moment", ["mail", "rcpt", "data"])
def test_what_a_group_of_commands_refused_does_not_reach_the_next_mail(moment: str) -> None:
    # The stub goes on to 354 whatever it refused before, as RFC 2920 lets a server do.
    stub = SmtpStub({moment: "550 not this one"}, times=1, pipelining=True)
    connection = MailConnection(stub.url)
    fates = [connection.send(SENDER.address, "ann@example.org", write_letter(LETTER)).fate for _ in range(2)]
    connection.close()
    stub.stop()
    assert fates == [Fate.REFUSED, Fate.SENT]
    assert stub.taken == ["<one@example.org>"]
    assert stub.connections == 1


@pytest.mark.parametrize("pipelining", [False, True])
def test_a_kept_connection_serves_many_and_a_closed_one_is_opened_again(pipelining: bool) -> None:
    stub = SmtpStub({"after": CLOSE}, times=1, pipelining=pipelining)
    connection = MailConnection(stub.url)
    fates = [connection.send(SENDER.address, "ann@example.org", write_letter(LETTER)).fate for _ in range(4)]
    connection.close()
    stub.stop()
    assert fates == [Fate.SENT] * 4
    assert len(stub.taken) == 4
    assert stub.connections == 2


def test_an_address_with_other_letters_is_refused_by_a_relay_that_cannot() -> None:
    stub = SmtpStub({})
    connection = MailConnection(stub.url)
    outcome = connection.send(SENDER.address, "ann@exämple.org", write_letter(LETTER))
    connection.close()
    stub.stop()
    assert outcome.fate is Fate.REFUSED


def test_account_mail_arrives_and_the_relay_can_be_asked(tmp_path: Path) -> None:
    sink = start_mailsink(tmp_path)
    try:
        chosen = settings(f"smtp://127.0.0.1:{sink.smtp_port}", sink.url + "/lookup")
        assert send_account_mail(chosen, "ann@example.org", "Réset", "Use this link.\n.\nBye").fate is Fate.SENT
        (path,) = (tmp_path / "messages").glob("*.eml")
        message = BytesParser(EmailMessage, policy=SMTP).parsebytes(path.read_bytes())
        assert message["Subject"] == "Réset"
        assert message.get_content().splitlines() == ["Use this link.", ".", "Bye"]
        assert message["List-Unsubscribe"] is None
        assert look_up(chosen, message["Message-ID"]) is True
        assert look_up(chosen, "<other@example.org>") is False
    finally:
        sink.stop()
    assert look_up(chosen, "<other@example.org>") is None
    assert look_up(replace(chosen, mail_lookup_url=""), "<other@example.org>") is None
    with pytest.raises(ValueError, match="control"):
        send_account_mail(chosen, "ann@example.org", "Hello\r\nBcc: eve@example.org", "x")


EXPECTED_HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
}
WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200)


@with_options(deadline=None)  # the first call loads the codecs, on a busy machine slowly
@given(name=WORDS, subject=WORDS, text=WORDS, html=WORDS)
def test_what_is_written_is_read_back_and_no_header_is_smuggled_in(
    name: str, subject: str, text: str, html: str
) -> None:
    try:
        letter = Letter("<a@example.org>", SENDER, Address(name, "ann@example.org"), subject, text, html)
        content = write_letter(letter)
    except ValueError:
        return
    message = BytesParser(EmailMessage, policy=SMTP).parsebytes(content)
    assert set(message.keys()) <= EXPECTED_HEADERS
    assert len(message.keys()) == len(set(message.keys()))
    assert [address.addr_spec for address in message["To"].addresses] == ["ann@example.org"]
    assert message["Subject"].split() == subject.split()
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().split() == text.split()


def test_optional_mail_carries_one_click_unsubscribe() -> None:
    content = write_letter(replace(LETTER, unsubscribe="https://octant.example.org/u/1"))
    message = BytesParser(EmailMessage, policy=SMTP).parsebytes(content)
    assert message["List-Unsubscribe"] == "<https://octant.example.org/u/1>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
