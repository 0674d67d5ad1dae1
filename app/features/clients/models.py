"""Rows of clients: who they are, who looks after them, and how a roster brought them in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.sentences import SentenceText
from app.infra.db.tenancy import Base, TenantEntity, TenantRow, of_organization, tenant_key

_NOW = text("now()")
# Starts-with search (`^@`) uses an index under row security only on a "C" collation.
FoldedText = Text(collation="C")


class AttributeDefinition(TenantEntity, Base):
    """A typed attribute this organization keeps about its clients, such as programme or year."""

    __tablename__ = "attribute_definitions"
    key: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    choices: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    position: Mapped[int] = mapped_column(server_default=text("0"))
    __table_args__ = (
        of_organization(),
        UniqueConstraint("organization_id", "key"),
        CheckConstraint("kind IN ('text', 'number', 'date', 'choice', 'boolean')", name="kind"),
        CheckConstraint("key ~ '^[a-z][a-z0-9_]{0,39}$'", name="key"),
    )


class Client(TenantEntity, Base):
    """A person whose career is planned; exists without a user until invited to the portal."""

    __tablename__ = "clients"
    external_id: Mapped[str] = mapped_column(Text)
    given_name: Mapped[str] = mapped_column(Text)
    family_name: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    # Folded (NFKC, casefold, accents off) copies to search by; kept by the same statement that writes the names.
    given_folded: Mapped[str] = mapped_column(FoldedText)
    family_folded: Mapped[str] = mapped_column(FoldedText)
    email_folded: Mapped[str | None] = mapped_column(FoldedText)
    external_folded: Mapped[str] = mapped_column(FoldedText)
    time_zone: Mapped[str | None] = mapped_column(Text)
    locale: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    # Digest of the roster row last applied, so that an unchanged row is skipped without comparing fields.
    row_digest: Mapped[bytes | None]
    membership_id: Mapped[UUID | None]
    last_contact_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("membership_id", "memberships.id"),
        UniqueConstraint("organization_id", "external_id"),
        UniqueConstraint("organization_id", "membership_id"),
        Index(None, "organization_id", "family_folded", "given_folded", "id"),
        Index(None, "organization_id", "given_folded"),
        Index(None, "organization_id", "email_folded"),
        Index(None, "organization_id", "external_folded"),
    )

    @property
    def name(self) -> str:
        """The name as sentences use it."""
        return f"{self.given_name} {self.family_name}"


class CaseloadEntry(TenantRow, Base):
    """That a counsellor looks after a client, as the primary counsellor or in support."""

    __tablename__ = "caseload_entries"
    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, server_default="primary")
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("membership_id", "memberships.id"),
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        CheckConstraint("kind IN ('primary', 'supporting')", name="kind"),
        Index(None, "organization_id", "client_id"),
        Index(
            "uq_caseload_entries_primary",
            "organization_id",
            "client_id",
            unique=True,
            postgresql_where=text("kind = 'primary'"),
        ),
    )


class Label(TenantEntity, Base):
    """A word put on clients: the organization's (without an owner), or one member's own that nobody else sees."""

    __tablename__ = "labels"
    name: Mapped[str] = mapped_column(Text)
    # How it is drawn, one of the tags' tones.
    tone: Mapped[str] = mapped_column(Text, server_default="plain")
    owner_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        of_organization(),
        tenant_key("owner_id", "memberships.id"),
        tenant_key("created_by", "memberships.id"),
        UniqueConstraint("organization_id", "owner_id", "name", postgresql_nulls_not_distinct=True),
        CheckConstraint("tone IN ('plain', 'ok', 'brass', 'bad', 'wait')", name="tone"),
        CheckConstraint("btrim(name) <> '' AND length(name) <= 60", name="name"),
    )


class ClientLabel(TenantRow, Base):
    """That a client has a label."""

    __tablename__ = "client_labels"
    label_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("label_id", "labels.id", ondelete="CASCADE"),
        tenant_key("client_id", "clients.id", ondelete="CASCADE"),
        Index(None, "organization_id", "client_id"),
    )


class ClientPair(TenantRow, Base):
    """What was decided of two records that look like one person: `linked`, or `different`.

    A linked one is put behind the other: it is no longer active, keeps all that is its own, and comes back whole when
    the link is taken away. A trigger keeps a roster from bringing it back before.
    """

    __tablename__ = "client_pairs"
    first_id: Mapped[UUID] = mapped_column(primary_key=True)
    second_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    # The one of the two that was put behind the other.
    linked_id: Mapped[UUID | None]
    # What linking changed: whether it was active, and the account that went over to the other.
    before: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    __table_args__ = (
        tenant_key("first_id", "clients.id", ondelete="CASCADE"),
        tenant_key("second_id", "clients.id", ondelete="CASCADE"),
        tenant_key("decided_by", "memberships.id"),
        CheckConstraint("first_id < second_id", name="order"),
        CheckConstraint(
            "state IN ('linked', 'different') AND (state = 'linked') = (linked_id IS NOT NULL)"
            " AND (linked_id IS NULL OR linked_id IN (first_id, second_id))",
            name="state",
        ),
        Index(None, "organization_id", "second_id"),
        Index(
            "uq_client_pairs_linked",
            "organization_id",
            "linked_id",
            unique=True,
            postgresql_where=text("state = 'linked'"),
        ),
    )


class RosterImport(TenantEntity, Base):
    """One file of people: checked whole, then applied by a job, and undone from what it replaced."""

    __tablename__ = "roster_imports"
    file_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(Text, server_default="uploaded")
    # How the file is written: format, encoding, delimiter, headers, a few sample rows, warnings to show.
    source: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    # Where the text that is read from lies, when the file had to be converted first.
    text_location: Mapped[str | None] = mapped_column(Text)
    # Which column of the file (its number, from 0) feeds which field.
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    deactivate_missing: Mapped[bool] = mapped_column(server_default=text("false"))
    # Counts of the check: rows, new, changed, unchanged, bad, e-mails changing, people to deactivate.
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    # The guard rails that were hit, and below the one who said yes.
    guards: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    # Why the file was refused as a whole: a sentence for the page.
    refusal: Mapped[str | None] = mapped_column(SentenceText)
    confirmed_by: Mapped[UUID | None]
    check_job_id: Mapped[UUID | None]
    apply_job_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=_NOW)
    __table_args__ = (
        tenant_key("file_id", "stored_files.id"),
        tenant_key("check_job_id", "jobs.id"),
        tenant_key("apply_job_id", "jobs.id"),
        tenant_key("created_by", "memberships.id"),
        tenant_key("confirmed_by", "memberships.id"),
        CheckConstraint(
            "state IN ('uploaded', 'checking', 'checked', 'refused', 'applying', 'applied', 'undone')",
            name="state",
        ),
        Index(None, "organization_id", "created_at"),
    )


class RosterChunk(TenantEntity, Base):
    """Some thousand rows of a roster, packed by column: what one item of a job works on.

    A packed column holds one value per good row, each followed by the unit separator (U+001F), which no
    cell may contain. A hundred thousand staged rows are then twenty rows here: cheap to write and to read.
    Chunks after the file's own name clients that the file does not.
    """

    __tablename__ = "roster_chunks"
    import_id: Mapped[UUID]
    number: Mapped[int]
    missing: Mapped[bool] = mapped_column(server_default=text("false"))
    # Where the chunk's records lie in the text, and the line they begin on.
    byte_offset: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    byte_length: Mapped[int] = mapped_column(server_default=text("0"))
    first_line: Mapped[int] = mapped_column(server_default=text("0"))
    row_count: Mapped[int] = mapped_column(server_default=text("0"))
    lines: Mapped[str] = mapped_column(Text, server_default="")
    external_ids: Mapped[str] = mapped_column(Text, server_default="")
    external_folded: Mapped[str] = mapped_column(Text, server_default="")
    given_names: Mapped[str] = mapped_column(Text, server_default="")
    given_folded: Mapped[str] = mapped_column(Text, server_default="")
    family_names: Mapped[str] = mapped_column(Text, server_default="")
    family_folded: Mapped[str] = mapped_column(Text, server_default="")
    emails: Mapped[str] = mapped_column(Text, server_default="")
    emails_folded: Mapped[str] = mapped_column(Text, server_default="")
    time_zones: Mapped[str] = mapped_column(Text, server_default="")
    locales: Mapped[str] = mapped_column(Text, server_default="")
    actives: Mapped[str] = mapped_column(Text, server_default="")
    counsellors: Mapped[str] = mapped_column(Text, server_default="")
    attributes: Mapped[str] = mapped_column(Text, server_default="")
    # The clients that applying this chunk made.
    created_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    __table_args__ = (
        tenant_key("import_id", "roster_imports.id", ondelete="CASCADE"),
        UniqueConstraint("organization_id", "import_id", "number"),
    )


class RosterRow(TenantRow, Base):
    """One line of a roster that somebody may ask about: it is bad, or applying it replaced something.

    Good new and unchanged rows have none. Clients the file does not name get lines below zero.
    """

    __tablename__ = "roster_rows"
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chunk_id: Mapped[UUID | None]
    external_id: Mapped[str] = mapped_column(Text, server_default="")
    outcome: Mapped[str] = mapped_column(Text)
    # What is wrong, or why it was kept at undo: a list of [column, sentence, value], and behind them, where the
    # sentence has values, what `saying.from_data` says it with in another language.
    problems: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    # The client's fields before this row was applied.
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    client_id: Mapped[UUID | None]
    __table_args__ = (
        tenant_key("import_id", "roster_imports.id", ondelete="CASCADE"),
        CheckConstraint("outcome IN ('bad', 'updated', 'deactivated', 'undone', 'kept')", name="outcome"),
        Index(None, "organization_id", "import_id", "outcome", "line"),
        Index(None, "organization_id", "chunk_id"),
    )

    @property
    def faults(self) -> list[list[str]]:
        """What is wrong as [column, sentence in English, value]."""
        return [problem[:3] for problem in self.problems]
