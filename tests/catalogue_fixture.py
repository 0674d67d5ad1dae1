"""An installation with the whole catalogue of the shared data: O*NET 30.1, skills of 29.3 and BLS 2024-34."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.features.occupations import store
from app.features.occupations.bls import read_bls
from app.features.occupations.onet import read_onet
from app.infra.db.migrate import admin_engine
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime
from app.infra.storage import Storage
from tests.factories import World
from tests.harness import TEST_ROLE, Clock, OuterTransactionDatabase, Servers
from tests.shared_data import data_file


def onet_folder(name: str, file: str) -> Path:
    """A folder of O*NET files; skips the test where `file` is not in it."""
    return data_file(f"onet/{name}/{file}").parent


@pytest.fixture(scope="session")
def catalogue_database(servers: Servers) -> str:
    """A database with the whole catalogue, imported once for the process; its tests roll back."""
    whole = onet_folder("db_30_1_text", "Interests.txt")
    skills = onet_folder("db_29_3_text_converted", "Skills.txt")
    outlook = data_file("onet/bls_ep_2024_34/occupation.xlsx")
    name = servers.clone()
    owner = servers.url("octant_owner", name)
    store.store(owner, read_onet([whole, skills]))
    store.store(owner, read_bls(outlook))
    return name


@pytest.fixture
def catalogue_runtime(servers: Servers, catalogue_database: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    """As `runtime`, with the whole catalogue."""
    settings = servers.settings(catalogue_database, tmp_path / "storage")
    doorbell = SilentDoorbell()
    with admin_engine(servers.url(TEST_ROLE, catalogue_database)).connect() as connection:
        transaction = connection.begin()
        database = OuterTransactionDatabase(settings, doorbell, connection, clock)
        yield Runtime(settings=settings, database=database, storage=Storage(settings.storage_dir), doorbell=doorbell)
        transaction.rollback()


@pytest.fixture
def catalogue_world(catalogue_runtime: Runtime) -> World:
    """As `world`, with the whole catalogue."""
    return World(catalogue_runtime)
