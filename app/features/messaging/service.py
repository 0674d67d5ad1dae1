"""Use cases of the outbox: queue messages, decide about unknown outcomes, suppress an address."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select, text

from app.domain.errors import Conflict, NotFound
from app.features.audit.service import record
from app.features.messaging.models import Message
from app.infra.db.open import Bell, UnitOfWork

_QUEUE = text(
    """
    WITH made AS (
        INSERT INTO messages (id, dedupe_key, kind, recipient, recipient_name, locale, params, client_id,
                              due_at, not_before, created_by)
        SELECT id, dedupe_key, kind, recipient, recipient_name, locale, params, client_id, due_at, not_before, :by
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given(
            id uuid, dedupe_key text, kind text, recipient text, recipient_name text, locale text, params jsonb,
            client_id uuid, due_at timestamptz, not_before timestamptz)
        ON CONFLICT DO NOTHING
        RETURNING id, kind, client_id, due_at
    )
    INSERT INTO webhook_deliveries (dedupe_key, event, data, not_before, created_at)
    SELECT 'message:' || m.id, 'message.' || m.kind,
           jsonb_build_object('message_id', m.id, 'client_id', m.client_id, 'due_at', m.due_at), :now, :now
    FROM made m JOIN webhooks w ON w.active
    ON CONFLICT DO NOTHING
    """
)


# Why an address gets no optional mail.
DECLINED = "unsubscribed by the link in a mail"


def message_id_for(organization_id: UUID, dedupe_key: str) -> UUID:
    """The id of the message with this key: the same key gives the same row and the same Message-ID."""
    return uuid5(organization_id, dedupe_key)


def queue_messages(uow: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
    """Put messages into the outbox, one statement for all; a key that was ever used is passed over.

    Returns their ids in the order given.

    A row has dedupe_key, kind, recipient, recipient_name, locale, params, client_id (or None), due_at and
    not_before (moments). One to a client counts in their contact budget unless its kind is urgent. Where the
    organization has a webhook, it is told of each by its ids.
    """
    if not rows:
        return []
    organization_id = uow.actor.organization_id
    given = [{"id": message_id_for(organization_id, row["dedupe_key"]), **row} for row in rows]
    uow.session.execute(_QUEUE, {"rows": json.dumps(given, default=str), "by": uow.actor.membership_id, "now": uow.now})
    uow.ring(Bell.PROMPT)
    return [row["id"] for row in given]


def send_again(uow: UnitOfWork, message_id: UUID) -> None:
    """Send a message whose outcome is unknown, or that failed, once more: a person decided it.

    Raises NotFound, or Conflict when it is in another state.
    """
    message = _locked(uow, message_id)
    if message.state not in ("unknown", "failed"):
        raise Conflict("This message is already settled. Load the page again.")
    record(uow, "message.sent_again", "message", message.id, was=message.state)
    message.state, message.attempts, message.not_before, message.reason = "queued", 0, uow.now, None
    message.lease_until = message.lease_token = None
    uow.session.flush()
    uow.ring(Bell.PROMPT)


def leave_unsent(uow: UnitOfWork, message_id: UUID) -> None:
    """Take a message whose outcome is unknown off the list: it may have arrived and is not sent again.

    Raises NotFound, or Conflict when it is in another state.
    """
    message = _locked(uow, message_id)
    if message.state != "unknown":
        raise Conflict("This message is already settled. Load the page again.")
    record(uow, "message.left", "message", message.id)
    message.state, message.reason = (
        "failed",
        "left: whether it arrived is not known, and a person chose not to repeat it",
    )
    message.lease_until = message.lease_token = None
    uow.session.flush()


def suppress_address(uow: UnitOfWork, address: str, reason: str) -> None:
    """Send no optional mail to this address any more; harmless to repeat."""
    uow.session.execute(
        text(
            "INSERT INTO suppressed_addresses (address, reason, declined) VALUES (:a, :r, true)"
            " ON CONFLICT (organization_id, address) DO UPDATE SET declined = true"
        ),
        {"a": address.casefold(), "r": reason},
    )
    # The address itself is personal, so the ledger keeps only that it happened.
    record(uow, "address.suppressed", "organization", None, reason=reason)


def _locked(uow: UnitOfWork, message_id: UUID) -> Message:
    message = uow.session.scalars(select(Message).where(Message.id == message_id).with_for_update()).one_or_none()
    if message is None:
        raise NotFound("There is no such message.")
    return message
