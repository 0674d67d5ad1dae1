"""The only module that opens sessions and the only one that commits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import psycopg
from sqlalchemy import Engine, create_engine, event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.config import Settings
from app.domain.access import Actor
from app.infra.db.arrays import ListOfIdsDumper
from app.infra.db.tenancy import TenantSession

# Seconds after which a pooled connection is asked whether it is still there before it is used.
_REST = 1.0
# Seconds for which the database is asked to end a statement.
_CANCELS = 5.0


class Bell(StrEnum):
    """A queue of the workers. Ringing it is a hint: the rows say what is to be done."""

    PROMPT = "prompt"
    SWEEP = "sweep"
    BULK = "bulk"
    # Jobs of which a single item may take minutes.
    LONG = "long"


class Doorbell(Protocol):
    """Rings a queue for an organization; must never raise because of the broker."""

    def ring(self, bell: Bell, organization_id: UUID) -> None:
        """Send one message that carries the organization's id and its own number, nothing else."""


class UnsafeRole(Exception):
    """The database role could see other organizations' rows, so the application must not start."""


@dataclass(slots=True)
class UnitOfWork:
    """One transaction of one actor: use cases take it first, may flush, and never commit."""

    session: TenantSession
    actor: Actor
    now: datetime
    # How long what this transaction claims for slow work stays claimed.
    lease: timedelta
    request_id: str = ""
    info: dict[str, Any] = field(default_factory=dict)
    _bells: set[Bell] = field(default_factory=set)
    _before_commit: list[Callable[[UnitOfWork], None]] = field(default_factory=list)

    def ring(self, bell: Bell) -> None:
        """Ring a queue for this organization once the transaction is committed."""
        self._bells.add(bell)

    def before_commit(self, hook: Callable[[UnitOfWork], None]) -> None:
        """Run `hook` as the last thing inside the transaction; used by the audit ledger."""
        self._before_commit.append(hook)


class Database:
    """The two engines of a process: the tenants' and the sign-in's."""

    def __init__(self, settings: Settings, doorbell: Doorbell, *, clock: Callable[[], datetime] | None = None) -> None:
        """Prepare engines; no connection is made before it is needed, so forking is safe until then."""
        self.doorbell = doorbell
        self.clock = clock or (lambda: datetime.now(UTC))
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._app = _engine(settings.database_url, settings, settings.pool_size)
        self._identity = _engine(settings.identity_database_url, settings, max(2, settings.pool_size // 2))
        # Connections in use and the thread that uses each.
        self._used: dict[ConnectionPoolEntry, int] = {}
        self._handing = threading.Lock()
        event.listen(self._app, "checkout", self._note_user)
        event.listen(self._app, "checkin", self._forget_user)

    def tenant_session(self, actor: Actor, moment: datetime) -> TenantSession:
        """A new session of the tenant role, bound to the actor's organization; only `unit_of_work` and tests use it."""
        return TenantSession(
            actor.organization_id,
            member_id=actor.membership_id,
            moment=moment,
            bind=self._app,
            expire_on_commit=False,
        )

    def directory_session(self) -> Session:
        """A new session of the tenant role without an organization: it sees the directory and no tenant's row."""
        return Session(self._app, expire_on_commit=False)

    def sign_in_session(self) -> Session:
        """A new session of the sign-in role; only `identity_session` and tests use it."""
        return Session(self._identity, expire_on_commit=False)

    @contextmanager
    def unit_of_work(self, actor: Actor, *, request_id: str = "") -> Iterator[UnitOfWork]:
        """Open a transaction for `actor`: commits on success, rolls back on any exception.

        Bells are rung after the commit returned, never before.
        """
        now = self.clock()
        with self.tenant_session(actor, now) as session:
            uow = UnitOfWork(session=session, actor=actor, now=now, lease=self._lease, request_id=request_id)
            try:
                yield uow
                for hook in uow._before_commit:
                    hook(uow)
                session.commit()
            except BaseException:
                session.rollback()
                raise
        for bell in sorted(uow._bells):
            self.doorbell.ring(bell, actor.organization_id)

    @contextmanager
    def identity_session(self) -> Iterator[Session]:
        """A transaction of the sign-in role: users, sessions, tokens and places, no tenant's data."""
        with self.sign_in_session() as session:
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def interrupt(self, thread: int) -> None:
        """End what the thread's transactions are asking the database just now; there it is an error.

        Harmless where nothing is asked; what the thread asks afterwards is answered.
        """
        # Nobody else gets one of its connections meanwhile.
        with self._handing:
            for entry, user in self._used.items():
                if user == thread and isinstance(raw := entry.driver_connection, psycopg.Connection):
                    with suppress(psycopg.Error):  # it is asked again while the work goes on
                        raw.cancel_safe(timeout=_CANCELS)

    def _note_user(self, _connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
        with self._handing:
            self._used[entry] = threading.get_ident()

    def _forget_user(self, _connection: Any, entry: ConnectionPoolEntry) -> None:
        with self._handing:
            self._used.pop(entry, None)

    def organization_ids(self) -> list[UUID]:
        """Ids of the active organizations, for sweeps that visit each in turn."""
        with self.directory_session() as session:
            rows = session.execute(text("SELECT id FROM tenants WHERE active ORDER BY id"))
            return [row.id for row in rows]

    def organizations_to_wake(self, now: datetime) -> list[UUID]:
        """Ids of the active organizations that have something to do by now, or are to be looked at once more."""
        with self.directory_session() as session:
            rows = session.execute(
                text(
                    "SELECT w.organization_id FROM organization_wakes w JOIN tenants t ON t.id = w.organization_id"
                    " WHERE t.active AND least(w.wake_at, w.check_at) <= :now ORDER BY w.organization_id"
                ),
                {"now": now},
            )
            return [row.organization_id for row in rows]

    def refuse_unsafe_roles(self) -> None:
        """Raise UnsafeRole when either role is a superuser, bypasses row security or owns tables."""
        for opened in (self.directory_session, self.sign_in_session):
            with opened() as session:
                row = session.execute(
                    text(
                        "SELECT current_user AS name, rolsuper, rolbypassrls,"
                        " EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                        "   WHERE n.nspname = 'public' AND c.relowner = r.oid) AS owns"
                        " FROM pg_roles r WHERE rolname = current_user"
                    )
                ).one()
            if row.rolsuper or row.rolbypassrls or row.owns:
                raise UnsafeRole(
                    f"The database role {row.name} is a superuser, bypasses row security or owns tables. "
                    "Octant connects as octant_app and octant_identity; see docs/operations.md, Database roles."
                )

    def ready(self) -> None:
        """Raise whatever the database raises when it cannot be asked."""
        with self.directory_session() as session:
            session.execute(select(1))

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._app.dispose()
        self._identity.dispose()


def _engine(url: str, settings: Settings, size: int) -> Engine:
    address = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(
        address,
        pool_size=size,
        max_overflow=0,
        pool_timeout=5,
        # An error's text is logged and kept with jobs; what was being written is nobody's business there.
        hide_parameters=True,
        connect_args={
            # Named prepared statements break behind a transaction pooler older than PgBouncer 1.21: 0 turns them off.
            "prepare_threshold": settings.prepare_threshold or None,
            "connect_timeout": 5,
            "application_name": "octant",
            "options": f"-c statement_timeout={settings.statement_timeout_ms} -c lock_timeout=5000 -c timezone=UTC"
            # Every index begins with the organization. A plan made while a table filled a page or two reads it
            # whole, and a session keeps that plan for the checks of references; helpers of one statement cost a small
            # organization more than its rows.
            " -c enable_seqscan=off -c max_parallel_workers_per_gather=0"
            " -c idle_in_transaction_session_timeout=60000",
        },
    )
    event.listen(engine, "connect", _write_ids_quickly)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ask_if_alive)
    return engine


def _write_ids_quickly(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.adapters.register_dumper(list, ListOfIdsDumper)


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _ask_if_alive(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Replace a pooled connection that died while nobody used it.

    One that was used a moment ago is not asked: it would be a round trip for every transaction, three of them for
    every page.
    """
    if time.monotonic() - record.info.get("used_at", -_REST) < _REST:
        return
    try:
        connection.execute("")
        connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError("the pooled connection was closed") from error
