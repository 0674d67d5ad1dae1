"""What a kind of message is to the outbox: how its words are made, whether the reader may opt out, if it can wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.config import Settings
from app.infra.db.open import UnitOfWork

# What the signature of an unsubscribe link is for.
UNSUBSCRIBE_PURPOSE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class OwnWords:
    """An organization's own words for a mail: a subject and a body with named places (`app.domain.places`)."""

    subject: str
    body: str


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
    # The organization's own words in this language, by the name of the mail.
    own_words: Mapping[str, OwnWords] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered message: the subject, the text and the same as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Line:
    """A message as one line of a digest: what it asks for, and where it leads."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A mail whose words an organization may replace: its places, and those that must not be missing.

    `title` and `places` are sentences for the settings page; `shipped` gives the words that come with Octant in a
    language, with the places in braces where a reader's values go.
    """

    name: str
    title: str
    places: Mapping[str, str]
    needed: frozenset[str]
    shipped: Callable[[str], OwnWords]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKind:
    """A kind of message.

    An optional one carries one-click unsubscribe and respects suppressed addresses. An urgent one is exempt from
    the contact budget: only what its reader asked for a moment ago is. `line` makes it a line of a digest; without it
    the message always is a mail of its own. `pointless` says which of some messages that waited need not be sent
    any more, by their params. `completed` gives params, each in its place, what is read only as the mail leaves.
    """

    name: str
    optional: bool
    render: Callable[[Settings, Draft], Words]
    urgent: bool = False
    line: Callable[[Settings, Draft], Line] | None = None
    pointless: Callable[[UnitOfWork, Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]] | None = None
    completed: Callable[[UnitOfWork, Sequence[Mapping[str, Any]]], Sequence[Mapping[str, Any]]] | None = None
    wordings: tuple[Wording, ...] = ()
