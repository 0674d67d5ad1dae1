"""The return path of one mail: an address of its own to which mail that cannot be delivered comes back (VERP).

`bounce+<token>@domain`; the token names the organization and the message and is signed, so that nobody can have
another person's mail stopped by writing to an address they made up. 55 letters and digits, whose case does not count:
some mail servers change it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32decode, b32encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from app.config import Settings

_PURPOSE = "return-path"
_TOKEN = re.compile(r"\+([a-z2-7]{55})@", re.IGNORECASE | re.ASCII)
# The organization is found among all by half of its id; what is left of the 64 characters is the signature.
_ORGANIZATION_BYTES, _MAC_BYTES = 8, 10


def return_path(settings: Settings, organization_id: UUID, message_id: UUID) -> str:
    """The address the envelope of a message names as its sender; empty where no address for bounces is set."""
    if not settings.bounce_address:
        return ""
    named = organization_id.bytes[:_ORGANIZATION_BYTES] + message_id.bytes
    token = b32encode(named + _mac(settings, organization_id, message_id)).decode().rstrip("=").lower()
    local, _, domain = settings.bounce_address.partition("@")
    return f"{local}+{token}@{domain}"


def read_return_path(
    settings: Settings, address: str, organizations: Callable[[], Sequence[UUID]]
) -> tuple[UUID, UUID] | None:
    """The organization and the message an address names; None unless this installation made it.

    `organizations` lists the ids there are. Earlier secret keys are honoured.
    """
    found = _TOKEN.search(address)
    if found is None:
        return None
    raw = b32decode(found[1].upper() + "=")
    message_id, mac = UUID(bytes=raw[_ORGANIZATION_BYTES:-_MAC_BYTES]), raw[-_MAC_BYTES:]
    secrets = (settings.secret_key, *settings.previous_secret_keys)
    for organization_id in organizations():
        if organization_id.bytes[:_ORGANIZATION_BYTES] != raw[:_ORGANIZATION_BYTES]:
            continue
        made = (_mac(replace(settings, secret_key=secret), organization_id, message_id) for secret in secrets)
        if any(hmac.compare_digest(mac, one) for one in made):
            return organization_id, message_id
    return None


def _mac(settings: Settings, organization_id: UUID, message_id: UUID) -> bytes:
    named = organization_id.bytes + message_id.bytes
    return hmac.new(settings.key_for(_PURPOSE), named, hashlib.sha256).digest()[:_MAC_BYTES]
