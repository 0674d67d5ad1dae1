"""The webhook: an organization's own systems are told of messages and notices by signed requests.

A request holds ids, kinds and moments, and no word that somebody wrote. It is a row before it leaves and is repeated
until it is taken, with the same id, so the receiver may get one twice and can tell. The signature is
`t=<seconds>,v1=<hex>`: HMAC-SHA256 over `<seconds>.<body>` by the key the settings page shows.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from base64 import b32encode
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import select, text

from app.config import Settings
from app.domain import access
from app.domain.errors import FieldProblem, InvalidInput
from app.features.audit.service import record
from app.features.messaging.inbox import administrators, put_notices
from app.features.messaging.models import Webhook
from app.features.messaging.states import LEASE, MOST_ATTEMPTS
from app.infra.db.open import Bell, UnitOfWork
from app.infra.outbound import BadAddress, Reply, check_url, post
from app.infra.runtime import Runtime

_LOG = structlog.get_logger()
SIGNATURE_HEADER, DELIVERY_HEADER, EVENT_HEADER = "Octant-Signature", "Octant-Delivery", "Octant-Event"
_AT_ONCE = 10
_FIRST_REST, _LONGEST_REST = 30.0, 3600.0
_HOOK = text("SELECT url, salt, troubles FROM webhooks WHERE active AND (rest_until IS NULL OR rest_until <= :now)")
# In two statements, so that the limit holds (see `states.py`).
_CHOOSE = text(
    "SELECT id, event, data, attempts, created_at FROM webhook_deliveries"
    " WHERE state = 'queued' AND not_before <= :now AND (lease_until IS NULL OR lease_until <= :now)"
    " ORDER BY created_at, id LIMIT :most FOR UPDATE SKIP LOCKED"
)
_LEASE = text("UPDATE webhook_deliveries SET lease_token = :token, lease_until = :until WHERE id = ANY(:ids)")
_SETTLE = text(
    "UPDATE webhook_deliveries SET state = :state, reason = :reason, attempts = :attempts, not_before = :moment,"
    " sent_at = :sent_at, lease_token = NULL, lease_until = NULL"
    " WHERE id = :id AND lease_token = :token AND state = 'queued'"
)
_RELEASE = text(
    "UPDATE webhook_deliveries SET lease_token = NULL, lease_until = NULL"
    " WHERE lease_token = :token AND state = 'queued'"
)
_FORGET = text("DELETE FROM webhook_deliveries WHERE state = 'queued'")
_WELL = text("UPDATE webhooks SET troubles = 0, rest_until = NULL WHERE troubles > 0")
_TROUBLE = text("UPDATE webhooks SET troubles = troubles + 1, rest_until = :until")


def signing_keys(settings: Settings, organization_id: UUID, salt: UUID) -> list[str]:
    """The keys a receiver may check with: the present one first, then those of earlier secrets of the installation.

    Nothing secret is stored: a key is derived from the installation's secret, the organization and its salt.
    """
    secrets = (settings.secret_key, *settings.previous_secret_keys)
    named = organization_id.bytes + salt.bytes
    keys = (replace(settings, secret_key=secret).key_for("webhook") for secret in secrets)
    digests = (hmac.new(key, named, hashlib.sha256).digest() for key in keys)
    return [f"whsec_{b32encode(digest).decode().rstrip('=').lower()}" for digest in digests]


def signature(keys: list[str], seconds: int, body: bytes) -> str:
    """What the signature header says of a body sent at a moment: one part `v1` for each key."""
    signed = f"{seconds}.".encode() + body
    parts = [f"v1={hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()}" for key in keys]
    return ",".join([f"t={seconds}", *parts])


def allows_loopback(settings: Settings) -> bool:
    """Whether webhooks may be on this machine: in tests only."""
    return settings.environment == "test"


def find_webhook(uow: UnitOfWork) -> Webhook | None:
    """The organization's webhook, if it has one."""
    return uow.session.scalars(select(Webhook)).one_or_none()


def save_webhook(uow: UnitOfWork, settings: Settings, url: str, *, active: bool = True) -> Webhook:
    """Name the address that is told, or switch it off. Raises InvalidInput for one that may not be asked.

    An address written anew is tried at once, whatever trouble the one before had; switched off, what was still to be
    told is forgotten.
    """
    try:
        check_url(url, loopback=allows_loopback(settings))
    except BadAddress as error:
        raise InvalidInput([FieldProblem("url", error.args[0])]) from None
    hook = find_webhook(uow)
    if hook is None:
        hook = Webhook(url=url, active=active, updated_at=uow.now, salt=uuid4())
        uow.session.add(hook)
    else:
        hook.url, hook.active, hook.updated_at, hook.troubles, hook.rest_until = url, active, uow.now, 0, None
    uow.session.flush()
    if not active:
        uow.session.execute(_FORGET)
    record(uow, "webhook.saved", "organization", uow.actor.organization_id, active=active)
    uow.ring(Bell.PROMPT)
    return hook


def renew_key(uow: UnitOfWork, hook: Webhook) -> None:
    """Give the webhook another key; the old one signs nothing any more."""
    hook.salt = uuid4()
    uow.session.flush()
    record(uow, "webhook.key_renewed", "organization", uow.actor.organization_id)


def remove_webhook(uow: UnitOfWork) -> None:
    """Tell nobody any more, and forget what was still to be told; harmless where there is none."""
    hook = find_webhook(uow)
    if hook is None:
        return
    uow.session.delete(hook)
    uow.session.flush()
    uow.session.execute(_FORGET)
    record(uow, "webhook.removed", "organization", uow.actor.organization_id)


def deliver_webhooks(runtime: Runtime, organization_id: UUID, until: datetime) -> None:
    """Send the organization's open deliveries, oldest first, until one is not taken or time is up.

    Any number of processes may do this at once; whoever dies leaves rows that are free again when the lease ends.
    """
    actor = access.system(organization_id)
    while runtime.clock() < until:
        token = uuid4()
        with runtime.database.unit_of_work(actor) as uow:
            hook = uow.session.execute(_HOOK, {"now": uow.now}).one_or_none()
            rows = [] if hook is None else uow.session.execute(_CHOOSE, {"now": uow.now, "most": _AT_ONCE}).all()
            if hook is None or not rows:
                return
            lease = {"token": token, "until": uow.now + LEASE * 5, "ids": [row.id for row in rows]}
            uow.session.execute(_LEASE, lease)
        keys = signing_keys(runtime.settings, organization_id, hook.salt)
        for row in rows:
            reply = _send(runtime, organization_id, hook.url, keys, row)
            with runtime.database.unit_of_work(actor) as uow:
                _settle(uow, token, row, reply, hook.troubles)
            if not reply.accepted:
                with runtime.database.unit_of_work(actor) as uow:
                    uow.session.execute(_RELEASE, {"token": token})
                return


def _send(runtime: Runtime, organization_id: UUID, url: str, keys: list[str], row: Any) -> Reply:
    told = {
        "id": str(row.id),
        "event": row.event,
        "organization_id": str(organization_id),
        "created_at": row.created_at.isoformat(),
        "data": row.data,
    }
    body = json.dumps(told, separators=(",", ":"), sort_keys=True).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Octant",
        EVENT_HEADER: row.event,
        DELIVERY_HEADER: str(row.id),
        SIGNATURE_HEADER: signature(keys, int(runtime.clock().timestamp()), body),
    }
    return post(url, body, headers, loopback=allows_loopback(runtime.settings))


def _settle(uow: UnitOfWork, token: UUID, row: Any, reply: Reply, troubles: int) -> None:
    attempts = row.attempts + 1
    values: dict[str, object] = {"id": row.id, "token": token, "attempts": attempts, "moment": uow.now, "sent_at": None}
    if reply.accepted:
        uow.session.execute(_SETTLE, values | {"state": "sent", "reason": None, "sent_at": uow.now})
        uow.session.execute(_WELL)
        return
    _LOG.info("webhook_not_taken", delivery_id=str(row.id), reason=reply.reason)
    ceiling = min(_LONGEST_REST, _FIRST_REST * 2 ** min(troubles, 10))
    rest = uow.now + timedelta(seconds=random.uniform(ceiling / 2, ceiling))  # noqa: S311 - spreads retries, no secret
    given_up = attempts >= MOST_ATTEMPTS
    state = "failed" if given_up else "queued"
    uow.session.execute(_SETTLE, values | {"state": state, "reason": reply.reason, "moment": rest})
    uow.session.execute(_TROUBLE, {"until": rest})
    if given_up:
        put_notices(
            uow,
            [
                {
                    "membership_id": member,
                    # One a day is enough to know.
                    "dedupe_key": f"webhook-failing:{uow.now.date()}",
                    "kind": "webhook_failing",
                    "params": {"reason": reply.reason},
                    "href": "/settings/messages",
                }
                for member in administrators(uow)
            ],
        )
