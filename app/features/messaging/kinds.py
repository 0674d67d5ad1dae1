"""What a kind of message is to the outbox: how its words are made, and whether the reader may opt out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.config import Settings

# What the signature of an unsubscribe link is for.
UNSUBSCRIBE_PURPOSE = "unsubscribe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a message is rendered from. `params` are the row's ids and dates."""

    organization_id: UUID
    organization_name: str
    message_id: UUID
    recipient_name: str
    locale: str
    params: Mapping[str, Any]
    # The organization's colour (None: Octant's own), its zone, and the keys of its words for people.
    accent: str | None = None
    time_zone: str = "UTC"
    client_word: str = "client"
    counsellor_word: str = "counsellor"
    # Where the reader ends such mail; empty for mail that is not optional.
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered message: the subject, the text and the same as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKind:
    """A kind of message. An optional one carries one-click unsubscribe and respects suppressed addresses."""

    name: str
    optional: bool
    render: Callable[[Settings, Draft], Words]
