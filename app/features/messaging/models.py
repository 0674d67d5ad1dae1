"""Rows of the outbox. A message is a row with a unique key before anything leaves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key

_NOW = text("now()")


class Message(TenantEntity, Base):
    """One message to one address. Its Message-ID is derived from its id and the same in every attempt.

    States: queued (may be claimed), held (its client was contacted often enough this week, so it waits for the next),
    merged (it leaves as a line of the digest `merged_into`), handed (committed before the last dot of an attempt),
    sent, failed (refused for good), unknown (the attempt's outcome must be asked for), suppressed.
    """

    __tablename__ = "messages"
    # At most one message per key, for example "prompt:<plan>:<occurrence>:email:<reminder>".
    dedupe_key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(Text)
    recipient_name: Mapped[str] = mapped_column(Text, server_default="")
    locale: Mapped[str] = mapped_column(Text)
    # Ids and dates the text is rendered from at the moment of sending.
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    client_id: Mapped[UUID | None]
    # Who wrote or asked for it; empty when Octant did by itself.
    created_by: Mapped[UUID | None]
    merged_into: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    # The moment it was meant for: the oldest leave first.
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    not_before: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_token: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        UniqueConstraint("organization_id", "dedupe_key"),
        tenant_key("created_by", "memberships.id"),
        tenant_key("merged_into", "messages.id"),
        CheckConstraint(
            "state IN ('queued', 'held', 'merged', 'handed', 'sent', 'failed', 'unknown', 'suppressed')", name="state"
        ),
        CheckConstraint("(state = 'merged') = (merged_into IS NOT NULL)", name="merged"),
        Index(
            "ix_messages_open",
            "organization_id",
            "due_at",
            "id",
            postgresql_where=text("state IN ('queued', 'held', 'handed', 'unknown')"),
        ),
        Index(None, "organization_id", "client_id"),
    )


class ContactSlot(TenantRow, Base):
    """One of the contacts a client may have in a week, held by the message that uses it up.

    The key is what keeps a client from getting more than the organization's cap: a message that is not urgent leaves
    only with a slot, a slot has one message, and the database refuses a number above the cap.
    """

    __tablename__ = "contact_slots"
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    # Monday of the week in the client's time zone.
    week: Mapped[date] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[UUID]
    __table_args__ = (
        tenant_key("message_id", "messages.id", ondelete="CASCADE"),
        UniqueConstraint("organization_id", "message_id"),
        CheckConstraint("n >= 1 AND extract(isodow FROM week) = 1", name="number"),
    )


class SuppressedAddress(TenantRow, Base):
    """An address this organization may not send optional mail to, and why; none at all where mail came back.

    Both may be so at once: when the address works again, what was declined stays declined.
    """

    __tablename__ = "suppressed_addresses"
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    # Its owner wants no optional mail.
    declined: Mapped[bool] = mapped_column(server_default=text("false"))
    # The address does not exist any more: no mail of any kind is sent to it.
    bounced: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (of_organization(), CheckConstraint("declined OR bounced", name="has_cause"))


class Notice(TenantEntity, Base):
    """Something a member is told in their inbox, once per key; a link leads to what it is about."""

    __tablename__ = "notices"
    membership_id: Mapped[UUID]
    dedupe_key: Mapped[str] = mapped_column(Text)
    # Which sentence it is, and what stands in it (`notice_words.py`).
    kind: Mapped[str] = mapped_column(Text)
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    # A path within this installation.
    href: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("membership_id", "memberships.id", ondelete="CASCADE"),
        UniqueConstraint("organization_id", "membership_id", "dedupe_key"),
        CheckConstraint("href LIKE '/%' AND href NOT LIKE '//%'", name="href"),
        Index(None, "organization_id", "membership_id", "created_at", "id"),
        Index("ix_notices_unread", "organization_id", "membership_id", postgresql_where=text("read_at IS NULL")),
    )


class Webhook(TenantRow, Base):
    """The one address of an organization that is told of messages and notices by signed requests."""

    __tablename__ = "webhooks"
    url: Mapped[str] = mapped_column(Text)
    # Derives the key of the signatures together with the installation's secret; a new one ends the old key.
    salt: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    # How often in a row it did not take a request, and until when it is left alone therefore.
    troubles: Mapped[int] = mapped_column(server_default=text("0"))
    rest_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (of_organization(),)


class WebhookDelivery(TenantEntity, Base):
    """One request to an organization's webhook; the same id in every attempt, so that the receiver can tell repeats.

    States are the outbox's: queued, sent, failed.
    """

    __tablename__ = "webhook_deliveries"
    dedupe_key: Mapped[str] = mapped_column(Text)
    event: Mapped[str] = mapped_column(Text)
    # Ids and moments only, never what somebody wrote or is called.
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    not_before: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    lease_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_token: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        of_organization(),
        UniqueConstraint("organization_id", "dedupe_key"),
        CheckConstraint("state IN ('queued', 'sent', 'failed')", name="state"),
        Index(
            "ix_webhook_deliveries_open",
            "organization_id",
            "created_at",
            "id",
            postgresql_where=text("state = 'queued'"),
        ),
    )


class MessageTemplate(TenantEntity, Base):
    """An organization's own words for one kind of mail in one language; the shipped words where there is none."""

    __tablename__ = "message_templates"
    name: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    updated_by: Mapped[UUID | None]
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("updated_by", "memberships.id"),
        UniqueConstraint("organization_id", "name", "locale"),
    )
