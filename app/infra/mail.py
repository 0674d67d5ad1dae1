"""Sending mail: one connection kept open, four outcomes, and a question to the relay about the fifth.

A transfer has one moment that matters, the last dot. What fails before it has not left; what is answered
after it is settled; a connection that breaks between the dot and its answer leaves an outcome nobody knows,
and only the relay can be asked (`look_up`).
"""

from __future__ import annotations

import contextlib
import json
import smtplib
import socket
import ssl
import time
import urllib.request
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import unquote, urlencode, urlsplit
from uuid import uuid4

from app.config import Settings
from app.infra.mail_message import Address, Letter, domain_of, write_letter

# One transfer from the first command to the last answer, connecting included. It stays below the outbox's
# lease (30 s), so that a row is never claimed again while its transfer may still succeed.
TRANSFER_SECONDS = 20.0
_SERVICE_CLOSES = 421


class Fate(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's fate, the relay's own words, and whether the relay as a whole is in trouble.

    With `relay_down` it could not be reached or ended the conversation: the next mail would fare no better.
    `begun` is false when it never listened to this mail, so that the attempt says nothing about it.
    """

    fate: Fate
    reason: str = ""
    relay_down: bool = False
    begun: bool = True


class _Ended(Exception):
    """The attempt ended before the last dot, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class _NoAnswer(Exception):
    """The relay gave no answer to the first command of a mail."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class MailConnection:
    """A connection to the relay that is opened when needed and kept for the next mail; for one thread.

    `url` is smtp://, smtp+starttls:// or smtps://, with user and password where the relay asks for them.
    """

    def __init__(self, url: str, *, seconds: float = TRANSFER_SECONDS) -> None:
        """Connect to nothing yet. Raises ValueError for another scheme."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtp+starttls", "smtps"} or not parts.hostname:
            raise ValueError("OCTANT_SMTP_URL must begin with smtp://, smtp+starttls:// or smtps://")
        self._scheme = parts.scheme
        self._host = parts.hostname
        self._port = parts.port or {"smtp": 25, "smtp+starttls": 587, "smtps": 465}[parts.scheme]
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._seconds = seconds
        self._deadline = 0.0
        self._smtp: smtplib.SMTP | None = None

    def send(self, sender: str, recipient: str, content: bytes, *, deadline: float | None = None) -> Outcome:
        """Transfer one message (CRLF lines) to one address; never raises because of the relay.

        After `deadline` (of `time.monotonic`, which goes on while a process is stopped) the last dot does not
        leave any more. Raises ValueError for what is not an address, since it goes into commands as it is.
        """
        Address("", sender), Address("", recipient)
        self._deadline = deadline or time.monotonic() + self._seconds
        try:
            return self._transfer(self._begin(sender, recipient), content)
        except _Ended as ended:
            return ended.outcome

    def close(self) -> None:
        """Say goodbye, if connected."""
        if self._smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._limit(self._smtp, 2)
                self._smtp.quit()
            self._drop()

    def _begin(self, sender: str, recipient: str) -> smtplib.SMTP:
        """A connection that waits for the content; raises _Ended when the relay does not take this mail."""
        kept = self._smtp
        if kept is not None:
            try:
                return self._envelope(kept, sender, recipient)
            except _NoAnswer:
                # The relay ended the kept connection while it was idle, which says nothing about this mail.
                self._drop()
        try:
            smtp = self._connect()
        except _Ended as ended:
            raise _Ended(replace(ended.outcome, begun=False)) from None
        try:
            return self._envelope(smtp, sender, recipient)
        except _NoAnswer as error:
            raise self._broken(error.cause) from None

    def _envelope(self, smtp: smtplib.SMTP, sender: str, recipient: str) -> smtplib.SMTP:
        options = ""
        if not recipient.isascii():
            if not smtp.has_extn("smtputf8"):
                raise _Ended(Outcome(Fate.REFUSED, "The mail server takes no addresses with such letters."))
            options = " SMTPUTF8"
        smtp.command_encoding = "utf-8" if options else "ascii"
        commands = [f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>", "DATA"]
        # A relay that says it can takes the three in one packet (RFC 2920): two round trips less for each mail.
        at_once = smtp.has_extn("pipelining")
        refused: Outcome | None = None
        for number, command in enumerate(commands):
            verb = command[:4]
            try:
                self._limit(smtp)
                if not at_once or number == 0:
                    smtp.send("".join(line + "\r\n" for line in (commands if at_once else [command])))
                code, words = smtp.getreply()
            except (OSError, smtplib.SMTPException) as error:
                if number == 0:
                    raise _NoAnswer(error) from None
                broken = self._broken(error)
                raise (_Ended(refused) if refused else broken) from None
            if code == 354 if verb == "DATA" else 200 <= code < 300:
                continue
            outcome = self._judged(verb, code, words)
            refused = refused or outcome
            if not at_once or outcome.relay_down:
                break
        if refused is None:
            return smtp
        if at_once and code == 354:
            # It waits for content although it took no address: RFC 2920 says to give it none.
            self._end_empty(smtp)
        if not refused.relay_down:
            self._reset()
        raise _Ended(refused)

    def _end_empty(self, smtp: smtplib.SMTP) -> None:
        try:
            self._limit(smtp)
            smtp.send(".\r\n")
            smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _connect(self) -> smtplib.SMTP:
        seconds = max(1.0, self._deadline - time.monotonic())
        try:
            context = ssl.create_default_context() if self._scheme != "smtp" else None
            # A given name spares each connection a look-up of our own host name.
            if self._scheme == "smtps":
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                    self._host, self._port, "localhost", timeout=seconds, context=context
                )
            else:
                smtp = smtplib.SMTP(self._host, self._port, "localhost", timeout=seconds)
            self._smtp = smtp
            if smtp.sock is None:
                raise smtplib.SMTPServerDisconnected("no connection")
            # Waiting to fill packets costs 40 ms a command.
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            smtp.ehlo_or_helo_if_needed()
            if self._scheme == "smtp+starttls":
                smtp.starttls(context=context)
                smtp.ehlo()
            if self._user:
                smtp.login(self._user, self._password)
        except (OSError, smtplib.SMTPException) as error:
            raise self._broken(error) from None
        return smtp

    def _judged(self, verb: str, code: int, words: bytes) -> Outcome:
        """What an answer that is not the good one means for this mail."""
        reason = _short(f"{verb}: {code} {words.decode(errors='replace')}")
        if code == _SERVICE_CLOSES or code < 0:
            self._drop()
            return Outcome(Fate.LATER, reason, relay_down=True)
        return Outcome(Fate.REFUSED if code >= 500 else Fate.LATER, reason)

    def _transfer(self, smtp: smtplib.SMTP, content: bytes) -> Outcome:
        body = content.replace(b"\r\n.", b"\r\n..")
        body = (b"." + body if body.startswith(b".") else body) + (b"" if body.endswith(b"\r\n") else b"\r\n")
        try:
            if time.monotonic() >= self._deadline:
                raise TimeoutError("The transfer took too long.")
            self._limit(smtp)
            smtp.send(body + b".\r\n")
        except (OSError, smtplib.SMTPException) as error:
            # The system did not take all of it, so the last dot has not left.
            return self._broken(error).outcome
        try:
            self._limit(smtp)
            code, words = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Outcome(Fate.UNKNOWN, _short(f"No answer after the message: {error}"))
        if 200 <= code < 300:
            return Outcome(Fate.SENT)
        outcome = self._judged("message", code, words)
        if not outcome.relay_down:
            self._reset()
        return outcome

    def _reset(self) -> None:
        if self._smtp is not None:
            try:
                self._limit(self._smtp)
                self._smtp.docmd("RSET")
            except (OSError, smtplib.SMTPException):
                self._drop()

    def _limit(self, smtp: smtplib.SMTP, seconds: float | None = None) -> None:
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("no connection")
        smtp.sock.settimeout(seconds or max(0.05, self._deadline - time.monotonic()))

    def _broken(self, error: Exception) -> _Ended:
        self._drop()
        words = str(error)
        if isinstance(error, smtplib.SMTPResponseException):
            answer = error.smtp_error
            words = f"{error.smtp_code} {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}"
        return _Ended(Outcome(Fate.LATER, _short(words or type(error).__name__), relay_down=True))

    def _drop(self) -> None:
        if self._smtp is not None:
            with contextlib.suppress(OSError):
                self._smtp.close()
            self._smtp = None


def _short(words: str) -> str:
    return " ".join(words.split())[:300]


def look_up(settings: Settings, message_id: str, *, seconds: float = 5.0) -> bool | None:
    """Whether the relay has accepted the message of this id (with angle brackets).

    Asks `settings.mail_lookup_url` with `?message_id=`; the answer is JSON with a boolean `seen`. None when no
    address is configured or no clear answer came, in which case nothing may be concluded.
    """
    if not settings.mail_lookup_url:
        return None
    joint = "&" if "?" in settings.mail_lookup_url else "?"
    address = settings.mail_lookup_url + joint + urlencode({"message_id": message_id})
    try:
        with urllib.request.urlopen(address, timeout=seconds) as answer:  # noqa: S310 - the operator's own setting
            seen = json.load(answer)["seen"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return seen if isinstance(seen, bool) else None


def send_account_mail(settings: Settings, to: str, subject: str, text: str) -> Outcome:
    """Send one mail about a person's account (invitation, reset) at once, with one more try when it may pass.

    Such a mail is asked for by a person who waits and can ask again, so it has no row in the outbox. An
    unknown outcome is sent again: two sign-in links do less harm than none. Raises ValueError for a
    recipient or subject that could smuggle in another header.
    """
    domain = domain_of(settings.mail_from)
    letter = Letter(
        message_id=f"<{uuid4()}@{domain}>",
        sender=Address.parse(settings.mail_from),
        to=Address("", to),
        subject=subject,
        text=text,
    )
    content = write_letter(letter)
    connection = MailConnection(settings.smtp_url)
    try:
        outcome = connection.send(letter.sender.address, to, content)
        if outcome.fate in (Fate.LATER, Fate.UNKNOWN):
            outcome = connection.send(letter.sender.address, to, content)
        return outcome
    finally:
        connection.close()
