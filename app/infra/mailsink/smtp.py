"""The SMTP side of the sink."""

import asyncio
import logging
import socket
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from app.infra.mailsink.faults import Faults, Rule
from app.infra.mailsink.store import MailStore


class SinkProtocol(SMTP):
    """One connection; beyond aiosmtpd it can refuse to begin and close at a chosen moment."""

    close_after_reply = False

    def __init__(self, store: MailStore, faults: Faults) -> None:
        # A given name spares each connection a look-up of our own host name.
        super().__init__(SinkHandler(store, faults), hostname="localhost", ident="mail sink", enable_SMTPUTF8=True)
        self._faults = faults

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection and send each reply at once: waiting to fill packets costs 40 ms a reply."""
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    async def _handle_client(self) -> None:
        rule = self._faults.ask("connect")
        if rule is not None and (reply := await apply(rule, self)) is not None:
            if reply and self.transport is not None:
                await self.push(reply)
            self.drop()
            return
        await super()._handle_client()

    async def push(self, status: Any) -> None:
        """Send a reply; after a 421, or when a rule said so, the connection ends."""
        if self.transport is None:
            return
        await super().push(status)
        if self.close_after_reply or (isinstance(status, str) and status.startswith("421")):
            self.drop()

    def drop(self) -> None:
        """End the connection once what was written is sent."""
        if self.transport is not None:
            self.transport.close()


async def apply(rule: Rule, protocol: SinkProtocol) -> str | None:
    """Carry out ``rule``; return the reply to give instead of success, or None to go on.

    A rule that closes without an answer returns "".
    """
    if rule.delay:
        await asyncio.sleep(rule.delay)
    if rule.answer:
        return rule.answer
    if rule.close:
        protocol.drop()
        return ""
    return None


class SinkHandler:
    """What to answer to a recipient and to a message."""

    def __init__(self, store: MailStore, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    async def handle_EHLO(  # noqa: N802 - aiosmtpd finds it by this name
        self, _server: SinkProtocol, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Say what every mail server in use says: that commands may come in groups (RFC 2920)."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd finds it by this name
        self, server: SinkProtocol, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept the recipient, or answer as a rule says."""
        rule = self._faults.ask("rcpt", [address])
        if rule is not None and (reply := await apply(rule, server)) is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd finds it by this name
        self, server: SinkProtocol, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the message, then acknowledge it, or do as a rule says."""
        rule = self._faults.ask("data", envelope.rcpt_tos)
        if rule is not None and rule.delay:
            await asyncio.sleep(rule.delay)
        if rule is not None and rule.answer:
            return rule.answer
        close = "" if rule is None else rule.close
        if close == "lost":
            server.drop()
            return "250 OK"  # nobody hears it
        self._store.accept(envelope.original_content or b"", envelope.rcpt_tos)
        if close == "before":
            server.drop()
        server.close_after_reply = close == "after"
        return "250 OK"


async def serve_smtp(store: MailStore, faults: Faults, port: int) -> asyncio.Server:
    """Listen for SMTP on 127.0.0.1 at ``port`` (0 lets the system choose)."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells each line it reads
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: SinkProtocol(store, faults), "127.0.0.1", port, backlog=512)
