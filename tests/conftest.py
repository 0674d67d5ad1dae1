"""Fixtures every test may use: real servers, and an installation that a test leaves clean."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.infra.db.migrate import admin_engine
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from app.infra.storage import Storage
from tests.app_fixture import app, application
from tests.browser_fixture import chromium, open_page
from tests.catalogue_fixture import catalogue_database, catalogue_runtime, catalogue_world
from tests.factories import World
from tests.harness import TEST_ROLE, Clock, OuterTransactionDatabase, Servers
from tests.place_fixture import place

TRANSLATIONS = Path(__file__).resolve().parents[1] / "app" / "translations"


# One browser for the whole process: a second one in another folder's conftest could not start beside it.
__all__ = [
    "app",
    "application",
    "catalogue_database",
    "catalogue_runtime",
    "catalogue_world",
    "chromium",
    "open_page",
    "place",
]


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    """Compiled translations, as an installation has them; several test processes may make them at once."""
    for source in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            pending = target.with_suffix(f".{os.getpid()}")
            with source.open("rb") as written, pending.open("wb") as compiled:
                write_mo(compiled, read_po(written))
            pending.replace(target)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL and Valkey of this test process, with a migrated template database."""
    servers = Servers(tmp_path_factory.mktemp("servers"))
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def shared_database(servers: Servers) -> str:
    """The database whose tests roll back."""
    return servers.clone()


@pytest.fixture
def clock() -> Clock:
    """A clock the test may set."""
    return Clock()


@pytest.fixture
def runtime(servers: Servers, shared_database: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    """An installation inside one transaction that is rolled back after the test; bells are only remembered."""
    settings = servers.settings(shared_database, tmp_path / "storage")
    engine = admin_engine(servers.url(TEST_ROLE, shared_database))
    doorbell = SilentDoorbell()
    with engine.connect() as connection:
        transaction = connection.begin()
        database = OuterTransactionDatabase(settings, doorbell, connection, clock)
        yield Runtime(settings=settings, database=database, storage=Storage(settings.storage_dir), doorbell=doorbell)
        transaction.rollback()


@pytest.fixture
def live(servers: Servers, tmp_path: Path) -> Iterator[Runtime]:
    """An installation on a database of its own that really commits, with the real clock."""
    name = servers.clone()
    runtime = make_runtime(servers.settings(name, tmp_path / "storage"), doorbell=SilentDoorbell())
    yield runtime
    runtime.database.dispose()
    servers.drop(name)


@pytest.fixture
def world(runtime: Runtime) -> World:
    """Makes organizations, people and plans in `runtime`."""
    return World(runtime)
