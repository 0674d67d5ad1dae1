"""Addresses that carry their own proof: an organization, a row, and a signature over both.

Nothing secret is stored: whoever reads the database cannot make a link, and whoever holds a link cannot make
another. A token is 48 bytes, 64 characters, with no spare bits that could be changed without being noticed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from app.config import Settings

_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}")
_PASS = re.compile(r"[A-Za-z0-9_-]{96}")
_MAC_BYTES = 16


def make_token(settings: Settings, purpose: str, organization_id: UUID, row_id: UUID) -> str:
    """The token (64 characters, safe in an address) of one row for one purpose."""
    named = organization_id.bytes + row_id.bytes
    return urlsafe_b64encode(named + _mac(settings.key_for(purpose), named)).decode()


def read_token(settings: Settings, purpose: str, token: str) -> tuple[UUID, UUID] | None:
    """The organization and row a token names; None unless this installation signed it for this purpose.

    Keys of `settings.previous_secret_keys` are honoured, so that a change of keys ends no link.
    """
    if not _TOKEN.fullmatch(token):
        return None
    raw = urlsafe_b64decode(token)
    named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not _signed(settings, purpose, named, mac):
        return None
    return UUID(bytes=named[:16]), UUID(bytes=named[16:])


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says: which row of which organization, given to whom, and until when it is good."""

    organization_id: UUID
    row_id: UUID
    holder_id: UUID
    until: datetime


def make_pass(settings: Settings, purpose: str, given: Pass) -> str:
    """A token of 96 characters, safe in an address, that ends by itself: for one row, one holder, until a second."""
    named = given.organization_id.bytes + given.row_id.bytes + given.holder_id.bytes
    named += int(given.until.timestamp()).to_bytes(8)
    return urlsafe_b64encode(named + _mac(settings.key_for(purpose), named)).decode()


def read_pass(settings: Settings, purpose: str, token: str) -> Pass | None:
    """What a pass says, also one whose time is over; None unless this installation signed it for this purpose."""
    if not _PASS.fullmatch(token):
        return None
    raw = urlsafe_b64decode(token)
    named, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not _signed(settings, purpose, named, mac):
        return None
    organization, row, holder = (UUID(bytes=named[begin : begin + 16]) for begin in (0, 16, 32))
    return Pass(organization, row, holder, datetime.fromtimestamp(int.from_bytes(named[48:]), UTC))


def _signed(settings: Settings, purpose: str, named: bytes, mac: bytes) -> bool:
    secrets = (settings.secret_key, *settings.previous_secret_keys)
    keys = [replace(settings, secret_key=secret).key_for(purpose) for secret in secrets]
    return any(hmac.compare_digest(_mac(key, named), mac) for key in keys)


def _mac(key: bytes, named: bytes) -> bytes:
    return hmac.new(key, named, hashlib.sha256).digest()[:_MAC_BYTES]
