"""What a worker does with an organization's outbox: settle what is unknown, then send the oldest first."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Row, text

from app.domain import access
from app.features.messaging.budget import admit, is_exempt
from app.features.messaging.digest import complete
from app.features.messaging.kinds import UNSUBSCRIBE_PURPOSE, Draft, MessageKind, OwnWords
from app.features.messaging.relay import Relay, relay_of
from app.features.messaging.settle import settle_unknown
from app.features.messaging.states import Next, Reserved, Tried, advance, judge, postpone, release, reserve
from app.features.messaging.windows import resting
from app.features.messaging.wordings import words_in_use
from app.infra.db.open import UnitOfWork
from app.infra.links import make_token
from app.infra.mail import TRANSFER_SECONDS, MailConnection
from app.infra.mail_message import Address, Letter, domain_of, one_line, write_letter
from app.infra.return_path import return_path
from app.infra.runtime import Runtime

_LOG = structlog.get_logger()
_RESERVED_AT_ONCE = 100
# How many mails one commit hands over, and so how many outcomes a kill leaves unseen per sender. A commit costs more
# than a transfer, so twenty-five share one where the relay can be asked and settles each by itself; where it cannot,
# a person has to, so there it is one.
_HANDED_AT_ONCE, _HANDED_WITHOUT_LOOK_UP = 25, 1


def send_outbox(
    runtime: Runtime,
    organization_id: UUID,
    kinds: Mapping[str, MessageKind],
    *,
    until: datetime,
    senders: int = 1,
) -> bool:
    """Send the organization's queued messages; returns whether more could be sent now.

    `senders` threads each keep a connection and share the work; any number of processes may do this at once.
    """
    settle_unknown(runtime, organization_id, until)
    relay = relay_of(runtime.settings.smtp_url)
    if relay.is_resting(runtime.clock()):
        return False
    crew = [_Sender(runtime, organization_id, kinds, relay, until) for _ in range(senders)]
    if senders == 1:
        return crew[0].run()
    with ThreadPoolExecutor(senders, "sender") as pool:
        return any(list(pool.map(_Sender.run, crew)))


class _Sender:
    """One connection's worth of sending."""

    def __init__(
        self,
        runtime: Runtime,
        organization_id: UUID,
        kinds: Mapping[str, MessageKind],
        relay: Relay,
        until: datetime,
    ) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._organization_id = organization_id
        self._kinds = kinds
        self._relay = relay
        self._until = until
        self._at_once = _HANDED_AT_ONCE if self._settings.mail_lookup_url else _HANDED_WITHOUT_LOOK_UP
        self._token = uuid4()
        self._chance = random.Random()  # noqa: S311 - spreads retries, no secret
        self._waiting: deque[Reserved] = deque()
        self._house: Row[Any] | None = None
        self._own_words: Mapping[str, Mapping[str, OwnWords]] = {}

    def run(self) -> bool:
        """Send until nothing is due, time is up or the relay is in trouble; returns whether more could be sent."""
        connection = self._relay.connection()
        tried: list[Tried] = []
        try:
            while True:
                deadline = time.monotonic() + TRANSFER_SECONDS
                out_of_time = self._runtime.clock() >= self._until
                resting = self._relay.is_resting(self._runtime.clock())
                with self._runtime.database.unit_of_work(access.system(self._organization_id)) as uow:
                    group = [] if out_of_time or resting else self._next(uow)
                    if not group:
                        release(uow, self._token, [message.id for message in self._waiting])
                    following = [
                        Next(m.id, m.recipient, self._kinds[m.kind].optional, is_exempt(m, self._kinds)) for m in group
                    ]
                    handed = advance(uow, self._token, tried, following) if tried or group else {}
                if not group:
                    return out_of_time and not resting
                tried = self._send_all(connection, [m for m in group if m.id in handed], handed, deadline)
        finally:
            self._relay.give_back(connection)

    def _next(self, uow: UnitOfWork) -> list[Reserved]:
        if self._house is None:
            # By name, because organizations stand above the outbox on the ladder.
            self._house = uow.session.execute(
                text("SELECT name, accent, time_zone, client_word, counsellor_word FROM organizations")
            ).one()
            self._own_words = words_in_use(uow)
        while not self._waiting:
            found = reserve(uow, self._token, _RESERVED_AT_ONCE)
            if not found:
                return []
            quiet = resting(uow, found)
            if quiet:
                postpone(uow, self._token, quiet)
            later = {message_id for message_id, _ in quiet}
            self._waiting.extend(admit(uow, self._token, [m for m in found if m.id not in later], self._kinds))
        leaving = [self._waiting.popleft() for _ in range(min(self._at_once, len(self._waiting)))]
        return complete(uow, leaving, self._kinds)

    def _send_all(
        self, connection: MailConnection, group: list[Reserved], attempts: Mapping[UUID, int], deadline: float
    ) -> list[Tried]:
        tried = []
        closed = False
        for message in group:
            if closed:
                # Handed over but never begun, so it has not left and its attempt does not count.
                tried.append(Tried(message.id, "queued", None, attempts[message.id] - 1, None))
                continue
            one = self._send(connection, message, attempts[message.id], deadline)
            tried.append(one)
            closed = one.state == "queued" and one.moment is None
        return tried

    def _send(self, connection: MailConnection, message: Reserved, attempts: int, deadline: float) -> Tried:
        try:
            sender, content = self._write(message)
        except Exception as error:  # one message that cannot be written must not hold up the others
            _LOG.exception("message_not_written", message_id=str(message.id), kind=message.kind)
            return Tried(message.id, "failed", f"could not be written: {error}"[:300], attempts, None)
        outcome = connection.send(sender, message.recipient, content, deadline=deadline)
        now = self._runtime.clock()
        self._relay.note(outcome, now)
        result = judge(message.id, attempts, outcome, now, self._chance)
        if result.state != "sent":
            _LOG.info("message_not_sent", message_id=str(message.id), state=result.state, reason=result.reason)
        return result

    def _write(self, message: Reserved) -> tuple[str, bytes]:
        kind, house = self._kinds[message.kind], self._house
        assert house is not None
        unsubscribe = ""
        if kind.optional:
            token = make_token(self._settings, UNSUBSCRIBE_PURPOSE, self._organization_id, message.id)
            unsubscribe = f"{self._settings.public_url.rstrip('/')}/unsubscribe/{token}"
        draft = Draft(
            organization_id=self._organization_id,
            organization_name=house.name,
            accent=house.accent,
            time_zone=house.time_zone,
            client_word=house.client_word,
            counsellor_word=house.counsellor_word,
            message_id=message.id,
            recipient_name=message.recipient_name,
            locale=message.locale,
            params=message.params,
            unsubscribe_url=unsubscribe,
            own_words=self._own_words.get(message.locale, {}),
        )
        words = kind.render(self._settings, draft)
        address = Address.parse(self._settings.mail_from).address
        reply_to = message.params.get("reply_to")
        domain = domain_of(self._settings.mail_from)
        letter = Letter(
            message_id=f"<{message.id}@{domain}>",
            sender=Address(one_line(house.name), address),
            to=Address(one_line(message.recipient_name), message.recipient),
            subject=one_line(words.subject),
            text=words.text,
            html=words.html,
            reply_to=Address("", reply_to) if reply_to else None,
            unsubscribe=unsubscribe,
            list_id=_list_id(message.kind, self._organization_id, domain) if kind.optional else "",
            list_name=house.name,
            date=self._runtime.clock(),
        )
        # Where this one mail comes back to; without an address for bounces it is the sender's.
        envelope = return_path(self._settings, self._organization_id, message.id) or address
        return envelope, write_letter(letter)


def _list_id(kind: str, organization_id: UUID, domain: str) -> str:
    # One list for each kind of mail and organization, so that a reader can sort them (RFC 2919).
    return f"{kind.replace('_', '-')}.{organization_id.hex}.{domain}"
